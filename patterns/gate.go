package patterns

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// gate spares an expression the lines in which it cannot match: those without
// any of the texts of which every match holds one. Looking for these takes a
// hundredth of what the expression would.
type gate struct {
	re     *regexp.Regexp
	may    func(line []byte) bool // instead of the texts
	begin  [1 << 10]uint64        // set of the two bytes with which a text begins
	texts  map[[2]byte][]string
	always bool // no text is known
	whole  bool // matches may go over lines
}

// newGate returns the gate of an expression: more are texts for what has none
// of its own.
func newGate(re *regexp.Regexp, more ...string) *gate {
	texts := more
	if len(more) == 0 {
		texts = gateTexts(re.String())
	}
	g := &gate{re: re, texts: map[[2]byte][]string{}, always: len(texts) == 0, whole: overLines(re.String())}
	for _, t := range texts {
		two := [2]byte{t[0], t[1]}
		g.begin[pairWord(two[0], two[1])] |= pairBit(two[1])
		g.texts[two] = append(g.texts[two], t)
	}
	return g
}

// overLines reports whether matches of an expression may hold the end of a
// line, or mind where the text begins and ends.
func overLines(expr string) bool {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	return err != nil || holdsNewline(parsed)
}

func holdsNewline(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpAnyChar, syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine:
		return true
	case syntax.OpLiteral:
		return slices.Contains(re.Rune, '\n')
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			if re.Rune[i] <= '\n' && '\n' <= re.Rune[i+1] {
				return true
			}
		}
	}
	return slices.ContainsFunc(re.Sub, holdsNewline)
}

// count returns how many matches a text holds, at most most.
func (g *gate) count(text []byte, most int) int {
	if g.whole {
		if !g.open(text) {
			return 0
		}
		return len(g.re.FindAllIndex(text, most))
	}
	n := 0
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		if n < most && g.open(line) {
			n += len(g.re.FindAllIndex(line, most-n))
		}
	}
	return n
}

// open reports whether the expression may match in a text.
func (g *gate) open(text []byte) bool {
	switch {
	case g.always:
		return true
	case g.may != nil && g.may(text):
		return true
	case g.may != nil && len(g.texts) == 0:
		return false
	}
	var buffer [512]byte
	lower := appendLower(buffer[:0], text)
	for i := 1; i < len(lower); i++ {
		a, b := lower[i-1], lower[i]
		if g.begin[pairWord(a, b)]&pairBit(b) == 0 {
			continue
		}
		for _, t := range g.texts[[2]byte{a, b}] {
			if len(lower)-i+1 >= len(t) && string(lower[i-1:i-1+len(t)]) == t {
				return true
			}
		}
	}
	return false
}

// gateTexts returns texts of which every match of an expression holds one, in
// lower case; nil if they are not known. Alternatives are read one by one:
// the parser would take apart what begins alike.
func gateTexts(expr string) (texts []string) {
	flags := ""
	if strings.HasPrefix(expr, "(?i)") {
		flags, expr = expr[:4], expr[4:]
	}
	for _, one := range alternatives(expr) {
		parsed, err := syntax.Parse(flags+one, syntax.Perl)
		if err != nil {
			return nil
		}
		of := requiredTexts(parsed.Simplify())
		for _, t := range of {
			if len(t.text) < 2 {
				return nil
			}
			texts = append(texts, t.text)
		}
		if of == nil {
			return nil
		}
	}
	return texts
}

// alternatives splits an expression at the bars outside of parentheses and
// brackets.
func alternatives(expr string) (parts []string) {
	depth, class, from := 0, false, 0
	for i := 0; i < len(expr); i++ {
		switch c := expr[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			parts, from = append(parts, expr[from:i]), i+1
		}
	}
	return append(parts, expr[from:])
}

// pairWord and pairBit tell where a set of pairs of bytes keeps one.
func pairWord(a, b byte) int { return int(a)<<2 | int(b>>6) }
func pairBit(b byte) uint64  { return 1 << (b & 63) }
