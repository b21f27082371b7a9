package patterns

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"
)

// The scores from which a category counts: a strong word about an identified
// person is worth 3, a supporting one 1.25.
const (
	counts    = 1.6
	countsFor = 1.2 // protected identities: a life may depend on it
	sure      = 3.2
	enough    = 4.5
	together  = 2.4
)

// Finish implements Reader.
func (r *reader) Finish() (Content, []Step) {
	r.flush(true)
	r.ids.settle(func(key string) { remember(r.people, key) })
	doc := r.innocence()
	if r.options.Features != nil {
		r.options.Features(r.gist.features(r.set.names))
	}
	c := Content{Innocence: doc.codes(), TestNumbers: r.testNumbers(), Children: len(r.children), Labels: r.labels, Marked: r.markings.found(), Unfinished: r.unfinished()}
	c.Identifiers = r.identifierCounts()
	steps := len(r.steps)
	r.gist.lifts = r.lifts(false)
	if c.Categories = r.judgeCategories(doc); len(c.Categories) == 0 && r.set.gist != nil {
		r.steps = r.steps[:steps]
		r.together = nil
		r.gist.lifts = r.lifts(true)
		c.Categories = r.judgeCategories(doc)
	}
	own, forms := r.concludeOwn()
	if blankForm(forms) && len(r.people) == 0 {
		c.Categories = slices.DeleteFunc(c.Categories, func(f CategoryFound) bool { return !f.Category.aboutThings() })
		c.Innocence = append(c.Innocence, "template")
		clear(r.named)
	}
	c.Categories = append(append(c.Categories, r.custom.conclude()...), own...)
	c.People, c.PeopleKeys = r.countPeople()
	if c.People > 0 {
		c.Categories = append(c.Categories, CategoryFound{Category: PersonalData, Confidence: Medium, People: c.People, Count: c.People})
	}
	c.Kinds = slices.Concat(forms, r.documentKinds(c, doc))
	c.Evidence = r.evidence.best(c)
	return c, r.steps
}

// blankForm reports whether a document is a form that the organisation knows,
// with nothing filled in: its words are the form's.
func blankForm(forms []DocumentKind) bool {
	for _, f := range forms {
		if !f.Filled && f.Confidence == High {
			return true
		}
	}
	return false
}

// neighbour is the share of the heaviest category's score that another of
// those which share their words must reach: a sick note names the school, and
// is no document of the school.
const neighbour = 0.4

// judgeCategories decides which categories count. Narratives speak only where
// nothing else of their kind does.
func (r *reader) judgeCategories(doc *innocence) []CategoryFound {
	var found [len(slots)]CategoryFound
	var scores [len(slots)]float64
	top := 0.0
	for slot, c := range slots {
		f, score, ok := r.judgeCategory(slot, c, doc)
		if !ok {
			continue
		}
		if found[slot], scores[slot] = f, score; c.told() {
			top = max(top, min(score, enough))
		}
	}
	var out []CategoryFound
	for slot, c := range slots {
		if found[slot].Category != "" && (!c.told() || scores[slot] >= neighbour*top || scores[slot] >= sure || r.kinds.about(c) >= 2) {
			out = append(out, found[slot])
		}
	}
	if f, ok := r.bestNarrative(doc, out); ok {
		out = append(out, f...)
	}
	return out
}

// innocence is what speaks against a document's words being about somebody.
type innocence struct {
	levels map[string]float64 // of each code, 0 to 3
	// What weighs most: of all, and of what is left of it in a filled-in form.
	plain, filled struct {
		code  string
		level float64
	}
}

// codes returns what is worth naming.
func (d *innocence) codes() []string {
	var out []string
	for code, level := range d.levels {
		if level >= 1.5 {
			out = append(out, code)
		}
	}
	sort.Strings(out)
	return out
}

// worst returns the highest level, and its code; a filled-in form is judged
// as what it is filled in with.
func (d *innocence) worst(filled bool) (string, float64) {
	if filled {
		return d.filled.code, d.filled.level
	}
	return d.plain.code, d.plain.level
}

