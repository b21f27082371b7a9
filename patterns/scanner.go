package patterns

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
	spent    []int  // by term: bytes that its expression has read in this document
	scanned  int    // bytes of this document
}

// The lists of hits that a scan merges, each in order.
const (
	digitList = iota
	mailList
	termList
	secretList
	hitLists
)

// NewScanner returns a Scanner.
func (e *Engine) NewScanner() *Scanner {
	return &Scanner{
		engine:   e,
		digits:   digitPass{today: e.today, tests: e.tests},
		literals: literalPass{table: e.literals},
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
	s.lists[termList] = s.leftmost(s.lists[termList])
	s.lists[secretList] = s.leftmost(s.lists[secretList])
	s.base += len(s.text) + 1
	s.merge()
	if len(canon.edits) > 0 {
		for i := range s.hits {
			h := &s.hits[i]
			h.Start, h.End = canon.original(h.Start), canon.original(h.End)
		}
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
	clear(s.spent)
	s.scanned = 0
}

// confirm looks closer where literals end.
func (s *Scanner) confirm(p proposal) {
	for _, id := range s.engine.literals.idsOf(p.state) {
		if k := int(id) - len(s.engine.terms); k >= 0 {
			r := &s.engine.required[k]
			s.express(r.term, &s.engine.terms[r.term], r.required, p.end)
			continue
		}
		if s.engine.glances[id].rejects(s.text, p.end) {
			continue
		}
		t := &s.engine.terms[id]
		from, to, ok := t.confirm(s.text, p.end)
		if !ok || s.last[id] == s.base+from {
			continue
		}
		if t.assigns != notAssignment {
			s.assign(id, t, to)
			continue
		}
		s.last[id] = s.base + from
		s.found(id, from, to)
	}
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

func (s *Scanner) found(id int32, from, to int) {
	h := s.engine.terms[id].hit
	h.Start, h.End, h.id = from, to, id
	list := termList
	if h.Kind == SecretHit {
		list = secretList
	}
	s.lists[list] = append(s.lists[list], h)
}

// hitBefore orders hits by Start, longer first.
func hitBefore(a, b *Hit) bool {
	return a.Start < b.Start || a.Start == b.Start && a.End > b.End
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

// merge merges the sorted lists into hits.
func (s *Scanner) merge() {
	s.hits = s.hits[:0]
	var at [hitLists]int
	for {
		best := -1
		for i, list := range s.lists {
			if at[i] < len(list) && (best < 0 || hitBefore(&list[at[i]], &s.lists[best][at[best]])) {
				best = i
			}
		}
		if best < 0 {
			return
		}
		s.hits = append(s.hits, s.lists[best][at[best]])
		at[best]++
	}
}
