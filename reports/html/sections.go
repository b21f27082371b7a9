package html

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/policy"
)

type summaryView struct {
	view
	Lede    string
	Calm    bool
	Figures []figure
	Levels  []figure
	States  []figure
}

// figure is a number with what it counts.
type figure struct {
	Number, Label, Note string
	Tone                string // "bad", "wait", "good", "" of the style sheet
}

func (p *page) summary(t *tally, c findings.Coverage) summaryView {
	w := p.words
	forbidden, undecided := t.forbidden.without(nil), t.undecided.without(t.forbidden)
	v := summaryView{view: view{w}, Calm: t.active == 0}
	read := w.T("html.lede-read", c.Read+c.Partial, w.N("html.documents", c.Documents))
	if v.Calm {
		v.Lede = w.T("html.lede-none") + " " + read
	} else {
		v.Lede = w.N("html.lede-forbidden", forbidden)
		if undecided > 0 {
			v.Lede += " " + w.N("html.lede-undecided", undecided)
		}
		v.Lede += " " + read
	}
	v.Figures = []figure{
		{Number: w.Number(forbidden), Label: w.T("html.figure-forbidden"), Note: w.T("html.figure-forbidden-note"), Tone: tone(forbidden, "bad")},
		{Number: w.Number(undecided), Label: w.T("html.figure-undecided"), Note: w.T("html.figure-undecided-note"), Tone: tone(undecided, "wait")},
		{Number: w.Number(t.people), Label: w.T("html.figure-people"), Note: w.T("html.figure-people-note")},
		{Number: w.Percent(share(c.Read+c.Partial, c.Documents)), Label: w.T("html.figure-read"), Note: w.T("html.figure-read-note", c.Unread+c.Waiting)},
	}
	for _, s := range []policy.Severity{policy.Critical, policy.High, policy.Medium, policy.Low} {
		v.Levels = append(v.Levels, figure{Number: w.Number(t.severities[s]), Label: w.Severity(string(s)), Tone: string(s)})
	}
	for _, s := range []findings.Status{findings.Open, findings.FixClaimed, findings.Disputed, findings.Resolved, findings.RiskAccepted, findings.FalsePositive} {
		v.States = append(v.States, figure{Number: w.Number(t.statuses[s]), Label: w.Locale.Status(string(s))})
	}
	return v
}

func tone(n int64, name string) string {
	if n == 0 {
		return "good"
	}
	return name
}

func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

type sealedView struct {
	view
	Count string
	Paths []place
	More  string
}

// place is where a document lies.
type place struct{ Name, Folder, Source, Service string }

func (p *page) place(f findings.Finding) place {
	folder, name := path.Split(f.Item.Path)
	return place{Name: cmp.Or(name, f.Item.Path), Folder: strings.TrimSuffix(folder, "/"), Source: f.Source, Service: p.words.Service(f.Service)}
}

// sealed returns nil when there is nothing of the kind.
func (p *page) sealed(t *tally) any {
	if t.sealed == 0 {
		return nil
	}
	v := sealedView{view: view{p.words}, Count: p.words.N("html.sealed-count", t.sealed)}
	for _, f := range t.hidden {
		v.Paths = append(v.Paths, p.place(f))
	}
	if more := t.sealed - int64(len(t.hidden)); more > 0 {
		v.More = p.words.N("html.more", more)
	}
	return v
}

type startView struct {
	view
	Items []startItem
	More  string
}

type startItem struct {
	place
	ID, Severity, SeverityName, Facts, Todo string
}

func (p *page) start(t *tally) any {
	if t.active == 0 {
		return nil
	}
	v := startView{view: view{p.words}}
	for _, f := range t.worst {
		item := startItem{
			place: p.place(f), ID: anchor(f), Severity: string(f.Verdict.Severity), SeverityName: p.words.Severity(string(f.Verdict.Severity)),
			Facts: p.facts(f), Todo: p.words.Code("advice-short", f.Verdict.Advice),
		}
		if f.Verdict.Sealed {
			item.ID = "sealed"
		}
		v.Items = append(v.Items, item)
	}
	if more := t.active - int64(len(t.worst)); more > 0 {
		v.More = p.words.N("html.start-more", more)
	}
	return v
}

// tableView is a table whose rows carry bars.
type tableView struct {
	view
	Rows []barRow
}

type barRow struct {
	Name, Under          string
	Mail                 string
	Cells                []string
	Forbidden, Undecided string
	People               string
	Title, Desc          string
	Bad, Wait            float64 // widths in hundredths of the longest bar
	WaitFrom             float64
	First                bool // of its group
}

func (p *page) rows(groups []*group, name func(*group) (string, string)) []barRow {
	var longest int64 = 1
	for _, g := range groups {
		longest = max(longest, g.total())
	}
	rows := make([]barRow, len(groups))
	for i, g := range groups {
		title, under := name(g)
		bad, wait := 100*share(g.forbidden, longest), 100*share(g.undecided, longest)
		rows[i] = barRow{
			Name: title, Under: under,
			Forbidden: p.words.Number(g.forbidden), Undecided: p.words.Number(g.undecided), People: p.words.Number(g.people),
			Title: title, Desc: p.words.T("html.bar-desc", g.forbidden, g.undecided),
			Bad: bad, Wait: wait, WaitFrom: bad,
		}
	}
	return rows
}

