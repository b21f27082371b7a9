package patterns

import "testing"

func TestLostLetters(t *testing.T) {
	set, err := NewSet(Library{
		Lexicons: []Lexicon{{Category: Health, Terms: []LexiconTerm{{Term: Term{Text: "ätstörning", Mode: Word}, Weight: 3}, {Term: Term{Text: "svår ångest", Mode: Phrase}, Weight: 3}}}},
		Names:    Names{First: []string{"Åsa"}, Last: []string{"Öberg"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                                   "",
		"?tst?rning":                         "ätstörning",
		"har \uFFFDtst\uFFFDrningen kvar":    "har ätstörningen kvar",
		"\uFFFDsa \uFFFDberg":                "Åsa Öberg",
		"?sa ?berg har ?ngest.":              "Åsa Öberg har ångest.",
		"?TST?RNING":                         "ÄTSTÖRNING",
		"Vad?jag vet inte? Ja?":              "Vad?jag vet inte? Ja?",
		"https://x.se/?sida=1&a=?b":          "https://x.se/?sida=1&a=?b",
		"ok\xff\xffnd kod \uFFFD\uFFFD ?a? ": "ok\xff\xffnd kod \uFFFD\uFFFD ?a? ",
	} {
		if got := set.lost.repair(set, text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
