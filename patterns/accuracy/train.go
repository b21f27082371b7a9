package accuracy

import (
	"cmp"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/molnvakt/molnvakt/patterns"
)

// Example is a labelled Document as training sees it.
type Example struct {
	Writer   string
	Label    Document
	Features patterns.GistFeatures
}

// Examples reads every document with the library; its gist, if it has one,
// plays no part.
func Examples(lib patterns.Library, docs []Document) ([]Example, error) {
	lib.Gist = nil
	set, err := patterns.NewSet(lib)
	if err != nil {
		return nil, err
	}
	masker, err := NewMasker()
	if err != nil {
		return nil, err
	}
	var out []Example
	r := set.NewReader(masker)
	for _, d := range docs {
		e := Example{Writer: d.Writer, Label: d}
		d.Read(r, patterns.Options{Features: func(f patterns.GistFeatures) { e.Features = f }})
		out = append(out, e)
	}
	return out, nil
}

// How training goes: found by leaving out one writer after the other.
const (
	epochs      = 20
	rate        = 0.5
	decay       = 1e-4
	balance     = 0.5
	leastIn     = 3  // documents that must hold a feature
	leastLabels = 15 // documents of a category, for a question of its own
)

// feature is a feature of an example: where it stands in the vocabulary, and
// its value.
type feature struct {
	at    int
	value float64
}

// Train learns a gist from the examples. The same examples give the same
// table.
func Train(examples []Example) patterns.GistTable {
	keys := vocabulary(examples)
	rows := make([][]feature, len(examples))
	for i, e := range examples {
		rows[i] = row(keys, e.Features)
	}
	t := patterns.GistTable{Keys: keys}
	t.Outputs = questions(examples)
	learned := make([]weights, len(t.Outputs))
	var wait sync.WaitGroup
	for k, c := range t.Outputs {
		wait.Go(func() {
			learned[k] = learn(examples, rows, len(keys), func(d Document) (want, asked bool) { return answer(d, c) })
		})
	}
	wait.Wait()
	for _, w := range learned {
		t.Bias = append(t.Bias, float32(w.bias))
		t.Scale = append(t.Scale, w.scale())
	}
	t.Weights = make([]int8, 0, len(keys)*len(learned))
	for i := range keys {
		for k, w := range learned {
			t.Weights = append(t.Weights, int8(math.Round(w.of[i]/float64(t.Scale[k]))))
		}
	}
	return t
}

// vocabulary returns the features that enough documents hold, ascending.
func vocabulary(examples []Example) []uint32 {
	in := map[uint32]int{}
	for _, e := range examples {
		for _, w := range e.Features.Words {
			in[w]++
		}
		for _, s := range e.Features.Signs {
			in[s.Key]++
		}
	}
	maps.DeleteFunc(in, func(_ uint32, n int) bool { return n < leastIn })
	return slices.Sorted(maps.Keys(in))
}

func row(keys []uint32, f patterns.GistFeatures) []feature {
	var out []feature
	for _, w := range f.Words {
		if at, ok := slices.BinarySearch(keys, w); ok {
			out = append(out, feature{at, 0})
		}
	}
	for i := range out {
		out[i].value = patterns.GistWordValue(len(out))
	}
	for _, s := range f.Signs {
		if at, ok := slices.BinarySearch(keys, s.Key); ok {
			out = append(out, feature{at, s.Value})
		}
	}
	return out
}

// questions returns what is asked: "" first, then the categories of which
// there are enough documents.
func questions(examples []Example) []patterns.Category {
	labels := map[patterns.Category]int{}
	for _, e := range examples {
		for _, c := range e.Label.Categories {
			labels[patterns.Category(c)]++
		}
	}
	maps.DeleteFunc(labels, func(_ patterns.Category, n int) bool { return n < leastLabels })
	return append([]patterns.Category{""}, slices.SortedFunc(maps.Keys(labels), func(a, b patterns.Category) int {
		return cmp.Or(labels[b]-labels[a], strings.Compare(string(a), string(b)))
	})...)
}

// answer is what a document's label says to a question; a category that it
// merely allows is not asked for.
func answer(d Document, c patterns.Category) (want, asked bool) {
	if c == "" {
		return d.Sensitive(), true
	}
	if slices.Contains(d.Allow, string(c)) || d.Sensitive() && len(d.Categories) == 0 {
		return false, false // it may be found, or nobody said what is to be found
	}
	return slices.Contains(d.Categories, string(c)), true
}

// weights are a logistic regression.
type weights struct {
	bias float64
	of   []float64
}

func (w weights) scale() float32 {
	top := 1e-9
	for _, v := range w.of {
		top = max(top, math.Abs(v))
	}
	return float32(top / 127)
}

func (w weights) odds(row []feature) float64 {
	sum := w.bias
	for _, f := range row {
		sum += w.of[f.at] * f.value
	}
	return sum
}

// learn fits weights by AdaGrad: Duchi, Hazan, Singer, JMLR 12 (2011).
func learn(examples []Example, rows [][]feature, size int, label func(Document) (want, asked bool)) weights {
	w := weights{of: make([]float64, size)}
	squares := make([]float64, size)
	order := rand.New(rand.NewPCG(1, 2)).Perm(len(examples))
	with, without := 0.0, 0.0
	for _, e := range examples {
		switch want, asked := label(e.Label); {
		case want:
			with++
		case asked:
			without++
		}
	}
	weight := math.Pow(max(1, without/(with+1)), balance)
	for range epochs {
		for _, i := range order {
			want, asked := label(examples[i].Label)
			if !asked {
				continue
			}
			miss := 1 / (1 + math.Exp(-w.odds(rows[i])))
			if want {
				miss--
			}
			if want {
				miss *= weight
			}
			for _, f := range rows[i] {
				g := miss*f.value + decay*w.of[f.at]
				squares[f.at] += g * g
				w.of[f.at] -= rate * g / math.Sqrt(squares[f.at]+1e-6)
			}
			w.bias -= 0.1 * rate * miss
		}
	}
	return w
}
