package library

import (
	"slices"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/patterns/patterntest"
)

// judged reads one text under a name and returns what was found.
func judged(t *testing.T, r patterns.Reader, name, text string) patterns.Content {
	t.Helper()
	r.Begin(patterns.Subject{Name: name, Path: name}, patterns.Options{CountTestNumbers: true})
	r.Text("body", "", text)
	c, _ := r.Finish()
	return c
}

func has(c patterns.Content, category patterns.Category) bool {
	return slices.ContainsFunc(c.Categories, func(f patterns.CategoryFound) bool { return f.Category == category && f.Confidence >= patterns.Medium })
}

// TestExamples tries the examples and counter-examples of the lexicons.
func TestExamples(t *testing.T) {
	set, masker := load(t)
	r := set.NewReader(masker)
	lib, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, lex := range lib.Lexicons {
		if len(lex.Examples) == 0 || len(lex.Counter) == 0 {
			t.Errorf("%s has no examples or no counter-examples", lex.Category)
		}
		for _, e := range lex.Examples {
			if !has(judged(t, r, "a.txt", e), lex.Category) {
				t.Errorf("%s is missed in %q", lex.Category, e)
			}
		}
		for _, e := range lex.Counter {
			if has(judged(t, r, "a.txt", e), lex.Category) {
				t.Errorf("%s is found in %q", lex.Category, e)
			}
		}
	}
}

// TestFilledForm: the words of a blank form do not hide what is filled in.
func TestFilledForm(t *testing.T) {
	set, masker := load(t)
	r := set.NewReader(masker)
	blank := "Blankett för anmälan av allergi\nBarnets namn: %s\nPersonnummer: ÅÅÅÅMMDD-XXXX\nAllergi: %s\n"
	if c := judged(t, r, "blankett.docx", strings.ReplaceAll(blank, "%s", "__________")); has(c, patterns.Health) {
		t.Error("the blank form counts")
	}
	filled := strings.Replace(strings.Replace(blank, "%s", "Alva Lindberg", 1), "%s", "jordnötter, har EpiPen", 1)
	if c := judged(t, r, "blankett.docx", filled); !has(c, patterns.Health) {
		t.Error("the filled-in form does not count")
	}
}

// TestColumns: the head and the pass ratio of a column decide.
func TestColumns(t *testing.T) {
	set, masker := load(t)
	r := set.NewReader(masker)
	numbers := []string{"196703143435", "196704033452", "196705053723"}
	read := func(head string) patterns.Content {
		r.Begin(patterns.Subject{Name: "x.xlsx"}, patterns.Options{CountTestNumbers: true})
		r.Row("body", "Blad1", 1, false, []string{"Nr", head})
		for i, n := range numbers {
			r.Row("body", "Blad1", i+2, false, []string{string(rune('a' + i)), n})
		}
		c, _ := r.Finish()
		return c
	}
	persons := func(c patterns.Content) patterns.IdentifierCount {
		for _, n := range c.Identifiers {
			if n.Type == "personnummer" {
				return n
			}
		}
		return patterns.IdentifierCount{}
	}
	if n := persons(read("Pnr")); n.High != 3 || !n.Register {
		t.Errorf("a column of personnummer: %+v", n)
	}
	if n := persons(read("Artikelnr")); n.AtLeast(patterns.Medium) != 0 {
		t.Errorf("a column of article numbers: %+v", n)
	}
}

func TestPeople(t *testing.T) {
	set, masker := load(t)
	r := set.NewReader(masker)
	c := judged(t, r, "a.txt", "Karin Lindberg ringde. Karin Lindbergs bror Ove Lindberg svarade. Handläggare: Per Holm")
	if c.People != 2 {
		t.Errorf("%d people, want 2: the clerk is none, the genitive is no other", c.People)
	}
	c = judged(t, r, "a.txt", "Namn: Karin Lindberg\nPersonnummer: 19670314-3435\nKarin (670314-3435) bor på Storgatan 2.")
	if c.People != 1 {
		t.Errorf("%d people, want 1: both ways of writing are one number", c.People)
	}
}

