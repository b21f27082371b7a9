package patterns

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The slow and obvious way to find personnummer and samordningsnummer: one
// regular expression for each way of writing, boundaries by hand, the check
// digit by long division of the definition. It shares no code with the digit
// pass.
var referencePersonShapes = []*regexp.Regexp{
	regexp.MustCompile(`^(\d\d)(\d{6})\s{0,5}[-+]\s{0,4}(\d{4})`),
	regexp.MustCompile(`^()(\d{6})\s{0,5}[-+]\s{0,4}(\d{4})`),
	regexp.MustCompile(`^(\d\d)(\d{6})[-+ ](\d{4})`),
	regexp.MustCompile(`^()(\d{6})[-+ ](\d{4})`),
	regexp.MustCompile(`^(\d\d)(\d{6})(\d{4})`),
	regexp.MustCompile(`^()(\d{6})(\d{4})`),
}

func referencePeople(text string) []string {
	var found []string
	for p := 0; p < len(text); p++ {
		for _, shape := range referencePersonShapes {
			m := shape.FindStringSubmatch(text[p:])
			if m == nil || !referenceBoundary(text, p, p+len(m[0])) || !referencePerson(m) {
				continue
			}
			found = append(found, fmt.Sprintf("%d-%d", p, p+len(m[0])))
			p += len(m[0]) - 1
			break
		}
	}
	return found
}

func referenceBoundary(text string, from, to int) bool {
	word := regexp.MustCompile(`[\p{L}\p{N}]$`)
	if word.MatchString(text[:from]) || regexp.MustCompile(`(?:\d[-.+]|\+)$`).MatchString(text[:from]) {
		return false
	}
	after := text[to:]
	if regexp.MustCompile(`^(?:[\p{L}\p{N}]|[-.+]\d)`).MatchString(after) {
		return false
	}
	bare := !strings.ContainsAny(text[from:to], "-+ \n\t")
	return !bare || !strings.HasSuffix(text[:from], "-") && !strings.HasPrefix(after, "-")
}

func referencePerson(m []string) bool {
	digits := m[2] + m[3]
	sum := 0
	for i, c := range digits {
		v := int(c - '0')
		if i%2 == 0 {
			v *= 2
		}
		sum += v/10 + v%10
	}
	if sum%10 != 0 || digits[6:9] == "000" {
		return false
	}
	var yy, month, day int
	_, _ = fmt.Sscanf(digits[:6], "%2d%2d%2d", &yy, &month, &day)
	coordination := day >= 60 && day <= 91 && month <= 12
	year := 2000 + yy
	when := year*10000 + month*100 + day
	if day > 60 {
		when -= 60
	}
	if when > 20261122 {
		year -= 100
	}
	if m[1] != "" {
		_, _ = fmt.Sscanf(m[1]+digits[:2], "%d", &year)
		when = year*10000 + month*100 + day
		if day > 60 {
			when -= 60
		}
		if when > 20261122 {
			return false
		}
	} else if strings.Contains(m[0], "+") {
		year -= 100
	}
	if year < 1890 {
		return false
	}
	if coordination {
		return true
	}
	days := []int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	if year%400 == 0 || year%4 == 0 && year%100 != 0 {
		days[2] = 29
	}
	return month >= 1 && month <= 12 && day >= 1 && day <= days[month]
}

// TestPeopleDifferential compares on texts full of numbers and near misses.
func TestPeopleDifferential(t *testing.T) {
	e := testEngine(t)
	s := e.NewScanner()
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 3))
		text := randomNumbers(r, e)
		var got []string
		for _, h := range s.Scan([]byte(text)) {
			if (h.Identifier == Personnummer || h.Identifier == Samordningsnummer) && !h.Shape.Has(ShapePadded) {
				got = append(got, fmt.Sprintf("%d-%d", h.Start, h.End))
			}
		}
		if want := referencePeople(text); !slices.Equal(got, want) {
			t.Fatalf("%q: got %v, want %v", text, got, want)
		}
	}
}

// randomNumbers writes a number or two among letters and signs.
func randomNumbers(r *rand.Rand, e *Engine) string {
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	var b strings.Builder
	for range 1 + r.IntN(3) {
		d := withCheckDigit(e.tests[r.IntN(len(e.tests))])
		if r.IntN(4) == 0 {
			d = fmt.Sprintf("%012d", r.Int64N(1e12))
		}
		from := pick("0", "2")
		b.WriteString(pick("", "", " ", "x", "-", "5", ".", "_", "å", ":", ";", "(", "3-", "a "))
		if from == "0" {
			b.WriteString(d[:2])
		}
		b.WriteString(d[2:8])
		b.WriteString(pick("", "-", "-", "+", " ", " - ", "-\n"))
		b.WriteString(d[8:])
		b.WriteString(pick("", "", "x", "_", "ö", ")", ",", "; ", " x ", "\n"))
	}
	return b.String()
}

// FuzzScan: whatever the text, Scan ends, in order and within bounds, and
// finds the same terms as the reference.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{"Pnr 800102-2386, orosanmälan", "god\u00a0man kod-123 abcabdx", "SE45 5000 0000 0583 9825 7466", "lösenord: x", "12:34:56 fe80::1 1.2.3.4"} {
		f.Add(seed)
	}
	s := differentialEngine(f).NewScanner()
	f.Fuzz(func(t *testing.T, text string) {
		s.Begin()
		compareWithReference(t, s, text)
		b := []byte(text)
		hits := slices.Clone(s.Scan(b))
		for _, h := range hits {
			if h.Start < 0 || h.End > len(b) || h.Start >= h.End {
				t.Fatalf("%+v of %d bytes", h, len(b))
			}
			_, _ = h.Mask(b), h.Value(b)
		}
		last := -1
		for _, found := range s.engine.Identify(b, hits, nil) {
			if found.Start < last {
				t.Fatal("Identify overlaps")
			}
			last = found.End
		}
	})
}

// TestHopeless: what is passed over by the bytes beside it alone is nothing to
// the pass that looks closer either.
func TestHopeless(t *testing.T) {
	e := testEngine(t)
	r := rand.New(rand.NewPCG(5, 5))
	beside := []string{" ", "a", "Z", "å", "_", "-", ".", "+", "/", ",", ";", ":", "(", ")", "\t", "\n", "\r", "…", "x ", "SE ", "bil abc", "Box ", "gatan ", "fastigheten Ek "}
	passed := 0
	for range 200_000 {
		n := 1 + r.IntN(12)
		digits := make([]byte, n)
		for i := range digits {
			digits[i] = '0' + byte(r.IntN(10))
		}
		left, right := beside[r.IntN(len(beside))], beside[r.IntN(len(beside))]
		text := left + string(digits) + right + []string{"", "1234", "08:2", "12-2386"}[r.IntN(4)]
		s := digitPass{today: e.today, tests: e.tests, text: []byte(text)}
		if !s.hopeless(len(left), n) {
			continue
		}
		passed++
		if s.run(len(left), n); len(s.hits) > 0 || s.taken > 0 {
			t.Fatalf("%q: %v is passed over", text, s.hits)
		}
	}
	if passed < 10_000 {
		t.Errorf("only %d are passed over", passed)
	}
}
