package patterns

import (
	"regexp"
	"slices"
	"unicode/utf8"
)

// slowTerms tries every term at every place.
func (e *Engine) slowTerms(b []byte, hits []Hit) []Hit {
	lastBytes := map[rune][]int{}
	for i := range e.terms {
		t := &e.terms[i]
		if t.Mode == Regexp {
			for _, m := range regexp.MustCompile(t.Text).FindAllIndex(b, -1) {
				hits = append(hits, Hit{Start: m[0], End: m[1], Term: TermID(i)})
			}
			continue
		}
		last := t.runes[len(t.runes)-1]
		lastBytes[last] = append(lastBytes[last], i)
	}
	type place struct{ term, from int }
	seen := map[place]bool{}
	for end := 1; end <= len(b); end++ {
		r, _ := utf8.DecodeLastRune(b[max(0, end-4):end])
		for _, i := range append(lastBytes[r], lastBytes[lower(r)]...) {
			t := &e.terms[i]
			from, to, ok := t.confirm(b, end)
			if !ok || seen[place{i, from}] {
				continue
			}
			seen[place{i, from}] = true
			h := Hit{Start: from, End: to, Term: TermID(i)}
			if i >= e.userTerms {
				h.Kind, h.Context, h.Term = ContextHit, e.contexts[i-e.userTerms], 0
			}
			hits = append(hits, h)
		}
	}
	return hits
}

func lower(r rune) rune {
	if r >= 'A' && r <= 'Z' || r >= 'À' && r <= 'Þ' {
		return r + 32
	}
	return -1
}

func sortHits(hits []Hit) {
	slices.SortStableFunc(hits, func(a, b Hit) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
}
