package policy

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
)

// Filed is a document as the register holds it: where it lies and what was
// found in it.
type Filed struct {
	Place   Place
	Content patterns.Content
}

// Difference is what a new policy would change.
type Difference struct {
	Documents int // judged with both
	Classes   int // of these, documents whose class would change
	Rules     []RuleDifference
}

// Added returns how many findings would come, over all rules.
func (d Difference) Added() int { return d.sum(func(r RuleDifference) int { return r.Added }) }

// Removed returns how many findings would go.
func (d Difference) Removed() int { return d.sum(func(r RuleDifference) int { return r.Removed }) }

// Worse returns how many findings would become worse.
func (d Difference) Worse() int { return d.sum(func(r RuleDifference) int { return r.Worse }) }

// Milder returns how many findings would become milder.
func (d Difference) Milder() int { return d.sum(func(r RuleDifference) int { return r.Milder }) }

func (d Difference) sum(of func(RuleDifference) int) (n int) {
	for _, r := range d.Rules {
		n += of(r)
	}
	return n
}

// RuleDifference is what would change with the findings of one rule.
type RuleDifference struct {
	Rule, Title    string
	Added, Removed int
	Worse, Milder  int // the outcome or severity would change
	Samples        []Sample
}

// Sample is one document for which something would change. An empty outcome
// means that there is no finding.
type Sample struct {
	Place         Place
	Before, After Outcome
	Because       []Reason // of the verdict that is left, or of the one that goes
	Sealed        bool     // säkerhetsskydd: show where, not what
}

// Diff judges documents with two policies, on the same day, and tells what
// would change, rule by rule, with at most so many samples of each. Nothing is
// read or stored. It returns the error that docs ends with.
func Diff(from, to *Policy, docs iter.Seq2[Filed, error], on time.Time, samples int) (Difference, error) {
	var d Difference
	rules := map[string]*RuleDifference{}
	for doc, err := range docs {
		if err != nil {
			return d, err
		}
		d.Documents++
		if from.Classify(doc.Content).Class != to.Classify(doc.Content).Class {
			d.Classes++
		}
		before, after := forbidding(from.Judge(doc.Place, doc.Content, on)), forbidding(to.Judge(doc.Place, doc.Content, on))
		for id := range union(before, after) {
			compare(rules, id, doc.Place, before[id], after[id], samples)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(rules)) {
		d.Rules = append(d.Rules, *rules[id])
	}
	return d, nil
}

// forbidding returns the verdicts that become findings, by rule.
func forbidding(verdicts []Verdict) map[string]Verdict {
	all := map[string]Verdict{}
	for _, v := range verdicts {
		if v.Outcome != Allowed {
			all[v.Rule] = v
		}
	}
	return all
}

func union(a, b map[string]Verdict) map[string]bool {
	all := map[string]bool{}
	for id := range a {
		all[id] = true
	}
	for id := range b {
		all[id] = true
	}
	return all
}

// compare counts one rule of one document; a verdict without an outcome is
// none.
func compare(rules map[string]*RuleDifference, id string, at Place, before, after Verdict, samples int) {
	worse := cmp.Or(cmp.Compare(after.Outcome.rank(), before.Outcome.rank()), cmp.Compare(after.Severity.Rank(), before.Severity.Rank()))
	if worse == 0 {
		return
	}
	r := rules[id]
	if r == nil {
		r = &RuleDifference{Rule: id, Title: cmp.Or(after.Title, before.Title)}
		rules[id] = r
	}
	left := after
	switch {
	case before.Outcome == "":
		r.Added++
	case after.Outcome == "":
		r.Removed++
		left = before
	case worse > 0:
		r.Worse++
	default:
		r.Milder++
	}
	if len(r.Samples) < samples {
		r.Samples = append(r.Samples, Sample{at, before.Outcome, after.Outcome, left.Because, left.Sealed})
	}
}
