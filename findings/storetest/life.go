package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/sources"
)

// again has a document read anew: its content has changed.
func (b *bench) again(i *sources.Item, answer func(findings.Task) findings.Record) {
	b.Helper()
	i.Version += "+"
	b.clock.pass(time.Hour)
	b.crawl(present(*i)...)
	b.work(answer)
}

func wholeLife(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	b.work(b.dirty("r"))
	first := b.status(i, findings.Open)
	b.again(&i, b.dirty("r"))
	f := b.status(i, findings.Open)
	if !f.First.Equal(first.First) || !f.Last.Equal(b.clock.time()) || !f.Changed.Equal(first.Changed) {
		b.Errorf("seen again: first %v last %v changed %v", f.First, f.Last, f.Changed)
	}
	b.decide(i, findings.Open, findings.Disputed, findings.Head)
	b.again(&i, b.dirty("r"))
	b.status(i, findings.Disputed)
	b.decide(i, findings.Disputed, findings.Open, findings.Officer)
	b.decide(i, findings.Open, findings.FixClaimed, findings.Head)
	b.work(b.dirty("r"))
	b.status(i, findings.Open)
	b.decide(i, findings.Open, findings.FixClaimed, findings.Head)
	b.work(clean)
	b.status(i, findings.Resolved)
	b.again(&i, b.dirty("r"))
	b.status(i, findings.Open)
	b.decide(i, findings.Open, findings.RiskAccepted, findings.Officer)
	b.again(&i, b.dirty("r"))
	b.status(i, findings.RiskAccepted)
	b.restart()
	got := strings.Join(b.acts(b.id(i, "r")), " ")
	want := "found disputed dispute-refused fix-claimed reopened fix-claimed resolved reopened risk-accepted"
	if got != want {
		b.Errorf("the trail says %s\nwant %s", got, want)
	}
	if n := len(b.findings(findings.Filter{})); n != 1 {
		b.Errorf("%d findings of one document and rule", n)
	}
}

// everyStep tries every decision from every status that people can bring a
// finding into.
func everyStep(b *bench) {
	ways := map[findings.Status][]findings.Status{
		findings.Open: {}, findings.FixClaimed: {findings.FixClaimed}, findings.Disputed: {findings.FixClaimed, findings.Disputed},
		findings.FalsePositive: {findings.FalsePositive}, findings.RiskAccepted: {findings.RiskAccepted},
	}
	all := []findings.Status{findings.Open, findings.FixClaimed, findings.Disputed, findings.Resolved, findings.FalsePositive, findings.RiskAccepted}
	var tried []sources.Item
	for range len(ways) * len(all) * 3 {
		tried = append(tried, item(fmt.Sprint("step", len(tried))))
	}
	b.crawl(present(tried...)...)
	b.work(b.dirty("r"))
	next := 0
	for from, way := range ways {
		for _, to := range all {
			for _, role := range []findings.Role{findings.Head, findings.Officer, findings.Scanner} {
				i := tried[next]
				next++
				at := findings.Open
				for _, step := range way {
					who := findings.Officer
					if step == findings.Disputed {
						who = findings.Head
					}
					at = b.decide(i, at, step, who).Status
				}
				_, err := b.store.Decide(b.Context(), findings.Decision{
					Finding: b.id(i, "r"), From: from, To: to, Role: role, By: "x", Until: b.clock.time().Add(time.Hour),
				})
				allowed := slices.Contains(findings.Choices(from, role), to) && role != findings.Scanner
				if allowed != (err == nil) || err != nil && !errors.Is(err, findings.ErrNotAllowed) {
					b.Errorf("%s from %s to %s: %v", role, from, to, err)
				}
			}
		}
	}
}

func claimAnswered(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	b.work(b.dirty("r"))
	b.decide(i, findings.Open, findings.FixClaimed, findings.Head)
	b.waiting(1)
	if tasks := b.work(b.dirty("r")); len(tasks) != 1 {
		b.Fatalf("%d tasks, want the claimed document", len(tasks))
	}
	b.status(i, findings.Open)
}

