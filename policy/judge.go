package policy

import (
	"slices"
	"strconv"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
)

// manyPeople is from where on a verdict is one degree more severe: a leak of
// this size is hardly "unlikely to result in a risk" (GDPR art. 33(1)).
const manyPeople = 100

// Judge returns what each rule says of a document at a place, on a day: no
// verdict where no rule fits. Rules are tried in the order of the policy; one
// that allows outright ends the trial.
//
// Severity is the rule's own, one degree higher when the document is open to
// people outside the organisation or is about at least 100 individuals.
func (p *Policy) Judge(at Place, found patterns.Content, on time.Time) []Verdict {
	t := p.trial(at, found, on)
	var verdicts []Verdict
	sealed := false
	for _, r := range p.rules {
		v, ok := t.try(r)
		if !ok {
			continue
		}
		verdicts = append(verdicts, v)
		sealed = sealed || v.Sealed
		if r.outcome == Allowed {
			break
		}
	}
	if sealed {
		for i := range verdicts {
			verdicts[i].Evidence = nil
		}
	}
	return verdicts
}

// trial is one document before the rules.
type trial struct {
	policy     *Policy
	at         Place
	found      patterns.Content
	parts      []part
	on         time.Time
	service    Service
	known      bool
	controller string
	department string
}

func (p *Policy) trial(at Place, found patterns.Content, on time.Time) trial {
	t := trial{policy: p, at: at, found: found, parts: p.parts(found), on: on}
	if t.service, t.known = p.services[at.Service]; !t.known {
		// A service that nobody registered is nobody's to trust: open data only.
		t.service = Service{ID: at.Service}
	}
	_, t.controller, t.department = p.responsible(at)
	return t
}

func (t trial) try(r rule) (Verdict, bool) {
	selected := r.what.selects(t)
	if len(selected) == 0 && r.outcome != Allowed {
		return Verdict{}, false
	}
	class := highest(selected)
	if !r.what.fits(t, class) || !r.where.fits(t, class) {
		return Verdict{}, false
	}
	v := Verdict{
		Rule: r.id, Title: r.title, Outcome: r.outcome, Severity: r.severity, Class: class,
		Service: t.at.Service, Laws: slices.Clone(t.service.Jurisdictions), Advice: r.advice, Sealed: r.sealed,
	}
	if r.outcome == Allowed {
		v.Severity, v.Advice = "", ""
		return v, true
	}
	worst := offending(selected, r.where.threshold(r.what, t))
	v.Categories = categoriesOf(worst)
	v.Because = append(append(reasonsOf(worst), r.what.reasons(t)...), r.where.reasons(t, class)...)
	if !r.sealed {
		v.Evidence = evidenceOf(t.found.Evidence, v.Categories)
	}
	t.decide(r, &v)
	if v.Outcome != Allowed {
		v.Because = append(v.Because, r.duties()...)
	}
	if v.Outcome != Allowed && t.graver() {
		v.Severity = v.Severity.raised()
	}
	return v, true
}

// duties are what a rule asks for beside its advice: a role that reviews the
// finding, and laws under which it may have to be reported.
func (r rule) duties() []Reason {
	var out []Reason
	if r.reviewBy != "" {
		out = append(out, Reason{Code: "review-by", Args: []string{r.reviewBy}})
	}
	for _, law := range r.incident {
		out = append(out, Reason{Code: "incident-" + law})
	}
	return out
}

// selects returns the parts that a rule is about.
func (w what) selects(t trial) []part {
	var selected []part
	for _, part := range t.parts {
		harm := t.policy.categories[part.category].Harm
		if (len(w.categories) == 0 || slices.Contains(w.categories, part.category)) &&
			!slices.Contains(w.except, part.category) &&
			(len(w.harm) == 0 || slices.Contains(w.harm, harm)) {
			selected = append(selected, part)
		}
	}
	return selected
}

func (w what) fits(t trial, class Class) bool {
	return class >= w.from && class <= w.to && t.people() >= w.people &&
		w.fitsIdentifiers(t.found.Identifiers) && w.fitsKinds(t.found.Kinds) && w.fitsDocument(t)
}

// fitsDocument holds the conditions on the document itself rather than on
// what it says.
func (w what) fitsDocument(t trial) bool {
	worn := func(g globs) bool { return len(g) > 0 && slices.ContainsFunc(t.found.Labels, g.fit) }
	return t.found.Children >= w.children &&
		(len(w.labels) == 0 || worn(w.labels)) && !worn(w.unlabelled) &&
		(w.marked == nil || *w.marked == t.found.Marked) &&
		oneOf(w.state, stateOf(t.found)) &&
		(w.olderThan == 0 || t.age() >= w.olderThan)
}

// The states of a document.
const (
	stateTemplate = "template"
	stateFilled   = "filled"
	stateOther    = "other"
)

// stateOf tells a blank form from a filled-in one.
func stateOf(found patterns.Content) string {
	switch {
	case slices.ContainsFunc(found.Kinds, func(k patterns.DocumentKind) bool { return k.Filled }):
		return stateFilled
	case slices.Contains(found.Innocence, "template"):
		return stateTemplate
	}
	return stateOther
}

// age returns the days since the document was changed; -1 if that is unknown.
func (t trial) age() int {
	if t.at.Modified.IsZero() {
		return -1
	}
	return int(t.on.Sub(t.at.Modified).Hours() / 24)
}

