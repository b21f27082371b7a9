package patterns

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
)

// claim says that a category stands with one person. What it weighs in the
// end depends on the whole document.
type claim struct {
	sum      float64 // of the weights of the words
	tied     float64 // of those in the same sentence or row
	first    bool    // known by a first name alone
	bond     bond
	story    float64
	labelled bool
	row      bool
	number   bool
	fictive  bool
	historic bool
	because  string
	place    string
	masked   string
	terms    []string // words of the lexicon, heaviest first
}

// claimTally keeps the best claim on each person for one category.
type claimTally struct {
	people map[string]*claim
	count  int
}

// maxClaims bounds the people told apart for one category.
const maxClaims = 1 << 16

func (t *claimTally) add(key string, c *claim) {
	if t.people == nil {
		t.people = map[string]*claim{}
	}
	t.count++
	old, ok := t.people[key]
	if !ok && len(t.people) >= maxClaims {
		return
	}
	if !ok || c.rough() > old.rough() {
		t.people[key] = c
	}
}

// rough orders claims on the same person.
func (c *claim) rough() float64 { return c.sum * c.firmness() }

// firmness is how much of the words' weight the bond lets count.
func (c *claim) firmness() float64 {
	switch {
	case c.bond >= byIdentity:
		return 1
	case c.bond == byName && c.labelled:
		return 1
	case c.bond == byName && c.row:
		return 0.95
	case c.bond == byName:
		f := 0.4 + 0.1*min(c.story, 4)
		switch {
		case c.tied >= 2.4:
			f += 0.3
		case c.tied >= 1.2:
			f += 0.2
		}
		return min(f, 1)
	case c.story >= 2.2:
		return 0.35 + 0.1*min(c.story, 6)
	case c.first && c.tied >= 2.5:
		return 0.6
	case c.first && c.sum >= 7:
		return 0.45
	}
	return 0.15
}

// The weight of a term by its weight in the lexicon, and how many light ones
// may add up.
var termWeight = [4]float64{0, 0.4, 1.25, 3}

const maxLight = 1.7

// sums adds the weights of distinct terms by category.
type sums struct {
	seen  []uint32 // by term: the turn in which it was added
	turn  uint32
	total [len(slots)]float64
	tied  [len(slots)]float64
	light [len(slots)]float64
	terms [len(slots)][]weighed
}

type weighed struct {
	term   TermID
	weight float64
}

func (s *sums) reset() {
	s.turn++
	s.total, s.tied, s.light = [len(slots)]float64{}, [len(slots)]float64{}, [len(slots)]float64{}
	for i := range s.terms {
		s.terms[i] = s.terms[i][:0]
	}
}

func (s *sums) add(t termMark, factor float64) {
	if n := int(t.term) + 1; n > len(s.seen) {
		s.seen = append(s.seen, make([]uint32, n-len(s.seen))...)
	}
	if s.seen[t.term] == s.turn {
		return
	}
	s.seen[t.term] = s.turn
	w := termWeight[t.weight] * factor
	if t.weight == 1 {
		w = min(w, maxLight-s.light[t.slot])
		s.light[t.slot] += w
	}
	s.total[t.slot] += w
	if factor >= 1 {
		s.tied[t.slot] += w
	}
	s.terms[t.slot] = append(s.terms[t.slot], weighed{t.term, w})
}

// words returns the heaviest terms, as the lexicon writes them.
func (r *reader) words(terms []weighed) []string {
	slices.SortFunc(terms, func(a, b weighed) int { return cmp.Compare(b.weight, a.weight) })
	terms = terms[:min(len(terms), 5)]
	out := make([]string, 0, len(terms))
	for _, t := range terms {
		out = append(out, r.set.terms[t.term].text)
	}
	return out
}

// claim looks for words of the categories around each person of running text.
func (r *reader) claim(s *scene, people []individual) {
	near := &r.nearSums
	for i := range people {
		p := &people[i]
		// A title does not shield the one whom a personnel case is about.
		if p.official && r.kinds.about(HR) < 3 || s.b.row(p.start) != nil && p.bond > byRole {
			continue
		}
		if p.number != nil && r.testNumber(p.number) {
			continue
		}
		near.reset()
		s.around(near, people, i)
		r.conclude(s, p, near, false)
	}
}

// enoughStory is the most that a story may add to a claim.
const enoughStory = 6

