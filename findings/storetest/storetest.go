// Package storetest holds the tests that every findings.Store must pass.
package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/sources"
)

// Open opens the store that a folder holds, or makes a new one there. Opening
// the same folder twice, one after the other, gives the same store. The clock
// is the store's time.
type Open func(t *testing.T, folder string, key findings.Key, clock func() time.Time) findings.Store

// Run checks that a store keeps the promises of package findings.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*bench){
		"one job to one of sixteen workers":                  oneOfMany,
		"a document queued twice is given out once":          queuedTwice,
		"unchanged documents are not queued again":           unchanged,
		"a changed document is queued again":                 changed,
		"a document changed while it is read is read again":  changedMeanwhile,
		"a new ruleset queues everything again":              newRules,
		"an error from the worker ends the work":             workerFails,
		"a panic in the worker ends the work":                workerPanics,
		"a worker that records nothing is found out":         workerForgets,
		"work that is cancelled goes on where it ended":      cancelled,
		"work ends when the crawl has and nothing waits":     untilEmpty,
		"a small scan takes no time":                         smallScan,
		"a retry is not waited for, and comes in its time":   retried,
		"text recognition has its own queue":                 recognised,
		"documents of other sources go on waiting":           otherSources,
		"content read before is known":                       knownContent,
		"an interrupted full crawl stays full":               interrupted,
		"a place without history is always crawled in full":  withoutHistory,
		"a crawl that is over takes no more pages":           crawlOver,
		"a cut-off scan goes on":                             scanGoesOn,
		"a deleted document resolves its findings":           deleted,
		"a full crawl drops what it did not meet":            swept,
		"nothing below an unreadable folder is dropped":      unreadable,
		"a scope that is gone takes its documents along":     scopeGone,
		"a scope that cannot be crawled is a gap":            scopeGap,
		"below a site that cannot be listed nothing is gone": closedSite,
		"a rename keeps the finding":                         renamed,
		"a document that moved to another scope stays":       movedScope,
		"a shut door is tried again by a full crawl":         shutDoor,
		"new sharing has flagged documents read again":       shared,
		"the whole life of a finding":                        wholeLife,
		"every step of the life, and no other":               everyStep,
		"a claimed fix is answered by a reading":             claimAnswered,
		"a reading begun before the claim does not count":    claimOvertakes,
		"what could not be read resolves nothing":            unreadResolvesNothing,
		"a false positive stands until something is worse":   falsePositive,
		"a false positive follows the content":               falsePositiveCopy,
		"an accepted risk ends":                              riskEnds,
		"one of two simultaneous decisions wins":             conflict,
		"säkerhetsskydd keeps no excerpt":                    sealed,
		"a new policy judges without reading":                rejudged,
		"documents, gaps and coverage are told apart":        coverage,
		"filters select":                                     filters,
		"everything comes back as it was stored":             roundTrip,
	} {
		t.Run(name, func(t *testing.T) {
			b := &bench{T: t, open: open, folder: t.TempDir(), key: findings.NewKey(), clock: &clock{now: time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)}}
			b.start()
			test(b)
		})
	}
}

// clock is the store's time, moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is one test's store and what it needs to drive it.
type bench struct {
	*testing.T
	open   Open
	folder string
	key    findings.Key
	clock  *clock
	store  findings.Store
}

func (b *bench) start() {
	b.Helper()
	b.store = b.open(b.T, b.folder, b.key, b.clock.time)
	store := b.store
	b.Cleanup(func() { store.Close() }) //nolint:errcheck // a second Close in some tests
}