// claimOvertakes: the document is being read when its head says it is fixed;
// only a reading that began after that can tell.
func claimOvertakes(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	b.work(b.dirty("r"))
	i.Version = "v2"
	b.crawl(present(i)...)
	times := 0
	b.workWith(findings.Workers{Documents: 1, Until: closed()}, func(t findings.Task) findings.Record {
		if times++; times == 1 {
			b.decide(i, findings.Open, findings.FixClaimed, findings.Head)
			return b.found(t, verdict("r"))
		}
		b.status(i, findings.FixClaimed)
		return clean(t)
	})
	if times != 2 {
		b.Errorf("read %d times, want 2", times)
	}
	b.status(i, findings.Resolved)
}

func unreadResolvesNothing(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	b.work(b.dirty("r"))
	for _, status := range []string{"encrypted", "timeout", "crashed", "denied", "partial", "damaged"} {
		b.again(&i, func(t findings.Task) findings.Record {
			r := clean(t)
			r.Reading = findings.Reading{Status: status}
			r.Judgment.Conclusive = false
			return r
		})
		b.status(i, findings.Open)
	}
	b.again(&i, clean)
	b.status(i, findings.Resolved)
}

func falsePositive(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	b.work(b.dirty("r"))
	b.decide(i, findings.Open, findings.FalsePositive, findings.Officer)
	b.again(&i, b.dirty("r"))
	b.status(i, findings.FalsePositive)
	b.again(&i, clean)
	b.status(i, findings.Resolved)
	b.again(&i, b.dirty("r")) // the same as the officer saw
	b.status(i, findings.FalsePositive)

	milder := verdict("r")
	milder.Severity, milder.Outcome, milder.Class = policy.Medium, policy.Conditional, policy.K2
	b.again(&i, func(t findings.Task) findings.Record { return b.found(t, milder) })
	b.status(i, findings.FalsePositive)
	b.again(&i, b.dirty("r")) // still no worse than what the officer saw
	b.status(i, findings.FalsePositive)

	for _, worsen := range []func(*policy.Verdict){
		func(v *policy.Verdict) { v.Severity = policy.Critical },
		func(v *policy.Verdict) { v.Class = policy.K4 },
		func(v *policy.Verdict) { v.Categories = append(slices.Clone(v.Categories), patterns.Religion) },
	} {
		worse := verdict("r")
		worsen(&worse)
		b.again(&i, func(t findings.Task) findings.Record { return b.found(t, worse) })
		b.status(i, findings.Open)
		b.again(&i, b.dirty("r"))
		b.decide(i, findings.Open, findings.FalsePositive, findings.Officer)
	}
}

func falsePositiveCopy(b *bench) {
	i, other := item("a"), item("other")
	i.ContentHash, other.ContentHash = "quickxor:1", "quickxor:2"
	b.crawl(present(i, other)...)
	b.work(b.dirty("r"))
	b.decide(i, findings.Open, findings.FalsePositive, findings.Officer)
	b.decide(other, findings.Open, findings.RiskAccepted, findings.Officer)
	moved, copied := item("moved"), item("copied risk")
	moved.ContentHash, copied.ContentHash = i.ContentHash, other.ContentHash
	b.crawl(append(present(moved, copied), sources.Change{Kind: sources.Deleted, Item: sources.Item{ID: i.ID}})...)
	b.work(b.dirty("r"))
	b.status(moved, findings.FalsePositive)
	b.status(copied, findings.Open) // a risk is accepted for one place
	again := item("again")
	again.ContentHash = i.ContentHash
	b.crawl(present(again)...)
	b.work(b.dirty("another rule"))
	f, err := b.store.Finding(b.Context(), b.id(again, "another rule"))
	b.must(err)
	if f.Status != findings.Open {
		b.Errorf("another rule was never decided: %s", f.Status)
	}
}

func riskEnds(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	b.work(b.dirty("r"))
	without := findings.Decision{Finding: b.id(i, "r"), From: findings.Open, To: findings.RiskAccepted, Role: findings.Officer, By: "x"}
	if _, err := b.store.Decide(b.Context(), without); !errors.Is(err, findings.ErrNotAllowed) {
		b.Errorf("accepted without an end: %v", err)
	}
	without.Until = b.clock.time().Add(-time.Hour)
	if _, err := b.store.Decide(b.Context(), without); !errors.Is(err, findings.ErrNotAllowed) {
		b.Errorf("accepted until yesterday: %v", err)
	}
	f := b.decide(i, findings.Open, findings.RiskAccepted, findings.Officer)
	n, err := b.store.Expire(b.Context(), f.Until.Add(-time.Second))
	b.must(err)
	if n != 0 {
		b.Errorf("%d ended before their time", n)
	}
	n, err = b.store.Expire(b.Context(), f.Until)
	b.must(err)
	if f := b.status(i, findings.Open); n != 1 || !f.Until.IsZero() {
		b.Errorf("%d ended, finding %+v", n, f)
	}
	b.again(&i, b.dirty("r"))
	b.status(i, findings.Open)
}

