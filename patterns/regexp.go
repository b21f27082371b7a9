package patterns

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"sync"
	"unicode/utf8"
)

// expression is a regular expression made ready. It is tried only where one
// of its required texts stands.
type expression struct {
	compile  func() compiledExpression
	required []required  // none: it must be tried everywhere
	first    [][]byteSet // what a match can begin with, by alternative
	text     []byte      // of an expression that is a plain text, in either case; nil: it is more
	must     byte        // one that every match contains, rare in text; 0: none is known
	longest  int         // bytes of the longest match, at most MaxRegexpMatch
	weight   int         // steps for each byte read
}

// Limits of a regular expression: what it is written with, what it becomes,
// and how many of its first bytes are looked at before it is tried.
const (
	maxExpression   = 2000
	maxInstructions = 20_000
	maxFirstSets    = 16
	maxAlternatives = 4 // that are told apart there
)

// newExpression makes an expression ready: RE2 syntax, either case unless it
// says (?-i). Endless white space means at most maxGap characters of it.
// Errors wrap ErrTerm.
func newExpression(expr string) (*expression, error) {
	if len(expr) > maxExpression {
		return nil, fmt.Errorf("%w: expression of %d bytes, at most %d", ErrTerm, len(expr), maxExpression)
	}
	parsed, err := syntax.Parse("(?i)"+expr, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTerm, err)
	}
	if boundSpaces(parsed) && written(parsed) > maxInstructions {
		return nil, fmt.Errorf("%w: %q becomes too large", ErrTerm, expr)
	}
	x := &expression{}
	x.compile = sync.OnceValue(func() compiledExpression { return compileExpression(parsed.String()) })
	simple := parsed.Simplify()
	program, err := syntax.Compile(simple)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrTerm, err)
	case len(program.Inst) > maxInstructions:
		return nil, fmt.Errorf("%w: %q becomes too large", ErrTerm, expr)
	case shortestMatch(simple) == 0:
		return nil, fmt.Errorf("%w: %q matches the empty text", ErrTerm, expr)
	}
	x.longest = longestMatch(simple)
	x.must = rareByte(simple)
	x.text = plainText(simple)
	x.weight = 1 + len(program.Inst)/stepInstructions
	x.first = firstOfAlternatives(simple)
	if texts := requiredTexts(simple); quality(texts) > 0 {
		x.required = texts
	}
	return x, nil
}

