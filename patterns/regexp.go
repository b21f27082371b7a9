package patterns

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// expression is a regular expression made ready. It is tried only where one
// of its required texts stands.
type expression struct {
	search   *regexp.Regexp // anywhere
	start    *regexp.Regexp // at the start of the text
	inside   *regexp.Regexp // behind one character of context
	required []required     // none: it must be tried everywhere
	first    []byteSet      // what a match can begin with
	longest  int            // bytes of the longest match, at most MaxRegexpMatch
}

// Limits of a regular expression: what it is written with, what it becomes,
// and how many of its first bytes are looked at before it is tried.
const (
	maxExpression   = 2000
	maxInstructions = 20_000
	maxFirstSets    = 16
)

func checkRegexp(expr string) error {
	if len(expr) > maxExpression {
		return fmt.Errorf("%w: expression of %d bytes, at most %d", ErrTerm, len(expr), maxExpression)
	}
	x, err := newExpression(expr)
	if err != nil {
		return err
	}
	if x.search.MatchString("") {
		return fmt.Errorf("%w: %q matches the empty text", ErrTerm, expr)
	}
	return nil
}

// newExpression compiles an expression: RE2 syntax, either case unless it
// says (?-i). Endless white space means at most maxGap characters of it.
func newExpression(expr string) (*expression, error) {
	parsed, err := syntax.Parse("(?i)"+expr, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTerm, err)
	}
	boundSpaces(parsed)
	bounded := parsed.String()
	parsed = parsed.Simplify()
	program, err := syntax.Compile(parsed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTerm, err)
	}
	if len(program.Inst) > maxInstructions {
		return nil, fmt.Errorf("%w: %q becomes too large", ErrTerm, expr)
	}
	x := &expression{
		longest: longestMatch(parsed),
		first:   firstSets(program, maxFirstSets),
	}
	if texts := requiredTexts(parsed); quality(texts) > 0 {
		x.required = texts
	}
	for _, r := range []struct {
		into   **regexp.Regexp
		prefix string
	}{{&x.search, ""}, {&x.start, `\A`}, {&x.inside, `\A(?s:.)`}} {
		if *r.into, err = regexp.Compile(r.prefix + "(?:" + bounded + ")"); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTerm, err)
		}
	}
	return x, nil
}

// match returns the end of the match that begins at p, or -1. What lies more
// than MaxRegexpMatch behind p is not seen.
func (x *expression) match(b []byte, p int) int {
	limit := min(len(b), p+MaxRegexpMatch)
	re, from := x.start, p
	if p > 0 {
		_, n := utf8.DecodeLastRune(b[max(0, p-utf8.UTFMax):p])
		re, from = x.inside, p-n
	}
	if m := re.FindIndex(b[from:limit]); m != nil && from+m[1] > p {
		return from + m[1]
	}
	return -1
}

// begins reports whether a match can begin at p, by its first bytes.
func (x *expression) begins(b []byte, p int) bool {
	if len(b)-p < len(x.first) {
		return false
	}
	for i := range x.first {
		if !x.first[i].has(b[p+i]) {
			return false
		}
	}
	return true
}

// The budget of an expression in one document: bytes it may read for every
// byte of the document, and at the start.
const (
	budgetRate  = 16
	budgetStart = 1 << 20
	// expressionCost is what one try costs besides reading.
	expressionCost = 64
)

// budget returns how many bytes an expression may read in this document.
func (s *Scanner) budget() int { return budgetStart + budgetRate*s.scanned }

// Exhausted returns the terms whose expressions have cost more than they may
// in this document: what they matched later was not looked for.
func (s *Scanner) Exhausted() []TermID {
	var ids []TermID
	for i, spent := range s.spent {
		t := &s.engine.terms[i]
		if t.hit.Kind == TermHit && spent > s.budget() {
			ids = append(ids, t.hit.Term)
		}
	}
	return ids
}

// express looks for matches that contain the required text r, which ends at
// end.
func (s *Scanner) express(id int32, t *term, r required, end int) {
	x := t.expression
	begin := end - len(r.text)
	from, to := max(0, begin-r.max), begin-r.min
	if r.max > nearRequired {
		from = max(from, s.last[id]-s.base)
		s.expressIn(id, t, from, to+1, min(len(s.text), end+x.longest))
		return
	}
	for p := from; p <= to; p++ {
		if !x.begins(s.text, p) || !utf8.RuneStart(s.text[p]) || s.spent[id] > s.budget() {
			continue
		}
		s.spent[id] += expressionCost + x.longest
		if e := x.match(s.text, p); e >= 0 {
			s.found(id, p, e)
		}
	}
}

// leftmost drops matches of an expression that overlap one before; hits are
// sorted.
func (s *Scanner) leftmost(hits []Hit) []Hit {
	kept := hits[:0]
	for _, h := range hits {
		if s.engine.terms[h.id].expression != nil {
			if h.Start < s.last[h.id]-s.base {
				continue
			}
			s.last[h.id] = s.base + h.End
		}
		kept = append(kept, h)
	}
	return kept
}

// sweep looks for matches of an expression that requires no text everywhere.
func (s *Scanner) sweep(id int32, t *term) {
	s.expressIn(id, t, 0, len(s.text), len(s.text))
}

// expressIn finds the matches that begin in from..end and reads up to to.
func (s *Scanner) expressIn(id int32, t *term, from, end, to int) {
	x := t.expression
	for from < end {
		if s.spent[id] > s.budget() {
			return
		}
		m := x.search.FindIndex(s.text[from:to])
		if m == nil || from+m[0] >= end {
			s.spent[id] += to - from
			return
		}
		s.spent[id] += m[1] + expressionCost
		p := from + m[0]
		if e := x.match(s.text, p); e >= 0 {
			s.last[id] = s.base + e
			s.found(id, p, e)
			from = e
			continue
		}
		_, n := utf8.DecodeRune(s.text[p:])
		from = p + n
	}
}
