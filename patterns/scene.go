package patterns

import (
	"bytes"
	"slices"
	"sort"
)

// scene is what was seen in one block: words, cues, identifiers.
type scene struct {
	b      *block
	text   []byte
	names  *nameFinder
	masker *Masker
	found  []Found
	terms  []termMark
	cues   []cueMark
	custom []customMark
	dates  []int             // where dates stand; made when asked for
	keys   map[string]string // of people, by name
	beside []byte            // see besides
	all    []individual      // see individuals
	// specifics is what specific said of each term; 0: not asked yet
	specifics []float64
}

// termMark is a word of a lexicon where it stands.
type termMark struct {
	start, end int
	term       TermID
	slot       int
	weight     int
}

// cueMark is a cue where it stands.
type cueMark struct {
	start, end int
	group      CueGroup
	weight     int
	text       string
}

type customMark struct {
	start, end int
	meaning    *meaning
}

// look scans a block.
func (r *reader) look(b *block) *scene {
	s := &r.scene
	*s = scene{b: b, text: b.text, names: r.set.names, masker: r.masker, keys: r.keys, beside: s.beside, found: s.found[:0], all: s.all[:0], terms: s.terms[:0], cues: s.cues[:0], custom: s.custom[:0], specifics: s.specifics[:0]}
	hits := r.scanner.Scan(b.text)
	for _, h := range hits {
		if h.Kind != TermHit {
			continue
		}
		m := &r.set.terms[h.Term]
		switch {
		case m.custom > 0:
			s.custom = append(s.custom, customMark{h.Start, h.End, m})
		case m.group != "":
			if m.exact == 0 || h.End-h.Start == m.exact {
				s.cues = append(s.cues, cueMark{h.Start, h.End, m.group, m.weight, m.text})
			}
		default:
			s.terms = appendTerm(s.terms, termMark{h.Start, h.End, h.Term, m.slot, m.weight})
		}
	}
	w := weigher{text: b.text, contexts: r.contexts[:0], quiet: !r.options.Explain}
	s.found = w.identify(s.found[:0], hits, nil)
	r.contexts = w.contexts
	return s
}

// appendTerm keeps the heaviest of the terms of one category that cover the
// same text.
func appendTerm(terms []termMark, t termMark) []termMark {
	for i := len(terms) - 1; i >= 0 && i >= len(terms)-8; i-- {
		o := &terms[i]
		if o.slot != t.slot || o.end <= t.start {
			continue
		}
		if t.weight > o.weight || t.weight == o.weight && t.end-t.start > o.end-o.start {
			start := min(o.start, t.start)
			*o = t
			o.start = start
		}
		return terms
	}
	return append(terms, t)
}

// cuesBetween returns the cues that begin in a range.
func (s *scene) cuesBetween(from, to int) []cueMark {
	i := sort.Search(len(s.cues), func(i int) bool { return s.cues[i].start >= from })
	j := i
	for j < len(s.cues) && s.cues[j].start < to {
		j++
	}
	return s.cues[i:j]
}

func sortIndividuals(all []individual) {
	slices.SortStableFunc(all, func(a, b individual) int { return a.start - b.start })
}

// windows returns the parts of the text in which people matter: around the
// words of categories, at the head of the document, and everywhere in what is
// short or a table.
func (s *scene) windows(head bool) [][2]int {
	n := len(s.text)
	if n <= 16<<10 {
		return [][2]int{{0, n}}
	}
	var w [][2]int
	add := func(from, to int) {
		from, to = max(0, from), min(n, to)
		for from > 0 && s.text[from-1] != ' ' && s.text[from-1] != '\n' {
			from--
		}
		if len(w) > 0 && from <= w[len(w)-1][1] {
			w[len(w)-1][1] = max(w[len(w)-1][1], to)
			return
		}
		w = append(w, [2]int{from, to})
	}
	if head {
		add(0, 3000)
	}
	rows := s.b.rows
	for _, t := range s.terms {
		for len(rows) > 0 && rows[0].start < t.start {
			add(rows[0].start, rows[0].end)
			rows = rows[1:]
		}
		add(t.start-reach-40, t.end+reach+40)
	}
	for _, r := range rows {
		add(r.start, r.end)
	}
	return w
}