func conflict(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	b.work(b.dirty("r"))
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for n := range errs {
		to := findings.FixClaimed
		if n%2 == 0 {
			to = findings.Disputed
		}
		wg.Go(func() {
			_, errs[n] = b.store.Decide(b.Context(), findings.Decision{Finding: b.id(i, "r"), From: findings.Open, To: to, Role: findings.Head, By: fmt.Sprint(n)})
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, findings.ErrConflict) {
			b.Error(err)
		}
	}
	if won != 1 {
		b.Errorf("%d decisions won, want 1", won)
	}
	if _, err := b.store.Decide(b.Context(), findings.Decision{Finding: "nothing", From: findings.Open, To: findings.Disputed, Role: findings.Head}); !errors.Is(err, findings.ErrNotFound) {
		b.Errorf("a decision on nothing: %v", err)
	}
}

func sealed(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	b.work(b.dirty("r")) // before the policy knew
	v := verdict("r")
	v.Sealed, v.Categories = true, []patterns.Category{patterns.NationalSecurity}
	b.again(&i, func(t findings.Task) findings.Record { return b.found(t, v) })
	f := b.status(i, findings.Open)
	if !f.Verdict.Sealed || len(f.Verdict.Evidence) != 0 {
		b.Errorf("%+v", f.Verdict)
	}
	d, err := b.store.Document(b.Context(), "src", i.Path)
	b.must(err)
	if len(d.Reading.Content.Evidence) != 0 {
		b.Errorf("evidence is stored: %+v", d.Reading.Content.Evidence)
	}
	if n := len(b.findings(findings.Filter{WithoutSealed: true})); n != 0 {
		b.Errorf("%d findings without the sealed ones, want 0", n)
	}
	_, err = b.store.Decide(b.Context(), findings.Decision{Finding: f.ID, From: findings.Open, To: findings.FixClaimed, Role: findings.Head})
	if !errors.Is(err, findings.ErrNotAllowed) {
		b.Errorf("a head decided on säkerhetsskydd: %v", err)
	}
	b.decide(i, findings.Open, findings.FixClaimed, findings.Officer)
}

func rejudged(b *bench) {
	i, j := item("a"), item("b")
	b.crawl(present(i, j)...)
	b.work(b.dirty("r"))
	b.decide(j, findings.Open, findings.FixClaimed, findings.Head)
	next := findings.Ruleset{Reading: "r1", Policy: "p2"}
	var done []findings.Record
	for _, d := range b.documents(findings.Filter{OtherPolicy: next.Policy}) {
		task := findings.Task{Document: d.ID, Source: d.Source, Service: d.Service, Site: d.Site, Item: d.Item}
		r := b.found(task, verdict("r"))
		if d.Item.ID == i.ID {
			r = b.found(task, verdict("new"))
		}
		r.Reading, r.Ruleset = d.Reading, next
		done = append(done, r)
	}
	if len(done) != 2 {
		b.Fatalf("%d documents to judge again, want 2", len(done))
	}
	last := b.status(i, findings.Open).Last
	b.clock.pass(time.Hour)
	b.must(b.store.Rejudge(b.Context(), done))
	b.status(i, findings.Resolved)
	if f := b.status(j, findings.FixClaimed); !f.Last.Equal(last) {
		b.Errorf("last seen %v although nothing was read since %v", f.Last, last)
	}
	if _, err := b.store.Finding(b.Context(), b.id(i, "new")); err != nil {
		b.Error(err)
	}
	if n := len(b.documents(findings.Filter{OtherPolicy: next.Policy})); n != 0 {
		b.Errorf("%d documents still to judge", n)
	}
	b.waiting(1) // the claimed one
}

func coverage(b *bench) {
	all := items(5)
	b.crawl(present(all...)...)
	answers := []string{"ok", "partial", "encrypted", "denied"}
	b.work(func(t findings.Task) findings.Record {
		n := slices.IndexFunc(all, func(i sources.Item) bool { return i.ID == t.Item.ID })
		r := clean(t)
		if n < 4 {
			r.Reading.Status = answers[n]
		}
		if n == 1 {
			r.Reading.Gaps = []findings.Gap{{Place: "page 1", Reason: "no-ocr"}, {Place: "page 2", Reason: "no-ocr"}}
		}
		return r
	})
	all[4].Version = "v2"
	b.crawl(append(present(all[4]), sources.Change{Kind: sources.Unreadable, Item: sources.Item{ID: "f", Path: "Drive/f"}, Reason: sources.ErrDenied})...)
	c, err := b.store.Coverage(b.Context(), findings.Filter{})
	b.must(err)
	if c.Documents != 5 || c.Read != 1 || c.Partial != 1 || c.Unread != 2 || c.Waiting != 1 || c.Bytes != 30 {
		b.Errorf("coverage %+v", c)
	}
	equal(b, "gaps", c.Gaps, []findings.ReasonCount{{Reason: "denied", Count: 2}, {Reason: "encrypted", Count: 1}, {Reason: "no-ocr", Count: 1}})
	equal(b, "rulesets", c.Rulesets, []string{"r1"})
	if len(c.Sources) != 1 || c.Sources[0].Documents != 5 || c.Sources[0].Scopes != 1 || c.Sources[0].Service != "m365" || c.Sources[0].Last.ID == 0 || !c.Sources[0].LastComplete.IsZero() {
		b.Errorf("sources %+v", c.Sources)
	}
	if n := len(b.gaps()); n != 5 {
		b.Errorf("%d gaps, want 5: %+v", n, b.gaps())
	}
	c, err = b.store.Coverage(b.Context(), findings.Filter{Source: "another"})
	b.must(err)
	if c.Documents != 0 || len(c.Sources) != 0 {
		b.Errorf("coverage of nothing: %+v", c)
	}
}

func filters(b *bench) {
	low, high := item("hr/a"), item("skola/b")
	b.crawl(present(low, high)...)
	b.work(func(t findings.Task) findings.Record {
		v := verdict("r")
		if t.Item.ID == low.ID {
			v.Severity, v.Categories = policy.Low, []patterns.Category{patterns.HR, patterns.Union}
		}
		return b.found(t, v)
	})
	b.decide(low, findings.Open, findings.Disputed, findings.Head)
	count := func(f findings.Filter, want int) {
		b.Helper()
		if got := b.findings(f); len(got) != want {
			b.Errorf("%+v selects %d findings, want %d", f, len(got), want)
		}
		if got := b.documents(f); len(got) != want {
			b.Errorf("%+v selects %d documents, want %d", f, len(got), want)
		}
	}
	count(findings.Filter{}, 2)
	count(findings.Filter{Source: "src", Service: "m365", Controller: "Socialnämnden", Department: "Socialförvaltningen"}, 2)
	count(findings.Filter{Source: "other"}, 0)
	count(findings.Filter{Service: "onprem"}, 0)
	count(findings.Filter{Controller: "Kommunstyrelsen"}, 0)
	count(findings.Filter{Statuses: []findings.Status{findings.Disputed, findings.Resolved}}, 1)
	count(findings.Filter{Category: patterns.HR}, 1)
	count(findings.Filter{Category: "h"}, 0)
	count(findings.Filter{Category: patterns.Health, Statuses: []findings.Status{findings.Disputed}}, 0)
	count(findings.Filter{PathPrefix: "Drive/hr/"}, 1)
	count(findings.Filter{PathPrefix: "%"}, 0)
	count(findings.Filter{Finding: b.id(low, "r")}, 1)
	if all := b.findings(findings.Filter{}); all[0].Item.ID != high.ID {
		b.Error("the most severe is not first")
	}
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	for _, err := range b.store.Findings(ctx, findings.Filter{}) {
		if err == nil {
			b.Error("a cancelled reader got a finding")
		}
	}
	for _, err := range b.store.Findings(b.Context(), findings.Filter{}) {
		b.must(err)
		break // a reader that stops early leaves nothing open
	}
}
