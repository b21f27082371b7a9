package findings

import (
	"fmt"
	"slices"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
)

// Status is where a finding is on its way from seen to solved.
type Status string

// The statuses. People claim, scans confirm: only a scan resolves.
const (
	Open          Status = "open"
	FixClaimed    Status = "fix_claimed"    // a head says it is fixed
	Disputed      Status = "disputed"       // a head says it is no violation
	Resolved      Status = "resolved"       // a scan no longer finds it
	FalsePositive Status = "false_positive" // the officer agrees
	RiskAccepted  Status = "risk_accepted"  // the officer lets it be, until a date
)

// Role is who acts.
type Role string

// The roles.
const (
	Head    Role = "head"    // head of department
	Officer Role = "officer" // security officer
	Scanner Role = "scanner" // the program itself
)

// Step is one step in the life of a finding: who may take it from where to
// where, and how the audit trail calls it.
type Step struct {
	From Status
	By   Role
	To   Status
	Act  string
}

// Steps returns the whole life of a finding. Nothing else is allowed.
func Steps() []Step {
	return []Step{
		{Open, Head, FixClaimed, "fix-claimed"},
		{Open, Head, Disputed, "disputed"},
		{Open, Officer, FixClaimed, "fix-claimed"},
		{Open, Officer, FalsePositive, "false-positive"},
		{Open, Officer, RiskAccepted, "risk-accepted"},
		{Open, Scanner, Resolved, "resolved"},
		// A new copy of content that the officer has called a false positive.
		{Open, Scanner, FalsePositive, "decided-before"},

		{FixClaimed, Head, Open, "withdrawn"},
		{FixClaimed, Head, Disputed, "disputed"},
		{FixClaimed, Officer, Open, "withdrawn"},
		{FixClaimed, Officer, FalsePositive, "false-positive"},
		{FixClaimed, Officer, RiskAccepted, "risk-accepted"},
		{FixClaimed, Scanner, Resolved, "resolved"},
		{FixClaimed, Scanner, Open, "reopened"},

		{Disputed, Head, Open, "withdrawn"},
		{Disputed, Head, FixClaimed, "fix-claimed"},
		{Disputed, Officer, Open, "dispute-refused"},
		{Disputed, Officer, FalsePositive, "false-positive"},
		{Disputed, Officer, RiskAccepted, "risk-accepted"},
		{Disputed, Scanner, Resolved, "resolved"},

		{FalsePositive, Officer, Open, "withdrawn"},
		{FalsePositive, Officer, RiskAccepted, "risk-accepted"},
		{FalsePositive, Scanner, Open, "reopened"},
		{FalsePositive, Scanner, Resolved, "resolved"},

		{RiskAccepted, Officer, Open, "withdrawn"},
		{RiskAccepted, Officer, FalsePositive, "false-positive"},
		{RiskAccepted, Officer, RiskAccepted, "risk-accepted"}, // a new end date
		{RiskAccepted, Scanner, Open, "reopened"},
		{RiskAccepted, Scanner, Resolved, "resolved"},

		{Resolved, Scanner, Open, "reopened"},
		{Resolved, Scanner, FalsePositive, "decided-before"},
		{Resolved, Scanner, RiskAccepted, "decided-before"},
	}
}

// Move looks a step up. The error wraps ErrNotAllowed if the life of a
// finding does not know it.
func Move(from, to Status, who Role) (Step, error) {
	for _, s := range Steps() {
		if s.From == from && s.To == to && s.By == who {
			return s, nil
		}
	}
	return Step{}, fmt.Errorf("%s from %s to %s: %w", who, from, to, ErrNotAllowed)
}

// Choices returns the statuses that a role may give a finding.
func Choices(from Status, who Role) []Status {
	var all []Status
	for _, s := range Steps() {
		if s.From == from && s.By == who {
			all = append(all, s.To)
		}
	}
	return all
}

// Check says whether a decision may be taken on a finding as it is now. The
// error wraps ErrConflict or ErrNotAllowed. An accepted risk needs an end in
// the future, and findings of säkerhetsskydd are the officer's alone.
func (d Decision) Check(f Finding, now time.Time) (Step, error) {
	if f.Status != d.From {
		return Step{}, fmt.Errorf("finding is %s, not %s: %w", f.Status, d.From, ErrConflict)
	}
	if d.Role == Scanner {
		return Step{}, fmt.Errorf("a decision is a human act: %w", ErrNotAllowed)
	}
	step, err := Move(d.From, d.To, d.Role)
	if err != nil {
		return Step{}, err
	}
	if f.Verdict.Sealed && d.Role != Officer {
		return Step{}, fmt.Errorf("säkerhetsskydd is the officer's: %w", ErrNotAllowed)
	}
	if d.To == RiskAccepted && d.Until.IsZero() {
		return Step{}, fmt.Errorf("an accepted risk needs an end date: %w", ErrNotAllowed)
	}
	if !d.Until.IsZero() && !d.Until.After(now) {
		return Step{}, fmt.Errorf("the end date has passed: %w", ErrNotAllowed)
	}
	return step, nil
}

// Basis is what the officer saw when calling a finding a false positive or
// accepting its risk. It is kept with the finding: as long as a scan sees
// nothing worse, the decision stands, even when the finding was away for a
// while. The zero Basis means that nothing was decided.
type Basis struct {
	Status     Status              `json:"status,omitempty"`
	Until      time.Time           `json:"until,omitzero"`
	Outcome    policy.Outcome      `json:"outcome,omitempty"`
	Severity   policy.Severity     `json:"severity,omitempty"`
	Class      policy.Class        `json:"class,omitempty"`
	Categories []patterns.Category `json:"categories,omitempty"`
}

// BasisOf returns the basis of a decision that has been checked; the zero
// Basis for decisions that end with the next scan.
func BasisOf(d Decision, v policy.Verdict) Basis {
	if d.To != FalsePositive && d.To != RiskAccepted {
		return Basis{}
	}
	return Basis{d.To, d.Until, v.Outcome, v.Severity, v.Class, v.Categories}
}

// Covers says whether the decision still stands for what a scan sees: the
// outcome, the class and the severity are no higher (severity rises with
// people and with whom the document is shared), no category is new, and its
// end has not come.
func (b Basis) Covers(v policy.Verdict, now time.Time) bool {
	if b.Status == "" || (!b.Until.IsZero() && !b.Until.After(now)) {
		return false
	}
	if v.Class > b.Class || v.Severity.Rank() > b.Severity.Rank() {
		return false
	}
	if v.Outcome != b.Outcome && v.Outcome == policy.Forbidden {
		return false
	}
	return !slices.ContainsFunc(v.Categories, func(c patterns.Category) bool { return !slices.Contains(b.Categories, c) })
}

// AfterSeen is the scanner's side of the life of a finding that is there
// again: its status from now on. Read tells that the document was read anew
// and not only judged again from what is stored; only that can answer a
// claimed fix.
func AfterSeen(from Status, basis Basis, v policy.Verdict, read bool, now time.Time) Status {
	switch from {
	case FixClaimed:
		if read {
			return Open
		}
	case FalsePositive, RiskAccepted:
		if !basis.Covers(v, now) {
			return Open
		}
	case Resolved:
		if basis.Covers(v, now) {
			return basis.Status
		}
		return Open
	}
	return from
}
