package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
)

// Policy is the content of one policy.yaml, checked. It never changes and is
// safe for concurrent use.
type Policy struct {
	version     string
	name        string
	classes     []Level
	categories  map[patterns.Category]Category
	identifiers []identifiers
	kinds       map[string]kind
	services    map[string]Service
	decisions   []Decision
	controllers []Controller
	mapping     []mapping
	rules       []rule
}

// Level is one class of the policy.
type Level struct {
	ID   string // "K3"
	Name string // "Känslig"
	Text string
}

// Category is what the policy says of a category.
type Category struct {
	ID         patterns.Category
	Name       string
	Class      Class
	Harm       string   // skaderekvisit: "omvant", "rakt", "absolut", "inget", ""
	Laws       []string // "OSL 25 kap. 1 §"
	Confidence patterns.Confidence
}

// Service is one entry of the register of services.
type Service struct {
	ID            string
	Name          string
	Provider      string
	Parent        string
	Jurisdictions []string
	Region        string
	Own           bool   // run by the municipality itself
	AI            bool   // content is used for more than storage
	Encryption    string // who holds the keys: "none", "provider", "customer-key", "customer-held", ""
	Ceiling       Class  // highest class allowed without a decision
}

// Decision is a decision on file that allows what a rule would hinder.
type Decision struct {
	Reference   string
	Kind        string
	Services    []string
	Controllers []string // ids; empty: all
	Categories  []patterns.Category
	Class       Class     // highest class it allows
	From, Until time.Time // first and last day, midnight UTC; zero: open

	sources, sites, paths globs
}

// Controller is a nämnd or company that answers for personal data.
type Controller struct {
	ID, Name, Head, Mail string
	Departments          []Department
}

// Department is a förvaltning under a controller.
type Department struct{ ID, Name, Head, Mail string }

type mapping struct {
	sources, sites, paths globs
	responsible           Responsible
	controller            string // id
	department            string // id
}

type identifiers struct {
	types []string
	steps []step
}

type step struct {
	class      Class
	atLeast    int
	register   bool
	confidence patterns.Confidence
}

type kind struct {
	class    Class
	category patterns.Category
	blank    bool
}

type rule struct {
	id, title string
	what      what
	where     where
	outcome   Outcome
	unless    []string
	severity  Severity
	advice    string
	sealed    bool
	reviewBy  string
	incident  []string
}

type what struct {
	categories, except []patterns.Category
	from, to           Class
	harm               []string
	people             int
	identifiers        []string
	identifierCount    int
	register           bool
	kinds              []string
	children           int
	labels, unlabelled globs
	marked             *bool
	state              []string
	olderThan          int // days
}

type where struct {
	aboveCeiling          bool
	services              []string
	external, ai          *bool
	lawOutside            []string
	regionOutside         []string
	encryption            []string
	audience              []string
	controllers           []string
	departments           []string
	sources, sites, paths globs
}

// Version returns a hash of the policy's text: another text, another version.
func (p *Policy) Version() string { return p.version }

// VersionAt returns Version together with which decisions count on a day. It
// changes the night a decision expires, so that documents are judged again,
// and every month if a rule asks how old documents are.
func (p *Policy) VersionAt(on time.Time) string {
	h := sha256.New()
	if slices.ContainsFunc(p.rules, func(r rule) bool { return r.what.olderThan > 0 }) {
		fmt.Fprintln(h, on.Format("2006-01"))
	}
	for _, d := range p.decisions {
		fmt.Fprintf(h, "%v\n", d.when(on))
	}
	return p.version + "-" + hex.EncodeToString(h.Sum(nil)[:4])
}

// Organisation returns the municipality's name; "" if the policy has none.
func (p *Policy) Organisation() string { return p.name }

// Services returns the register of services, ordered by id.
func (p *Policy) Services() []Service { return sortedValues(p.services) }

// Service returns the service with an id.
func (p *Policy) Service(id string) (Service, bool) {
	s, ok := p.services[id]
	return s, ok
}

// ServiceName returns the name of a service, or the id if it is not registered.
func (p *Policy) ServiceName(id string) string { return cmp.Or(p.services[id].Name, id) }

// Classes returns the levels, the most open first; a Class is an index into it.
func (p *Policy) Classes() []Level { return slices.Clone(p.classes) }

// ClassID returns the id of a class, as the policy writes it: "K3".
func (p *Policy) ClassID(c Class) string {
	if c < 0 || int(c) >= len(p.classes) {
		return c.String()
	}
	return p.classes[c].ID
}

// ClassName returns the name of a class: "Känslig".
func (p *Policy) ClassName(c Class) string {
	if c < 0 || int(c) >= len(p.classes) {
		return ""
	}
	return p.classes[c].Name
}

// Categories returns what the policy says of each category, ordered by id.
func (p *Policy) Categories() []Category { return sortedValues(p.categories) }

// Category returns what the policy says of a category.
func (p *Policy) Category(id patterns.Category) (Category, bool) {
	c, ok := p.categories[id]
	return c, ok
}

// CategoryName returns the policy's name of a category, or its id.
func (p *Policy) CategoryName(id patterns.Category) string {
	return cmp.Or(p.categories[id].Name, string(id))
}

// Controllers returns the organisation in the order of the policy.
func (p *Policy) Controllers() []Controller { return slices.Clone(p.controllers) }

// Decisions returns the decisions on file in the order of the policy.
func (p *Policy) Decisions() []Decision { return slices.Clone(p.decisions) }

// Rules returns the id and title of every rule, in the order they are tried.
func (p *Policy) Rules() []RuleTitle {
	var all []RuleTitle
	for _, r := range p.rules {
		all = append(all, RuleTitle{r.id, r.title})
	}
	return all
}

// RuleTitle names a rule.
type RuleTitle struct{ ID, Title string }

func sortedValues[K cmp.Ordered, V any](m map[K]V) []V {
	var all []V
	for _, k := range slices.Sorted(maps.Keys(m)) {
		all = append(all, m[k])
	}
	return all
}