func (p *page) organisation(t *tally) any {
	if t.active == 0 {
		return nil
	}
	var groups []*group
	for _, controller := range ranked(t.controllers) {
		departments := map[string]*group{}
		for key, d := range t.departments {
			if key[0] == controller.name {
				departments[key[1]] = d
			}
		}
		groups = append(groups, ranked(departments)...)
	}
	v := tableView{view: view{p.words}, Rows: p.rows(groups, func(g *group) (string, string) {
		return cmp.Or(g.Department, p.words.T("department-unknown")), g.Head
	})}
	for i, g := range groups {
		v.Rows[i].Cells, v.Rows[i].Mail = []string{p.words.Controller(g.Controller)}, g.Mail
		v.Rows[i].First = i == 0 || groups[i-1].Controller != g.Controller
	}
	return v
}

func (p *page) services(t *tally) any {
	if t.active == 0 {
		return nil
	}
	v := tableView{view: view{p.words}}
	groups := ranked(t.services)
	v.Rows = p.rows(groups, func(g *group) (string, string) { return p.words.Service(g.name), "" })
	for i, g := range groups {
		v.Rows[i].Cells = p.serviceCells(g.name)
	}
	return v
}

func (p *page) serviceCells(id string) []string {
	if p.in.Policy == nil {
		return []string{"–", "–", "–"}
	}
	s, known := p.in.Policy.Service(id)
	if !known {
		return []string{p.words.T("html.service-unknown"), "–", "–"}
	}
	laws := make([]string, len(s.Jurisdictions))
	for i, law := range s.Jurisdictions {
		laws[i] = p.words.Law(law)
	}
	provider := s.Provider
	if s.Parent != "" && s.Parent != s.Provider {
		provider += " (" + s.Parent + ")"
	}
	return []string{provider, p.words.List(laws), p.words.Class(s.Ceiling)}
}

func (p *page) categories(t *tally) any {
	if len(t.categories) == 0 {
		return nil
	}
	groups := ranked(t.categories)
	return tableView{view: view{p.words}, Rows: p.rows(groups, func(g *group) (string, string) { return p.words.Category(g.name), "" })}
}

type coverageView struct {
	view
	Sentence string
	Parts    []part
	Sources  []sourceView
	Gaps     []gapCount
	Rulesets string
	Bytes    string
}

// part is a piece of the coverage bar.
type part struct {
	Tone, Label, Number, Share string
	From, Width                float64
}

type sourceView struct {
	Name, Service, Documents, Read, Partial, Unread, Waiting, Bytes, When, State, Rules string
	Good                                                                                bool
}

type gapCount struct{ Reason, Remedy, Count string }

func (p *page) coverage(c findings.Coverage) coverageView {
	w := p.words
	v := coverageView{view: view{w}, Bytes: w.Bytes(c.Bytes), Rulesets: w.List(c.Rulesets)}
	v.Sentence = w.T("html.coverage-sentence", c.Documents, c.Read, c.Partial, c.Unread, c.Waiting, w.Bytes(c.Bytes))
	from := 0.0
	for _, s := range []struct {
		tone string
		n    int64
	}{{"read", c.Read}, {"partial", c.Partial}, {"unread", c.Unread}, {"waiting", c.Waiting}} {
		width := 100 * share(s.n, c.Documents)
		v.Parts = append(v.Parts, part{Tone: s.tone, Label: w.T("html.part-" + s.tone), Number: w.Number(s.n), Share: w.Percent(width / 100), From: from, Width: width})
		from += width
	}
	for _, s := range c.Sources {
		v.Sources = append(v.Sources, p.source(s))
	}
	gaps := slices.SortedFunc(slices.Values(c.Gaps), func(a, b findings.ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	for _, g := range gaps {
		v.Gaps = append(v.Gaps, gapCount{Reason: w.Gap(g.Reason), Remedy: w.GapRemedy(g.Reason), Count: w.Number(g.Count)})
	}
	return v
}

func (p *page) source(s findings.SourceCoverage) sourceView {
	w := p.words
	v := sourceView{
		Name: s.Source, Service: w.Service(s.Service), Documents: w.Number(s.Documents), Read: w.Number(s.Read), Partial: w.Number(s.Partial),
		Unread: w.Number(s.Unread), Waiting: w.Number(s.Waiting), Bytes: w.Bytes(s.Bytes), Good: s.Last.Complete,
		Rules: w.List(nonEmpty(s.Last.Ruleset.Reading, s.Last.Ruleset.Policy)),
	}
	switch {
	case s.Last.Started.IsZero():
		v.State = w.T("html.scan-never")
	case s.Last.Complete:
		v.State, v.When = w.T("html.scan-complete"), w.DateTime(s.Last.Ended)
	case s.Last.Failure != "":
		v.State, v.When = w.T("html.scan-failed", w.Gap(s.Last.Failure)), w.DateTime(s.Last.Started)
	default:
		v.State, v.When = w.T("html.scan-running"), w.DateTime(s.Last.Started)
	}
	if !s.Last.Complete && !s.LastComplete.IsZero() {
		v.State += " " + w.T("html.scan-last-complete", w.DateTime(s.LastComplete))
	}
	return v
}

func nonEmpty(words ...string) []string {
	return slices.DeleteFunc(words, func(s string) bool { return s == "" })
}
