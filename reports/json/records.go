package json

import (
	"strconv"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/reports"
	"github.com/molnvakt/molnvakt/sources"
)

// Document is a document as the report and `molnvakt check` show it.
type Document struct {
	Path       string `json:"path"`
	Source     string `json:"source,omitempty"`
	Service    string `json:"service,omitempty"`
	Site       string `json:"site,omitempty"`
	URL        string `json:"url,omitempty"`
	Owner      string `json:"owner,omitempty"`
	Controller string `json:"controller,omitempty"`
	Department string `json:"department,omitempty"`
	Head       string `json:"head,omitempty"`

	// Class is "K0" to "K4" by what could be read; see Status.
	Class string `json:"class"`
	// Categories are those found with medium confidence or better, Weak the rest.
	Categories []string `json:"categories"`
	Weak       []string `json:"weak_categories,omitempty"`
	// Identifiers counts distinct values by type and confidence.
	Identifiers map[string]Counts `json:"identifiers"`
	Registers   []string          `json:"registers,omitempty"` // types that fill a column or list
	Kinds       []Kind            `json:"kinds,omitempty"`
	People      int               `json:"people"`
	TestNumbers int               `json:"test_numbers,omitempty"`
	Innocence   []string          `json:"innocence,omitempty"`

	// Verdict is "allowed", "conditional" or "forbidden"; null before the
	// document was judged.
	Verdict *policy.Outcome `json:"verdict"`
	// Status is how reading ended: "ok", "partial", "encrypted", …; "waiting"
	// before the first reading.
	Status       string            `json:"status"`
	Gaps         []Gap             `json:"gaps"`
	Exposure     *sources.Exposure `json:"exposure,omitempty"`
	Audience     sources.Audience  `json:"audience,omitempty"` // the widest of Exposure
	MediaType    string            `json:"media_type,omitempty"`
	NameMismatch bool              `json:"name_mismatch,omitempty"`
	Size         int64             `json:"size"` // bytes
	Files        int               `json:"files,omitempty"`
	Modified     *time.Time        `json:"modified,omitempty"`
	FirstSeen    *time.Time        `json:"first_seen,omitempty"`
	ReadAt       *time.Time        `json:"read_at,omitempty"`
}

// Counts counts distinct values by confidence.
type Counts struct {
	Low    int `json:"low"`
	Medium int `json:"medium"`
	High   int `json:"high"`
}

// Kind is what a document is.
type Kind struct {
	Kind       string `json:"kind"`
	Confidence string `json:"confidence"`
	Filled     bool   `json:"filled"`
}

// Finding is one document breaking one rule.
type Finding struct {
	ID         findings.ID       `json:"id"`
	Path       string            `json:"path"`
	Source     string            `json:"source"`
	Service    string            `json:"service,omitempty"`
	Site       string            `json:"site,omitempty"`
	URL        string            `json:"url,omitempty"`
	Owner      string            `json:"owner,omitempty"`
	Controller string            `json:"controller,omitempty"`
	Department string            `json:"department,omitempty"`
	Head       string            `json:"head,omitempty"`
	Mail       string            `json:"mail,omitempty"`
	Rule       string            `json:"rule"`
	Title      string            `json:"title,omitempty"`
	Verdict    policy.Outcome    `json:"verdict"`
	Severity   policy.Severity   `json:"severity"`
	Class      string            `json:"class"`
	Categories []string          `json:"categories"`
	Kinds      []Kind            `json:"kinds,omitempty"`
	People     int               `json:"people"`
	Laws       []string          `json:"laws,omitempty"`
	Because    []Reason          `json:"because,omitempty"`
	Decision   string            `json:"decision,omitempty"`
	Until      string            `json:"decision_until,omitempty"` // a day
	Missing    string            `json:"missing,omitempty"`
	Advice     string            `json:"advice,omitempty"`
	AdviceText string            `json:"advice_text,omitempty"`
	Sealed     bool              `json:"sealed,omitempty"`
	Evidence   []Evidence        `json:"evidence"`
	Exposure   *sources.Exposure `json:"exposure,omitempty"`
	Audience   sources.Audience  `json:"audience,omitempty"`
	Status     findings.Status   `json:"status"`
	StatusEnds *time.Time        `json:"status_until,omitempty"`
	First      *time.Time        `json:"first_seen,omitempty"`
	Last       *time.Time        `json:"last_seen,omitempty"`
	Changed    *time.Time        `json:"changed,omitempty"`
}

// Reason is a cause of a verdict, as code and in words.
type Reason struct {
	policy.Reason
	Text string `json:"text"`
}

// Evidence is a masked match and where it stands.
type Evidence struct {
	Pattern    string            `json:"pattern"`
	Category   patterns.Category `json:"category,omitempty"`
	Confidence string            `json:"confidence"`
	Place      string            `json:"place,omitempty"`
	Masked     string            `json:"masked,omitempty"`
}

