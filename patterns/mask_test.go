package patterns

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestRawNeverPrints: a raw value stays hidden however it is printed.
func TestRawNeverPrints(t *testing.T) {
	const secret = "198001022386"
	r := NewRaw(secret)
	type holder struct {
		Shown  Raw
		hidden Raw
	}
	h := holder{r, r}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%X"} {
		fmt.Fprintf(&out, verb+" ", r)
		fmt.Fprintf(&out, verb+" ", &r)
		fmt.Fprintf(&out, verb+" ", h)
		fmt.Fprintf(&out, verb+" ", []Raw{r})
	}
	encoded, err := json.Marshal(map[string]any{"r": r, "p": &r, "h": h})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "raw", r, "holder", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "raw", r, "holder", h)
	for _, leak := range []string{secret, fmt.Sprintf("%x", secret)} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("leaks %q: %s", leak, out.String())
		}
	}
	if h.hidden.Reveal() != secret {
		t.Error("Reveal")
	}
}

func TestMask(t *testing.T) {
	for _, c := range []struct {
		id         Identifier
		text, want string
	}{
		{Personnummer, "19800102-2386", "19••••••-••86"},
		{Personnummer, "800102-2386", "••••••-••86"},
		{Personnummer, "198001022386", "19••••••••86"},
		{Samordningsnummer, "19 800162-2386", "19 ••••••-••86"},
		{Telefon, "070-174 06 05", "•••-••• •• 05"},
		{Epost, "anna.lind@kommun.se", "a•••@k•••.se"},
		{Organisationsnummer, "212000-1355", "21••••-••55"},
		{Postadress, "Storgatan 5 A, 123 45 Storstad", "S•••••••• • A, ••• •• S•••••••"},
		{IP, "10.0.0.1", "10.•.•.•"},
		{Losenord, "Sommar2024!", "••••••"},
		{Token, "x", "••••••"},
		{IBAN, "SE45 5000 0000 0583 9825 7466", "•••• •••• •••• •••• •••• ••66"},
		{Personnummer, "12", "••"},
		{NoIdentifier, "Hej du", "H•• d•"},
	} {
		if got := Mask(c.id, c.text); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.id, c.text, got, c.want)
		}
	}
}

// TestPersonKey: one person, one key, in every way of writing the number.
func TestPersonKey(t *testing.T) {
	e := testEngine(t)
	m := testMasker(t)
	s := e.NewScanner()
	keys := map[string]bool{}
	for _, text := range []string{"19800102-2386", "800102-2386", "8001022386", "198001022386", "19 800102-2386", "1980-01-02-2386", "19800102–2386", "800102 2386", "1980\u00ad0102\u00ad-2386"} {
		b := []byte(text)
		hits := s.Scan(b)
		if len(hits) == 0 {
			t.Fatalf("%s: nothing", text)
		}
		keys[m.PersonKey(hits[0].Identifier, hits[0].Value(b))] = true
	}
	if len(keys) != 1 {
		t.Errorf("%d keys for one person", len(keys))
	}
	old, young := "100101+9809", "100101-9801"
	if a, b := personKeyOf(t, e, m, old), personKeyOf(t, e, m, young); a == b {
		t.Error("a century apart, the same key")
	}
	other, err := NewMasker(bytes.Repeat([]byte("o"), 32))
	if err != nil {
		t.Fatal(err)
	}
	v := NewRaw("198001022386")
	if m.PersonKey(Personnummer, v) == other.PersonKey(Personnummer, v) {
		t.Error("the key does not matter")
	}
	if m.PersonKey(Personnummer, v) == m.Fingerprint("personnummer", v) {
		t.Error("purposes share a key")
	}
	if _, err := NewMasker([]byte("short")); err == nil {
		t.Error("a short key was taken")
	}
}

func personKeyOf(t *testing.T, e *Engine, m *Masker, text string) string {
	t.Helper()
	b := []byte(text)
	for _, h := range e.NewScanner().Scan(b) {
		return m.PersonKey(h.Identifier, h.Value(b))
	}
	return text
}
