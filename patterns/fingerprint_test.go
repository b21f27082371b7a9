package patterns

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// wordsOfText makes a text of n made-up words.
func wordsOfText(seed uint64, n int) []string {
	r := rand.New(rand.NewPCG(seed, 9))
	words := make([]string, n)
	for i := range words {
		words[i] = syntheticWord(r)
	}
	return words
}

func takeFingerprint(t *testing.T, name, text string, kind FingerprintKind) Fingerprint {
	t.Helper()
	f := NewFingerprinter(testMasker(t))
	f.Write([]byte(text))
	p, err := f.Sum(name, kind)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back Fingerprint
	if err := json.Unmarshal(stored, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

func TestFingerprints(t *testing.T) {
	original := wordsOfText(1, 600)
	changed := append([]string(nil), original...)
	for i := 0; i < len(changed); i += 40 {
		changed[i] = "ändrat"
	}
	set, err := NewFingerprintSet([]Fingerprint{
		takeFingerprint(t, "plan", strings.Join(original, " "), KnownDocument),
		takeFingerprint(t, "other", strings.Join(wordsOfText(2, 500), " "), KnownDocument),
	}, testMasker(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		least      Confidence
	}{
		{"copy", strings.Join(original, " "), High},
		{"other case and line breaks", strings.ToUpper(strings.Join(original, ",\n")), High},
		{"some words changed", strings.Join(changed, " "), Medium},
		{"inside a longer text", strings.Join(wordsOfText(3, 900), " ") + " " + strings.Join(original, " "), High},
		{"half of it", strings.Join(original[:300], " "), Medium},
		{"unrelated", strings.Join(wordsOfText(4, 600), " "), 0},
		{"shuffled", shuffled(original), 0},
		{"nothing", "", 0},
	} {
		m := set.NewMatcher()
		m.Write([]byte(c.text))
		matches := m.Matches()
		got := Confidence(0)
		if len(matches) == 1 && matches[0].Name == "plan" {
			got = matches[0].Confidence
		}
		if got < c.least || c.least == 0 && len(matches) > 0 {
			t.Errorf("%s: %+v", c.name, matches)
		}
		if again := m.Matches(); len(again) > 0 {
			t.Errorf("%s: the next document inherits %+v", c.name, again)
		}
	}
}

func shuffled(words []string) string {
	all := append([]string(nil), words...)
	rand.New(rand.NewPCG(5, 5)).Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	return strings.Join(all, " ")
}

func TestFilledForm(t *testing.T) {
	form := "Anmälan om oro för barn. Barnets namn: ______ Personnummer: ______ Adress till barnets vårdnadshavare: ______ " +
		"Beskriv vad som har hänt och vad du har sett eller hört: ______ Har vårdnadshavarna fått veta att anmälan görs? Ja Nej ______ " +
		"Uppgifter om dig som anmäler, din arbetsplats och hur vi kan nå dig under dagtid: ______"
	filled := strings.NewReplacer("______", "Alva Lind som bor hos mormor").Replace(form)
	set, err := NewFingerprintSet([]Fingerprint{takeFingerprint(t, "orosanmälan", form, KnownForm)}, testMasker(t))
	if err != nil {
		t.Fatal(err)
	}
	m := set.NewMatcher()
	m.Write([]byte(filled))
	matches := m.Matches()
	if len(matches) != 1 || matches[0].Confidence < Medium || matches[0].Added < 10 {
		t.Errorf("filled: %+v", matches)
	}
	m.Write([]byte(form))
	if matches = m.Matches(); len(matches) != 1 || matches[0].Added > 2 {
		t.Errorf("blank: %+v", matches)
	}
}

func TestFingerprintErrors(t *testing.T) {
	f := NewFingerprinter(testMasker(t))
	f.Write([]byte("för få ord"))
	if _, err := f.Sum("x", KnownDocument); !errors.Is(err, ErrFingerprint) {
		t.Errorf("few words: %v", err)
	}
	p := takeFingerprint(t, "plan", strings.Join(wordsOfText(1, 100), " "), KnownDocument)
	other, _ := NewMasker(bytes.Repeat([]byte("x"), 32))
	if _, err := NewFingerprintSet([]Fingerprint{p}, other); !errors.Is(err, ErrFingerprint) {
		t.Errorf("another key: %v", err)
	}
	var s Shingles
	if err := s.UnmarshalText([]byte("abc")); !errors.Is(err, ErrFingerprint) {
		t.Errorf("damaged: %v", err)
	}
}
