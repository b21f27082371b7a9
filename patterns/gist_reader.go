package patterns

import (
	"maps"
	"math"
	"slices"
	"sort"
)

// gistBytes is how much of a document its gist is taken from.
const gistBytes = 32 << 10

// gistReader gathers the features of a document.
type gistReader struct {
	title []byte // its path
	head  []byte // its first gistBytes, in canonical form
	canon canonicalizer
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
	g.head = append(g.head, g.canon.canonicalize(s.text[:limit]).text...)
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
