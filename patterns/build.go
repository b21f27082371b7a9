package patterns

import "time"

// Build returns the Engine. The Builder can be used on.
func (b *Builder) Build() (*Engine, error) {
	today := b.today
	if today.IsZero() {
		today = time.Now()
	}
	e := &Engine{today: civil(today), tests: unpackTestNumbers()}
	for _, t := range b.terms {
		e.terms = append(e.terms, newTerm(t))
	}
	e.userTerms = len(e.terms)
	for c, entries := range contextTerms {
		for _, entry := range entries {
			e.terms = append(e.terms, newTerm(contextTerm(entry)))
			e.contexts = append(e.contexts, Context(c))
		}
	}
	return e, nil
}

// Scanner scans texts for one goroutine. It holds the buffers.
type Scanner struct {
	engine *Engine
	canon  canonicalizer
	digits digitPass
	hits   []Hit
}

// NewScanner returns a Scanner.
func (e *Engine) NewScanner() *Scanner {
	return &Scanner{engine: e, digits: digitPass{today: e.today, tests: e.tests}}
}

// Scan returns everything found in the text, by Start; the hits are valid
// until the next call.
func (s *Scanner) Scan(text []byte) []Hit {
	canon := s.canon.canonicalize(text)
	s.hits = s.digits.scan(canon.text, s.hits[:0])
	s.hits = mailPass(canon.text, s.hits)
	s.hits = s.engine.slowTerms(canon.text, s.hits)
	for i := range s.hits {
		h := &s.hits[i]
		h.Start, h.End = canon.original(h.Start), canon.original(h.End)
	}
	sortHits(s.hits)
	return s.hits
}
