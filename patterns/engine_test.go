package patterns

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var differentialTerms = []Term{
	{Text: "orosanmälan", Mode: Word, Plain: true}, {Text: "läkare", Mode: Word}, {Text: "sjukskriv", Mode: Prefix},
	{Text: "missbruk", Mode: Suffix}, {Text: "lösenord", Mode: Inside, Plain: true}, {Text: "LVU", Mode: Exact},
	{Text: "SoL", Mode: Exact}, {Text: "god man", Mode: Phrase}, {Text: "plan för återgång i arbete", Mode: Phrase},
	{Text: "rum", Mode: Word}, {Text: "barn", Mode: Word}, {Text: "å", Mode: Inside, Plain: false},
	{Text: `kod[- ]?\d{3,5}`, Mode: Regexp}, {Text: `(?:abc|abd)+x`, Mode: Regexp}, {Text: `\bakt\w*\b`, Mode: Regexp},
	{Text: "an", Mode: Suffix}, {Text: "pnr.", Mode: Word}, {Text: "§ 14", Mode: Exact},
	{Text: "god", Mode: Word, Bare: true}, {Text: "lvu kod", Mode: Phrase, Bare: true}, {Text: "KONFIDENTIELL", Mode: Exact}, {Text: "konfidentiell", Mode: Word},
}

func differentialEngine(t testing.TB) *Engine {
	var terms []Term
	for _, term := range differentialTerms {
		if _, err := newTerm(term); err == nil {
			terms = append(terms, term)
		}
	}
	return testEngine(t, terms...)
}

// randomText strings pieces together that matter to the terms, so that they
// stand at every kind of border.
func randomText(r *rand.Rand, n int) string {
	pieces := []string{
		"orosanmälan", "orosanmalan", "OROSANMÄLAN", "läkarens", "sjukskrivningen", "alkoholmissbruket", "wifi-lösenordet",
		"LVU", "lvu", "SoL", "gods", "lvu kods", "konfidentiell", "KONFIDENTIELL", "Konfidentiellt", "konfidens", "god  man", "god\n\tmans", "plan för återgång i arbetet", "rummet", "barnens", "kod-1234", "kod 12", "abcabdx",
		"akten", "å", "ä", "ö", " ", " ", "\n", ".", "-", "_", "a", "n", "s", "7", "§ 14", "pnr.", "●", "“", "é", "\xff", "\u00ad", "\u200b", "\u00a0",
		"a\u030a", "o\u0308", "Ã¤", "ﬁ", "１", "personnummer", "tel", "patienten", "OCR", strings.Repeat(" ", 20), "800102-2386", "19800102–2386",
	}
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(pieces[r.IntN(len(pieces))])
		if r.IntN(3) == 0 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// compareWithReference scans text and compares with the reference.
func compareWithReference(t *testing.T, s *Scanner, text string) {
	t.Helper()
	var c canonicalizer
	canon := c.canonicalize([]byte(text))
	want := referenceTerms(s.engine, canon.text)
	for i := range want {
		want[i].Start, want[i].End = canon.original(want[i].Start), canon.original(want[i].End)
	}
	var got []Hit
	last := -1
	for _, h := range s.Scan([]byte(text)) {
		if h.Start < last {
			t.Fatalf("not sorted: %+v", h)
		}
		last = h.Start
		if h.Kind == TermHit || h.Kind == ContextHit {
			got = append(got, h)
		}
	}
	if diff := compareHits(got, want, canon.text); diff != "" {
		if len(text) < 300 {
			t.Fatalf("%q: %s", text, diff)
		}
		t.Fatalf("%d bytes: %s", len(text), diff)
	}
}

func TestDifferentialShort(t *testing.T) {
	s := differentialEngine(t).NewScanner()
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		compareWithReference(t, s, randomText(r, 1+r.IntN(80)))
	}
}

// TestDifferentialBorders scans texts long enough for four lanes.
func TestDifferentialBorders(t *testing.T) {
	s := differentialEngine(t).NewScanner()
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 2))
		compareWithReference(t, s, randomText(r, lanesFrom+r.IntN(4000)))
	}
}

// TestDifferentialLibrary compares with the reference all terms of the product
// at once, in texts like those that they are for: there the table cuts them,
// and their beginnings run into each other.
func TestDifferentialLibrary(t *testing.T) {
	terms := lexiconTerms(t)
	paths, _ := filepath.Glob("accuracy/corpus/*.docs")
	if len(terms) < 1000 || len(paths) == 0 {
		t.Fatalf("%d terms, %d texts", len(terms), len(paths))
	}
	for i := range terms {
		terms[i].Plain = terms[i].Plain || i%2 == 0 && terms[i].Mode != Exact && terms[i].Mode != Regexp
	}
	s := testEngine(t, terms...).NewScanner()
	r := rand.New(rand.NewPCG(8, 8))
	for range 4 {
		text, err := os.ReadFile(paths[r.IntN(len(paths))])
		if err != nil {
			t.Fatal(err)
		}
		at := r.IntN(max(1, len(text)-300))
		compareWithReference(t, s, string(text[at:min(len(text), at+300)]))
	}
}

// TestNoSweeps: the engine's own rules all have a text to look for.
func TestNoSweeps(t *testing.T) {
	e := testEngine(t)
	for _, id := range e.sweeps {
		t.Errorf("%s must be tried everywhere", e.terms[id].Text)
	}
}

