package patterns

import (
	"errors"
	"slices"
	"testing"
)

func smallGist() GistTable {
	return GistTable{
		Outputs: []Category{"", Health}, Bias: []float32{-1, 0.5}, Scale: []float32{0.1, 0.2},
		Keys: []uint32{3, 9, 1 << 31}, Weights: []int8{1, -2, 127, -127, 0, 5},
	}
}

// TestGistTable: a table is read as it was written, and what is none is
// refused.
func TestGistTable(t *testing.T) {
	raw := smallGist().Bytes()
	g, err := ParseGist(raw)
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range smallGist().Keys {
		at, ok := g.find(key)
		if !ok || !slices.Equal(g.weights[2*at:2*at+2], smallGist().Weights[2*i:2*i+2]) {
			t.Errorf("key %d: weights %v at %d (%v)", key, g.weights, at, ok)
		}
	}
	if _, ok := g.find(4); ok {
		t.Error("finds a feature that is not there")
	}
	for n := range len(raw) {
		if _, err := ParseGist(raw[:n]); !errors.Is(err, ErrGist) {
			t.Errorf("cut off at %d: %v", n, err)
		}
	}
	if _, err := ParseGist(GistTable{Outputs: []Category{"väder"}, Bias: make([]float32, 1), Scale: make([]float32, 1)}.Bytes()); !errors.Is(err, ErrGist) {
		t.Errorf("an unknown category: %v", err)
	}
}

// TestGistWords: capitals, names and numbers make no difference, words do.
func TestGistWords(t *testing.T) {
	f := newNameFinder(Names{First: []string{"Mia", "Åke"}, Last: []string{"Olsson"}})
	words := func(text string) []uint32 {
		var all []uint32
		f.words([]byte(text), seedText, func(h uint32) { all = append(all, h) })
		slices.Sort(all)
		return slices.Compact(all)
	}
	same := [][2]string{
		{"ÄRENDET gäller Mia Olsson", "Ärendet gäller Åke Olsson"},
		{"den 12 maj 2024", "den 31 maj 2025"},
		{"Överklagandeprocessen", "överklagandeprocessen"},
	}
	for _, p := range same {
		if !slices.Equal(words(p[0]), words(p[1])) {
			t.Errorf("%q and %q differ", p[0], p[1])
		}
	}
	if slices.Equal(words("hon slog honom"), words("honom slog hon")) {
		t.Error("the order of words makes no difference")
	}
}

// TestGistBounds: a gist that is sure moves a score only so far, and finds
// nothing by itself.
func TestGistBounds(t *testing.T) {
	g, err := ParseGist(GistTable{Outputs: []Category{"", Health}, Bias: []float32{1e6, 1e6}, Scale: []float32{1, 1}}.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSet(Library{Gist: g})
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMasker([]byte("a key for the test of gists"))
	if err != nil {
		t.Fatal(err)
	}
	r := s.NewReader(m).(*reader)
	r.Begin(Subject{Name: "a.txt", Path: "a.txt"}, Options{})
	r.Text("body", "", "Mötet börjar klockan nio och kaffe finns i köket.")
	if c, _ := r.Finish(); len(c.Categories) > 0 {
		t.Errorf("finds %v by itself", c.Categories)
	}
	for slot, l := range r.lifts(false) {
		if l > 10 {
			t.Errorf("%s is multiplied by %.1f", slots[slot], l)
		}
	}
}

// TestGistReadsWhatIsMeant: decomposed letters and UTF-8 read as Latin-1 give
// the features of the text as it was meant.
func TestGistReadsWhatIsMeant(t *testing.T) {
	s, err := NewSet(Library{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMasker([]byte("a key for the test of gists"))
	if err != nil {
		t.Fatal(err)
	}
	features := func(text string) (f GistFeatures) {
		r := s.NewReader(m)
		r.Begin(Subject{Name: "a", Path: "a"}, Options{Features: func(got GistFeatures) { f = got }})
		r.Text("body", "", text)
		r.Finish()
		return f
	}
	want := features("Hon mår dåligt på förskolan").Words
	for _, text := range []string{"Hon ma\u030ar da\u030aligt pa\u030a fo\u0308rskolan", "Hon mÃ¥r dÃ¥ligt pÃ¥ fÃ¶rskolan", "Hon mår då\u00adligt på förskolan"} {
		if got := features(text).Words; !slices.Equal(got, want) {
			t.Errorf("%q: other features", text)
		}
	}
}
