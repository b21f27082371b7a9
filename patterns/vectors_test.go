package patterns

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

func testEngine(t testing.TB, terms ...Term) *Engine {
	t.Helper()
	b := NewBuilder()
	b.Today(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))
	for _, term := range terms {
		if _, err := b.Term(term); err != nil {
			t.Fatal(err)
		}
	}
	e, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestVectors runs the collected numbers, valid and deceptive, through Scan.
func TestVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/identifiers.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct{ Text, Type, Expect, Note string }
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{"regnr": "registreringsnummer", "icd": "icd10"}
	e := testEngine(t)
	s := e.NewScanner()
	for _, v := range vectors {
		if n, ok := names[v.Type]; ok {
			v.Type = n
		}
		found := map[string]bool{}
		for _, h := range s.Scan([]byte(v.Text)) {
			if h.Kind == IdentifierHit && h.Start == 0 && h.End == len(v.Text) {
				found[h.Identifier.String()] = true
			}
		}
		if v.Expect == "valid" || v.Expect == "shape_valid" {
			if !found[v.Type] {
				t.Errorf("%s: want %s (%s), found %v", v.Text, v.Type, v.Note, found)
			}
			continue
		}
		text := []byte(v.Text)
		for _, f := range e.Identify(text, s.Scan(text), nil) {
			if f.Identifier.String() == v.Type && f.Confidence > 0 {
				t.Errorf("%s: is not %s (%s): %v", v.Text, v.Type, v.Note, f.Because)
			}
		}
	}
}
