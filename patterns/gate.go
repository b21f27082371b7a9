package patterns

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// gate spares an expression the texts in which it cannot match: those without
// any of the texts of which every match holds one. Looking for these takes a
// hundredth of what the expression would.
type gate struct {
	begin [1 << 10]uint64 // set of the two bytes with which a text begins
	texts map[[2]byte][]string
}

// newGate returns the gate of an expression: more are texts for what has none
// of its own. Without any, the gate is nil and always open.
func newGate(re *regexp.Regexp, more ...string) *gate {
	texts := more
	if len(more) == 0 {
		texts = gateTexts(re.String())
	}
	if len(texts) == 0 {
		return nil
	}
	g := &gate{texts: map[[2]byte][]string{}}
	for _, t := range texts {
		two := [2]byte{t[0], t[1]}
		g.begin[pairWord(two[0], two[1])] |= pairBit(two[1])
		g.texts[two] = append(g.texts[two], t)
	}
	return g
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

// open reports whether a text, in lower case, holds one of the texts.
func (g *gate) open(lower []byte) bool {
	if g == nil {
		return true
	}
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
