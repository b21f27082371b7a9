package policy

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/molnvakt/molnvakt/patterns"
)

// builder turns the file into a Policy and notes every problem on the way.
type builder struct {
	tree     *yaml.Node
	policy   *Policy
	problems []Problem
	kinds    []string // of the decisions, for suggestions
}

func build(f *file, tree *yaml.Node) (*Policy, []Problem) {
	b := &builder{tree: tree, policy: &Policy{name: f.Organisation.Name}}
	if f.Version != 1 {
		b.problem(path{"version"}, "this program reads version 1")
	}
	b.classes(f.Classes)
	b.categories(f.Categories)
	b.identifiers(f.Identifiers)
	b.documentKinds(f.Kinds)
	b.services(f.Services)
	b.organisation(f.Organisation)
	b.decisions(f.Decisions)
	b.rules(f.Rules)
	return b.policy, onePerLine(b.problems)
}

// onePerLine keeps the first problem of each line: the others follow from it.
func onePerLine(problems []Problem) []Problem {
	seen := map[int]bool{}
	return slices.DeleteFunc(problems, func(p Problem) bool {
		again := p.Line > 0 && seen[p.Line]
		seen[p.Line] = true
		return again
	})
}

// path leads to a value in the file: keys and indexes.
type path []any

func (at path) with(more ...any) path { return append(slices.Clone(at), more...) }

func (at path) String() string {
	var b strings.Builder
	for _, step := range at {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", step+1)
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			fmt.Fprint(&b, step)
		}
	}
	return b.String()
}

func (b *builder) problem(at path, format string, args ...any) {
	text := fmt.Sprintf("%s: %s", at, fmt.Sprintf(format, args...))
	b.problems = append(b.problems, Problem{b.line(at), text})
}

// line returns where the value stands, or the nearest thing around it.
func (b *builder) line(at path) int {
	node := b.tree
	if node.Kind == yaml.DocumentNode && len(node.Content) > 0 {
		node = node.Content[0]
	}
	line := node.Line
	for _, step := range at {
		next, keyLine := child(node, step)
		if next == nil {
			return line
		}
		node, line = next, keyLine
	}
	return line
}

func child(node *yaml.Node, step any) (value *yaml.Node, line int) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if i, ok := step.(int); ok {
		if node.Kind != yaml.SequenceNode || i >= len(node.Content) {
			return nil, 0
		}
		return node.Content[i], node.Content[i].Line
	}
	if node.Kind != yaml.MappingNode {
		return nil, 0
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == fmt.Sprint(step) {
			return node.Content[i+1], node.Content[i].Line
		}
	}
	return nil, 0
}

func (b *builder) required(at path, key, value string) {
	if strings.TrimSpace(value) == "" {
		b.problem(at.with(key), "missing")
	}
}

// oneOf notes a problem unless value is empty or one of the names.
func (b *builder) oneOf(at path, what, value string, names []string) {
	if value != "" && !slices.Contains(names, value) {
		b.problem(at, "no %s is called %q%s", what, value, suggestion(value, names))
	}
}

// mostNames is how many names a suggestion lists.
const mostNames = 12

// suggestion says which of the names may be meant: the nearest, or all if they
// are few.
func suggestion(got string, names []string) string {
	if near := didYouMean(got, names); near != "" || len(names) == 0 || len(names) > mostNames {
		return near
	}
	return "; choose among " + strings.Join(slices.Sorted(slices.Values(names)), ", ")
}

// country is a country by ISO 3166, or a union of them: SE, EU, US.
var country = regexp.MustCompile(`^[A-Z]{2,3}$`)

// eachCountry finds names of countries where their codes are wanted: one that
// is misspelt would silently be another country.
func (b *builder) eachCountry(at path, codes []string) {
	for i, code := range codes {
		if !country.MatchString(code) {
			b.problem(at.with(i), "%q is no code of a country; write it as SE, EU or US", code)
		}
	}
}

