package reports

import (
	"slices"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/reports/locale"
	"github.com/molnvakt/molnvakt/sources"
)

// Words puts findings in words, so that every report and the portal say the
// same thing.
type Words struct {
	*locale.Locale
	policy *policy.Policy
}

// Words returns the words of a report: its language, its policy's names, and
// times in the zone of Now.
func (in Input) Words() Words {
	return NewWords(locale.New(in.Language).In(in.Now.Location()), in.Policy)
}

// NewWords returns the words of a language and a policy, which may be nil.
func NewWords(l *locale.Locale, p *policy.Policy) Words { return Words{Locale: l, policy: p} }

// Categories returns the names of categories.
func (w Words) Categories(codes []patterns.Category) []string {
	names := make([]string, len(codes))
	for i, c := range codes {
		names[i] = w.Category(string(c))
	}
	return names
}

// Kinds returns the names of kinds of documents, the surest first.
func (w Words) Kinds(kinds []patterns.DocumentKind) []string {
	kinds = slices.Clone(kinds)
	slices.SortStableFunc(kinds, func(a, b patterns.DocumentKind) int { return int(b.Confidence - a.Confidence) })
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = w.Kind(k.Kind)
	}
	return slices.Compact(names)
}

// Why returns the causes of a verdict as sentences.
func (w Words) Why(v policy.Verdict) []string {
	why := make([]string, 0, len(v.Because)+1)
	for _, r := range v.Because {
		why = append(why, w.Because(r))
	}
	if v.Missing != "" && !slices.ContainsFunc(v.Because, func(r policy.Reason) bool { return strings.HasPrefix(r.Code, "decision-") }) {
		why = append(why, w.Because(policy.Reason{Code: "decision-missing", Args: []string{v.Missing}}))
	}
	return why
}

// Because returns one cause as a sentence.
func (w Words) Because(r policy.Reason) string {
	args := slices.Clone(r.Args)
	if len(args) > 0 && (r.Code == "ceiling" || r.Code == "service-unknown") {
		args[0] = w.Service(args[0])
	}
	return w.Reason(locale.Reason{Code: r.Code, Category: string(r.Category), Args: args})
}

// Identifiers returns what identifiers a verdict rests on: "12 personnummer".
// Where the policy gives no count, the types among the evidence are named.
func (w Words) Identifiers(v policy.Verdict) []string {
	var counted []string
	for _, r := range v.Because {
		if (r.Code == "identifiers" || r.Code == "register") && len(r.Args) == 2 {
			n, _ := strconv.ParseInt(r.Args[1], 10, 64)
			counted = append(counted, w.IdentifierCount(r.Args[0], n))
		}
	}
	if len(counted) == 0 {
		for _, e := range v.Evidence {
			if w.Has("identifier." + e.Pattern) {
				counted = append(counted, w.Identifier(e.Pattern))
			}
		}
	}
	slices.Sort(counted)
	return slices.Compact(counted)
}

// Exposure returns who can reach a document, the widest audience first: one
// phrase for each kind of people, and one for what could not be seen. It
// returns nil when that was not asked.
func (w Words) Exposure(e *sources.Exposure) []string {
	if e == nil {
		return nil
	}
	var phrases []string
	for _, to := range []sources.Audience{sources.Anonymous, sources.Organisation, sources.Guest, sources.Group, sources.User} {
		if phrase := w.audience(e.Grants, to); phrase != "" {
			phrases = append(phrases, phrase)
		}
	}
	if len(e.Unseen) > 0 {
		unseen := make([]string, len(e.Unseen))
		for i, what := range e.Unseen {
			unseen[i] = w.Code("unseen", what)
		}
		phrases = append(phrases, w.T("exposure.unseen", w.List(unseen)))
	}
	return phrases
}

// namesShown is how many people or groups are named in a report.
const namesShown = 5

func (w Words) audience(grants []sources.Grant, to sources.Audience) string {
	var names, marks []string
	count := 0
	for _, g := range grants {
		if g.To != to || g.Denied {
			continue
		}
		count++
		if g.Name != "" && len(names) < namesShown {
			names = append(names, g.Name)
		}
		marks = append(marks, w.grantMarks(g)...)
	}
	if count == 0 {
		return ""
	}
	phrase := w.Audience(string(to))
	if to == sources.Guest || to == sources.Group || to == sources.User {
		phrase = w.N("exposure.count-"+string(to), int64(count))
	}
	if len(names) > 0 {
		phrase += ": " + strings.Join(names, ", ")
		if count > len(names) {
			phrase += " …"
		}
	}
	slices.Sort(marks)
	if marks = slices.Compact(marks); len(marks) > 0 {
		phrase += " (" + strings.Join(marks, ", ") + ")"
	}
	return phrase
}

func (w Words) grantMarks(g sources.Grant) []string {
	var marks []string
	if slices.Contains(g.Roles, "write") || slices.Contains(g.Roles, "owner") {
		marks = append(marks, w.T("exposure.write"))
	}
	if g.To == sources.Anonymous && g.Password {
		marks = append(marks, w.T("exposure.password"))
	}
	if !g.Expires.IsZero() {
		marks = append(marks, w.T("exposure.expires", g.Expires))
	}
	if g.Inherited {
		marks = append(marks, w.T("exposure.inherited"))
	}
	return marks
}

// Status returns where a finding stands, with the end of a decision in time.
func (w Words) Status(f findings.Finding) string {
	name := w.Locale.Status(string(f.Status))
	if f.Until.IsZero() {
		return name
	}
	return name + " " + w.T("status-until", f.Until)
}

// Controller returns the name of a controller, or words for "nobody named".
func (w Words) Controller(name string) string {
	if name == "" {
		return w.T("controller-unknown")
	}
	return name
}

// Class returns the id of a class as the policy calls it: "K3".
func (w Words) Class(c policy.Class) string {
	if w.policy == nil {
		return "K" + strconv.Itoa(int(c))
	}
	return w.policy.ClassID(c)
}

// Classes returns the classes, the most open first.
func (w Words) Classes() []policy.Class {
	n := int(policy.K4) + 1
	if w.policy != nil {
		n = len(w.policy.Classes())
	}
	classes := make([]policy.Class, n)
	for i := range classes {
		classes[i] = policy.Class(i)
	}
	return classes
}

// ClassName returns what a class is called: "känsligt". Swedish is the
// language of the policy; other languages have the catalogue's words.
func (w Words) ClassName(c policy.Class) string {
	if w.policy == nil || w.Language() != locale.Swedish {
		return w.Code("class", "K"+strconv.Itoa(int(c)))
	}
	return w.policy.ClassName(c)
}

// ClassText returns what a class holds, in a sentence.
func (w Words) ClassText(c policy.Class) string {
	if w.policy != nil && w.Language() == locale.Swedish {
		if levels := w.policy.Classes(); int(c) < len(levels) && levels[c].Text != "" {
			return levels[c].Text
		}
	}
	if key := "class-meaning.K" + strconv.Itoa(int(c)); w.Has(key) {
		return w.T(key)
	}
	return ""
}

// Category returns the name of a category; the policy's own if the catalogue
// lacks it.
func (w Words) Category(code string) string {
	if w.policy == nil || w.Has("category."+code) {
		return w.Locale.Category(code)
	}
	return w.policy.CategoryName(patterns.Category(code))
}

// Service returns the name of a service, or its id if the policy does not
// know it.
func (w Words) Service(id string) string {
	if w.policy == nil {
		return id
	}
	return w.policy.ServiceName(id)
}
