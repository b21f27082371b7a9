package patterns

import (
	"fmt"
	"sort"
	"strings"
)

// narrative is a stretch of running text that tells of one person's life
// without a word that says it all: many small things together do. It is
// weighed without asking who each word stands next to.
type narrative struct {
	sum   float64 // of the category's words, and what the rest of the stretch adds
	story float64
	place string
	terms []string
}

// The stretches that are weighed, in bytes.
const (
	stretchBytes = 2400
	strideBytes  = 1200
)

// What a stretch adds to the category that most of its words are about: the
// words of other categories, and trouble of any kind.
const (
	otherShare   = 0.5
	troubleShare = 0.45
	maxTrouble   = 8
	leastOwn     = 0.7 // of the category's own words
	bareStory    = 5.0
	leastTold    = 0.35 // of those of what narratives are about
)

// tells is how much of a narrative's words counts by its story.
func (n narrative) tells() float64 { return max(0, min(0.9, 0.15*(n.story-1.2))) }

func (n narrative) rough() float64 { return n.sum * n.tells() }

// narrate weighs the stretches of running text in a scene.
func (r *reader) narrate(s *scene, people []individual) {
	if len(s.b.rows) > 0 || len(s.cues) == 0 {
		return
	}
	first := 0
	for from := 0; ; from += strideBytes {
		to := from + stretchBytes
		if to > len(s.text)-strideBytes/2 {
			to = len(s.text)
		}
		for first < len(people) && people[first].end <= from {
			first++
		}
		r.stretch(s, people[first:], from, to)
		if to == len(s.text) {
			return
		}
	}
}

func (r *reader) stretch(s *scene, people []individual, from, to int) {
	terms := s.termsBetween(from, to)
	if s.b.part(from).kind == kindCode {
		return
	}
	story := s.tale(people, from, to)
	if (narrative{story: story}).tells() == 0 {
		return
	}
	sum := &r.stretchSums
	sum.reset()
	at := s.termsBefore(from)
	for k := range terms {
		sum.add(terms[k], s.specific(at+k))
	}
	trouble := s.trouble(from, to)
	all := 0.0
	for slot, c := range slots {
		if c.told() {
			all += sum.total[slot]
		}
	}
	worded := all >= leastTold
	for slot, c := range slots {
		own := sum.total[slot]
		if c == SocialServices && !worded && story >= bareStory {
			own = leastTold // trouble without a word of any category
		}
		if c.aboutThings() || own < leastTold || own < leastOwn && !c.told() {
			continue
		}
		n := narrative{sum: min(own, enough), story: story}
		if c.told() {
			n.sum += otherShare*(all-own) + troubleShare*trouble
			n.sum = min(n.sum, enough)
		}
		if n.rough() > r.narratives[slot].rough() {
			n.place, n.terms = s.place(from), r.words(sum.terms[slot])
			r.narratives[slot] = n
		}
	}
}

// termsBefore returns how many terms begin before an offset.
func (s *scene) termsBefore(at int) int {
	return sort.Search(len(s.terms), func(i int) bool { return s.terms[i].start >= at })
}

// told reports whether a category is what narratives of care, school and work
// are about; the others want their own words.
func (c Category) told() bool {
	switch c {
	case Health, SocialServices, SchoolHealth, HR, Offences, Guardianship:
		return true
	}
	return false
}

// tale measures how much a stretch tells of one person; see story.
func (s *scene) tale(people []individual, from, to int) float64 {
	var who, observed, events, large float64
	for _, c := range s.cuesBetween(from, to) {
		switch c.group {
		case CuePronoun, CueRole:
			who += 0.35 * float64(c.weight)
		case CueObserve:
			observed++
		case CueEvent:
			events++
		case CueGeneric:
			large += 0.4
		case CueModal:
			large += 0.35
		case CueStatistics:
			large += 0.7
		case CueRoutine:
			large += 0.8
		}
	}
	for i := range people {
		p := &people[i]
		if p.start >= to {
			break
		}
		if p.name != "" && !p.official {
			who += 0.7
		}
	}
	if who == 0 {
		return 0
	}
	did := min(observed, 7) + min(events, 3)*0.8
	if s.dated(from, to) {
		did += 0.7
	}
	return min(who, 3) + did - large
}

// trouble adds up distinct words of a stretch that say that somebody is
// unwell, in need, at odds or in danger.
func (s *scene) trouble(from, to int) float64 {
	seen, sum := map[string]bool{}, 0.0
	for _, c := range s.cuesBetween(from, to) {
		if c.group == CueTrouble && !seen[c.text] {
			seen[c.text] = true
			sum += float64(c.weight) / 2
		}
	}
	return min(sum, maxTrouble)
}

// bestNarrative returns what narratives add to the categories found: each one
// that wants its own words, and the heaviest of the others where none was
// found.
func (r *reader) bestNarrative(doc *innocence, found []CategoryFound) (out []CategoryFound, ok bool) {
	told, best := false, 0.0
	has := map[Category]bool{}
	for _, f := range found {
		has[f.Category] = true
		told = told || f.Category.told()
	}
	var heaviest CategoryFound
	for slot, c := range slots {
		if has[c] || told && c.told() {
			continue
		}
		f, score, ok := r.judgeNarrative(slot, c, doc)
		switch {
		case !ok:
		case !c.told():
			out = append(out, f)
		case score > best:
			heaviest, best = f, score
		}
	}
	if best > 0 {
		out = append(out, heaviest)
	}
	return out, len(out) > 0
}

// judgeNarrative weighs the best narrative of a category in the light of the
// whole document.
func (r *reader) judgeNarrative(slot int, c Category, doc *innocence) (CategoryFound, float64, bool) {
	n, limit := r.narratives[slot], counts
	if c == ProtectedIdentity {
		limit = countsFor
	}
	if n.sum == 0 {
		return CategoryFound{}, 0, false
	}
	score := n.rough()
	because := []string{"narrative", fmt.Sprintf("words:%.1f", n.sum), fmt.Sprintf("story:%.1f", n.story)}
	if about := r.kinds.about(c); about >= 2 {
		score += [4]float64{0, 0, 0.4, 0.8}[min(3, about)]
	}
	if code, level := doc.worst(false); level*r.gist.doubt > 0.5 {
		level *= r.gist.doubt
		score *= max(0.1, 1-0.3*level)
		because = append(because, fmt.Sprintf("innocence:%s:%.1f", code, level))
	}
	if fictive := doc.levels["fictive"] * r.gist.doubt; fictive > 1 {
		score *= max(0.1, 0.7-0.25*fictive)
		because = append(because, fmt.Sprintf("fictive:%.1f", fictive))
	}
	score *= r.gist.lifts[slot]
	cl := &claim{bond: byRole, place: n.place, terms: n.terms}
	r.explainClaim(c, cl, score, limit, because)
	if score < limit {
		return CategoryFound{}, 0, false
	}
	e := Evidence{Pattern: string(c) + ":" + strings.Join(n.terms[:min(1, len(n.terms))], ""), Category: c, Confidence: Medium, Place: n.place, Masked: evidenceText(c, cl)}
	r.evidence.add(e, 0, func() string { return "" })
	return CategoryFound{Category: c, Confidence: Medium, People: 1, Count: 1}, score, true
}