func (b *builder) eachOneOf(at path, what string, values, names []string) {
	for i, v := range values {
		if v == "" {
			b.problem(at.with(i), "empty")
		}
		b.oneOf(at.with(i), what, v, names)
	}
}

func (b *builder) eachCategory(at path, values []patterns.Category) {
	b.eachOneOf(at, "category", texts(values), texts(slices.Collect(maps.Keys(b.policy.categories))))
}

func texts(categories []patterns.Category) []string {
	var all []string
	for _, c := range categories {
		all = append(all, string(c))
	}
	return all
}

func (b *builder) class(at path, id string, missing Class) Class {
	if id == "" {
		return missing
	}
	var ids []string
	for i, level := range b.policy.classes {
		if level.ID == id {
			return Class(i)
		}
		ids = append(ids, level.ID)
	}
	b.oneOf(at, "class", id, ids)
	return missing
}

func (b *builder) confidence(at path, name string) patterns.Confidence {
	b.oneOf(at, "confidence", name, []string{"low", "medium", "high"})
	switch name {
	case "low":
		return patterns.Low
	case "high":
		return patterns.High
	}
	return patterns.Medium
}

// day reads a date. The day is kept at midnight UTC.
func (b *builder) day(at path, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		b.problem(at, "%q is not a date; write it as 2026-12-31", text)
	}
	return day
}

func (b *builder) notNegative(at path, n int) {
	if n < 0 {
		b.problem(at, "must not be negative")
	}
}

func (b *builder) unique(at path, seen map[string]bool, id string) {
	if id != "" && seen[id] {
		b.problem(at, "%q stands here twice", id)
	}
	seen[id] = true
}

func (b *builder) classes(levels []fileClass) {
	if len(levels) < 2 {
		b.problem(path{"classes"}, "at least two classes are needed")
	}
	seen := map[string]bool{}
	for i, c := range levels {
		at := path{"classes", i}
		b.required(at, "id", c.ID)
		b.required(at, "name", c.Name)
		b.unique(at.with("id"), seen, c.ID)
		b.policy.classes = append(b.policy.classes, Level(c))
	}
}

func harms() []string { return []string{"omvant", "rakt", "absolut", "inget"} }

func (b *builder) categories(all map[patterns.Category]fileCategory) {
	b.policy.categories = map[patterns.Category]Category{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		c, at := all[id], path{"categories", id}
		b.oneOf(at, "category", string(id), texts(patterns.Categories()))
		b.required(at, "name", c.Name)
		b.required(at, "class", c.Class)
		b.oneOf(at.with("harm"), "skaderekvisit", c.Harm, harms())
		b.policy.categories[id] = Category{
			ID: id, Name: c.Name, Harm: c.Harm, Laws: c.Laws,
			Class:      b.class(at.with("class"), c.Class, 0),
			Confidence: b.confidence(at.with("confidence"), c.Confidence),
		}
	}
	for _, id := range patterns.Categories() {
		if _, ok := all[id]; !ok && len(all) > 0 {
			b.problem(path{"categories"}, "category %q has no class", id)
		}
	}
}

func (b *builder) identifiers(groups []fileIdentifiers) {
	seen := map[string]bool{}
	for i, g := range groups {
		at := path{"identifiers", i}
		if len(g.Types) == 0 || len(g.Steps) == 0 {
			b.problem(at, "types and steps are needed")
		}
		for j, name := range g.Types {
			b.unique(at.with("types", j), seen, name)
			b.identifier(at.with("types", j), name)
		}
		group := identifiers{types: g.Types}
		for j, s := range g.Steps {
			at := at.with("steps", j)
			b.required(at, "class", s.Class)
			b.notNegative(at.with("at_least"), s.AtLeast)
			group.steps = append(group.steps, step{
				class: b.class(at.with("class"), s.Class, 0), atLeast: max(s.AtLeast, 1), register: s.Register,
				confidence: b.confidence(at.with("confidence"), s.Confidence),
			})
		}
		b.policy.identifiers = append(b.policy.identifiers, group)
	}
}

