// Package patterntest is what every Reader of documents must do: find what
// stands first, in the middle, last and across the borders of pieces, find
// many, forget the document before, and never give a raw value away.
package patterntest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/patterns"
)

// Number is an official test number that the suite plants.
const Number = "19670314-3435"

// filler is text in which nothing is to be found.
const filler = "Vägen längs ån rustas upp och får ny beläggning under sommaren.\n"

// Run tries a Reader.
func Run(t *testing.T, r patterns.Reader) {
	t.Helper()
	t.Run("places", func(t *testing.T) { places(t, r) })
	t.Run("pieces", func(t *testing.T) { pieces(t, r) })
	t.Run("many", func(t *testing.T) { many(t, r) })
	t.Run("forgets", func(t *testing.T) { forgets(t, r) })
	t.Run("testNumbers", func(t *testing.T) { testNumbers(t, r) })
	t.Run("masks", func(t *testing.T) { masks(t, r) })
	t.Run("odd", func(t *testing.T) { odd(t, r) })
}

func read(r patterns.Reader, pieces ...string) patterns.Content {
	r.Begin(patterns.Subject{Name: "prov.txt", Path: "prov.txt"}, patterns.Options{CountTestNumbers: true})
	for _, p := range pieces {
		r.Text("body", "page 1", p)
	}
	c, _ := r.Finish()
	return c
}

func count(c patterns.Content, id string) int {
	for _, n := range c.Identifiers {
		if n.Type == id {
			return n.AtLeast(patterns.Medium)
		}
	}
	return 0
}

// places plants a number first, in the middle and last in texts from short to
// longer than any piece.
func places(t *testing.T, r patterns.Reader) {
	for _, lines := range []int{0, 1, 100, 3000, 9000} {
		long := strings.Repeat(filler, lines)
		half := strings.Repeat(filler, lines/2)
		for name, text := range map[string]string{
			"first": Number + "\n" + long, "middle": half + Number + "\n" + half, "last": long + Number, "alone": Number,
		} {
			if n := count(read(r, text), "personnummer"); n != 1 {
				t.Errorf("%s of %d lines: %d found, want 1", name, lines, n)
			}
		}
	}
}

// pieces hands one text out in pieces of all sizes of line groups.
func pieces(t *testing.T, r patterns.Reader) {
	var lines []string
	for i := range 4000 {
		line := filler
		if i%40 == 0 {
			line = fmt.Sprintf("Tel %d, personnummer %s, se ovan.\n", i, Number)
		}
		lines = append(lines, line)
	}
	for _, size := range []int{1, 7, 500, 4000} {
		var out []string
		for i := 0; i < len(lines); i += size {
			out = append(out, strings.Join(lines[i:min(len(lines), i+size)], ""))
		}
		if n := count(read(r, out...), "personnummer"); n != 1 {
			t.Errorf("pieces of %d lines: %d distinct found, want 1", size, n)
		}
	}
}

// many finds every one of a long list, as text and as rows.
func many(t *testing.T, r patterns.Reader) {
	numbers := generate(3000)
	var b strings.Builder
	for _, n := range numbers {
		b.WriteString("Personnummer " + n + "\n")
	}
	if c := read(r, b.String()); count(c, "personnummer") != len(numbers) || c.People != len(numbers) {
		t.Errorf("text: %d numbers, %d people, want %d", count(c, "personnummer"), c.People, len(numbers))
	}
	r.Begin(patterns.Subject{Name: "lista.xlsx", Path: "lista.xlsx"}, patterns.Options{CountTestNumbers: true})
	r.Row("body", "Blad1", 1, false, []string{"Nr", "Pnr"})
	for i, n := range numbers {
		r.Row("body", "Blad1", i+2, false, []string{fmt.Sprint(i), strings.ReplaceAll(n, "-", "")})
	}
	c, _ := r.Finish()
	if count(c, "personnummer") != len(numbers) || !register(c) {
		t.Errorf("rows: %d numbers, register %v, want %d and true", count(c, "personnummer"), register(c), len(numbers))
	}
	if len(c.PeopleKeys) != patterns.MaxPeopleKeys {
		t.Errorf("%d keys of people, want %d", len(c.PeopleKeys), patterns.MaxPeopleKeys)
	}
}