// TestBlocks checks that hits at the borders of blocks and lanes, each moved
// byte by byte across, are found exactly once.
func TestBlocks(t *testing.T) {
	s := differentialEngine(t).NewScanner()
	const term = "plan för  återgång i arbetet"
	filler := strings.Repeat("x ", blockSize)
	borders := []int{blockSize / 4, blockSize / 2, blockSize, blockSize + blockSize/4}
	for _, border := range borders {
		for shift := -len(term) - 2; shift <= 2; shift++ {
			at := border + shift
			text := filler[:at] + " " + term + " " + filler[:2*blockSize-at]
			n := 0
			for _, h := range s.Scan([]byte(text)) {
				if h.Kind == TermHit && h.Start == at+1 && h.End == at+1+len(term) {
					n++
				}
			}
			if n != 1 {
				t.Fatalf("border %d, shift %d: found %d times", border, shift, n)
			}
		}
	}
}

func TestTables(t *testing.T) {
	e := differentialEngine(t)
	var saved bytes.Buffer
	if err := e.WriteTables(&saved); err != nil {
		t.Fatal(err)
	}
	literals, _, _ := literalsOfTerms(e.terms)
	again := savedTable(saved.Bytes(), literals)
	if !reflect.DeepEqual(again, e.literals) {
		t.Error("saved tables differ")
	}
	if savedTable(saved.Bytes(), literals[1:]) != nil {
		t.Error("tables of other terms were taken")
	}
	damaged := bytes.Clone(saved.Bytes())
	damaged[len(damaged)/2] ^= 1
	if savedTable(damaged, literals) != nil || savedTable(damaged[:100], literals) != nil {
		t.Error("damaged tables were taken")
	}
}

// TestManyTerms: a dictionary with more beginnings than the table can number
// is found all the same.
func TestManyTerms(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var terms []Term
	for len(terms) < 40_000 {
		text := make([]byte, 12)
		for i := range text {
			text[i] = 'a' + byte(r.IntN(26))
		}
		terms = append(terms, Term{Text: string(text), Mode: Exact})
	}
	e := testEngine(t, terms...)
	if e.literals.longest >= maxTerm {
		t.Error("the table holds all of the terms: too few of them")
	}
	s := e.NewScanner()
	for id := 0; id < len(terms); id += 500 {
		found := false
		for _, h := range s.Scan([]byte("ett " + terms[id].Text + " till")) {
			found = found || h.Kind == TermHit && h.Term == TermID(id)
		}
		if !found {
			t.Errorf("%s is not found", terms[id].Text)
		}
	}
}

// TestSharedClass: bytes that the table does not tell apart are told apart.
func TestSharedClass(t *testing.T) {
	var terms []Term
	for _, sign := range "#%&*+/<=>?@[]^_`{|}~§°¤½ßøæþðñëïüžšłđ" {
		terms = append(terms, Term{Text: "ab" + string(sign) + "cd", Mode: Word})
	}
	e := testEngine(t, terms...)
	shared := 0
	for _, c := range e.literals.class {
		shared += boolInt(c == sharedClass)
	}
	if shared == 0 {
		t.Error("no byte shares a class: too few of them")
	}
	s := e.NewScanner()
	for id := range terms {
		compareWithReference(t, s, "ett "+terms[id].Text+" till, "+strings.ToUpper(terms[id].Text))
	}
}

// TestCostlyExpression: an expression that would take minutes is stopped and
// named; its neighbours are not.
func TestCostlyExpression(t *testing.T) {
	e := testEngine(t, Term{Text: `(?:x ?){1,900}(?:y ?){1,900}z`, Mode: Regexp}, Term{Text: `\w+ slut`, Mode: Regexp}, Term{Text: "granne", Mode: Word})
	text := []byte(strings.Repeat("x x y y ", 1<<17) + "en granne vid slut")
	s := e.NewScanner()
	start := time.Now()
	s.Begin()
	var found []TermID
	for _, h := range s.Scan(text) {
		if h.Kind == TermHit {
			found = append(found, h.Term)
		}
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %s", d)
	}
	if got := s.Exhausted(); !slices.Equal(got, []TermID{0}) {
		t.Errorf("exhausted: %v", got)
	}
	slices.Sort(found)
	if !slices.Equal(found, []TermID{1, 2}) {
		t.Errorf("found %v", found)
	}
	s.Begin()
	if got := s.Exhausted(); got != nil {
		t.Errorf("still exhausted in the next document: %v", got)
	}
}

// TestConcurrent: one Engine serves many goroutines, each with its Scanner.
func TestConcurrent(t *testing.T) {
	e := differentialEngine(t)
	text := []byte(randomText(rand.New(rand.NewPCG(1, 4)), 3*lanesFrom))
	want := len(e.NewScanner().Scan(text))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			s := e.NewScanner()
			for range 5 {
				if got := len(s.Scan(text)); got != want {
					t.Errorf("%d hits, want %d", got, want)
				}
				if id, _ := e.Parse("19800102-2386"); id != Personnummer {
					t.Errorf("Parse: %s", id)
				}
			}
		})
	}
	group.Wait()
}

// TestAllocations: scanning costs no garbage once the buffers have grown.
func TestAllocations(t *testing.T) {
	s := differentialEngine(t).NewScanner()
	text := []byte(syntheticProse(rand.New(rand.NewPCG(2, 2)), 1<<20))
	s.Scan(text)
	if n := testing.AllocsPerRun(3, func() { s.Begin(); s.Scan(text) }); n > 50 {
		t.Errorf("%.0f allocations for 1 MB", n)
	}
}
