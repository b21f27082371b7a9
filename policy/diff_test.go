package policy_test

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
)

func filed(end error) iter.Seq2[policy.Filed, error] {
	return func(yield func(policy.Filed, error) bool) {
		for i, found := range []patterns.Content{
			about(patterns.Health, patterns.High), about(patterns.Union, patterns.High), about(patterns.HR, patterns.Medium),
			numbers(20, false), numbers(1, false), {}, about(patterns.NationalSecurity, patterns.High),
		} {
			if !yield(policy.Filed{Place: policy.Place{Service: "m365", Path: fmt.Sprint("dokument ", i)}, Content: found}, nil) {
				return
			}
		}
		if end != nil {
			yield(policy.Filed{}, end)
		}
	}
}

func TestDiff(t *testing.T) {
	text := string(change(t, "    name: Facklig tillhörighet\n    class: K3\n", "    name: Facklig tillhörighet\n    class: K2\n")) // milder, by another rule
	text = strings.Replace(text, "      - {class: K2, at_least: 10}                  # många i en löpande text\n", "", 1)           // one finding less
	text = strings.Replace(text, "    unless: [lamplighetsbedomning]\n    severity: medium\n    advice: decide", "    unless: [lamplighetsbedomning]\n    severity: high\n    advice: decide", 1)
	d, err := policy.Diff(policy.Default(), parsed(t, []byte(text)), filed(nil), today, 5)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range d.Rules {
		got = append(got, fmt.Sprintf("%s +%d -%d worse %d milder %d", r.Rule, r.Added, r.Removed, r.Worse, r.Milder))
		for _, s := range r.Samples {
			got = append(got, fmt.Sprintf("%s: %s to %s", s.Place.Path, s.Before, s.After))
		}
	}
	want := "kansligt +0 -1 worse 0 milder 0|dokument 1: forbidden to |" +
		"skyddsvart +1 -1 worse 1 milder 0|dokument 1:  to conditional|dokument 2: conditional to conditional|dokument 3: conditional to "
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
	if d.Documents != 7 || d.Classes != 2 || d.Added() != 1 || d.Removed() != 2 || d.Worse() != 1 || d.Milder() != 0 {
		t.Errorf("%+v", d)
	}
}

func TestDiffOfTheSameIsNothing(t *testing.T) {
	d, err := policy.Diff(policy.Default(), policy.Default(), filed(nil), today, 5)
	if err != nil || len(d.Rules) != 0 || d.Documents != 7 || d.Classes != 0 {
		t.Errorf("%+v, error %v", d, err)
	}
}

func TestDiffReturnsTheReadersError(t *testing.T) {
	broken := errors.New("broken")
	if _, err := policy.Diff(policy.Default(), policy.Default(), filed(broken), today, 5); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}