// conclude adds the claims that the sums make on a person.
func (r *reader) conclude(s *scene, p *individual, near *sums, row bool) {
	if p.number != nil && p.number.Identifier == Reservnummer {
		// Only health care issues these numbers.
		health, _ := slotOf(Health)
		near.total[health]++
	}
	for slot := range slots {
		if p.bond >= byName || row {
			near.total[slot] += r.titles.total[slot]
		}
		if near.total[slot] < 0.5 {
			continue
		}
		// What says no more than what is known of the person already is only
		// counted: dense registers would cost too much otherwise.
		if old, ok := r.claims[slot].people[p.key]; ok && old.sum >= near.total[slot] && old.tied >= near.tied[slot] && old.bond >= p.bond && (old.row || !row) && old.story >= enoughStory {
			r.claims[slot].count++
			continue
		}
		c := &claim{
			sum: near.total[slot], tied: near.tied[slot], first: p.name != "" && p.bond == byRole, bond: p.bond, labelled: p.labelled, row: row || p.listed, number: p.number != nil,
			because: p.because, place: s.place(p.start), terms: r.words(near.terms[slot]),
		}
		if c.story = enoughStory; p.bond < byIdentity {
			c.story = s.story(p.start)
		}
		c.fictive = s.fictive(p.start)
		c.historic = p.number == nil && s.historic(p.start)
		c.masked = s.maskPerson(p)
		r.claims[slot].add(p.key, c)
	}
}

// coverBytes is how far a person whom a field or heading names is what the
// text goes on about.
const coverBytes = 3000

// around adds up the words near a person: fully in the same sentence, less
// within reach, and less still further on when a field names the person.
func (s *scene) around(sum *sums, people []individual, i int) {
	p := &people[i]
	from, to := p.start-reach, p.end+reach
	cover := to
	if p.labelled && p.bond >= byName {
		cover = p.end + coverBytes
		for j := i + 1; j < len(people) && people[j].start < cover; j++ {
			if people[j].labelled && people[j].key != p.key && people[j].bond >= byName {
				cover = max(to, people[j].start)
			}
		}
	}
	sentence, sentenceEnd := s.b.sentence(p.start)
	first := sort.Search(len(s.terms), func(k int) bool { return s.terms[k].start >= from })
	for k := first; k < len(s.terms) && s.terms[k].start < cover; k++ {
		t := s.terms[k]
		factor := 0.8
		switch {
		case t.start >= sentence && t.end <= sentenceEnd:
			factor = 1
		case t.start > to:
			factor = 0.6
		}
		if factor < 1 || p.bond < byIdentity {
			factor *= s.specific(k)
		}
		sum.add(t, factor)
	}
}

// specific is less than 1 for a word whose sentence speaks of people at
// large, of duties or of numbers.
func (s *scene) specific(k int) float64 {
	for len(s.specifics) < len(s.terms) {
		s.specifics = append(s.specifics, 0)
	}
	if f := s.specifics[k]; f > 0 {
		return f
	}
	from, to := s.b.sentence(s.terms[k].start)
	large, one := 0.0, 0
	for _, c := range s.cuesBetween(from, to) {
		switch c.group {
		case CueGeneric, CueStatistics, CueRoutine:
			large++
		case CueModal:
			large += 0.6
		case CueRole, CuePronoun, CueObserve, CueEvent:
			one++
		}
	}
	f := 1.0
	if large > 0 && large >= float64(one) {
		f = 0.6
		if large >= 2 && one == 0 {
			f = 0.4
		}
	}
	s.specifics[k] = f
	return f
}

// fictive reports whether the text around says that its people are invented.
func (s *scene) fictive(at int) bool {
	for _, c := range s.cuesBetween(at-500, at+400) {
		if c.group == CueFictive && c.weight == 3 {
			return true
		}
	}
	return false
}

// historic reports whether the text around tells of a time whose people are
// dead: it names years, and none of the last hundred. The law protects the
// living: GDPR recital 27, OSL 7 kap.
func (s *scene) historic(at int) bool {
	text := s.text[max(0, at-historyBytes):min(len(s.text), at+historyBytes)]
	old := false
	for i := 0; i < len(text); i++ {
		if !asciiDigit(text[i]) {
			continue
		}
		n := runLength(text, i)
		if year := text[i : i+n]; n == 4 && (i == 0 || !wordByte(text[i-1])) {
			switch string(numberToken(year)) {
			case string(tokenLongAgo):
				old = true
			case string(tokenLastCentury), string(tokenThisCentury):
				return false
			}
		}
		i += n - 1
	}
	return old
}

// historyBytes is how far from a person a year says when they lived.
const historyBytes = 400

// place names where an offset stands, as evidence keeps it.
func (s *scene) place(at int) string {
	part := s.b.part(at)
	place := lineOf(part.place, s.text[part.start:max(part.start, min(at, len(s.text)))])
	r := s.b.row(at)
	if r == nil {
		return place
	}
	cell := columnName(r.column(at)) + strconv.Itoa(r.number)
	if place == "" {
		return cell
	}
	return place + "!" + cell
}

// columnName is A, B, … Z, AA as spreadsheets have it.
func columnName(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return columnName(i/26-1) + string(rune('A'+i%26))
}

// maskPerson shows a person as evidence may: the masked number, or initials.
func (s *scene) maskPerson(p *individual) string {
	switch {
	case p.number != nil:
		return p.number.Mask(s.text)
	case p.bond == byRole && p.name == "":
		return string(s.text[p.start:p.end])
	}
	return maskWords(string(s.text[p.start:p.end]))
}