// weigh finds what weighs most.
func (d *innocence) weigh() {
	for _, code := range slices.Sorted(maps.Keys(d.levels)) {
		plain, filled := d.levels[code], d.levels[code]
		switch code {
		case "template", "business":
			filled = 0
		case "routine":
			filled *= 0.5
		}
		if plain > d.plain.level {
			d.plain.code, d.plain.level = code, plain
		}
		if filled > d.filled.level {
			d.filled.code, d.filled.level = code, filled
		}
	}
}

// innocence weighs the kinds of the document and the density of its cues.
func (r *reader) innocence() *innocence {
	d := map[string]float64{}
	for _, code := range []string{"routine", "template", "statistics", "public", "law", "minutes", "business", "code", "directory"} {
		d[code] = float64(r.kinds.innocence(code))
	}
	size := float64(r.bytes)/1500 + 2
	level := func(g CueGroup, per float64) float64 {
		t := r.cues[g]
		if t == nil {
			return 0
		}
		sum := 0.0
		for _, w := range t.distinct {
			sum += float64(w)
		}
		return min(3, sum/size*per)
	}
	d["routine"] = max(d["routine"], level(CueRoutine, 0.7), level(CueGeneric, 0.5)*boolFloat(level(CueModal, 1) > 1)*0.8)
	d["public"] = max(d["public"], level(CuePublic, 0.7))
	d["statistics"] = max(d["statistics"], level(CueStatistics, 0.5))
	d["template"] = max(d["template"], level(CueTemplate, 0.8))
	if sections := float64(r.sections) / size; sections > 3 {
		d["law"] = max(d["law"], min(3, sections/2))
	}
	if r.kinds.about(SocialServices) >= 3 || r.kinds.about(SchoolHealth) >= 3 {
		d["minutes"] = 0 // minutes of cases about individuals
	}
	if f := r.cues[CueFictive]; f != nil {
		d["fictive"] = level(CueFictive, 1.2)
	}
	doc := &innocence{levels: d}
	doc.weigh()
	return doc
}

func boolFloat(b bool) float64 { return float64(boolInt(b)) }

// judgeCategory decides whether a category counts in the document, and how
// much the heaviest claim weighs.
func (r *reader) judgeCategory(slot int, c Category, doc *innocence) (CategoryFound, float64, bool) {
	if c.aboutThings() {
		if f, ok := r.judgeThing(slot, c, doc); ok {
			return f, sure, true
		}
		if c != NationalSecurity {
			return CategoryFound{}, 0, false
		}
	}
	found := CategoryFound{Category: c}
	best := 0.0
	limit := counts
	if c == ProtectedIdentity {
		limit = countsFor
	}
	var firm bool
	strongest := r.combined(doc)
	people := r.claims[slot].people
	for _, key := range slices.Sorted(maps.Keys(people)) {
		cl := people[key]
		score, because := r.score(slot, c, key, cl, doc)
		if score < limit && strongest[key] == slot+1 {
			score = limit
			if r.options.Explain {
				because = append(because, "combined")
			}
		}
		r.explainClaim(c, cl, score, limit, because)
		if score < limit {
			continue
		}
		if key != "" {
			found.People++
		}
		found.Count++
		if score > best {
			best, firm = score, cl.bond >= byIdentity || cl.labelled || cl.row
		}
		conf := confidenceOf(score, limit, cl)
		pattern := string(c) + ":" + strings.Join(cl.terms[:min(1, len(cl.terms))], "")
		if !r.evidence.wants(pattern, conf, 0) {
			continue
		}
		r.evidence.add(Evidence{Pattern: pattern, Category: c, Confidence: conf, Place: cl.place, Masked: evidenceText(c, cl)}, 0,
			func() string { return r.masker.Fingerprint(string(c), NewRaw(key)) })
	}
	if found.Count == 0 {
		return CategoryFound{}, 0, false
	}
	found.People = max(found.People, 1)
	found.Confidence = Medium
	if best >= sure && firm || best >= sure*1.4 || c == ProtectedIdentity && best >= 2.4 {
		found.Confidence = High
	}
	return found, best, true
}