// restart closes the store and opens it again.
func (b *bench) restart() {
	b.Helper()
	b.must(b.store.Close())
	b.start()
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

var rules = findings.Ruleset{Reading: "r1", Policy: "p1"}

var drive = sources.Scope{ID: "drive", Path: "Drive", Site: "Team HR"}

func item(name string) sources.Item {
	return sources.Item{
		ID: sources.ItemID("id-" + name), Scope: drive.ID, Path: "Drive/" + name, Version: "v1", Size: 10,
		Modified: time.Date(2025, 5, 6, 7, 8, 9, 0, time.UTC), Owner: "anna@exempel.se", WebURL: "https://exempel.se/" + name,
	}
}

func items(n int) []sources.Item {
	var all []sources.Item
	for i := range n {
		all = append(all, item(fmt.Sprintf("%04d.docx", i)))
	}
	return all
}

func present(all ...sources.Item) []sources.Change {
	var changes []sources.Change
	for _, i := range all {
		changes = append(changes, sources.Change{Item: i})
	}
	return changes
}

func (b *bench) scan(r findings.Ruleset) findings.Scan {
	b.Helper()
	s, err := b.store.BeginScan(b.Context(), "src", "m365", r)
	b.must(err)
	return s
}

// crawl runs one crawl of the drive to its end; the next one is a delta crawl.
func (b *bench) crawl(changes ...sources.Change) findings.Crawl {
	b.Helper()
	return b.crawlWith(rules, drive, false, "next", changes)
}

// recrawl runs a full crawl.
func (b *bench) recrawl(changes ...sources.Change) findings.Crawl {
	b.Helper()
	return b.crawlWith(rules, drive, true, "next", changes)
}

func (b *bench) crawlWith(r findings.Ruleset, scope sources.Scope, fresh bool, next sources.Cursor, changes []sources.Change) findings.Crawl {
	b.Helper()
	c, err := b.store.BeginCrawl(b.Context(), b.scan(r), scope, fresh)
	b.must(err)
	b.must(b.store.SavePage(b.Context(), c, sources.Page{Changes: changes, Next: next}))
	b.must(b.store.EndCrawl(b.Context(), c))
	return c
}

// closed is a crawl that has ended.
func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// work works until nothing waits and returns the tasks, in the order of ids.
func (b *bench) work(answer func(findings.Task) findings.Record) []findings.Task {
	b.Helper()
	return b.workWith(findings.Workers{Documents: 2, OCR: 1, Until: closed()}, answer)
}

func (b *bench) workWith(w findings.Workers, answer func(findings.Task) findings.Record) []findings.Task {
	b.Helper()
	var mu sync.Mutex
	var all []findings.Task
	b.must(b.store.Work(b.Context(), w, func(ctx context.Context, tasks []findings.Task) error {
		var done []findings.Record
		for _, t := range tasks {
			done = append(done, answer(t))
		}
		mu.Lock()
		all = append(all, tasks...)
		mu.Unlock()
		return b.store.Record(ctx, done)
	}))
	slices.SortStableFunc(all, func(a, b findings.Task) int { return int(a.Document - b.Document) })
	return all
}

// clean answers a task with a reading that found nothing.
func clean(t findings.Task) findings.Record {
	return findings.Record{
		Task: t, Ruleset: rules, Reading: findings.Reading{Status: "ok", Bytes: t.Item.Size, Chars: 100},
		Judgment: findings.Judgment{Document: findings.Document{Outcome: policy.Allowed}, Conclusive: true},
	}
}

// dirty returns an answer with a finding of one rule.
func (b *bench) dirty(rule string) func(findings.Task) findings.Record {
	return func(t findings.Task) findings.Record { return b.found(t, verdict(rule)) }
}

func (b *bench) found(t findings.Task, verdicts ...policy.Verdict) findings.Record {
	r := clean(t)
	r.Reading.Content = patterns.Content{
		People: 3, Evidence: []patterns.Evidence{{Pattern: "personnummer", Masked: canary}},
		Categories: []patterns.CategoryFound{{Category: patterns.Health, Confidence: patterns.High, People: 3, Count: 4}},
	}
	r.Judgment.Document = findings.Document{
		Class: policy.K3, Outcome: policy.Forbidden,
		Responsible: policy.Responsible{Controller: "Socialnämnden", Department: "Socialförvaltningen", Head: "Anna Exempel", Mail: "anna@exempel.se"},
	}
	for _, v := range verdicts {
		r.Judgment.Findings = append(r.Judgment.Findings, findings.Finding{
			ID: b.id(t.Item, v.Rule), Verdict: v, People: 3, Kinds: []patterns.DocumentKind{{Kind: "rehabplan", Confidence: patterns.High, Filled: true}},
		})
	}
	return r
}

// canary is a masked excerpt that must stand nowhere in clear.
const canary = "19••••••-••12 kanariefågel"

func (b *bench) id(i sources.Item, rule string) findings.ID {
	return findings.NewID(b.key.Subkey("finding ids"), "src", i.ID, rule)
}

func verdict(rule string) policy.Verdict {
	return policy.Verdict{
		Rule: rule, Title: "Känsliga uppgifter", Outcome: policy.Forbidden, Severity: policy.High, Class: policy.K3,
		Categories: []patterns.Category{patterns.Health}, Service: "m365", Laws: []string{"SE", "EU", "US"},
		Because: []policy.Reason{{Code: "ceiling", Args: []string{"m365", "K1", "K3"}}}, Missing: "dpia", Advice: "move",
		Evidence: []patterns.Evidence{{Pattern: "personnummer", Masked: canary, Place: "page 3"}},
	}
}

func (b *bench) findings(f findings.Filter) []findings.Finding {
	b.Helper()
	var all []findings.Finding
	for one, err := range b.store.Findings(b.Context(), f) {
		b.must(err)
		all = append(all, one)
	}
	return all
}

// status checks where the finding of rule "r" in an item stands.
func (b *bench) status(i sources.Item, want findings.Status) findings.Finding {
	b.Helper()
	f, err := b.store.Finding(b.Context(), b.id(i, "r"))
	b.must(err)
	if f.Status != want {
		b.Fatalf("the finding is %s, want %s", f.Status, want)
	}
	return f
}

func (b *bench) documents(f findings.Filter) []findings.Document {
	b.Helper()
	var all []findings.Document
	for one, err := range b.store.Documents(b.Context(), f) {
		b.must(err)
		all = append(all, one)
	}
	return all
}

func (b *bench) gaps() []findings.Gap {
	b.Helper()
	var all []findings.Gap
	for one, err := range b.store.Gaps(b.Context(), findings.Filter{}) {
		b.must(err)
		all = append(all, one)
	}
	return all
}

func (b *bench) acts(id findings.ID) []string {
	b.Helper()
	var all []string
	for e, err := range b.store.Events(b.Context(), findings.Filter{Finding: id}) {
		b.must(err)
		all = append(all, e.Act)
	}
	return all
}

func (b *bench) waiting(want int64) {
	b.Helper()
	got, err := b.store.Waiting(b.Context())
	b.must(err)
	if got.Documents != want {
		b.Fatalf("%d documents wait, want %d", got.Documents, want)
	}
}

func (b *bench) decide(i sources.Item, from, to findings.Status, role findings.Role) findings.Finding {
	b.Helper()
	d := findings.Decision{Finding: b.id(i, "r"), From: from, To: to, Role: role, By: "någon"}
	if to == findings.RiskAccepted {
		d.Until = b.clock.time().AddDate(0, 1, 0)
	}
	f, err := b.store.Decide(b.Context(), d)
	b.must(err)
	return f
}
