package patterns

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// referenceTerms finds terms the slow and obvious way: a regular expression
// for each, tried at every place. It shares no code with the engine but the
// canonical form and the table of endings.
func referenceTerms(e *Engine, canonical []byte) []Hit {
	var hits []Hit
	for i := range e.terms {
		t := &e.terms[i]
		if t.assigns != notAssignment || t.hit.Kind == SecretHit {
			continue
		}
		var found [][2]int
		if t.Mode == Regexp {
			found = referenceExpression(t, canonical)
		} else {
			found = referenceWord(t, canonical)
		}
		for _, f := range found {
			h := t.hit
			h.Start, h.End = f[0], f[1]
			hits = append(hits, h)
		}
	}
	return hits
}

// referencePattern writes a term as a regular expression.
func referencePattern(t *term) string {
	var b strings.Builder
	for _, r := range t.runes {
		if r == ' ' {
			fmt.Fprintf(&b, `[ \t\n\v\f\r]{1,%d}`, maxGap)
			continue
		}
		set := []rune{r}
		if t.Mode != Exact {
			set = append(set, unicode.ToUpper(r))
			if t.Plain {
				set = append(set, plainLetter(r), unicode.ToUpper(plainLetter(r)))
			}
		}
		b.WriteString("(?:")
		for i, r := range set {
			if i > 0 {
				b.WriteByte('|')
			}
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
		b.WriteString(")")
	}
	return b.String()
}

func referenceWord(t *term, b []byte) [][2]int {
	core := compileOnce(`\A` + referencePattern(t))
	first, last := t.runes[0], t.runes[len(t.runes)-1]
	var found [][2]int
	seen := map[int]bool{}
	for p := 0; p < len(b); p++ {
		m := core.FindIndex(b[p:])
		if m == nil {
			continue
		}
		from, to := p, p+m[1]
		before, _ := utf8.DecodeLastRune(b[:from])
		after, _ := utf8.DecodeRune(b[to:])
		asciiNumber := func(r rune) bool { return r >= '0' && r <= '9' }
		if t.Mode != Suffix && t.Mode != Inside && isWordRune(first) && from > 0 &&
			(unicode.IsLetter(before) || asciiNumber(before)) {
			continue
		}
		switch {
		case t.Mode == Exact:
			if isWordRune(last) && to < len(b) && (unicode.IsLetter(after) || asciiNumber(after)) {
				continue
			}
		case t.Mode == Prefix, t.Mode == Inside:
			to = wordEnd(b, to)
		case unicode.IsLetter(last):
			end := to
			for r, n := utf8.DecodeRune(b[end:]); n > 0 && unicode.IsLetter(r) && r != utf8.RuneError; r, n = utf8.DecodeRune(b[end:]) {
				end += n
			}
			tail := strings.ToLower(string(b[to:end]))
			doubled := len(tail) > 1 && (last == 'm' || last == 'n') && tail[0] == byte(last) && isEnding([]byte(tail[1:]))
			if !isEnding([]byte(tail)) && !doubled || t.Bare && tail != "" {
				continue
			}
			to = end
		}
		if t.Mode == Suffix || t.Mode == Inside {
			from = wordStart(b, from)
		}
		if !seen[from] {
			seen[from] = true
			found = append(found, [2]int{from, to})
		}
	}
	return found
}

var compiled sync.Map

func compileOnce(expr string) *regexp.Regexp {
	if re, ok := compiled.Load(expr); ok {
		return re.(*regexp.Regexp)
	}
	re := regexp.MustCompile(expr)
	compiled.Store(expr, re)
	return re
}

func referenceExpression(t *term, b []byte) [][2]int {
	re := compileOnce(`\A(?:(?i)` + t.Text + `)`)
	inside := compileOnce(`\A(?s:.)(?:(?i)` + t.Text + `)`)
	var found [][2]int
	for p := 0; p < len(b); {
		limit := min(len(b), p+MaxRegexpMatch)
		_, back := utf8.DecodeLastRune(b[:p])
		m := re.FindIndex(b[p:limit])
		if p > 0 {
			m = inside.FindIndex(b[p-back : limit])
			if m != nil {
				m[1] -= back
			}
		}
		if m != nil && m[1] > 0 {
			found = append(found, [2]int{p, p + m[1]})
			p += m[1]
			continue
		}
		_, n := utf8.DecodeRune(b[p:])
		p += n
	}
	return found
}

// compareHits tells the first difference between two sets of hits, or "".
func compareHits(got, want []Hit, canonical []byte) string {
	key := func(h Hit) string {
		return fmt.Sprintf("%07d-%07d kind %d context %s term %d %s", h.Start, h.End, h.Kind, h.Context, h.Term, h.Identifier)
	}
	lines := func(hits []Hit) []string {
		var all []string
		for _, h := range hits {
			all = append(all, key(h))
		}
		slices.Sort(all)
		return all
	}
	g, w := lines(got), lines(want)
	for i := 0; i < max(len(g), len(w)); i++ {
		switch {
		case i >= len(g):
			return "missing " + w[i]
		case i >= len(w):
			return "surplus " + g[i]
		case g[i] != w[i]:
			return "got " + g[i] + ", want " + w[i]
		}
	}
	return ""
}

// isEnding reports whether a text in lower case is one of the endings.
func isEnding(tail []byte) bool { return slices.Contains(endings[:], string(tail)) }
