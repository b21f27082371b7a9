package library

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/patterns/patterntest"
)

func TestReader(t *testing.T) {
	set, masker := load(t)
	patterntest.Run(t, set.NewReader(masker))
}

// TestLexicons looks for terms that can never count, or twice.
func TestLexicons(t *testing.T) {
	lib, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	if len(lib.Lexicons) != 18 {
		t.Errorf("%d lexicons, want 18", len(lib.Lexicons))
	}
	for _, lex := range lib.Lexicons {
		seen := map[string]bool{}
		for _, term := range lex.Terms {
			key := strings.ToLower(term.Text) + term.Mode.String()
			if term.Mode == patterns.Exact {
				key = term.Text + term.Mode.String()
			}
			if seen[key] {
				t.Errorf("%s: %q stands twice", lex.Category, term.Text)
			}
			seen[key] = true
		}
	}
}

func TestVersionFollowsPatterns(t *testing.T) {
	plain, err := Load(Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "a.yaml", "patterns:\n- id: projekt-x\n  words: [Nordstjärnan]\n")
	one, err := Load(Options{PatternsDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "a.yaml", "patterns:\n- id: projekt-x\n  words: [Nordstjärna]\n")
	two, err := Load(Options{PatternsDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if plain.Version() == one.Version() || one.Version() == two.Version() {
		t.Errorf("versions %s, %s, %s", plain.Version(), one.Version(), two.Version())
	}
	again, err := Load(Options{})
	if err != nil || again.Version() != plain.Version() {
		t.Errorf("version %s, then %s (%v)", plain.Version(), again.Version(), err)
	}
}

// Prepare must promise what Load keeps, with tables and without.
func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	for _, o := range []Options{{}, {TablesDir: dir}, {TablesDir: dir}} {
		promised, err := Prepare(o)
		if err != nil {
			t.Fatal(err)
		}
		set, err := Load(o)
		if err != nil || set.Version() != promised {
			t.Errorf("%+v: version %s, promised %s (%v)", o, set.Version(), promised, err)
		}
	}
	saved, err := filepath.Glob(filepath.Join(dir, "tables-*"))
	if err != nil || len(saved) != 1 {
		t.Errorf("saved tables: %v (%v)", saved, err)
	}
	bad := t.TempDir()
	write(t, bad, "a.yaml", "patterns:\n- id: leer\n  regex: ['x*']\n")
	if _, err := Prepare(Options{PatternsDir: bad, TablesDir: dir}); !errors.Is(err, patterns.ErrTerm) && !errors.Is(err, ErrPattern) {
		t.Errorf("a pattern that matches nothing: %v", err)
	}
}

const custom = `patterns:
- id: kundnummer-energi
  title: Kundnummer hos energibolaget
  class: K2
  confidence: high
  regex: ['KE-\d{6}']
  near: [kund, anläggning]
  not_near: [exempel]
  distance: 60
  examples:
  - "Kund KE-204417 har flyttat."
  counter_examples:
  - "Artikel KE-204417 finns i lager."
  - "Exempel: kund KE-204417"
- id: projekt-nordstjarnan
  category: sakerhet_anlaggning
  phrases: [projekt Nordstjärnan]
  individual: true
  examples: ["Karin Lindberg leder projekt Nordstjärnan."]
  counter_examples: ["Projekt Nordstjärnan är klart."]
- id: medarbetarlista
  dictionary: namn.txt
  at_least: 2
  examples: ["Alfa Betasson och Gamma Deltasson"]
  counter_examples: ["Alfa Betasson"]
`

func TestCustom(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "egna.yaml", custom)
	write(t, dir, "namn.txt", "# våra\nAlfa Betasson\nGamma Deltasson\n")
	if err := Check(dir); err != nil {
		t.Fatal(err)
	}
	set, err := Load(Options{PatternsDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	_, masker := load(t)
	r := set.NewReader(masker)
	r.Begin(patterns.Subject{Name: "x.txt"}, patterns.Options{})
	r.Text("body", "", "Kunden har anläggning KE-204417 och KE-204418.")
	c, _ := r.Finish()
	i := slices.IndexFunc(c.Categories, func(f patterns.CategoryFound) bool { return f.Pattern == "kundnummer-energi" })
	if i < 0 || c.Categories[i].Class != "K2" || c.Categories[i].Confidence != patterns.High || c.Categories[i].Count != 2 {
		t.Errorf("found %+v", c.Categories)
	}
}

func TestCustomErrors(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":     {"patterns:\n- id: a\n  wrods: [b]\n", `a.yaml:3: unknown key "wrods": want id, title`},
		"id":              {"patterns:\n- id: A b\n  words: [b]\n", `a.yaml:2: pattern 1 (A b): id "A b"`},
		"nothing":         {"patterns:\n- id: a\n", "a.yaml:2: pattern a: unusable term: neither words nor an identifier"},
		"regex":           {"patterns:\n- id: a\n  regex: ['(']\n", "a.yaml:2: pattern a"},
		"two words":       {"patterns:\n- id: a\n  words: [röd älg]\n", `"röd älg" is more than one word: put it under 'phrases:'`},
		"class":           {"patterns:\n- id: a\n  words: [b]\n  class: K9\n", "a.yaml:4: pattern 1 (a): class \"K9\": want K0 to K4"},
		"validator":       {"patterns:\n- id: a\n  words: [b]\n  validator: ssn\n", `"ssn": no such identifier; want one of personnummer,`},
		"confidence":      {"patterns:\n- id: a\n  words: [b]\n  confidence: sure\n", `"sure"`},
		"category":        {"patterns:\n- id: a\n  words: [bok]\n  category: hälsa\n", `a.yaml:4: pattern 1 (a): category "hälsa": want one of halsa,`},
		"distance":        {"patterns:\n- id: a\n  words: [bok]\n  distance: 9\n", "a.yaml:4: pattern 1 (a): distance: near, not_near or individual is missing"},
		"type":            {"patterns:\n- id: a\n  words: bok\n", "a.yaml:3: want a list: write [bok]"},
		"number":          {"patterns:\n- id: a\n  words: [bok]\n  at_least: några\n", `a.yaml:4: "några": want a whole number`},
		"no YAML":         {"patterns:\n\t- id: a\n", "a.yaml:2: "},
		"twice":           {"patterns:\n- id: a\n  words: [bok]\n- id: a\n  words: [hus]\n", `a.yaml:4: id "a" stands in`},
		"dictionary":      {"patterns:\n- id: a\n  dictionary: ../x\n", "beside the pattern file"},
		"example":         {"patterns:\n- id: a\n  words: [bok]\n  examples: [\"ett hus\"]\n", "a.yaml:2: pattern a: example 1 is not found"},
		"counter-example": {"patterns:\n- id: a\n  words: [bok]\n  counter_examples: [\"en bok\"]\n", "counter-example 1 is found"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "a.yaml", c.text)
			err := Check(dir)
			if err == nil || !errors.Is(err, ErrPattern) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if err := Check(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent folder: %v", err)
	}
}

// TestSealed: of what bears a marking of säkerhetsskydd nothing is kept.
func TestSealed(t *testing.T) {
	set, masker := load(t)
	r := set.NewReader(masker)
	r.Begin(patterns.Subject{Name: "bilaga.docx"}, patterns.Options{CountTestNumbers: true})
	r.Text("header", "page 1", "BEGRÄNSAT HEMLIG")
	r.Text("body", "page 1", "Krigsplacerad: Håkan Nylund, "+patterntest.Number+", tel 070-174 06 05")
	c, _ := r.Finish()
	if !slices.ContainsFunc(c.Categories, func(f patterns.CategoryFound) bool { return f.Category == patterns.NationalSecurity }) {
		t.Fatalf("categories %+v", c.Categories)
	}
	for _, e := range c.Evidence {
		if e.Masked != "" {
			t.Errorf("%s keeps %q", e.Pattern, e.Masked)
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSavedTables(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		set, err := Load(Options{TablesDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		_, masker := load(t)
		r := set.NewReader(masker)
		r.Begin(patterns.Subject{Name: "x.txt"}, patterns.Options{CountTestNumbers: true})
		r.Text("body", "", "Karin Lindberg, "+patterntest.Number+", är sjukskriven för depression.")
		if c, _ := r.Finish(); len(c.Categories) != 2 {
			t.Errorf("categories %+v", c.Categories)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "tables-*")); len(files) != 1 {
		t.Errorf("saved %v", files)
	}
}

// TestOldTables: of the tables of other libraries only the newest stay, and
// nothing that an interrupted process left.
func TestOldTables(t *testing.T) {
	dir := t.TempDir()
	age := func(name string, by time.Duration) {
		write(t, dir, name, "tables")
		then := time.Now().Add(-by)
		if err := os.Chtimes(filepath.Join(dir, name), then, then); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		age(fmt.Sprint("tables-old-", i), time.Duration(10-i)*time.Hour)
	}
	age(".tables-left", 2*time.Hour)
	age(".tables-being-written", time.Second)
	set, _ := load(t)
	if err := save(set, filepath.Join(dir, "tables-new")); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{".tables-being-written", "tables-new", "tables-old-3", "tables-old-4"}; err != nil || !slices.Equal(left, want) {
		t.Errorf("left %v (%v), want %v", left, err, want)
	}
}

// TestOwn compares a document with records and known documents.
func TestOwn(t *testing.T) {
	set, masker := load(t)
	builder, err := set.Engine().NewExactBuilder("elever", []patterns.ExactColumn{{Name: "kundnr", Primary: true}, {Name: "namn"}}, masker, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range [][]string{{"88204417", "Karin Lindberg"}, {"88204418", "Ove Ström"}} {
		if err := builder.Add(row); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if _, err := builder.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	index, err := set.Engine().OpenExact(bytes.NewReader(file.Bytes()), int64(file.Len()), masker)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Repeat("Avtalet gäller tills vidare med sex månaders uppsägning från båda parter och ", 3) + "reglerar hur bryggan vid norra stranden sköts, vem som betalar och när den ska målas om."
	printer := patterns.NewFingerprinter(masker)
	printer.Write([]byte(known))
	print, err := printer.Sum("bryggavtal", patterns.KnownDocument)
	if err != nil {
		t.Fatal(err)
	}
	prints, err := patterns.NewFingerprintSet([]patterns.Fingerprint{print}, masker)
	if err != nil {
		t.Fatal(err)
	}
	r := set.NewReaderWith(masker, patterns.Own{Exact: []*patterns.ExactIndex{index}, Fingerprints: prints})
	r.Begin(patterns.Subject{Name: "x.txt"}, patterns.Options{})
	r.Text("body", "", "Kund 88204417 Karin Lindberg\n"+known)
	c, _ := r.Finish()
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	for _, want := range []string{"exakt:elever", "kopia:bryggavtal"} {
		if !slices.ContainsFunc(c.Categories, func(f patterns.CategoryFound) bool { return f.Pattern == want && f.Confidence == patterns.High }) {
			t.Errorf("misses %s: %+v", want, c.Categories)
		}
	}
	r.Begin(patterns.Subject{Name: "y.txt"}, patterns.Options{})
	r.Text("body", "", "Något annat.")
	if c, _ := r.Finish(); len(c.Categories) != 0 {
		t.Errorf("finds %+v", c.Categories)
	}
}

// TestHeavyPattern: a pattern that costs too much is given up and named, in
// that document alone.
func TestHeavyPattern(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", "patterns:\n- id: tung\n  regex: ['(?:x ?){1,900}(?:y ?){1,900}z']\n")
	set, err := Load(Options{PatternsDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	_, masker := load(t)
	r := set.NewReader(masker)
	for _, c := range []struct {
		text string
		want []string
	}{
		{strings.Repeat("x x y y ", 40000), []string{"tung"}},
		{"a x x y yz", nil},
	} {
		r.Begin(patterns.Subject{Name: "a.txt"}, patterns.Options{})
		r.Text("body", "", c.text)
		got, _ := r.Finish()
		if !slices.Equal(got.Unfinished, c.want) {
			t.Errorf("%.30q: %q, want %q", c.text, got.Unfinished, c.want)
		}
		if found := len(got.Categories) > 0; found != (c.want == nil) {
			t.Errorf("%.30q: found %v", c.text, found)
		}
	}
}

// TestEmptyPatterns: a file whose patterns are commented out is in order.
func TestEmptyPatterns(t *testing.T) {
	for _, text := range []string{"", "# patterns:\n", "patterns:\n", "patterns: []\n"} {
		dir := t.TempDir()
		write(t, dir, "a.yaml", text)
		if err := Check(dir); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestKnownForm: a form that is known is innocent as long as it is blank.
func TestKnownForm(t *testing.T) {
	set, masker := load(t)
	const form = "Anmälan om kränkande behandling. Elevens namn: %s Klass: %s Skola: Datum för händelsen: Plats där det hände: %s " +
		"Beskriv vad som hände med egna ord: %s Vilka var inblandade: Vilka vuxna såg händelsen: Har vårdnadshavare kontaktats: " +
		"Åtgärder som vidtagits: Uppföljning planeras till: Underskrift av anmälaren: Lämnas till rektor samma dag."
	blank := strings.ReplaceAll(form, "%s ", "")
	printer := patterns.NewFingerprinter(masker)
	printer.Write([]byte(blank))
	print, err := printer.Sum("krankning", patterns.KnownForm)
	if err != nil {
		t.Fatal(err)
	}
	prints, err := patterns.NewFingerprintSet([]patterns.Fingerprint{print}, masker)
	if err != nil {
		t.Fatal(err)
	}
	r := set.NewReaderWith(masker, patterns.Own{Fingerprints: prints})
	if c := judged(t, r, "a.txt", blank); len(c.Categories) != 0 || !slices.Contains(c.Innocence, "template") {
		t.Errorf("the blank form: %+v, %v", c.Categories, c.Innocence)
	}
	filled := fmt.Sprintf(form, "Tova Ström", "5B", "omklädningsrummet", "Två pojkar tog hennes kläder och kastade dem i duschen medan de skrek öknamn.")
	if c := judged(t, r, "a.txt", filled); !has(c, patterns.SchoolHealth) {
		t.Errorf("the filled-in form: %+v", c.Categories)
	}
}
