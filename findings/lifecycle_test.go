package findings_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
)

var statuses = []findings.Status{
	findings.Open, findings.FixClaimed, findings.Disputed, findings.Resolved, findings.FalsePositive, findings.RiskAccepted,
}

func TestMoveKnowsTheTableAndNothingElse(t *testing.T) {
	known := map[[3]string]bool{}
	for _, s := range findings.Steps() {
		key := [3]string{string(s.From), string(s.By), string(s.To)}
		if known[key] {
			t.Errorf("%v stands twice in the table", key)
		}
		known[key] = true
		if s.Act == "" {
			t.Errorf("%v has no act for the audit trail", key)
		}
	}
	for _, from := range statuses {
		for _, to := range statuses {
			for _, who := range []findings.Role{findings.Head, findings.Officer, findings.Scanner, "visitor"} {
				_, err := findings.Move(from, to, who)
				if want := known[[3]string{string(from), string(who), string(to)}]; want != (err == nil) || err != nil && !errors.Is(err, findings.ErrNotAllowed) {
					t.Errorf("%s from %s to %s: %v", who, from, to, err)
				}
			}
		}
	}
}

// TestWhoMayWhat states the principles behind the table.
func TestWhoMayWhat(t *testing.T) {
	for _, s := range findings.Steps() {
		switch {
		case s.To == findings.Resolved && s.By != findings.Scanner:
			t.Errorf("%s resolves: only a scan confirms", s.By)
		case s.From == findings.Resolved && s.By != findings.Scanner:
			t.Errorf("%s moves a resolved finding", s.By)
		case (s.To == findings.FalsePositive || s.To == findings.RiskAccepted) && s.By == findings.Head:
			t.Errorf("a head decides %s", s.To)
		case (s.To == findings.FixClaimed || s.To == findings.Disputed) && s.By == findings.Scanner:
			t.Errorf("the program claims %s", s.To)
		}
	}
	for _, from := range statuses {
		if from == findings.Resolved {
			continue
		}
		if _, err := findings.Move(from, findings.Resolved, findings.Scanner); err != nil {
			t.Errorf("a scan cannot resolve: %v", err)
		}
		if len(findings.Choices(from, findings.Officer)) == 0 {
			t.Errorf("the officer is stuck with %s", from)
		}
	}
}

// TestAfterSeenKeepsToTheTable: whatever a scan makes of a finding, the table
// knows the step.
func TestAfterSeenKeepsToTheTable(t *testing.T) {
	now := time.Now()
	seen := policy.Verdict{Outcome: policy.Forbidden, Severity: policy.High, Class: policy.K3, Categories: []patterns.Category{patterns.Health}}
	bases := []findings.Basis{{}}
	for _, to := range []findings.Status{findings.FalsePositive, findings.RiskAccepted} {
		for _, until := range []time.Time{{}, now.Add(time.Hour), now.Add(-time.Hour)} {
			bases = append(bases, findings.BasisOf(findings.Decision{To: to, Until: until}, seen),
				findings.BasisOf(findings.Decision{To: to, Until: until}, policy.Verdict{Outcome: policy.Conditional, Severity: policy.Low}))
		}
	}
	for _, from := range statuses {
		for _, basis := range bases {
			for _, read := range []bool{true, false} {
				to := findings.AfterSeen(from, basis, seen, read, now)
				if to == findings.Resolved {
					t.Errorf("%s is resolved although it was seen", from)
				}
				if to == from {
					continue
				}
				if _, err := findings.Move(from, to, findings.Scanner); err != nil {
					t.Errorf("basis %+v read %v: %v", basis, read, err)
				}
			}
		}
	}
}

func TestBasisCovers(t *testing.T) {
	now := time.Now()
	decided := policy.Verdict{Outcome: policy.Conditional, Severity: policy.Medium, Class: policy.K2, Categories: []patterns.Category{patterns.HR, patterns.PersonalData}}
	basis := findings.BasisOf(findings.Decision{To: findings.FalsePositive, Until: now.Add(time.Hour)}, decided)
	for name, test := range map[string]struct {
		change func(*policy.Verdict)
		at     time.Time
		want   bool
	}{
		"the same":            {func(*policy.Verdict) {}, now, true},
		"fewer categories":    {func(v *policy.Verdict) { v.Categories = v.Categories[:1] }, now, true},
		"milder":              {func(v *policy.Verdict) { v.Severity, v.Class = policy.Low, policy.K1 }, now, true},
		"over":                {func(*policy.Verdict) {}, now.Add(time.Hour), false},
		"more severe":         {func(v *policy.Verdict) { v.Severity = policy.High }, now, false},
		"higher class":        {func(v *policy.Verdict) { v.Class = policy.K3 }, now, false},
		"forbidden":           {func(v *policy.Verdict) { v.Outcome = policy.Forbidden }, now, false},
		"a category is added": {func(v *policy.Verdict) { v.Categories = append(slices.Clone(v.Categories), patterns.Health) }, now, false},
	} {
		v := decided
		test.change(&v)
		if got := basis.Covers(v, test.at); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	if (findings.Basis{}).Covers(policy.Verdict{}, now) {
		t.Error("nothing was decided, yet it covers")
	}
}