// reasons says what of the document made the rule fit.
func (w what) reasons(t trial) []Reason {
	var all []Reason
	if w.children > 0 {
		all = append(all, Reason{Code: "children", Args: []string{strconv.Itoa(t.found.Children)}})
	}
	if len(w.labels) > 0 {
		i := slices.IndexFunc(t.found.Labels, w.labels.fit)
		all = append(all, Reason{Code: "label", Args: t.found.Labels[i : i+1]})
	}
	if w.marked != nil && *w.marked {
		all = append(all, Reason{Code: "marked"})
	}
	if w.olderThan > 0 {
		all = append(all, Reason{Code: "age", Args: []string{strconv.Itoa(t.age())}})
	}
	return all
}

func (w what) fitsIdentifiers(counts []patterns.IdentifierCount) bool {
	if len(w.identifiers) == 0 && !w.register && w.identifierCount == 0 {
		return true
	}
	n := 0
	for _, c := range counts {
		if (len(w.identifiers) == 0 || slices.Contains(w.identifiers, c.Type)) && (!w.register || c.Register) {
			n += c.AtLeast(patterns.Medium)
		}
	}
	return n >= max(w.identifierCount, 1)
}

func (w what) fitsKinds(kinds []patterns.DocumentKind) bool {
	return len(w.kinds) == 0 || slices.ContainsFunc(kinds, func(k patterns.DocumentKind) bool {
		return slices.Contains(w.kinds, k.Kind) && k.Confidence >= patterns.Medium
	})
}

func (w where) fits(t trial, class Class) bool {
	return (!w.aboveCeiling || class > t.service.Ceiling || !t.known) &&
		oneOf(w.services, t.at.Service) &&
		(w.external == nil || *w.external == !t.service.Own) &&
		(w.ai == nil || *w.ai == t.service.AI) &&
		(len(w.regionOutside) == 0 || !slices.Contains(w.regionOutside, t.service.Region)) &&
		(len(w.lawOutside) == 0 || !t.known || len(w.foreign(t.service)) > 0) &&
		oneOf(w.encryption, t.service.Encryption) &&
		oneOf(w.audience, t.at.Audience) &&
		oneOf(w.controllers, t.controller) &&
		oneOf(w.departments, t.department) &&
		w.sources.fit(t.at.Source) && w.sites.fit(t.at.Site) && w.paths.fit(t.at.Path)
}

func oneOf(allowed []string, value string) bool {
	return len(allowed) == 0 || slices.Contains(allowed, value)
}

// foreign returns the laws that reach the service and that the rule does not
// accept.
func (w where) foreign(s Service) []string {
	var all []string
	for _, law := range s.Jurisdictions {
		if !slices.Contains(w.lawOutside, law) {
			all = append(all, law)
		}
	}
	return all
}

// threshold returns the class from which on a part offends.
func (w where) threshold(about what, t trial) Class {
	if w.aboveCeiling && t.known {
		return t.service.Ceiling + 1
	}
	return about.from
}

// reasons says what of the place made the rule fit.
func (w where) reasons(t trial, class Class) []Reason {
	var all []Reason
	if !t.known {
		all = append(all, Reason{Code: "service-unknown", Args: []string{t.at.Service}})
	} else if w.aboveCeiling {
		all = append(all, Reason{Code: "ceiling", Args: []string{t.at.Service, t.policy.ClassID(t.service.Ceiling), t.policy.ClassID(class)}})
	}
	if len(w.lawOutside) > 0 && t.known {
		all = append(all, Reason{Code: "jurisdiction", Args: w.foreign(t.service)})
	}
	if len(w.regionOutside) > 0 && t.known {
		all = append(all, Reason{Code: "region", Args: []string{t.service.Region}})
	}
	if len(w.audience) > 0 {
		all = append(all, Reason{Code: "audience", Args: []string{t.at.Audience}})
	}
	return all
}

func (t trial) people() int {
	n := t.found.People
	for _, c := range t.found.Categories {
		n = max(n, c.People)
	}
	return n
}

func (t trial) graver() bool {
	return t.at.Audience == "anonymous" || t.at.Audience == "guest" || t.people() >= manyPeople
}

func (s Severity) raised() Severity {
	switch s {
	case Low:
		return Medium
	case Medium:
		return High
	}
	return Critical
}

func highest(parts []part) Class {
	var class Class
	for _, p := range parts {
		class = max(class, p.class)
	}
	return class
}

func offending(parts []part, threshold Class) []part {
	var all []part
	for _, p := range parts {
		if p.class >= threshold {
			all = append(all, p)
		}
	}
	return all
}

func categoriesOf(parts []part) []patterns.Category {
	var all []patterns.Category
	for _, p := range parts {
		if !slices.Contains(all, p.category) {
			all = append(all, p.category)
		}
	}
	return all
}

func reasonsOf(parts []part) []Reason {
	var all []Reason
	for _, p := range parts {
		all = append(all, p.reason)
	}
	return all
}

// evidenceOf returns the evidence of the categories, and the identifiers that
// say whom it is about.
func evidenceOf(all []patterns.Evidence, categories []patterns.Category) []patterns.Evidence {
	var kept []patterns.Evidence
	for _, e := range all {
		if e.Category == "" || e.Category == patterns.PersonalData || slices.Contains(categories, e.Category) {
			kept = append(kept, e)
		}
	}
	return kept
}
