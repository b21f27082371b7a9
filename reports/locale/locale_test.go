package locale

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryTextInEveryLanguage(t *testing.T) {
	texts, err := readCatalog()
	if err != nil {
		t.Fatal(err)
	}
	if len(texts) < 200 {
		t.Fatalf("only %d texts: files missing?", len(texts))
	}
	for key, e := range texts {
		if len(e) != len(Languages()) {
			t.Errorf("%s: has %d languages, want %v", key, len(e), Languages())
		}
		for _, language := range Languages() {
			said, there := e[language]
			if !there {
				t.Errorf("%s: %s is missing", key, language)
				continue
			}
			if said.other == "" && key != "number.percent-space" {
				t.Errorf("%s: %s is empty", key, language)
			}
			if counts(e[Swedish]) != counts(said) {
				t.Errorf("%s: counted in one language only", key)
			}
			if got, want := arguments(said.other), arguments(e[Swedish].other); !slices.Equal(got, want) {
				t.Errorf("%s: %s has arguments %v, Swedish has %v", key, language, got, want)
			}
		}
	}
}

func counts(t text) bool { return t.one != "" }

func arguments(text string) []string {
	found := regexp.MustCompile(`\{[^}]*\}`).FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestUnknownNeverVanishes(t *testing.T) {
	l := New("sv")
	for got, want := range map[string]string{
		l.T("no.such", "a", 1):            "no.such a 1",
		l.N("no.such", 3, "a"):            "no.such 3 a",
		l.Category("ny_kategori"):         "ny_kategori",
		l.Gap("new-reason"):               "new-reason",
		l.Class(7):                        "K7",
		l.Advice("dance"):                 "dance",
		l.Identifier("foo"):               "foo",
		l.IdentifierCount("foo", 2):       "2 foo",
		l.Pattern("halsa:diagnos"):        "Hälsa: diagnos",
		l.Pattern("kundnummer"):           "kundnummer",
		l.Reason(Reason{Code: "strange"}): "strange",
		l.Place("Elevlista"):              "Elevlista",
		l.Reading("odd"):                  "odd",
		l.Reason(Reason{Code: "kind"}):    "kind",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWords(t *testing.T) {
	sv, en := New("sv"), New("en-GB")
	day := time.Date(2026, 11, 22, 15, 47, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{New("de").Language(), "sv"},
		{New("en_US").Language(), "en"},
		{sv.Number(1234), "1234"},
		{sv.Number(12345), "12\u00a0345"},
		{sv.Number(-1234567), "−1\u00a0234\u00a0567"},
		{en.Number(1234), "1,234"},
		{sv.Bytes(999), "999\u00a0B"},
		{sv.Bytes(1_234_567), "1,2\u00a0MB"},
		{en.Bytes(1_000_000), "1\u00a0MB"},
		{en.Bytes(999_999), "1\u00a0MB"},
		{sv.Percent(0.001), "<\u00a01\u00a0%"},
		{sv.Percent(0.9999), "99,9\u00a0%"},
		{en.Percent(1), "100%"},
		{sv.Percent(0), "0\u00a0%"},
		{sv.In(time.UTC).LongDate(day), "22\u00a0november 2026"},
		{sv.In(time.UTC).DateTime(day), "2026-11-22 15:47"},
		{sv.Date(time.Time{}), ""},
		{sv.Duration(125 * time.Minute), "2\u00a0h 5\u00a0min"},
		{sv.Duration(26 * time.Hour), "1\u00a0d 2\u00a0h"},
		{sv.Duration(90 * time.Second), "1\u00a0min 30\u00a0s"},
		{sv.Duration(time.Hour + 5*time.Second), "1\u00a0h"},
		{sv.List([]string{"a", "b", "c"}), "a, b och c"},
		{en.List([]string{"a", "b"}), "a and b"},
		{sv.IdentifierCount("bankkonto", 1), "1 bankkonto"},
		{sv.IdentifierCount("bankkonto", 2), "2 bankkonton"},
		{sv.Class(3), "K3 – känsligt"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	l := New("sv")
	for place, want := range map[string]string{
		"":                                  "",
		"page 3":                            "sida 3",
		"slide 2":                           "bild 2",
		"line 120":                          "rad 120",
		"table 1!B7":                        "tabell 1, cell B7",
		"Blad1!B7":                          "Blad1, cell B7",
		"Lön jan!AA10":                      "Lön jan, cell AA10",
		"bilaga.pdf › page 2":               "bilaga.pdf › sida 2",
		"a.zip › b.xlsx › Blad 1!C3":        "a.zip › b.xlsx › Blad 1, cell C3",
		"page 3 of something":               "page 3 of something",
		"properties":                        "dokumentegenskaper",
		"meddelande.eml › bilaga › slide 4": "meddelande.eml › bilaga › bild 4",
	} {
		if got := l.Place(place); got != want {
			t.Errorf("Place(%q) = %q, want %q", place, got, want)
		}
	}
	if got := New("en").Place("table 1!B7"); got != "table 1, cell B7" {
		t.Errorf("English: %q", got)
	}
}

func TestReasons(t *testing.T) {
	l := New("sv")
	for _, c := range []struct {
		reason Reason
		want   string
	}{
		{Reason{Code: "own", Category: "egen", Args: []string{"projekt-bjornen"}}, "Innehåller det som det egna mönstret projekt-bjornen söker."},
		{Reason{Code: "own", Category: "egen", Args: []string{"exakt:elever"}}, "Innehåller poster ur det egna registret elever."},
		{Reason{Code: "category", Category: "halsa"}, "Innehåller uppgifter om: Hälsa."},
		{Reason{Code: "category", Category: "halsa", Args: []string{"1"}}, "Innehåller uppgifter om 1 person: Hälsa."},
		{Reason{Code: "identifiers", Args: []string{"personnummer", "12000"}}, "Innehåller 12\u00a0000 personnummer."},
		{Reason{Code: "ceiling", Args: []string{"m365", "K2", "K3"}}, "Tjänsten m365 får ta emot högst klass K2 utan särskilt beslut; dokumentet är K3."},
		{Reason{Code: "ceiling", Args: []string{"m365"}}, "ceiling m365"},
		{Reason{Code: "decision-missing", Args: []string{"dpia"}}, "Beslut saknas: konsekvensbedömning (GDPR artikel 35)."},
		{Reason{Code: "decision-expired", Args: []string{"dpia", "KS 2024/12", "2026-05-01"}}, "Beslutet har gått ut: konsekvensbedömning (GDPR artikel 35), KS 2024/12, gällde till och med 2026-05-01."},
		{Reason{Code: "jurisdiction", Args: []string{"US", "CN"}}, "Tjänsten nås av lagstiftning i USA och Kina."},
		{Reason{Code: "audience", Args: []string{"anonymous"}}, "Nås av alla som har länken."},
	} {
		if got := l.Reason(c.reason); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.reason, got, c.want)
		}
	}
}

func TestBecause(t *testing.T) {
	l := New("sv")
	for code, want := range map[string]string{
		"checksum":               "kontrollsiffran stämmer",
		"keyword:personnummer":   "ledord: Personnummer",
		"individual:name":        "individ: namn",
		"innocence:template:3.0": "talar emot: mall eller blankett 3,0",
		"innocence:1.5":          "talar emot: 1,5",
		"score:3.9":              "summa 3,9",
		"column:person":          "hela kolumnen: personnummer",
		"checksum:odd":           "kontrollsiffran stämmer (odd)",
		"brand-new:x":            "brand-new:x",
	} {
		if got := l.Because(code); got != want {
			t.Errorf("Because(%q) = %q, want %q", code, got, want)
		}
	}
	if got := New("en").Because("score:3.9"); got != "sum 3.9" {
		t.Errorf("English: %q", got)
	}
	if got := l.Innocence("statistics"); got != "statistik" {
		t.Errorf("Innocence: %q", got)
	}
}

// Texts for a head of department hold no codes and end as sentences do.
func TestAdviceIsPlainLanguage(t *testing.T) {
	for key, e := range catalog() {
		if !strings.HasPrefix(key, "advice.") {
			continue
		}
		for language, said := range e {
			if !strings.HasSuffix(said.other, ".") || strings.ContainsAny(said.other, "{}_") {
				t.Errorf("%s (%s) is no sentence: %q", key, language, said.other)
			}
		}
		if _, short := catalog()["advice-short."+strings.TrimPrefix(key, "advice.")]; !short {
			t.Errorf("%s has no advice-short", key)
		}
	}
}
