package patterns

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
)

// Gist is a learned judge of what a text is as a whole: whether it tells of
// somebody, as case notes do, or of people at large, as routines, news and
// novels do, and what it is about. It weighs words and how people and the
// words of categories stand together, and only raises or lowers what the
// rules found. It is a logistic regression for each output; package accuracy
// trains it on the labelled corpus.
type Gist struct {
	outputs []gistOutput
	keys    []uint32 // open addressing; 0: free
	weights []int8   // of each key's slot, len(outputs) each
	mask    uint32
	sum     [sha256.Size]byte // of the table
}

// gistOutput is one of the questions that the gist answers.
type gistOutput struct {
	slot  int // of the category; -1: is the document sensitive at all
	scale float32
	bias  float32
}

// GistTable is a Gist as training makes it and as a file holds it.
type GistTable struct {
	// Outputs are categories; "" asks whether the document is sensitive.
	Outputs []Category
	Bias    []float32
	// Scale is what a weight of 1 stands for, by output.
	Scale []float32
	// Keys are the features, ascending; Weights those of each key's outputs.
	Keys    []uint32
	Weights []int8
}

const gistMagic = "MVGIST1\n"

// ErrGist says that a table is no gist.
var ErrGist = errors.New("not a gist table")

// Bytes returns the table as ParseGist reads it.
func (t GistTable) Bytes() []byte {
	b := []byte(gistMagic)
	b = append(b, byte(len(t.Outputs)))
	for i, c := range t.Outputs {
		b = append(append(b, byte(len(c))), c...)
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(t.Bias[i]))
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(t.Scale[i]))
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(t.Keys)))
	for _, k := range t.Keys {
		b = binary.LittleEndian.AppendUint32(b, k)
	}
	for _, w := range t.Weights {
		b = append(b, byte(w))
	}
	return b
}