// Gap is something that was not looked into.
type Gap struct {
	Source string     `json:"source,omitempty"`
	Path   string     `json:"path,omitempty"`
	Place  string     `json:"place,omitempty"`
	Reason string     `json:"reason"`
	Detail string     `json:"detail,omitempty"`
	Since  *time.Time `json:"since,omitempty"`
	Retry  *time.Time `json:"retry_at,omitempty"`
}

func documentOf(d findings.Document) Document {
	c := d.Reading.Content
	out := Document{
		Path: d.Item.Path, Source: d.Source, Service: d.Service, Site: d.Site, URL: d.Item.WebURL, Owner: d.Item.Owner,
		Controller: d.Controller, Department: d.Department, Head: d.Head,
		Class: class(d.Class), Categories: []string{}, Identifiers: map[string]Counts{}, Kinds: kinds(c.Kinds),
		People: c.People, TestNumbers: c.TestNumbers, Innocence: c.Innocence,
		Status: d.Reading.Status, Gaps: []Gap{}, Exposure: d.Exposure, Audience: audience(d.Exposure),
		MediaType: d.Reading.MediaType, NameMismatch: d.Reading.NameMismatch, Size: d.Item.Size, Files: d.Reading.Files,
		Modified: moment(d.Item.Modified), FirstSeen: moment(d.FirstSeen), ReadAt: moment(d.ReadAt),
	}
	if d.Outcome != "" {
		out.Verdict = &d.Outcome
	}
	if out.Status == "" {
		out.Status = "waiting"
	}
	for _, found := range c.Categories {
		if found.Confidence >= patterns.Medium {
			out.Categories = append(out.Categories, string(found.Category))
		} else {
			out.Weak = append(out.Weak, string(found.Category))
		}
	}
	for _, n := range c.Identifiers {
		out.Identifiers[n.Type] = Counts{Low: n.Low, Medium: n.Medium, High: n.High}
		if n.Register {
			out.Registers = append(out.Registers, n.Type)
		}
	}
	for _, g := range d.Reading.Gaps {
		g.Source, g.Path = "", ""
		out.Gaps = append(out.Gaps, gapOf(g))
	}
	return out
}

func findingOf(words reports.Words, f findings.Finding) Finding {
	v := f.Verdict
	out := Finding{
		ID: f.ID, Path: f.Item.Path, Source: f.Source, Service: f.Service, Site: f.Site, URL: f.Item.WebURL, Owner: f.Item.Owner,
		Controller: f.Controller, Department: f.Department, Head: f.Head, Mail: f.Mail,
		Rule: v.Rule, Title: v.Title, Verdict: v.Outcome, Severity: v.Severity, Class: class(v.Class),
		Categories: make([]string, len(v.Categories)), Kinds: kinds(f.Kinds), People: f.People, Laws: v.Laws,
		Decision: v.Decision, Missing: v.Missing, Advice: v.Advice, Sealed: v.Sealed, Evidence: []Evidence{},
		Exposure: f.Exposure, Audience: audience(f.Exposure), Status: f.Status, StatusEnds: moment(f.Until),
		First: moment(f.First), Last: moment(f.Last), Changed: moment(f.Changed),
	}
	for i, c := range v.Categories {
		out.Categories[i] = string(c)
	}
	for _, r := range v.Because {
		out.Because = append(out.Because, Reason{Reason: r, Text: words.Because(r)})
	}
	if !v.Until.IsZero() {
		out.Until = v.Until.Format(time.DateOnly)
	}
	if v.Advice != "" {
		out.AdviceText = words.Advice(v.Advice)
	}
	if v.Sealed {
		return out
	}
	for _, e := range v.Evidence {
		out.Evidence = append(out.Evidence, Evidence{Pattern: e.Pattern, Category: e.Category, Confidence: e.Confidence.String(), Place: e.Place, Masked: e.Masked})
	}
	return out
}

func gapOf(g findings.Gap) Gap {
	return Gap{
		Source: g.Source, Path: g.Path, Place: g.Place, Reason: g.Reason, Detail: g.Detail,
		Since: moment(g.Since), Retry: moment(g.RetryAt),
	}
}

func kinds(all []patterns.DocumentKind) []Kind {
	var out []Kind
	for _, k := range all {
		out = append(out, Kind{Kind: k.Kind, Confidence: k.Confidence.String(), Filled: k.Filled})
	}
	return out
}

func class(c policy.Class) string { return "K" + strconv.Itoa(int(c)) }

func audience(e *sources.Exposure) sources.Audience {
	if e == nil {
		return ""
	}
	return e.Widest()
}

// moment is t in UTC, or nil for the zero time, which then is left out.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
