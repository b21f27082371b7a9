package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/sources"
)

func equal(b *bench, what string, got, want any) {
	b.Helper()
	if !reflect.DeepEqual(got, want) {
		b.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func interrupted(b *bench) {
	begin := func() findings.Crawl {
		c, err := b.store.BeginCrawl(b.Context(), b.scan(rules), drive, false)
		b.must(err)
		return c
	}
	c := begin()
	if !c.Full || c.Since != "" {
		b.Fatalf("the first crawl is %+v", c)
	}
	b.must(b.store.SavePage(b.Context(), c, sources.Page{Changes: present(item("a")), Next: "half"}))
	b.restart()
	again := begin()
	if !again.Full || again.ID != c.ID || again.Since != "half" {
		b.Errorf("continued as %+v, want crawl %d, full, since half", again, c.ID)
	}
	b.must(b.store.SavePage(b.Context(), again, sources.Page{Changes: present(item("b")), Next: "end"}))
	b.must(b.store.EndCrawl(b.Context(), again))
	if n := len(b.documents(findings.Filter{})); n != 2 {
		b.Errorf("%d documents, want both: what the first half met was met by the same crawl", n)
	}
	next := begin()
	if next.Full || next.ID == c.ID || next.Since != "end" {
		b.Errorf("the next crawl is %+v, want a new one that is not full", next)
	}
	fresh, err := b.store.BeginCrawl(b.Context(), b.scan(rules), drive, true)
	b.must(err)
	if !fresh.Full || fresh.Since != "" || fresh.ID == next.ID {
		b.Errorf("the fresh crawl is %+v", fresh)
	}
}

func withoutHistory(b *bench) {
	b.crawlWith(rules, drive, false, "", present(items(2)...))
	c := b.crawlWith(rules, drive, false, "", present(item("0001.docx")))
	if !c.Full {
		b.Error("the second crawl is not full")
	}
	if all := b.documents(findings.Filter{}); len(all) != 1 {
		b.Errorf("%d documents, want 1", len(all))
	}
}

func crawlOver(b *bench) {
	c := b.crawl(present(item("a"))...)
	if err := b.store.SavePage(b.Context(), c, sources.Page{Changes: present(item("b"))}); !errors.Is(err, findings.ErrConflict) {
		b.Errorf("a page after the end: %v", err)
	}
	if err := b.store.EndCrawl(b.Context(), c); !errors.Is(err, findings.ErrConflict) {
		b.Errorf("a second end: %v", err)
	}
}

func scanGoesOn(b *bench) {
	first := b.scan(rules)
	b.crawl(present(items(3)...)...)
	b.restart()
	again := b.scan(findings.Ruleset{Reading: "r2", Policy: "p2"})
	if again.ID != first.ID || again.Items != 3 || again.Ruleset.Reading != "r2" || !again.Started.Equal(first.Started) {
		b.Errorf("went on as %+v", again)
	}
	b.must(b.store.EndScan(b.Context(), again, "unavailable"))
	next := b.scan(rules)
	if next.ID == first.ID {
		b.Error("a scan that has ended goes on")
	}
	b.must(b.store.EndScan(b.Context(), next, ""))
	all, err := b.store.Scans(b.Context(), findings.Filter{Source: "src"})
	b.must(err)
	if len(all) != 2 || all[0].ID != next.ID || all[0].Complete || all[1].Failure != "unavailable" || all[1].Complete || all[1].Ended.IsZero() {
		b.Errorf("scans %+v: three documents still wait", all)
	}
	b.work(clean)
	last := b.scan(rules)
	b.must(b.store.EndScan(b.Context(), last, ""))
	if all, err = b.store.Scans(b.Context(), findings.Filter{}); err != nil || !all[0].Complete {
		b.Errorf("scan %+v, error %v, want a complete one", all[0], err)
	}
}

func deleted(b *bench) {
	i := item("a")
	b.crawl(present(i, item("b"))...)
	b.work(b.dirty("r"))
	b.crawl(sources.Change{Kind: sources.Deleted, Item: sources.Item{ID: i.ID}}, sources.Change{Kind: sources.Deleted, Item: sources.Item{ID: "never met"}})
	f := b.status(i, findings.Resolved)
	if f.Document != 0 || f.Item.Path != i.Path {
		b.Errorf("%+v: the finding must still say where it was", f)
	}
	b.status(item("b"), findings.Open)
	if n := len(b.documents(findings.Filter{})); n != 1 {
		b.Errorf("%d documents, want 1", n)
	}
	b.crawl(present(i)...)
	b.work(b.dirty("r"))
	if f := b.status(i, findings.Open); f.Document == 0 || !f.First.Equal(b.clock.time()) {
		b.Errorf("restored from the bin: %+v", f)
	}
}

func swept(b *bench) {
	b.crawl(present(items(3)...)...)
	b.work(b.dirty("r"))
	b.crawl(present(item("0000.docx"))...) // a delta crawl: nothing is said of the others
	if n := len(b.documents(findings.Filter{})); n != 3 {
		b.Fatalf("%d documents after a delta crawl, want 3", n)
	}
	b.recrawl(present(item("0000.docx"))...)
	b.status(item("0000.docx"), findings.Open)
	b.status(item("0001.docx"), findings.Resolved)
	if n := len(b.documents(findings.Filter{})); n != 1 {
		b.Errorf("%d documents after a full crawl, want 1", n)
	}
}

func unreadable(b *bench) {
	deep, beside := item("hr/lön/x.txt"), item("hrx/y.txt")
	b.crawl(present(deep, beside, item("z"))...)
	b.work(b.dirty("r"))
	folder := sources.Change{Kind: sources.Unreadable, Item: sources.Item{ID: "hr", Path: "Drive/hr"}, Reason: fmt.Errorf("folder: %w", sources.ErrDenied)}
	b.recrawl(append(present(item("z")), folder)...)
	b.status(deep, findings.Open)
	b.status(beside, findings.Resolved)
	gaps := b.gaps()
	if len(gaps) != 1 || gaps[0].Reason != "denied" || gaps[0].Path != "Drive/hr" || gaps[0].Document != 0 {
		b.Errorf("gaps %+v", gaps)
	}
	b.clock.pass(time.Hour)
	b.recrawl(append(present(item("z")), folder)...)
	if again := b.gaps(); len(again) != 1 || !again[0].Since.Equal(gaps[0].Since) {
		b.Errorf("gaps %+v, want since %v", again, gaps[0].Since)
	}
	b.recrawl(present(item("z"))...)
	b.status(deep, findings.Resolved)
	if gaps := b.gaps(); len(gaps) != 0 {
		b.Errorf("gaps %+v", gaps)
	}
	one := item("z")
	b.recrawl(sources.Change{Kind: sources.Unreadable, Item: one, Reason: sources.ErrDenied})
	b.status(one, findings.Open)
}

func scopeGone(b *bench) {
	b.crawl(present(item("a"))...)
	b.crawlWith(rules, sources.Scope{ID: "other", Path: "Other"}, false, "n", present(sources.Item{ID: "x", Path: "Other/x"}))
	b.work(b.dirty("r"))
	b.must(b.store.EndScan(b.Context(), b.scan(rules), ""))
	scan := b.scan(rules)
	_, err := b.store.BeginCrawl(b.Context(), scan, drive, false)
	b.must(err)
	b.must(b.store.EndScopes(b.Context(), scan))
	b.status(item("a"), findings.Open)
	b.status(sources.Item{ID: "x"}, findings.Resolved)
	if n := len(b.documents(findings.Filter{})); n != 1 {
		b.Errorf("%d documents, want 1", n)
	}
}

func scopeGap(b *bench) {
	b.crawl(present(item("a"))...)
	b.work(b.dirty("r"))
	b.must(b.store.EndScan(b.Context(), b.scan(rules), ""))
	scan := b.scan(rules)
	b.must(b.store.ScopeGap(b.Context(), scan, drive, "denied", "403"))
	b.must(b.store.EndScopes(b.Context(), scan))
	b.status(item("a"), findings.Open)
	gaps := b.gaps()
	if len(gaps) != 1 || gaps[0].Reason != "denied" || gaps[0].Path != "Drive" || gaps[0].Detail != "403" {
		b.Errorf("gaps %+v", gaps)
	}
	b.crawl()
	if gaps := b.gaps(); len(gaps) != 0 {
		b.Errorf("gaps %+v after a crawl to the end", gaps)
	}
}

// closedSite: drives that a closed site may hold are spared, others are not.
func closedSite(b *bench) {
	below := sources.Item{ID: "x", Path: "Drive/Dokument/x"}
	b.crawlWith(rules, sources.Scope{ID: "below", Path: "Drive/Dokument"}, false, "n", present(below))
	b.crawlWith(rules, sources.Scope{ID: "beside", Path: "Drivern"}, false, "n", present(sources.Item{ID: "y", Path: "Drivern/y"}))
	b.work(b.dirty("r"))
	b.must(b.store.EndScan(b.Context(), b.scan(rules), ""))
	scan := b.scan(rules)
	b.must(b.store.ScopeGap(b.Context(), scan, drive, "denied", "403"))
	b.must(b.store.EndScopes(b.Context(), scan))
	b.status(below, findings.Open)
	b.status(sources.Item{ID: "y"}, findings.Resolved)
}

func renamed(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	b.work(b.dirty("r"))
	if n := len(b.documents(findings.Filter{OtherPolicy: rules.Policy})); n != 0 {
		b.Errorf("%d documents to judge again before the rename", n)
	}
	i.Path, i.WebURL = "Drive/ny/b", "https://exempel.se/ny"
	b.crawl(present(i)...)
	b.waiting(0)
	f := b.status(i, findings.Open)
	if f.Item.Path != i.Path || f.Item.WebURL != i.WebURL {
		b.Errorf("%+v", f.Item)
	}
	if _, err := b.store.Document(b.Context(), "src", i.Path); err != nil {
		b.Error(err)
	}
	if _, err := b.store.Document(b.Context(), "src", "Drive/a"); !errors.Is(err, findings.ErrNotFound) {
		b.Errorf("the old path: %v", err)
	}
	if n := len(b.documents(findings.Filter{OtherPolicy: rules.Policy})); n != 1 {
		b.Errorf("%d documents to judge again, want the one that moved", n)
	}
}

func movedScope(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	b.work(b.dirty("r"))
	other := sources.Scope{ID: "other", Path: "Other"}
	there := i
	there.Scope, there.Path = other.ID, "Other/a"
	b.crawlWith(rules, other, false, "n", present(there))
	b.crawl(sources.Change{Kind: sources.Deleted, Item: sources.Item{ID: i.ID}}) // the old scope tells later
	f := b.status(i, findings.Open)
	if f.Item.Path != "Other/a" {
		b.Errorf("%+v", f.Item)
	}
}

func shutDoor(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	b.work(b.dirty("r"))
	i.Version = "v2"
	b.crawl(present(i)...)
	b.work(func(t findings.Task) findings.Record {
		return findings.Record{Task: t, Ruleset: rules, Reading: findings.Reading{Status: "denied"}}
	})
	b.status(i, findings.Open)
	d, err := b.store.Document(b.Context(), "src", i.Path)
	b.must(err)
	if d.Reading.Status != "denied" || d.Reading.Content.People != 3 || d.Class != policy.K3 || d.Outcome != policy.Forbidden {
		b.Errorf("%+v: what is known stays", d)
	}
	b.crawl(present(i)...)
	b.waiting(0)
	b.recrawl(present(i)...)
	b.waiting(1)
	b.work(func(t findings.Task) findings.Record {
		return findings.Record{Task: t, Ruleset: rules, Reading: findings.Reading{Status: "gone"}}
	})
	b.status(i, findings.Resolved)
	if n := len(b.documents(findings.Filter{})); n != 0 {
		b.Errorf("%d documents, want none", n)
	}
}

func shared(b *bench) {
	flagged, harmless, decided := item("a"), item("b"), item("c")
	b.crawl(present(flagged, harmless, decided)...)
	b.work(func(t findings.Task) findings.Record {
		if t.Item.ID == flagged.ID {
			return b.found(t, verdict("r"))
		}
		r := clean(t)
		if t.Item.ID == decided.ID { // allowed as long as only its people reach it
			r.Exposure = &sources.Exposure{}
		}
		return r
	})
	b.crawl(sources.Change{Item: flagged, Sharing: true}, sources.Change{Item: harmless, Sharing: true}, sources.Change{Item: decided, Sharing: true})
	if tasks := b.work(b.dirty("r")); len(tasks) != 2 || tasks[0].Item.ID != flagged.ID || tasks[1].Item.ID != decided.ID {
		b.Errorf("%+v", tasks)
	}
}