// written is how many parts an expression has when its repetitions are
// written out, at least; it stops counting when they are too many.
func written(re *syntax.Regexp) int {
	n := 1
	for _, sub := range re.Sub {
		n += written(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, maxInstructions+1)
}

// compiledExpression is what matches. It is compiled when it is first needed,
// for most expressions never are.
type compiledExpression struct {
	search *regexp.Regexp // anywhere
	start  *regexp.Regexp // at the start of the text
	inside *regexp.Regexp // behind one character of context
}

// compileExpression compiles an expression that has been compiled by the
// syntax package before: it cannot fail.
func compileExpression(expr string) compiledExpression {
	return compiledExpression{
		search: regexp.MustCompile("(?:" + expr + ")"),
		start:  regexp.MustCompile(`\A(?:` + expr + ")"),
		inside: regexp.MustCompile(`\A(?s:.)(?:` + expr + ")"),
	}
}

// match returns the end of the match that begins at p, or -1. What lies more
// than MaxRegexpMatch behind p is not seen; nor is what no match can reach,
// for the price of a try grows with what it may read.
func (x *expression) match(b []byte, p int) int {
	if n := len(x.text); n > 0 {
		if p+n <= len(b) && bytes.EqualFold(b[p:p+n], x.text) {
			return p + n
		}
		return -1
	}
	limit := min(len(b), p+MaxRegexpMatch, p+2*x.longest)
	if x.must != 0 && bytes.IndexByte(b[p:limit], x.must) < 0 {
		return -1
	}
	compiled := x.compile()
	re, from := compiled.start, p
	if p > 0 {
		_, n := utf8.DecodeLastRune(b[max(0, p-utf8.UTFMax):p])
		re, from = compiled.inside, p-n
	}
	if m := re.FindIndex(b[from:limit]); m != nil && from+m[1] > p {
		return from + m[1]
	}
	return -1
}

// begins reports whether a match can begin at p, by its first bytes.
func (x *expression) begins(b []byte, p int) bool {
	for _, sets := range x.first {
		if beginsWith(sets, b[p:]) {
			return true
		}
	}
	return false
}

func beginsWith(sets []byteSet, b []byte) bool {
	if len(b) < len(sets) {
		return false
	}
	for i := range sets {
		if !sets[i].has(b[i]) {
			return false
		}
	}
	return true
}

// beginning returns from where matches that begin in from..to must be looked
// for: right before the first place where one can begin, or to.
func (x *expression) beginning(b []byte, from, to int) int {
	for p := from; p < to; p++ {
		if x.begins(b, p) {
			_, n := utf8.DecodeLastRune(b[from:p])
			return p - n
		}
	}
	return to
}

// The budget of an expression in one document, in steps: bytes read, times
// how large the expression is. So much for every byte of the document, and at
// the start.
const (
	budgetRate  = 4
	budgetStart = 4 << 20
	// expressionCost is what one try costs besides reading.
	expressionCost = 64
	// stepInstructions is how many instructions read a byte in one step.
	stepInstructions = 64
	// sweepSize is how much a sweep reads before it looks at its budget.
	sweepSize = 64 << 10
)

// budget returns the steps that an expression may take in this document.
func (s *Scanner) budget() int { return budgetStart + budgetRate*s.scanned }

// spend counts the steps of a try that reads n bytes.
func (s *Scanner) spend(id int32, x *expression, n int) {
	if s.spent[id] == 0 {
		s.tried = append(s.tried, id)
	}
	s.spent[id] += (n + expressionCost) * x.weight
}

// Exhausted returns the terms whose expressions have cost more than they may
// in this document: what they matched later was not looked for.
func (s *Scanner) Exhausted() []TermID {
	var ids []TermID
	for _, id := range s.tried {
		if t := &s.engine.terms[id]; t.hit.Kind == TermHit && s.spent[id] > s.budget() {
			ids = append(ids, t.hit.Term)
		}
	}
	slices.Sort(ids)
	return ids
}

// express looks for matches that contain the required text r, which ends at
// end.
func (s *Scanner) express(id int32, t *term, r required, end int) {
	x := t.expression
	begin := end - len(r.text)
	from, to := max(0, begin-r.max), begin-r.min
	if r.max > nearRequired {
		from = x.beginning(s.text, max(from, s.last[id]-s.base), to+1)
		s.expressIn(id, t, from, to+1, min(len(s.text), end+x.longest))
		return
	}
	for p := from; p <= to; p++ {
		if !x.begins(s.text, p) || !utf8.RuneStart(s.text[p]) || s.spent[id] > s.budget() {
			continue
		}
		s.spend(id, x, x.longest)
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
		if s.engine.checks[h.id].mode == Regexp {
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
	for from := 0; from < len(s.text); from += sweepSize {
		end := min(len(s.text), from+sweepSize)
		s.expressIn(id, t, max(from, s.last[id]-s.base), end, min(len(s.text), end+t.expression.longest))
	}
}

// expressIn finds the matches that begin in from..end and reads up to to.
func (s *Scanner) expressIn(id int32, t *term, from, end, to int) {
	x := t.expression
	for from < end {
		if s.spent[id] > s.budget() {
			return
		}
		m := x.compile().search.FindIndex(s.text[from:to])
		if m == nil || from+m[0] >= end {
			s.spend(id, x, to-from)
			return
		}
		s.spend(id, x, m[1])
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
