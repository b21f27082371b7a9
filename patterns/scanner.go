package patterns

import "unicode/utf8"

// Scanner scans texts for one goroutine. It holds the buffers and, for each
// document, what the expressions have cost.
type Scanner struct {
	engine   *Engine
	canon    canonicalizer
	digits   digitPass
	literals literalPass
	lists    [hitLists][]Hit
	hits     []Hit
	text     []byte // canonical, of the scan at hand
	last     []int  // by term: base and where the last hit began or, of an expression, ended
	base     int    // grows with every scan, so that last need not be cleared
	// expressed: an expression has matched in the scan at hand.
	expressed bool
	spent     []int   // by term: what its expression has cost in this document
	tried     []int32 // those that have cost anything
	scanned   int     // bytes of this document
}

// The lists of hits that a scan merges, each in order.
const (
	digitList = iota
	mailList
	termList
	matchList // of expressions
	secretList
	hitLists
)

// NewScanner returns a Scanner.
func (e *Engine) NewScanner() *Scanner {
	return &Scanner{
		engine:   e,
		digits:   digitPass{today: e.today, tests: e.tests},
		literals: literalPass{table: e.literals, lists: e.lists},
		last:     make([]int, len(e.terms)),
		spent:    make([]int, len(e.terms)),
		base:     1,
	}
}

// Scan returns everything found in the text, by Start; the hits are valid
// until the next call.
func (s *Scanner) Scan(text []byte) []Hit {
	canon := s.canon.canonicalize(text)
	s.text = canon.text
	s.scanned += len(text)
	for i := range s.lists {
		s.lists[i] = s.lists[i][:0]
	}
	s.lists[digitList] = s.digits.scan(s.text, s.lists[digitList])
	s.lists[mailList] = mailPass(s.text, s.lists[mailList])
	s.literals.scan(s.text, s.confirm)
	for _, id := range s.engine.sweeps {
		s.sweep(id, &s.engine.terms[id])
	}
	s.base += len(s.text) + 1
	for i := range s.lists {
		sortNearly(s.lists[i])
	}
	if s.expressed {
		s.lists[matchList] = s.leftmost(s.lists[matchList])
		s.lists[secretList] = s.leftmost(s.lists[secretList])
		s.expressed = false
	}
	s.base += len(s.text) + 1
	rest := s.lists
	s.hits = mergeHits(s.hits[:0], rest[:])
	if len(canon.edits) > 0 {
		canon.restore(s.hits)
	}
	return s.hits
}

// numbers finds only what needs no words: digits and e-mail addresses, with
// offsets in the canonical text.
func (s *Scanner) numbers(text []byte) []Hit {
	s.text = s.canon.canonicalize(text).text
	s.hits = mailPass(s.text, s.digits.scan(s.text, s.hits[:0]))
	return s.hits
}

// Begin starts a new document: expressions that had cost too much may try
// again.
func (s *Scanner) Begin() {
	for _, id := range s.tried {
		s.spent[id] = 0
	}
	s.tried, s.scanned = s.tried[:0], 0
}

// confirm looks closer where literals end.
func (s *Scanner) confirm(end int, list *literalList) {
	e := s.engine
	ids := e.literals.ids[list.from:][:list.count]
	if to := end + int(list.rest); list.whole > 0 && s.apart(to-int(list.whole), to) {
		for _, id := range ids {
			c := &e.checks[id]
			s.lists[termList] = append(s.lists[termList], Hit{Start: to - int(list.whole), End: to, Kind: c.kind, Context: c.context, Term: c.term, id: id})
		}
		return
	}
	for _, id := range ids {
		if int(id) >= len(e.checks) {
			r := &e.required[int(id)-len(e.checks)]
			s.express(r.term, &e.terms[r.term], r.required, end)
			continue
		}
		c := &e.checks[id]
		from, to, ok := e.confirmed(id, c, s.text, end)
		switch {
		case !ok:
		case c.assigns != notAssignment:
			s.assign(id, &e.terms[id], to)
		case c.open && s.last[id] == s.base+from: // twice in one word
		default:
			if c.open {
				s.last[id] = s.base + from
			}
			s.lists[termList] = append(s.lists[termList], Hit{Start: from, End: to, Kind: c.kind, Context: c.context, Term: c.term, id: id})
		}
	}
}

// apart reports whether certainly no letter stands behind the word from..to,
// and none beyond ASCII before it.
func (s *Scanner) apart(from, to int) bool {
	return (to == len(s.text) || followGroups[s.text[to]] <= 1 && s.text[to] < utf8.RuneSelf) && (from == 0 || s.text[from-1] < utf8.RuneSelf)
}

// assign notes the secret that stands behind a key.
func (s *Scanner) assign(id int32, t *term, end int) {
	from, to, shape, ok := assigned(s.text, end, t.assigns)
	if !ok {
		return
	}
	h := t.hit
	h.Start, h.End, h.id, h.Shape = from, to, id, shape
	list := &s.lists[secretList]
	if n := len(*list); n > 0 && (*list)[n-1].Start == from {
		return // found by a longer or shorter key already
	}
	*list = append(*list, h)
}

// found notes a match of an expression.
func (s *Scanner) found(id int32, from, to int) {
	h := s.engine.terms[id].hit
	h.Start, h.End, h.id = from, to, id
	s.expressed = true
	list := matchList
	if h.Kind == SecretHit {
		list = secretList
	}
	s.lists[list] = append(s.lists[list], h)
}

// hitBefore orders hits by Start, longer first, then as terms were added.
func hitBefore(a, b *Hit) bool {
	if a.Start != b.Start {
		return a.Start < b.Start
	}
	return a.End > b.End || a.End == b.End && a.id < b.id
}

// sortNearly sorts by insertion: hits are found almost in order, out of place
// by no more than their length.
func sortNearly(hits []Hit) {
	for i := 1; i < len(hits); i++ {
		if !hitBefore(&hits[i], &hits[i-1]) {
			continue
		}
		h := hits[i]
		k := i
		for k > 0 && hitBefore(&h, &hits[k-1]) {
			hits[k] = hits[k-1]
			k--
		}
		hits[k] = h
	}
}

// mergeHits appends the hits of sorted lists in order and uses the lists up;
// of hits that are alike, those of the first list come first. Most lists are
// short beside the longest: its hits are copied in runs.
func mergeHits(into []Hit, lists [][]Hit) []Hit {
	for {
		first, second := -1, -1
		for i := range lists {
			switch {
			case len(lists[i]) == 0:
			case first < 0 || hitBefore(&lists[i][0], &lists[first][0]):
				first, second = i, first
			case second < 0 || hitBefore(&lists[i][0], &lists[second][0]):
				second = i
			}
		}
		if first < 0 {
			return into
		}
		list := lists[first]
		n := len(list)
		if second >= 0 {
			n = 1
			for other := &lists[second][0]; n < len(list) && (hitBefore(&list[n], other) || first < second && !hitBefore(other, &list[n])); {
				n++
			}
		}
		into = append(into, list[:n]...)
		lists[first] = list[n:]
	}
}
