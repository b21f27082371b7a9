package html

import (
	"fmt"
	"slices"
	"strings"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/reports"
)

type cardView struct {
	view
	place
	ID, Link, Site, Owner      string
	Severity, SeverityName     string
	Outcome, OutcomeName       string
	Class, ClassName           string
	Rule, Facts                string
	Why, Exposure, Identifiers []string
	Wide                       bool // reached by more people than a group
	Evidence                   []evidenceView
	Advice                     string
	Status, StatusName         string
	First, Last, Modified      string
	Department, Head, Mail     string
}

type evidenceView struct {
	What  string
	Items []reports.EvidenceItem
	More  string
}

type controllerView struct {
	view
	ID, Name, Counts string
}

// findings shows the active findings controller by controller, those with the
// most to do first.
func (p *page) findings(t *tally) {
	if t.active == 0 {
		return
	}
	p.show("findings", view{p.words})
	for i, g := range ranked(t.controllers) {
		p.show("controller", controllerView{
			view: view{p.words}, ID: fmt.Sprintf("c%d", i+1), Name: p.words.Controller(g.name),
			Counts: p.words.N("html.findings", g.total()) + ": " + p.words.T("html.bar-desc", g.forbidden, g.undecided),
		})
		p.cardsOf(g)
		more := g.total() - int64(p.cards)
		p.show("controller-end", struct {
			view
			More string
		}{view{p.words}, p.moreCards(more)})
	}
	p.show("findings-end", view{p.words})
}

func (p *page) moreCards(more int64) string {
	if more <= 0 {
		return ""
	}
	return p.words.N("html.more-cards", more)
}

// cardsOf shows the first findings of a controller.
func (p *page) cardsOf(g *group) {
	filter := p.in.Filter
	filter.Controller = g.name
	filter.Statuses = activeOf(filter.Statuses)
	shown := 0
	for f, err := range p.in.Register.Findings(p.ctx, filter) {
		if err != nil {
			p.err = fmt.Errorf("findings: %w", err)
		}
		if p.err != nil || shown == p.cards {
			return
		}
		// An empty name does not restrict the filter: pick those without one.
		if f.Controller != g.name {
			continue
		}
		p.show("card", p.card(f))
		shown++
	}
}

// activeOf returns the active statuses that a filter lets through.
func activeOf(chosen []findings.Status) []findings.Status {
	active := []findings.Status{findings.Open, findings.FixClaimed, findings.Disputed}
	if len(chosen) == 0 {
		return active
	}
	return slices.DeleteFunc(slices.Clone(chosen), func(s findings.Status) bool { return !isActive(s) })
}

func (p *page) card(f findings.Finding) cardView {
	w, v := p.words, f.Verdict
	c := cardView{
		view: view{w}, place: p.place(f), ID: anchor(f), Link: link(f.Item.WebURL), Site: f.Site, Owner: f.Item.Owner,
		Severity: string(v.Severity), SeverityName: w.Severity(string(v.Severity)),
		Outcome: string(v.Outcome), OutcomeName: w.Outcome(string(v.Outcome)),
		Class: w.Class(v.Class), ClassName: w.ClassName(v.Class), Rule: v.Title, Facts: p.facts(f),
		Why: w.Why(v), Advice: w.Advice(v.Advice),
		Status: string(f.Status), StatusName: w.Status(f),
		First: w.Date(f.First), Last: w.Date(f.Last), Modified: w.Date(f.Item.Modified),
		Department: f.Department, Head: f.Head, Mail: f.Mail,
	}
	if v.Sealed {
		c.Link, c.Owner, c.Rule, c.Why = "", "", "", []string{w.T("html.sealed-why")}
		return c
	}
	c.Exposure = w.Exposure(f.Exposure)
	if f.Exposure != nil {
		widest := f.Exposure.Widest()
		c.Wide = widest == "anonymous" || widest == "organisation" || widest == "guest"
	}
	for _, e := range w.EvidenceOf(v) {
		shown := evidenceView{What: e.What, Items: e.Items}
		if e.More > 0 {
			shown.More = w.N("html.evidence-more", int64(e.More))
		}
		c.Evidence = append(c.Evidence, shown)
	}
	return c
}

// facts says in a few words what a document holds.
func (p *page) facts(f findings.Finding) string {
	if f.Verdict.Sealed {
		return p.words.Category("sakerhetsskydd")
	}
	facts := p.words.Categories(f.Verdict.Categories)
	if len(facts) == 0 {
		facts = p.words.Identifiers(f.Verdict)
	}
	if kinds := p.words.Kinds(f.Kinds); len(kinds) > 0 {
		facts = append(facts, kinds[0])
	}
	if f.People > 0 {
		facts = append(facts, p.words.N("html.people", int64(f.People)))
	}
	return strings.Join(facts, " · ")
}

func anchor(f findings.Finding) string { return "f-" + string(f.ID) }

// link returns the address of a document if a browser can open it safely.
func link(address string) string {
	if strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://") {
		return address
	}
	return ""
}

type decidedView struct {
	view
	Rows []decidedRow
	More string
}

type decidedRow struct{ Path, Status, Until, Facts string }

// decided shows what people have decided to let be, so that nobody forgets it.
func (p *page) decided(t *tally) any {
	if t.decided() == 0 || p.err != nil {
		return nil
	}
	filter := p.in.Filter
	filter.Statuses = []findings.Status{findings.RiskAccepted, findings.FalsePositive}
	v := decidedView{view: view{p.words}}
	for f, err := range p.in.Register.Findings(p.ctx, filter) {
		if err != nil {
			p.err = fmt.Errorf("findings: %w", err)
			return nil
		}
		if len(v.Rows) == p.cards {
			break
		}
		if len(p.in.Filter.Statuses) > 0 && !slices.Contains(p.in.Filter.Statuses, f.Status) {
			continue
		}
		v.Rows = append(v.Rows, decidedRow{f.Item.Path, p.words.Locale.Status(string(f.Status)), p.words.Date(f.Until), p.facts(f)})
	}
	if more := t.decided() - int64(len(v.Rows)); more > 0 {
		v.More = p.words.N("html.more", more)
	}
	return v
}

type gapsView struct {
	view
	Total string
}

type gapView struct{ Source, Path, Place, Reason, Detail, Since string }

// unread lists what was not looked into, as far as there is room.
func (p *page) unread(c findings.Coverage) {
	var total int64
	for _, g := range c.Gaps {
		total += g.Count
	}
	p.show("gaps", gapsView{view{p.words}, p.words.N("html.gaps-total", total)})
	shown := 0
	for g, err := range p.in.Register.Gaps(p.ctx, p.in.Filter) {
		if err != nil {
			p.err = fmt.Errorf("gaps: %w", err)
		}
		if p.err != nil || shown == p.gaps {
			break
		}
		if shown == 0 {
			p.show("gaps-table", view{p.words})
		}
		p.show("gap", gapView{Source: g.Source, Path: g.Path, Place: p.words.Place(g.Place), Reason: p.words.Gap(g.Reason), Detail: g.Detail, Since: p.words.Date(g.Since)})
		shown++
	}
	more := ""
	if total > int64(shown) {
		more = p.words.T("html.gaps-more", int64(shown), total)
	}
	p.show("gaps-end", struct {
		view
		More  string
		Table bool
	}{view{p.words}, more, shown > 0})
}