// reach is how far an individual may stand from a word, in bytes.
const reach = 320

// story measures how much the text around an offset tells of one person: who,
// what they did and when, less what speaks of people at large.
func (s *scene) story(at int) float64 {
	from, to := at-450, at+450
	var who, observed, events, large float64
	var pronouns, roles, generic, modal, numbers, routine int
	for _, c := range s.cuesBetween(from, to) {
		switch c.group {
		case CuePronoun:
			pronouns++
		case CueRole:
			roles++
		case CueObserve:
			observed++
		case CueEvent:
			events++
		case CueGeneric:
			generic++
		case CueModal:
			modal++
		case CueStatistics:
			numbers++
		case CueRoutine:
			routine++
		}
	}
	if who = float64(min(pronouns, 3) + min(roles, 3)); who == 0 {
		return 0
	}
	did := min(observed, 5) + min(events, 2)*0.8
	if s.dated(from, to) {
		did += 0.7
	}
	large = 0.6*float64(min(generic, 6)) + 0.5*float64(min(modal, 6)) + 0.7*float64(min(numbers, 4)) + 0.8*float64(min(routine, 4))
	return max(0, who*0.7+did-large)
}

// dated reports whether a date or time stands in a range.
func (s *scene) dated(from, to int) bool {
	if s.dates == nil {
		s.dates = []int{-1}
		s.dates = appendDates(s.dates, s.text)
	}
	i := sort.SearchInts(s.dates, max(0, from))
	return i < len(s.dates) && s.dates[i] < to
}

// appendDates appends where the dates of a text begin.
func appendDates(dates []int, text []byte) []int {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if !asciiDigit(c) && c != 'k' && c != 'd' || i > 0 && wordByte(text[i-1]) {
			continue
		}
		if n := dateLength(text[i:]); n > 0 {
			dates = append(dates, i)
			i += n - 1
		}
	}
	return dates
}

// dateLength returns the length of the date or time that a text begins with,
// as people write them in notes: 3/11, 2024-03-11, 240311, kl. 9.30, den 3
// mar…; 0 if it does not.
func dateLength(text []byte) int {
	ends := func(n int) int {
		if n < len(text) && wordByte(text[n]) {
			return 0
		}
		return n
	}
	switch text[0] {
	case 'k':
		return clockLength(text)
	case 'd':
		n := runLength(text, min(4, len(text)))
		if !bytes.HasPrefix(text, []byte("den ")) || n < 1 || n > 2 || len(text) < 8+n || text[4+n] != ' ' || !months[string(text[5+n:8+n])] {
			return 0
		}
		return 8 + n
	}
	n := runLength(text, 0)
	switch {
	case n <= 2 && n < len(text) && text[n] == '/':
		if day := runLength(text, n+1); day == 1 || day == 2 {
			return ends(n + 1 + day)
		}
	case n == 4 && text[0] == '2' && text[1] == '0' && n < len(text) && text[4] == '-':
		if runLength(text, 5) == 2 && len(text) > 7 && text[7] == '-' && runLength(text, 8) == 2 {
			return ends(10)
		}
	case n == 6:
		return ends(6)
	}
	return 0
}

// clockLength is dateLength of a time.
func clockLength(text []byte) int {
	i := 0
	switch {
	case bytes.HasPrefix(text, []byte("klockan")):
		i = len("klockan")
	case bytes.HasPrefix(text, []byte("kl.")):
		i = len("kl.")
	case bytes.HasPrefix(text, []byte("kl")):
		i = len("kl")
	default:
		return 0
	}
	if i < len(text) && text[i] == ' ' {
		i++
	}
	n := runLength(text, i)
	i += n
	if n < 1 || n > 2 || i >= len(text) || text[i] != '.' && text[i] != ':' || runLength(text, i+1) < 2 {
		return 0
	}
	return i + 3
}

var months = wordSet("jan feb mar apr maj jun jul aug sep okt nov dec")

// wordByte knows what a word boundary of an expression has on one side.
func wordByte(c byte) bool { return asciiLetter(c) || asciiDigit(c) || c == '_' }