func TestKinds(t *testing.T) {
	set, masker := load(t)
	r := set.NewReader(masker)
	for name, want := range map[string]string{
		"Rehabplan_KL.docx": "rehabplan", "OROSANMÄLAN 2025-03.pdf": "orosanmalan", "ÅtgärdsprogramWilma.docx": "atgardsprogram",
		"lönelista juni.xlsx": "lonelista", "Anbudsutvärdering.xlsx": "anbudsutvardering", "RSA bilaga 3.docx": "rsa",
		"Rutin för frånvaro.docx": "rutin", "Årsräkning 2024.pdf": "arsrakning", "VA-karta norr.pdf": "natkarta",
	} {
		c := judged(t, r, name, "Text.")
		if !slices.ContainsFunc(c.Kinds, func(k patterns.DocumentKind) bool { return k.Kind == want }) {
			t.Errorf("%s: %v, want %s", name, c.Kinds, want)
		}
	}
}

func TestMarkings(t *testing.T) {
	set, masker := load(t)
	r := set.NewReader(masker)
	for text, want := range map[string]bool{
		"HEMLIG\nPlan för ledningsplats.":                              true,
		"Säkerhetsskyddsklass: Begränsat hemlig\nInnehåll":             true,
		"Kvalificerat hemlig\nHemlig\nKonfidentiell\nBegränsat hemlig": false,
		"Uppgifter i klassen hemlig får inte lagras här.":              false,
		"KONFIDENTIELL\nOffert till kund":                              false,
		"Hemlig gäst på festen!\nKom i tid.":                           false,
	} {
		if got := has(judged(t, r, "a.docx", text), patterns.NationalSecurity); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// FuzzReader: no text breaks the reader.
func FuzzReader(f *testing.F) {
	set, err := Load(Options{})
	if err != nil {
		f.Fatal(err)
	}
	masker, err := patterns.NewMasker([]byte("a key for tests only"))
	if err != nil {
		f.Fatal(err)
	}
	r := set.NewReader(masker)
	f.Add("a.docx", "Namn;Pnr\nÅ. K. f. 2014;19670314-3435\n", true)
	f.Add("Rutin.docx", "Elev: Ö\tX\n\n HEMLIG (§ 15:2)\n", false)
	f.Fuzz(func(t *testing.T, name, text string, rows bool) {
		r.Begin(patterns.Subject{Name: name, Path: name}, patterns.Options{Explain: true})
		if rows {
			for i, line := range strings.Split(text, "\n") {
				r.Row("body", "", i, i == 0, strings.Split(line, ";"))
			}
		}
		r.Text("heading", "", text)
		r.Text("body", "", text)
		r.Finish()
	})
}

// TestPasswordTables: tables of passwords are found in plain text, whatever
// stands between their cells, and other lines with the word are none.
func TestPasswordTables(t *testing.T) {
	set, masker := load(t)
	r := set.NewReader(masker)
	rows := [][]string{
		{"System", "Användarnamn", "Lösenord", "Kommentar"},
		{"Passersystemet", "admin", "Sommar2024!", "byts aldrig"},
		{"Bokningssystem", "lindskolan", "Kaffe&Bulle9", ""},
		{"Skrivarserver", "drift", "Aspen-Lind-44", "gäller alla skolor"},
	}
	for _, sign := range []string{"\t", ";", " | ", "    ", ":"} {
		text := "Inloggningar till system\n\n"
		for i, row := range rows {
			text += strings.TrimRight(strings.Join(row, sign), " ") + "\n"
			if i == 0 && sign == " | " {
				text += "--- | --- | --- | ---\n"
			}
		}
		text += "\nHör av dig till IT om något saknas.\n"
		if !has(judged(t, r, "anteckning.txt", text), patterns.Secrets) {
			t.Errorf("missed with %q between cells", sign)
		}
	}
	for _, text := range []string{
		"Roll\tLösenord\tKrav\nElev\tminst åtta tecken\tbyts varje år\nLärare\tminst tolv tecken\tbyts varje termin\nDrift\tminst sexton tecken\tMFA\n",
		"Ärenden i kundtjänst\n\nÄmne\tByte av lösenord\tAntal\nJanuari\t2024-01\t17\nFebruari\t2024-02\t12\nMars\t2024-03\t9\n",
		"Inställning;Lösenord;Värde\nminsta längd;12;tecken\nhistorik;24;stycken\ntid;365;dagar\n",
		"Glömt lösenord: ring IT: 0500-123 45\nFelanmälan: mejla: drift\nÖvrigt: fråga: växeln\n",
	} {
		if has(judged(t, r, "anteckning.txt", text), patterns.Secrets) {
			t.Errorf("found in %q", text)
		}
	}
}

// TestDocumentFacts: what policies ask besides: children, labels, markings.
func TestDocumentFacts(t *testing.T) {
	set, masker := load(t)
	r := set.NewReader(masker)
	r.Begin(patterns.Subject{Name: "a.docx"}, patterns.Options{CountTestNumbers: true})
	r.Text("property", "", "MSIP_Label_1a2b3c4d-1111-2222-3333-444455556666_Enabled: true")
	r.Text("property", "", "MSIP_Label_1a2b3c4d-1111-2222-3333-444455556666_Name: Konfidentiell – skola")
	r.Text("body", "", "Elever: Alva Lind 20140131-2390, Bo Ek "+patterntest.Number+".")
	c, _ := r.Finish()
	if c.Children != 1 || !slices.Equal(c.Labels, []string{"Konfidentiell – skola"}) || c.Marked {
		t.Errorf("children %d, labels %q, marked %v", c.Children, c.Labels, c.Marked)
	}
	r.Begin(patterns.Subject{Name: "b.docx"}, patterns.Options{})
	r.Text("header", "", "HEMLIG\n")
	r.Text("body", "", "Säkerhetsskyddsanalys för reservkraften vid vattenverket.")
	if c, _ := r.Finish(); !c.Marked || c.Children != 0 || c.Labels != nil {
		t.Errorf("%+v", c)
	}
}

// TestColumnsOfNumbers: a head, or nearly all values passing, makes a column
// of personnummer, whatever a spreadsheet did to them; each person counts
// once.
func TestColumnsOfNumbers(t *testing.T) {
	set, masker := load(t)
	r := set.NewReader(masker)
	for name, text := range map[string]string{
		"only numbers":       "0312212392\n1210172399\n9502112395\n0911032381\n8504052385\n8109092398\n",
		"lost zeros":         "Namn;Pnr\nAnna Ek;312212392\nBo Ek;911032381\nEva Ek;306279803\nLars Ek;811142397\n",
		"numbers as amounts": "Namn;Pnr\nAnna Ek;200312212392.0\nBo Ek;201210172399.0\nEva Ek;199502112395.0\n",
	} {
		people := strings.Count(text, "\n") - strings.Count(text, "Namn")
		if c := judged(t, r, "a.txt", text); c.People != people || !slices.ContainsFunc(c.Identifiers, func(n patterns.IdentifierCount) bool {
			return n.Type == "personnummer" && n.High == people && n.Register
		}) {
			t.Errorf("%s: %d people, %v", name, c.People, c.Identifiers)
		}
	}
	for name, text := range map[string]string{
		"order numbers": "4312212392\n1210172398\n9502112391\n0911032381\n8504052383\n8109092395\n",
		"nine digits":   "Artikel;Antal\n312212392;4\n911032381;5\n306279803;1\n811142397;2\n",
	} {
		if c := judged(t, r, "a.txt", text); c.People != 0 {
			t.Errorf("%s: %d people", name, c.People)
		}
	}
}

// TestHeadsAreNobody: the heads of columns are no individuals.
func TestHeadsAreNobody(t *testing.T) {
	set, masker := load(t)
	r := set.NewReader(masker)
	if c := judged(t, r, "a.csv", "Elev;Klass\nNils Berg;5B\nMaja Ek;5B\nHugo Holm;5A\n"); c.People != 3 {
		t.Errorf("%d people, want 3", c.People)
	}
}
