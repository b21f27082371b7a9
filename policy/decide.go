package policy

import (
	"slices"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
)

// validity says where a day lies relative to a decision's days.
type validity int

const (
	valid validity = iota
	early
	expired
)

// when compares calendar days: a decision counts on its whole first and last
// day, wherever the clock of the day given stands.
func (d Decision) when(on time.Time) validity {
	day := on.Format(time.DateOnly)
	switch {
	case !d.Until.IsZero() && day > d.Until.Format(time.DateOnly):
		return expired
	case !d.From.IsZero() && day < d.From.Format(time.DateOnly):
		return early
	}
	return valid
}

// Expires returns the decisions on file whose last day lies in the given
// number of days from a day on, or before it, soonest first.
func (p *Policy) Expires(on time.Time, days int) []Decision {
	limit := on.AddDate(0, 0, days).Format(time.DateOnly)
	var all []Decision
	for _, d := range p.decisions {
		if !d.Until.IsZero() && d.Until.Format(time.DateOnly) <= limit {
			all = append(all, d)
		}
	}
	slices.SortStableFunc(all, func(a, b Decision) int { return a.Until.Compare(b.Until) })
	return all
}

// decide looks for the decisions that a rule asks for. Only when each kind is
// on file and in force does the verdict become Allowed.
func (t trial) decide(r rule, v *Verdict) {
	if len(r.unless) == 0 {
		return
	}
	var reasons []Reason
	for _, kind := range r.unless {
		d, state, found := t.onFile(kind, v)
		if found && state == valid {
			reasons = append(reasons, decisionReason("decision", d, d.Until))
			if v.Missing == "" {
				v.note(d)
			}
			continue
		}
		if v.Missing == "" {
			v.Missing, v.Decision, v.Until = kind, "", time.Time{}
			if found {
				v.Decision, v.Until = d.Reference, d.Until
			}
		}
		reasons = append(reasons, lacking(kind, d, state, found))
	}
	v.Because = append(v.Because, reasons...)
	if v.Missing == "" {
		v.Outcome, v.Severity, v.Advice = Allowed, "", ""
	}
}

// note keeps the decision that ends first: the permission lasts no longer.
func (v *Verdict) note(d Decision) {
	if v.Decision == "" || (!d.Until.IsZero() && (v.Until.IsZero() || d.Until.Before(v.Until))) {
		v.Decision, v.Until = d.Reference, d.Until
	}
}

func lacking(kind string, d Decision, state validity, found bool) Reason {
	switch {
	case found && state == expired:
		return decisionReason("decision-expired", d, d.Until)
	case found:
		return decisionReason("decision-early", d, d.From)
	}
	return Reason{Code: "decision-missing", Args: []string{kind}}
}

func decisionReason(code string, d Decision, day time.Time) Reason {
	text := ""
	if !day.IsZero() {
		text = day.Format(time.DateOnly)
	}
	return Reason{Code: code, Args: []string{d.Kind, d.Reference, text}}
}

// onFile returns the decision of a kind that covers the verdict: one in force
// if there is one, else the one that expired last, else one to come.
func (t trial) onFile(kind string, v *Verdict) (best Decision, state validity, found bool) {
	for _, d := range t.policy.decisions {
		if d.Kind != kind || !t.covers(d, v) {
			continue
		}
		now := d.when(t.on)
		switch {
		case !found, now == valid && state != valid, now == expired && state == early:
		case now == expired && state == expired && d.Until.After(best.Until):
		default:
			continue
		}
		best, state, found = d, now, true
	}
	return best, state, found
}

func (t trial) covers(d Decision, v *Verdict) bool {
	return v.Class <= d.Class &&
		slices.Contains(d.Services, v.Service) &&
		oneOf(d.Controllers, t.controller) &&
		coversCategories(d.Categories, v.Categories) &&
		d.sources.fit(t.at.Source) && d.sites.fit(t.at.Site) && d.paths.fit(t.at.Path)
}

// coversCategories: the numbers that say whom a category is about come with
// it, so a decision on the category covers them.
func coversCategories(allowed, found []patterns.Category) bool {
	if len(allowed) == 0 {
		return true
	}
	covered := 0
	for _, c := range found {
		switch {
		case slices.Contains(allowed, c):
			covered++
		case c != patterns.PersonalData:
			return false
		}
	}
	return covered > 0
}