func register(c patterns.Content) bool {
	for _, n := range c.Identifiers {
		if n.Type == "personnummer" {
			return n.Register
		}
	}
	return false
}

// generate makes valid personnummer of days in 1960.
func generate(n int) []string {
	var out []string
	for day := 1; len(out) < n; day++ {
		for serial := 1; serial <= 999 && len(out) < n; serial++ {
			ten := fmt.Sprintf("60%02d%02d%03d", 1+(day-1)/28%12, 1+(day-1)%28, serial)
			out = append(out, fmt.Sprintf("19%s-%s%d", ten[:6], ten[6:], check(ten)))
		}
	}
	return out
}

// check is the check digit of nine digits (Luhn).
func check(nine string) int {
	sum := 0
	for i, c := range nine {
		d := int(c - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return (10 - sum%10) % 10
}

func forgets(t *testing.T, r patterns.Reader) {
	read(r, "Personnummer "+Number)
	c := read(r, filler)
	if len(c.Identifiers) > 0 || len(c.Categories) > 0 || len(c.Evidence) > 0 || c.People > 0 {
		t.Errorf("something of the document before: %+v", c)
	}
}

func testNumbers(t *testing.T, r patterns.Reader) {
	r.Begin(patterns.Subject{Name: "prov.txt"}, patterns.Options{})
	r.Text("body", "", "Patient "+Number+" är sjukskriven för depression.")
	c, _ := r.Finish()
	if c.TestNumbers != 1 || count(c, "personnummer") != 0 || c.People != 0 {
		t.Errorf("test numbers %d, personnummer %d, people %d; want 1, 0, 0", c.TestNumbers, count(c, "personnummer"), c.People)
	}
}

// masks looks for raw values in everything that is kept.
func masks(t *testing.T, r patterns.Reader) {
	r.Begin(patterns.Subject{Name: "prov.txt"}, patterns.Options{CountTestNumbers: true, Explain: true})
	r.Text("body", "page 3", "Elev: Sixten Törngren, "+Number+", tel 070-174 06 05, sixten.torngren@mail.example. Han har fått diagnosen adhd och medicinerar med Concerta.")
	c, steps := r.Finish()
	for _, kept := range []any{c, steps} {
		raw, err := json.Marshal(kept)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"3435", "0314", "Sixten", "Törngren", "torngren", "174 06"} {
			if strings.Contains(string(raw), secret) {
				t.Errorf("%q is kept: %s", secret, raw)
			}
		}
	}
	if len(c.Evidence) == 0 || c.Evidence[0].Place != "page 3" {
		t.Errorf("evidence %+v", c.Evidence)
	}
}

// odd feeds what documents may hold: nothing, no line ends, broken UTF-8,
// rows without cells.
func odd(t *testing.T, r patterns.Reader) {
	read(r)
	read(r, "")
	if n := count(read(r, strings.Repeat("abc ", 200_000)+Number), "personnummer"); n != 1 {
		t.Errorf("without line ends: %d found, want 1", n)
	}
	read(r, strings.Repeat("a", 1<<20))
	read(r, strings.Repeat("\xff\xc3\xe2\x80", 1<<14)+"\n"+strings.Repeat("\x00", 1<<12))
	read(r, strings.Repeat("Åke Ö. Å", 1<<13))
	r.Begin(patterns.Subject{}, patterns.Options{Explain: true})
	r.Row("", "", 0, true, nil)
	r.Row("", "", 0, false, []string{"", "", ""})
	r.Row("", "", 0, false, make([]string, 20_000))
	r.Row("", "", 0, false, []string{"Anna Berg", Number, "diagnos"})
	r.Finish()
}