// identifier finds misspelt names. Others may be the municipality's own
// patterns, which the policy does not know.
func (b *builder) identifier(at path, name string) {
	var names []string
	for i := patterns.NoIdentifier + 1; i.String() != ""; i++ {
		names = append(names, i.String())
	}
	near := didYouMean(name, names)
	if !slices.Contains(names, name) && near != "" {
		b.problem(at, "no identifier is called %q%s", name, near)
	}
}

func (b *builder) documentKinds(all map[string]fileKind) {
	b.policy.kinds = map[string]kind{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		k, at := all[id], path{"kinds", id}
		b.required(at, "class", k.Class)
		category := k.Category
		if category == "" {
			category = patterns.PersonalData
		}
		b.oneOf(at.with("category"), "category", string(category), texts(slices.Collect(maps.Keys(b.policy.categories))))
		b.policy.kinds[id] = kind{class: b.class(at.with("class"), k.Class, 0), category: category, blank: k.Blank}
	}
}

func encryptions() []string { return []string{"none", "provider", "customer-key", "customer-held"} }

func (b *builder) services(all map[string]fileService) {
	if len(all) == 0 {
		b.problem(path{"services"}, "at least one service is needed")
	}
	b.policy.services = map[string]Service{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		s, at := all[id], path{"services", id}
		b.required(at, "name", s.Name)
		b.required(at, "ceiling", s.Ceiling)
		if len(s.Jurisdictions) == 0 {
			b.problem(at.with("jurisdictions"), "missing: whose law reaches the service?")
		}
		b.eachCountry(at.with("jurisdictions"), s.Jurisdictions)
		b.oneOf(at.with("encryption"), "kind of encryption", s.Encryption, encryptions())
		b.policy.services[id] = Service{
			ID: id, Name: s.Name, Provider: s.Provider, Parent: s.Parent, Jurisdictions: s.Jurisdictions,
			Region: s.Region, Own: s.Own, AI: s.AI, Encryption: s.Encryption,
			Ceiling: b.class(at.with("ceiling"), s.Ceiling, 0),
		}
	}
}

func (b *builder) serviceIDs() []string { return slices.Collect(maps.Keys(b.policy.services)) }

func (b *builder) organisation(o fileOrganisation) {
	seen := map[string]bool{}
	for i, c := range o.Controllers {
		at := path{"organisation", "controllers", i}
		b.required(at, "id", c.ID)
		b.required(at, "name", c.Name)
		b.unique(at.with("id"), seen, c.ID)
		b.mail(at, c.Mail)
		controller := Controller{ID: c.ID, Name: c.Name, Head: c.Head, Mail: c.Mail}
		for j, d := range c.Departments {
			at := at.with("departments", j)
			b.required(at, "id", d.ID)
			b.required(at, "name", d.Name)
			b.unique(at.with("id"), seen, d.ID)
			b.mail(at, d.Mail)
			controller.Departments = append(controller.Departments, Department(d))
		}
		b.policy.controllers = append(b.policy.controllers, controller)
	}
	for i, m := range o.Mapping {
		b.mapping(path{"organisation", "mapping", i}, m)
	}
}

func (b *builder) mail(at path, address string) {
	if name, domain, ok := strings.Cut(address, "@"); address != "" && (!ok || name == "" || !strings.Contains(domain, ".") || strings.ContainsAny(address, " <>,;")) {
		b.problem(at.with("mail"), "%q is not a mail address", address)
	}
}

func (b *builder) mapping(at path, m fileMapping) {
	if m.Controller == "" && m.Department == "" {
		b.problem(at, "controller or department is needed")
	}
	if len(m.Sources)+len(m.Sites)+len(m.Paths) == 0 {
		b.problem(at, "sources, sites or paths are needed; \"**\" fits everything")
	}
	b.oneOf(at.with("controller"), "controller", m.Controller, b.controllerIDs())
	b.oneOf(at.with("department"), "department", m.Department, b.departmentIDs())
	responsible, controller := b.policy.answers(m.Controller, m.Department)
	if m.Controller != "" && controller != "" && m.Controller != controller {
		b.problem(at.with("department"), "%q belongs to %q", m.Department, controller)
	}
	b.policy.mapping = append(b.policy.mapping, mapping{
		sources: compileGlobs(m.Sources), sites: compileGlobs(m.Sites), paths: compileGlobs(m.Paths),
		responsible: responsible, controller: controller, department: m.Department,
	})
}