// combined finds the people of whom several categories each say too little,
// but all together enough: the slot, plus one, of the one that says most.
func (r *reader) combined(doc *innocence) map[string]int {
	if r.together != nil {
		return r.together
	}
	type told struct {
		sum, best float64
		slot      int
	}
	people := make(map[string]told, len(r.people))
	for slot, c := range slots {
		if c.aboutThings() || c == Politics || c == Religion || c == Ethnicity {
			continue
		}
		for key, cl := range r.claims[slot].people {
			if key == "" {
				continue
			}
			score, _ := r.score(slot, c, key, cl, doc)
			t := people[key]
			t.sum += score
			if score > t.best {
				t.best, t.slot = score, slot+1
			}
			people[key] = t
		}
	}
	r.together = map[string]int{}
	for key, t := range people {
		if t.slot > 0 && t.sum >= together && t.best >= counts/2 {
			r.together[key] = t.slot
		}
	}
	return r.together
}

func confidenceOf(score, limit float64, cl *claim) Confidence {
	switch {
	case score >= 2*limit && (cl.bond >= byIdentity || cl.labelled || cl.row):
		return High
	case score >= limit:
		return Medium
	}
	return Low
}

// evidenceText shows the person masked and which words of the lexicon stood
// there; never a word of the document itself, and nothing of säkerhetsskydd.
func evidenceText(c Category, cl *claim) string {
	if c == NationalSecurity {
		return ""
	}
	return cl.masked + " · " + strings.Join(cl.terms, ", ")
}

// score weighs a claim in the light of the whole document. The reasons are
// for an explanation, nil where none is asked for.
func (r *reader) score(slot int, c Category, key string, cl *claim, doc *innocence) (score float64, because []string) {
	note := func(format string, args ...any) { because = append(because, fmt.Sprintf(format, args...)) }
	explain := r.options.Explain
	if explain {
		because = append(because, cl.because)
		note("words:%.1f", cl.sum)
	}
	// More words of the same make it no surer.
	sum := min(cl.sum, enough)
	if about := r.kinds.about(c); about >= 2 && (cl.bond >= byName || cl.story >= 3 || cl.first && about >= 3) {
		sum += [4]float64{0, 0, 0.6, 1.5}[min(3, about)]
		if explain {
			note("kind:%d", about)
		}
	}
	f := cl.firmness()
	if explain && cl.bond < byIdentity {
		note("story:%.1f", cl.story)
	}
	if cl.bond <= byName && !cl.labelled && r.officers[key] && !(c == HR && r.kinds.about(HR) >= 3) {
		if explain {
			note("official")
		}
		return 0, because
	}
	code, level := doc.worst(cl.labelled || cl.number)
	level *= r.gist.doubt
	per := [...]float64{0, 0.27, 0.22, 0.12, 0.04}[cl.bond]
	if cl.labelled || cl.row {
		per = min(per, 0.12)
	}
	if named := cl.bond >= byName || cl.first; named && cl.sum >= 2*enough && (code == "statistics" || code == "public" || code == "minutes") {
		per /= 2 // a title says less than so many words about one person
	}
	if level > 0.5 {
		f *= max(0.1, 1-per*level)
		if explain {
			note("innocence:%s:%.1f", code, level)
		}
	}
	if fictive := doc.levels["fictive"] * r.gist.doubt; fictive > 1 && (cl.fictive || fictive >= 2.5) {
		f *= max(0.15, 0.7-0.22*fictive)
		if explain {
			note("fictive:%.1f", fictive)
		}
	}
	if cl.historic {
		f *= 0.35
		if explain {
			note("historic")
		}
	}
	lift := r.gist.lifts[slot]
	if (cl.labelled || cl.number) && lift < 1 {
		lift = math.Pow(lift, fieldShare) // a field says who it is about
	}
	if explain && lift != 1 {
		note("gist:%.2f", lift)
	}
	return sum * f * lift, because
}

// fieldShare is how much of what the gist says against a claim counts where a
// field or a number names the person: filled-in forms look like blank ones.
const fieldShare = 0.4

// codeWeight is what each code of a door or an alarm adds by itself.
const codeWeight = 1.3

