package patterns

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

// expression is a regular expression made ready. It is tried only where one
// of its literals stands: every match contains one.
type expression struct {
	search   *regexp.Regexp // anywhere
	start    *regexp.Regexp // at the start of the text
	inside   *regexp.Regexp // behind one character of context
	literals []string       // lower case; none: see automaton
	longest  int            // bytes of the longest match, at most MaxRegexpMatch
}

// Limits of a regular expression: what it is written with, and what it
// becomes.
const (
	maxExpression   = 2000
	maxInstructions = 20_000
)

// minLiteral is the shortest literal worth looking for, in bytes.
const minLiteral = 3

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
// says (?-i).
func newExpression(expr string) (*expression, error) {
	expr = "(?i)" + expr
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTerm, err)
	}
	parsed = parsed.Simplify()
	program, err := syntax.Compile(parsed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTerm, err)
	}
	if len(program.Inst) > maxInstructions {
		return nil, fmt.Errorf("%w: %q becomes too large", ErrTerm, expr)
	}
	x := &expression{longest: longestMatch(parsed), literals: requiredLiterals(parsed)}
	for _, r := range []struct {
		into   **regexp.Regexp
		prefix string
	}{{&x.search, ""}, {&x.start, `\A`}, {&x.inside, `\A(?s:.)`}} {
		if *r.into, err = regexp.Compile(r.prefix + "(?:" + expr + ")"); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTerm, err)
		}
	}
	return x, nil
}

// longestMatch returns the longest match in bytes, at most MaxRegexpMatch.
func longestMatch(re *syntax.Regexp) int {
	n := 0
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune) * utf8.UTFMax
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		n = utf8.UTFMax
	case syntax.OpCapture, syntax.OpQuest:
		n = longestMatch(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus:
		n = MaxRegexpMatch
	case syntax.OpRepeat:
		n = MaxRegexpMatch
		if re.Max >= 0 {
			n = longestMatch(re.Sub[0]) * re.Max
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			n += longestMatch(sub)
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			n = max(n, longestMatch(sub))
		}
	}
	return min(n, MaxRegexpMatch)
}

// requiredLiterals returns texts of which every match contains one, or
// nothing if there are no good ones.
func requiredLiterals(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		text := strings.Map(unicode.ToLower, string(re.Rune))
		if len(text) >= minLiteral && len(text) <= maxTerm {
			return []string{text}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return requiredLiterals(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return requiredLiterals(re.Sub[0])
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if l := requiredLiterals(sub); shortest(l) > shortest(best) {
				best = l
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			l := requiredLiterals(sub)
			if l == nil || len(all) > 64 {
				return nil
			}
			all = append(all, l...)
		}
		return all
	}
	return nil
}

func shortest(texts []string) int {
	if len(texts) == 0 {
		return 0
	}
	n := len(texts[0])
	for _, t := range texts {
		n = min(n, len(t))
	}
	return n
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

// The budget of an expression in one document: bytes it may read for every
// byte of the document, and at the start.
const (
	budgetRate  = 16
	budgetStart = 1 << 20
	// expressionCost is what one try costs besides reading.
	expressionCost = 64
)

// express looks for matches of an expression around a literal that ends at
// end. Matches do not overlap; the leftmost comes first.
func (s *Scanner) express(id int32, t *term, end int) {
	x := t.expression
	free := max(0, s.last[id]-s.base) // where the last match ended
	s.expressIn(id, t, max(free, end-x.longest), end, min(len(s.text), end+x.longest))
}

// sweep looks for matches of an expression without literals everywhere.
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
			s.found(t, p, e)
			from = e
			continue
		}
		_, n := utf8.DecodeRune(s.text[p:])
		from = p + n
	}
}

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
