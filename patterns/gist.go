package patterns

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
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
