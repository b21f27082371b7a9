package html

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/bits"
	"slices"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/reports"
)

// tally is what one pass over the findings counts.
type tally struct {
	active     int64 // findings that still ask for something
	sealed     int64 // of them, säkerhetsskydd
	forbidden  documents
	undecided  documents // a decision is missing
	people     int64
	statuses   map[findings.Status]int64
	severities map[policy.Severity]int64

	controllers map[string]*group
	departments map[[2]string]*group // controller, department
	services    map[string]*group
	categories  map[patterns.Category]*group

	worst  []findings.Finding // the worst of the first few documents
	hidden []findings.Finding // the first few sealed ones
}

// group counts the active findings of a controller, service …
type group struct {
	name string
	policy.Responsible
	forbidden, undecided int64
	critical             int64
	people               int64
}

func (g *group) total() int64 { return g.forbidden + g.undecided }

// shown bounds the lists that are kept while counting.
const (
	worstShown  = 10
	hiddenShown = 50
)

// isActive tells whether a finding still asks for something of somebody.
func isActive(s findings.Status) bool {
	return s == findings.Open || s == findings.FixClaimed || s == findings.Disputed
}

func count(ctx context.Context, in reports.Input) (*tally, error) {
	t := &tally{
		forbidden: documents{}, undecided: documents{},
		statuses: map[findings.Status]int64{}, severities: map[policy.Severity]int64{},
		controllers: map[string]*group{}, departments: map[[2]string]*group{},
		services: map[string]*group{}, categories: map[patterns.Category]*group{},
	}
	n := 0
	for f, err := range in.Register.Findings(ctx, in.Filter) {
		if err != nil {
			return nil, fmt.Errorf("findings: %w", err)
		}
		if n++; n%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		t.statuses[f.Status]++
		if isActive(f.Status) {
			t.add(f)
		}
	}
	return t, ctx.Err()
}

func (t *tally) add(f findings.Finding) {
	t.active++
	t.severities[f.Verdict.Severity]++
	firstOfDocument := !t.forbidden.has(f.Document) && !t.undecided.has(f.Document)
	if f.Verdict.Outcome == policy.Forbidden {
		t.forbidden.add(f.Document)
	} else {
		t.undecided.add(f.Document)
	}
	if firstOfDocument {
		t.people += int64(f.People)
	}
	if f.Verdict.Sealed {
		t.sealed++
		if len(t.hidden) < hiddenShown {
			t.hidden = append(t.hidden, f)
		}
	}
	if firstOfDocument && len(t.worst) < worstShown {
		t.worst = append(t.worst, f)
	}
	into(t.controllers, f.Controller, f.Controller).add(f, firstOfDocument)
	department := into(t.departments, [2]string{f.Controller, f.Department}, f.Department)
	department.Responsible = f.Responsible
	department.add(f, firstOfDocument)
	into(t.services, f.Service, f.Service).add(f, firstOfDocument)
	for _, c := range f.Verdict.Categories {
		into(t.categories, c, string(c)).add(f, firstOfDocument)
	}
}

func into[K comparable](groups map[K]*group, key K, name string) *group {
	g := groups[key]
	if g == nil {
		g = &group{name: name}
		groups[key] = g
	}
	return g
}

func (g *group) add(f findings.Finding, firstOfDocument bool) {
	if f.Verdict.Outcome == policy.Forbidden {
		g.forbidden++
	} else {
		g.undecided++
	}
	if f.Verdict.Severity == policy.Critical {
		g.critical++
	}
	if firstOfDocument {
		g.people += int64(f.People)
	}
}

// decided returns how many findings people have decided about.
func (t *tally) decided() int64 {
	return t.statuses[findings.RiskAccepted] + t.statuses[findings.FalsePositive]
}

// ranked returns groups, those with the most to do first; those without a
// name last.
func ranked[K comparable](groups map[K]*group) []*group {
	return slices.SortedFunc(maps.Values(groups), func(a, b *group) int {
		if (a.name == "") != (b.name == "") {
			return cmp.Compare(b.name, a.name)
		}
		return cmp.Or(
			cmp.Compare(b.critical, a.critical),
			cmp.Compare(b.forbidden, a.forbidden),
			cmp.Compare(b.undecided, a.undecided),
			cmp.Compare(a.name, b.name),
			cmp.Compare(a.Controller, b.Controller),
		)
	})
}

// documents is a set of documents at one bit each: a million weigh 128 KiB.
type documents map[int64]*[512]uint64

const bitsOfPage = 512 * 64

func (d documents) add(id findings.DocumentID) {
	page := int64(id) / bitsOfPage
	if d[page] == nil {
		d[page] = new([512]uint64)
	}
	bit := uint64(id) % bitsOfPage
	d[page][bit/64] |= 1 << (bit % 64)
}

func (d documents) has(id findings.DocumentID) bool {
	page := d[int64(id)/bitsOfPage]
	bit := uint64(id) % bitsOfPage
	return page != nil && page[bit/64]&(1<<(bit%64)) != 0
}

// without returns how many documents are in d but not in other.
func (d documents) without(other documents) int64 {
	n := 0
	for at, page := range d {
		for i, word := range page {
			if o := other[at]; o != nil {
				word &^= o[i]
			}
			n += bits.OnesCount64(word)
		}
	}
	return int64(n)
}