func (b *builder) controllerIDs() []string {
	var ids []string
	for _, c := range b.policy.controllers {
		ids = append(ids, c.ID)
	}
	return ids
}

func (b *builder) departmentIDs() []string {
	var ids []string
	for _, c := range b.policy.controllers {
		for _, d := range c.Departments {
			ids = append(ids, d.ID)
		}
	}
	return ids
}

func (b *builder) decisions(all []fileDecision) {
	for i, d := range all {
		at := path{"decisions", i}
		b.required(at, "reference", d.Reference)
		b.required(at, "kind", d.Kind)
		b.required(at, "class", d.Class)
		if len(d.Services) == 0 {
			b.problem(at.with("services"), "missing: which services does it allow?")
		}
		b.eachOneOf(at.with("services"), "service", d.Services, b.serviceIDs())
		b.eachOneOf(at.with("controllers"), "controller", d.Controllers, b.controllerIDs())
		b.eachCategory(at.with("categories"), d.Categories)
		from, until := b.day(at.with("from"), d.From), b.day(at.with("until"), d.Until)
		if !from.IsZero() && !until.IsZero() && until.Before(from) {
			b.problem(at.with("until"), "ends before it begins")
		}
		b.kinds = append(b.kinds, d.Kind)
		b.policy.decisions = append(b.policy.decisions, Decision{
			Reference: d.Reference, Kind: d.Kind, Services: d.Services, Controllers: d.Controllers,
			Categories: d.Categories, Class: b.class(at.with("class"), d.Class, 0), From: from, Until: until,
			sources: compileGlobs(d.Sources), sites: compileGlobs(d.Sites), paths: compileGlobs(d.Paths),
		})
	}
}

func (b *builder) rules(all []fileRule) {
	if len(all) == 0 {
		b.problem(path{"rules"}, "at least one rule is needed")
	}
	seen, asked := map[string]bool{}, map[string]bool{}
	for i, r := range all {
		at := path{"rules", i}
		b.required(at, "id", r.ID)
		b.required(at, "title", r.Title)
		b.required(at, "outcome", r.Outcome)
		b.unique(at.with("id"), seen, r.ID)
		b.oneOf(at.with("outcome"), "outcome", r.Outcome, []string{"allowed", "conditional", "forbidden"})
		b.oneOf(at.with("severity"), "severity", r.Severity, []string{"low", "medium", "high", "critical"})
		b.oneOf(at.with("advice"), "advice", r.Advice, []string{"move", "unshare", "decide", "stop", "review", "protect", "rotate"})
		for i, law := range r.Incident {
			b.oneOf(at.with("incident").with(i), "incident", law, []string{"imy", "cyber"})
		}
		if Outcome(r.Outcome) == Allowed && (r.ReviewBy != "" || len(r.Incident) > 0) {
			b.problem(at.with("outcome"), "what is allowed needs no review and is no incident: make it conditional or forbidden, or leave out review_by and incident")
		}
		if r.Sealed && (r.Outcome != string(Forbidden) || len(r.Unless) > 0) {
			b.problem(at.with("sealed"), "a sealed rule is forbidden, without exception")
		}
		if Outcome(r.Outcome) == Allowed && len(r.Unless) > 0 {
			b.problem(at.with("unless"), "an exception allows already")
		}
		if Outcome(r.Outcome) == Allowed && reflect.ValueOf(r.What).IsZero() && reflect.ValueOf(r.Where).IsZero() && i+1 < len(all) {
			b.problem(at, "allows everything: no rule after it would ever be tried; say what or where it is about")
		}
		for _, kind := range r.Unless {
			asked[kind] = true
		}
		b.policy.rules = append(b.policy.rules, rule{
			id: r.ID, title: r.Title, what: b.what(at.with("what"), r.What), where: b.where(at.with("where"), r.Where),
			outcome: Outcome(r.Outcome), unless: r.Unless, severity: severityOr(r.Severity), advice: r.Advice, sealed: r.Sealed, reviewBy: r.ReviewBy, incident: r.Incident,
		})
	}
	b.decisionKinds(slices.Collect(maps.Keys(asked)))
}