// ParseGist reads what GistTable.Bytes wrote; errors wrap ErrGist.
func ParseGist(raw []byte) (*Gist, error) {
	rest, ok := bytes.CutPrefix(raw, []byte(gistMagic))
	if !ok || len(rest) == 0 {
		return nil, fmt.Errorf("%w: another heading", ErrGist)
	}
	n := int(rest[0])
	rest = rest[1:]
	g := &Gist{sum: sha256.Sum256(raw)}
	for range n {
		if len(rest) == 0 || len(rest) < 1+int(rest[0])+8 {
			return nil, fmt.Errorf("%w: cut off in its outputs", ErrGist)
		}
		size := int(rest[0])
		o := gistOutput{slot: -1}
		if size > 0 {
			if o.slot, ok = slotOf(Category(rest[1 : 1+size])); !ok {
				return nil, fmt.Errorf("%w: no category %q", ErrGist, rest[1:1+size])
			}
		}
		rest = rest[1+size:]
		o.bias = math.Float32frombits(binary.LittleEndian.Uint32(rest))
		o.scale = math.Float32frombits(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		g.outputs = append(g.outputs, o)
	}
	if len(rest) < 4 {
		return nil, fmt.Errorf("%w: cut off before its features", ErrGist)
	}
	keys := int(binary.LittleEndian.Uint32(rest))
	rest = rest[4:]
	if len(rest) != keys*(4+n) {
		return nil, fmt.Errorf("%w: %d bytes of features, want %d", ErrGist, len(rest), keys*(4+n))
	}
	g.index(rest[:4*keys], rest[4*keys:])
	return g, nil
}

func (g *Gist) index(keys, weights []byte) {
	size := 2
	for size < len(keys)/2 { // twice as many slots as keys
		size *= 2
	}
	n := len(g.outputs)
	g.mask = uint32(size - 1)
	g.keys, g.weights = make([]uint32, size), make([]int8, size*n)
	for i := 0; 4*i < len(keys); i++ {
		key := binary.LittleEndian.Uint32(keys[4*i:])
		at := key & g.mask
		for g.keys[at] != 0 {
			at = (at + 1) & g.mask
		}
		g.keys[at] = key
		for k := range n {
			g.weights[int(at)*n+k] = int8(weights[i*n+k])
		}
	}
}

// find returns the slot of a feature.
func (g *Gist) find(key uint32) (int, bool) {
	for at := key & g.mask; g.keys[at] != 0; at = (at + 1) & g.mask {
		if g.keys[at] == key {
			return int(at), true
		}
	}
	return 0, false
}

// gistBytes is how much of a document its gist is taken from.
const gistBytes = 32 << 10

// gistReader gathers the features of a document.
type gistReader struct {
	title []byte // its path
	head  []byte // its first gistBytes
	signs map[uint32]int
	met   []uint64 // set of the Gist's slots that the words hit

	lifts lifts
	doubt float64 // how much of what the rules take for innocence counts
}

func (g *gistReader) reset(path string) {
	g.title, g.head = append(g.title[:0], path...), g.head[:0]
	if g.signs == nil {
		g.signs = map[uint32]int{}
	}
	clear(g.signs)
}

// The seeds of what is hashed.
const (
	seedText uint32 = iota + 1
	seedTitle
	seedBegin // how a long word begins
	seedEnd   // and ends
	seedSign
	seedLead // the first words
)

// leadBytes is how much of the text may be its title.
const leadBytes = 160

// all calls add with the features of the document's words.
func (g *gistReader) all(names *nameFinder, add func(uint32)) {
	names.words(g.title, seedTitle, add)
	names.words(g.head, seedText, add)
	names.words(g.head[:runeStart(g.head, leadBytes)], seedLead, add)
}

// hashWord hashes a word, its capitals as small letters (FNV-1a, mixed).
func hashWord(seed uint32, w []byte) uint32 {
	h := seed ^ 2166136261
	before := byte(0)
	for _, c := range w {
		if c >= 'A' && c <= 'Z' || before == 0xC3 && c >= 0x80 && c < 0x9F {
			c |= 0x20
		}
		before = c
		h = (h ^ uint32(c)) * 16777619
	}
	return finish(h)
}

// finish spreads a hash over all its bits; 0 marks a free slot.
func finish(h uint32) uint32 {
	h = (h ^ h>>15) * 0x85EBCA6B
	return max(1, h^h>>13)
}

func hashPair(a, b uint32) uint32 { return finish(a*0x9E3779B1 ^ b) }

// The tokens that stand for what a word is rather than for the word.
var (
	tokenFirstName   = []byte("<first name>")
	tokenLastName    = []byte("<surname>")
	tokenLongAgo     = []byte("<1500-1939>")
	tokenLastCentury = []byte("<1940-1999>")
	tokenThisCentury = []byte("<2000->")
	tokenNumbers     = [...][]byte{[]byte("<#1>"), []byte("<#2>"), []byte("<#3>"), []byte("<#4>"), []byte("<#5>"), []byte("<#6>"), []byte("<#7>"), []byte("<#8>"), []byte("<#9>")}
)

// words calls add with the features of a text's words: each word, how long
// ones begin and end, and each pair. Names and numbers are only named as such.
func (f *nameFinder) words(text []byte, seed uint32, add func(uint32)) {
	prev := uint32(0)
	for i := 0; i < len(text); {
		c := text[i]
		if !nameByte(c) || c == '_' {
			if c == '.' || c == '\n' || c == '!' || c == '?' || c == ':' {
				prev = finish(uint32(c) ^ seed<<8)
			}
			i++
			continue
		}
		j := i + 1
		for j < len(text) && nameByte(text[j]) && text[j] != '_' {
			j++
		}
		h := f.wordFeatures(text[i:j], seed, add)
		if prev != 0 {
			add(hashPair(prev, h))
		}
		prev, i = h, j
	}
}

func (f *nameFinder) wordFeatures(w []byte, seed uint32, add func(uint32)) uint32 {
	token := w
	if asciiDigit(w[0]) {
		token = numberToken(w)
	} else if capital(w) && len(w) > 2 {
		switch class := f.classOf(w, isCaps(w)); {
		case class&(firstName|rareName) != 0 && class&ambiguousName == 0:
			token = tokenFirstName
		case class&lastName != 0 && class&placeName == 0:
			token = tokenLastName
		}
	}
	h := hashWord(seed, token)
	add(h)
	if len(token) == len(w) && &token[0] == &w[0] {
		if k := runeStart(w, 6); k < len(w)-1 {
			add(hashWord(seed<<8^seedBegin, w[:k]))
		}
		if len(w) > 8 {
			add(hashWord(seed<<8^seedEnd, w[runeStart(w, len(w)-6):]))
		}
	}
	return h
}

// numberToken names a number by its length, a year by its time.
func numberToken(w []byte) []byte {
	if len(w) == 4 {
		switch {
		case w[0] == '1' && w[1] >= '5' && w[1] < '9', w[0] == '1' && w[1] == '9' && w[2] < '4':
			return tokenLongAgo
		case w[0] == '1' && w[1] == '9':
			return tokenLastCentury
		case w[0] == '2' && w[1] == '0' && w[2] < '5':
			return tokenThisCentury
		}
	}
	return tokenNumbers[min(len(w), len(tokenNumbers))-1]
}

func capital(w []byte) bool {
	return w[0] >= 'A' && w[0] <= 'Z' || w[0] == 0xC3 && len(w) > 1 && w[1] < 0x9F
}

// runeStart returns the last beginning of a rune up to at.
func runeStart(w []byte, at int) int {
	if at >= len(w) {
		return len(w)
	}
	for at > 0 && w[at]&0xC0 == 0x80 {
		at--
	}
	return at
}

// sign counts something that two codes name.
func (g *gistReader) sign(kind byte, weight int, a, b string) {
	h := seedSign ^ uint32(kind)<<8 ^ uint32(weight)<<16 ^ 2166136261
	for i := range len(a) {
		h = (h ^ uint32(a[i])) * 16777619
	}
	h = (h ^ '|') * 16777619
	for i := range len(b) {
		h = (h ^ uint32(b[i])) * 16777619
	}
	g.signs[finish(h)]++
}

// read gathers the head of the text, and how its people, words and cues stand
// together.
func (g *gistReader) read(s *scene, people []individual) {
	limit := min(len(s.text), gistBytes-len(g.head))
	if limit <= 0 {
		return
	}
	g.head = append(g.head, s.text[:limit]...)
	for k := 0; k < len(s.terms) && s.terms[k].start < limit; k++ {
		g.term(s, people, k)
	}
	for _, c := range s.cuesBetween(0, limit) {
		g.sign('c', 0, string(c.group), "")
	}
	for i := 0; i < len(people) && people[i].start < limit; i++ {
		g.sign('p', boolInt(people[i].labelled), people[i].as(), "")
	}
	for i := 0; i < len(s.found) && s.found[i].Start < limit; i++ {
		g.sign('i', int(s.found[i].Confidence), s.found[i].Identifier.String(), "")
	}
	if len(s.b.rows) > 0 {
		g.sign('r', 0, "", "")
	}
}

// term gathers what shares a sentence with a word of a category.
func (g *gistReader) term(s *scene, people []individual, k int) {
	t := &s.terms[k]
	category := string(slots[t.slot])
	g.sign('t', t.weight, category, "")
	from, to := s.b.sentence(t.start)
	groups := map[CueGroup]bool{}
	for _, c := range s.cuesBetween(from, to) {
		if !groups[c.group] {
			groups[c.group] = true
			g.sign('g', t.weight, "", string(c.group))
			g.sign('g', 0, category, string(c.group))
		}
	}
	best := ""
	for i := sort.Search(len(people), func(i int) bool { return people[i].start >= from }); i < len(people) && people[i].start < to; i++ {
		if p := &people[i]; p.end <= to {
			best = max(best, p.as())
		}
	}
	g.sign('w', t.weight, "", best)
	g.sign('w', 0, category, best)
}

// as names how a person stands in the text.
func (p *individual) as() string {
	switch {
	case p.official:
		return "official"
	case p.labelled:
		return "labelled"
	}
	return p.because
}

// GistFeatures are the features of a document, for training.
type GistFeatures struct {
	Words []uint32 // distinct, ascending
	Signs []GistSign
}

// GistSign is a feature with its own value.
type GistSign struct {
	Key   uint32
	Value float64
}

func (g *gistReader) features(names *nameFinder) GistFeatures {
	f := GistFeatures{Signs: g.signValues()}
	add := func(h uint32) { f.Words = append(f.Words, h) }
	g.all(names, add)
	slices.Sort(f.Words)
	f.Words = slices.Compact(f.Words)
	return f
}

// signWeight is how much the signs weigh against the words.
const signWeight = 0.7

// signValues returns the signs by key: always in the same order, so that sums
// of them are the same.
func (g *gistReader) signValues() []GistSign {
	values := make([]GistSign, 0, len(g.signs))
	size := float64(len(g.head))/1500 + 1
	for _, h := range slices.Sorted(maps.Keys(g.signs)) {
		values = append(values, GistSign{h, math.Log1p(float64(g.signs[h]) / size)})
	}
	sum := 0.5
	for _, s := range values {
		sum += s.Value * s.Value
	}
	for i := range values {
		values[i].Value *= signWeight / math.Sqrt(sum)
	}
	return values
}

// GistWordValue is the value of each of n words of the vocabulary that a
// document holds.
func GistWordValue(n int) float64 { return 1 / math.Sqrt(float64(n)+1) }

// shortText is how many features of words make the gist half as sure as it
// says: a few lines do not tell what a text is like.
const shortText = 20

// weigh answers the gist's questions about the document: log odds by slot,
// and of its being sensitive at all.
func (g *gistReader) weigh(m *Gist, names *nameFinder) (whole float64, by map[int]float64) {
	by = map[int]float64{}
	n := len(m.outputs)
	words := make([]int, n)
	count := 0
	if len(g.met)*64 < len(m.keys) {
		g.met = make([]uint64, len(m.keys)/64+1)
	}
	clear(g.met)
	add := func(h uint32) {
		at, ok := m.find(h)
		if !ok || g.met[at>>6]>>(at&63)&1 == 1 {
			return
		}
		g.met[at>>6] |= 1 << (at & 63)
		count++
		for k, w := range m.weights[at*n : at*n+n] {
			words[k] += int(w)
		}
	}
	g.all(names, add)
	signs := make([]float64, n)
	for _, s := range g.signValues() {
		if at, ok := m.find(s.Key); ok {
			for k, w := range m.weights[at*n : at*n+n] {
				signs[k] += s.Value * float64(w)
			}
		}
	}
	value, said := GistWordValue(count), float64(count)/float64(count+shortText)
	for k, o := range m.outputs {
		odds := said * (float64(o.bias) + float64(o.scale)*(value*float64(words[k])+signs[k]))
		if o.slot < 0 {
			whole = odds
		} else {
			by[o.slot] = odds
		}
	}
	return whole, by
}

// How much the gist's log odds raise or lower a score, and the most of them
// that counts: what the rules are sure of stays, whatever the text is like.
// How much the gist's log odds raise or lower a score, and the most of them
// that counts: what the rules are sure of stays, whatever the text is like.
// Found by judging each writer with a gist trained on the others.
const (
	wholeShare, ownShare, ownBias         = 0.33, 0.65, 0.15
	thingWhole, thingShare, thingBias     = 0.4, 0.1, 0.3
	aloneShare, aloneBias                 = 0.9, -0.9
	maxOdds                               = 4
	maxRaise, maxLower                    = 1.2, 2.2 // factors of three and nine
	doubtShare, leastDoubt, greatestDoubt = 0.3, 0.3, 1.5
)

// lifts are what the scores of the categories are multiplied with.
type lifts [len(slots)]float64

// lifts returns what the gist says of each category; alone asks of none but
// whether the document as a whole is sensitive.
func (r *reader) lifts(alone bool) lifts {
	var l lifts
	for slot := range l {
		l[slot] = 1
	}
	r.gist.doubt = 1
	g := r.set.gist
	if g == nil || !r.suspects() {
		return l
	}
	whole, by := r.gist.weigh(g, r.set.names)
	whole = clamp(whole, maxOdds)
	r.gist.doubt = max(leastDoubt, min(greatestDoubt, 1-doubtShare*whole))
	for slot, c := range slots {
		own, asked := by[slot]
		own = clamp(own, maxOdds)
		odds := 0.0
		switch {
		case c == Secrets:
		case c == NationalSecurity:
			odds = min(thingShare*own, 0.3) // its words are few, and each list of classes has them
		case c.aboutThings():
			odds = thingBias + thingWhole*whole + thingShare*own
		case alone || !asked:
			odds = aloneBias + aloneShare*whole
		default:
			odds = ownBias + wholeShare*whole + ownShare*own
		}
		l[slot] = math.Exp(max(-maxLower, min(maxRaise, odds)))
	}
	return l
}

// suspects reports whether the rules have anything for the gist to judge.
func (r *reader) suspects() bool {
	for slot := range slots {
		if len(r.claims[slot].people) > 0 || r.narratives[slot].sum > 0 || r.things.zone[slot] > 0 {
			return true
		}
	}
	return false
}

func clamp(v, most float64) float64 { return max(-most, min(most, v)) }