// judgeThing decides about a category that needs no individual.
func (r *reader) judgeThing(slot int, c Category, doc *innocence) (CategoryFound, bool) {
	found := CategoryFound{Category: c, Count: 1, Confidence: Medium}
	_, level := doc.worst(false)
	t := &r.things
	about := float64(r.kinds.about(c))
	words, facts := t.zone[slot], t.concrete[slot]
	var score, limit float64
	switch c {
	case Secrets:
		score, limit = float64(t.secrets), 1
		found.Count = t.secrets
		if score >= 1 {
			found.Confidence = High
		}
	case Security:
		limit = 4.6
		facts += float64(min(t.codes, 4))
		score = ((words+about)*min(1.2, 0.35+0.3*facts) + codeWeight*float64(min(t.told+t.codes, 4))) * max(0.2, 1-0.25*level)
		if t.stamped {
			score += 3 + about
		}
	case Procurement:
		limit = 6
		score = (words + about + facts) * min(1.2, 0.5+0.15*facts) * max(0.2, 1-0.22*level)
	case NationalSecurity:
		limit = 8
		score = (words + 2*about) * min(1.2, 0.3+0.3*facts) * max(0.2, 1-0.28*level)
		if r.markings.found() && doc.levels["fictive"] < 2 {
			score, found.Confidence = 2*limit, High
			t.place[slot] = r.markings.place
		}
	default:
		return CategoryFound{}, false
	}
	score *= r.gist.lifts[slot]
	counted := score >= limit
	if score >= 2*limit && c != Secrets {
		found.Confidence = High
	}
	if score > 0 {
		r.explain(Step{
			Pattern: string(c), Category: c, Place: t.place[slot], Counted: counted, Confidence: found.Confidence * Confidence(boolInt(counted)),
			Because: []string{fmt.Sprintf("words:%.1f", words), fmt.Sprintf("facts:%.1f", facts), fmt.Sprintf("kind:%.0f", about), fmt.Sprintf("innocence:%.1f", level), fmt.Sprintf("gist:%.2f", r.gist.lifts[slot]), fmt.Sprintf("score:%.1f", score), fmt.Sprintf("needs:%.1f", limit)},
		})
	}
	if !counted {
		return CategoryFound{}, false
	}
	if c != Secrets {
		e := Evidence{Pattern: string(c) + ":" + strings.Join(t.terms[slot][:min(1, len(t.terms[slot]))], ""), Category: c, Confidence: found.Confidence, Place: t.place[slot]}
		if c != NationalSecurity {
			e.Masked = strings.Join(t.terms[slot], ", ")
		} else {
			e.Pattern = string(c)
		}
		r.evidence.add(e, 0, func() string { return "" })
	}
	return found, true
}

// countPeople counts individuals by number, or by name where there is none.
func (r *reader) countPeople() (int, []string) {
	keys := r.people
	if len(keys) == 0 || len(r.named) > 2*len(keys) {
		named := map[string]bool{}
		for k := range r.named {
			if !r.officers[k] {
				named[k] = true
			}
		}
		for k := range r.people {
			named[k] = true
		}
		keys = named
	}
	sorted := slices.Sorted(maps.Keys(keys))
	return len(keys), sorted[:min(len(sorted), MaxPeopleKeys)]
}

func (r *reader) testNumbers() int {
	if v := r.ids.types[NoIdentifier]; v != nil {
		return len(v.best)
	}
	return 0
}

// identifierCounts returns the distinct values of each type.
func (r *reader) identifierCounts() []IdentifierCount {
	var out []IdentifierCount
	for id := NoIdentifier + 1; id < identifierCount; id++ {
		v := r.ids.types[id]
		if v == nil {
			continue
		}
		n := IdentifierCount{Type: id.String(), Register: r.ids.list[id]}
		for _, c := range v.best {
			switch c {
			case Low:
				n.Low++
			case Medium:
				n.Medium++
			case High:
				n.High++
			}
		}
		out = append(out, n)
	}
	return out
}

// documentKinds names what the document is.
func (r *reader) documentKinds(c Content, doc *innocence) []DocumentKind {
	var out []DocumentKind
	for _, kind := range slices.Sorted(maps.Keys(r.kinds.found)) {
		f := r.kinds.found[kind]
		if f.points < 1 {
			continue
		}
		k := DocumentKind{Kind: kind, Confidence: Confidence(min(f.points, 3))}
		k.Filled = f.rule.Innocence == "" && slices.ContainsFunc(c.Categories, func(x CategoryFound) bool { return x.Category != PersonalData || doc.levels["template"] < 2 })
		out = append(out, k)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Confidence > out[j].Confidence })
	return out
}
