package reports_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/reports"
	"github.com/molnvakt/molnvakt/reports/locale"
	"github.com/molnvakt/molnvakt/sources"
)

var words = reports.NewWords(locale.New("sv").In(time.UTC), nil)

func TestEvidenceTellsFirstWhatItIsAbout(t *testing.T) {
	v := policy.Verdict{Categories: []patterns.Category{patterns.Health, patterns.PersonalData}}
	v.Evidence = append(v.Evidence, patterns.Evidence{Pattern: "telefon", Masked: "07•"})
	for range 8 {
		v.Evidence = append(v.Evidence, patterns.Evidence{Pattern: "personnummer", Masked: "19•", Place: "page 2"})
	}
	v.Evidence = append(v.Evidence, patterns.Evidence{Pattern: "halsa:diagnos", Category: patterns.Health, Place: "page 1"})
	var lines []string
	for _, e := range words.EvidenceOf(v) {
		lines = append(lines, e.String())
	}
	want := []string{
		"Hälsa: diagnos: (sida 1)",
		"Personnummer: 19• (sida 2), 19• (sida 2), 19• (sida 2), 19• (sida 2), 19• (sida 2), …",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	v.Evidence = v.Evidence[:1]
	if got := words.EvidenceOf(v); len(got) != 1 || got[0].String() != "Telefonnummer: 07•" {
		t.Errorf("contact details alone: %v", got)
	}
	v.Sealed = true
	if words.EvidenceOf(v) != nil {
		t.Error("a sealed verdict shows evidence")
	}
}

func TestExposure(t *testing.T) {
	if words.Exposure(nil) != nil {
		t.Error("what was not asked is told")
	}
	var many []sources.Grant
	for range 7 {
		many = append(many, sources.Grant{To: sources.Guest, Name: "Konsult"})
	}
	got := words.Exposure(&sources.Exposure{
		Grants: append(many,
			sources.Grant{To: sources.Anonymous, Link: true, Password: true, Expires: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)},
			sources.Grant{To: sources.Organisation, Denied: true},
		),
		Unseen: []string{"members of groups", "new thing"},
	})
	want := []string{
		"alla som har länken (med lösenord, till 2026-05-01)",
		"7 personer utanför organisationen: Konsult, Konsult, Konsult, Konsult, Konsult …",
		"kunde inte se: medlemmar i grupper och new thing",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestWhy(t *testing.T) {
	got := words.Why(policy.Verdict{Missing: "dpia", Because: []policy.Reason{{Code: "ceiling", Args: []string{"m365", "K1", "K3"}}}})
	if len(got) != 2 || !strings.Contains(got[1], "konsekvensbedömning") {
		t.Errorf("the missing decision is not named: %q", got)
	}
	got = words.Why(policy.Verdict{Missing: "dpia", Because: []policy.Reason{{Code: "decision-missing", Args: []string{"dpia"}}}})
	if len(got) != 1 {
		t.Errorf("the missing decision is named twice: %q", got)
	}
}

func TestStatusWithItsEnd(t *testing.T) {
	f := findings.Finding{Status: findings.RiskAccepted, Until: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)}
	if got := words.Status(f); got != "Accepterad risk till 2027-01-31" {
		t.Errorf("got %q", got)
	}
}
