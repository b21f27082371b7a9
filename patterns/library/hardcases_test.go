package library

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/patterns"
)

type hardcase struct {
	ID, Kind, Carrier, Text, Why string
}

// wanted is what each hard case must yield.
var wanted = map[string]struct {
	identifiers map[string]int
	categories  []patterns.Category
}{
	"P1":  {map[string]int{"personnummer": 3}, []patterns.Category{patterns.ProtectedIdentity}},
	"P3":  {map[string]int{"personnummer": 1}, []patterns.Category{patterns.Health}},
	"P5":  {map[string]int{"reservnummer": 1}, []patterns.Category{patterns.Health, patterns.SocialServices}},
	"P7":  {map[string]int{"personnummer": 1}, []patterns.Category{patterns.Health}},
	"P9":  {nil, []patterns.Category{patterns.ProtectedIdentity}},
	"P12": {nil, []patterns.Category{patterns.SocialServices}},
	"P13": {nil, []patterns.Category{patterns.Union}},
}

var fileName = regexp.MustCompile(`'([^']+)'`)

func TestHardcases(t *testing.T) {
	set, masker := load(t)
	f, err := os.Open("testdata/hardcases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	in := bufio.NewScanner(f)
	for in.Scan() {
		var c hardcase
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		t.Run(c.ID, func(t *testing.T) { try(t, set.NewReader(masker), c) })
	}
}

func try(t *testing.T, r patterns.Reader, c hardcase) {
	name := "document." + strings.Fields(c.Carrier)[0]
	if m := fileName.FindStringSubmatch(c.Carrier); m != nil {
		name = m[1]
	}
	if c.Carrier == "file name" {
		name = c.Text
	}
	r.Begin(patterns.Subject{Name: name, Path: name}, patterns.Options{CountTestNumbers: true, Explain: true})
	r.Text("body", "", c.Text)
	content, steps := r.Finish()
	want := wanted[c.ID]
	for _, n := range content.Identifiers {
		if strings.HasPrefix(n.Type, "person") || strings.HasPrefix(n.Type, "samordning") || strings.HasPrefix(n.Type, "reserv") {
			if got := n.AtLeast(patterns.Medium); got != want.identifiers[n.Type] {
				t.Errorf("%d %s, want %d (%s)", got, n.Type, want.identifiers[n.Type], c.Why)
			}
		}
	}
	for id, n := range want.identifiers {
		if !slices.ContainsFunc(content.Identifiers, func(x patterns.IdentifierCount) bool { return x.Type == id && x.AtLeast(patterns.Medium) == n }) {
			t.Errorf("misses %d %s: %+v", n, id, content.Identifiers)
		}
	}
	for _, category := range want.categories {
		if !slices.ContainsFunc(content.Categories, func(f patterns.CategoryFound) bool { return f.Category == category }) {
			t.Errorf("misses %s (%s)", category, c.Why)
		}
	}
	for _, f := range content.Categories {
		if c.Kind == "must_not_find" && f.Category != patterns.PersonalData {
			t.Errorf("finds %s (%s)", f.Category, c.Why)
		}
	}
	if t.Failed() {
		for _, s := range steps {
			t.Logf("%v %s %v", s.Counted, s.Pattern, s.Because)
		}
	}
}

func load(t *testing.T) (*patterns.Set, *patterns.Masker) {
	t.Helper()
	set, err := Load(Options{})
	if err != nil {
		t.Fatal(err)
	}
	masker, err := patterns.NewMasker([]byte("a key for tests only"))
	if err != nil {
		t.Fatal(err)
	}
	return set, masker
}
