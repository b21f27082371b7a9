package patterns

import (
	"fmt"
	"testing"
)

// TestPublishedNumbers validates all 41,129 + 2,264 numbers that Skatteverket
// publishes, with and without century and hyphen.
func TestPublishedNumbers(t *testing.T) {
	e := testEngine(t)
	s := e.NewScanner()
	people, coordination := 0, 0
	for _, eleven := range e.tests {
		twelve := withCheckDigit(eleven)
		for _, text := range []string{twelve, twelve[:8] + "-" + twelve[8:]} {
			hits := s.Scan([]byte(text))
			if len(hits) == 0 || !hits[0].Identifier.Person() || !hits[0].Shape.Has(ShapeTest|ShapeChecked) || hits[0].End != len(text) {
				t.Fatalf("%s: %+v", text, hits)
			}
			if got := hits[0].Value([]byte(text)).Reveal(); got != twelve {
				t.Fatalf("%s: value %s", text, got)
			}
		}
		switch id, _ := e.Parse(twelve); id {
		case Personnummer:
			people++
		case Samordningsnummer:
			coordination++
		}
		if twelve[6] < '6' != (personTwelve([]byte(twelve), e.today) == Personnummer) {
			t.Fatalf("%s: wrong kind", twelve)
		}
	}
	// Two numbers stand in the published lists twice.
	if people+coordination != 43391 || coordination < 2262 {
		t.Errorf("%d personnummer, %d samordningsnummer", people, coordination)
	}
}

func withCheckDigit(eleven uint64) string {
	for c := range 10 {
		twelve := fmt.Sprintf("%011d%d", eleven, c)
		if luhn([]byte(twelve[2:])) {
			return twelve
		}
	}
	return ""
}