// decisionKinds finds decisions that no rule asks for: a misspelt kind would
// silently allow nothing.
func (b *builder) decisionKinds(asked []string) {
	for i, kind := range b.kinds {
		if kind != "" && !slices.Contains(asked, kind) {
			b.problem(path{"decisions", i, "kind"}, "no rule asks for a decision of kind %q%s", kind, suggestion(kind, asked))
		}
	}
}

func severityOr(s string) Severity {
	if s == "" {
		return Medium
	}
	return Severity(s)
}

func (b *builder) what(at path, w fileWhat) what {
	b.eachCategory(at.with("categories"), w.Categories)
	b.eachCategory(at.with("except_categories"), w.ExceptCategories)
	b.eachOneOf(at.with("harm"), "skaderekvisit", w.Harm, harms())
	b.notNegative(at.with("people_at_least"), w.PeopleAtLeast)
	b.notNegative(at.with("identifiers_at_least"), w.IdentifierAtLeast)
	b.notNegative(at.with("children_at_least"), w.ChildrenAtLeast)
	b.notNegative(at.with("older_than_days"), w.OlderThanDays)
	b.eachOneOf(at.with("state"), "state", w.State, []string{stateTemplate, stateFilled, stateOther})
	var types []string
	for _, g := range b.policy.identifiers {
		types = append(types, g.types...)
	}
	b.eachOneOf(at.with("identifiers"), "identifier in the policy", w.Identifiers, types)
	b.eachOneOf(at.with("kinds"), "kind in the policy", w.Kinds, slices.Collect(maps.Keys(b.policy.kinds)))
	result := what{
		categories: w.Categories, except: w.ExceptCategories, harm: w.Harm, people: w.PeopleAtLeast,
		from: b.class(at.with("from_class"), w.FromClass, 0),
		to:   b.class(at.with("to_class"), w.ToClass, Class(len(b.policy.classes))),

		children: w.ChildrenAtLeast, labels: compileGlobs(w.Labels), unlabelled: compileGlobs(w.ExceptLabels),
		marked: w.Marked, state: w.State, olderThan: w.OlderThanDays,

		identifiers: w.Identifiers, identifierCount: w.IdentifierAtLeast, register: w.Register, kinds: w.Kinds,
	}
	if result.to < result.from {
		b.problem(at.with("to_class"), "is below from_class: the rule would never fit")
	}
	return result
}

func (b *builder) where(at path, w fileWhere) where {
	b.eachOneOf(at.with("services"), "service", w.Services, b.serviceIDs())
	b.eachCountry(at.with("law_outside"), w.LawOutside)
	b.eachCountry(at.with("region_outside"), w.RegionOut)
	b.eachOneOf(at.with("encryption"), "kind of encryption", w.Encryption, encryptions())
	b.eachOneOf(at.with("audience"), "audience", w.Audience, []string{"anonymous", "organisation", "guest", "group", "user"})
	b.eachOneOf(at.with("controllers"), "controller", w.Controllers, b.controllerIDs())
	b.eachOneOf(at.with("departments"), "department", w.Departments, b.departmentIDs())
	return where{
		aboveCeiling: w.AboveCeiling, services: w.Services, external: w.External, ai: w.AI, lawOutside: w.LawOutside, regionOutside: w.RegionOut,
		encryption: w.Encryption, audience: w.Audience, controllers: w.Controllers, departments: w.Departments,
		sources: compileGlobs(w.Sources), sites: compileGlobs(w.Sites), paths: compileGlobs(w.Paths),
	}
}
