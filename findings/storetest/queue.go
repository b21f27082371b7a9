package storetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/sources"
)

func oneOfMany(b *bench) {
	const n = 500
	b.crawl(present(items(n)...)...)
	b.waiting(n)
	var busy, most atomic.Int64
	times := map[findings.DocumentID]int{}
	var mu sync.Mutex
	w := findings.Workers{Documents: 16, Until: closed()}
	b.must(b.store.Work(b.Context(), w, func(ctx context.Context, tasks []findings.Task) error {
		most.Store(max(most.Load(), busy.Add(1)))
		defer busy.Add(-1)
		time.Sleep(2 * time.Millisecond)
		var done []findings.Record
		mu.Lock()
		for _, t := range tasks {
			times[t.Document]++
			done = append(done, clean(t))
		}
		mu.Unlock()
		return b.store.Record(ctx, done)
	}))
	for id, n := range times {
		if n != 1 {
			b.Errorf("document %d was given out %d times", id, n)
		}
	}
	if len(times) != n || most.Load() < 2 || most.Load() > 16 {
		b.Errorf("%d documents by %d workers at once, want %d by 2 to 16", len(times), most.Load(), n)
	}
	b.waiting(0)
}

// queuedTwice: a document that is being read changes, and is claimed to be
// fixed before anybody has taken it again.
func queuedTwice(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	b.work(b.dirty("r"))
	i.Version = "v2"
	b.crawl(present(i)...)
	var mu sync.Mutex
	times := map[int64]int{} // by ticket
	b.workWith(findings.Workers{Documents: 4, Until: closed()}, func(t findings.Task) findings.Record {
		mu.Lock()
		times[t.Ticket]++
		first := len(times) == 1
		mu.Unlock()
		if first {
			i.Version = "v3"
			b.crawl(present(i)...)
			b.decide(i, findings.Open, findings.FixClaimed, findings.Head)
		}
		time.Sleep(200 * time.Millisecond) // longer than the queue takes to give out the rest
		return clean(t)
	})
	for ticket, n := range times {
		if n != 1 {
			b.Errorf("ticket %d was given out %d times", ticket, n)
		}
	}
	if len(times) < 2 {
		b.Error("the new version was not read")
	}
	b.status(i, findings.Resolved)
}

func unchanged(b *bench) {
	all := items(3)
	b.crawl(present(all...)...)
	b.work(clean)
	b.crawl(present(all...)...)
	b.recrawl(present(all...)...)
	b.waiting(0)
	if again := b.work(clean); len(again) != 0 {
		b.Errorf("given out again: %+v", again)
	}
}

func changed(b *bench) {
	all := items(3)
	b.crawl(present(all...)...)
	b.work(clean)
	all[1].Version = "v2"
	b.crawl(present(all...)...)
	again := b.work(clean)
	if len(again) != 1 || again[0].Item.Version != "v2" || again[0].Attempt != 1 {
		b.Errorf("given out again: %+v", again)
	}
}

func changedMeanwhile(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	var versions []string
	b.workWith(findings.Workers{Documents: 1, Until: closed()}, func(t findings.Task) findings.Record {
		versions = append(versions, t.Item.Version)
		if t.Item.Version == "v1" {
			i.Version = "v2"
			b.crawl(present(i)...)
			return b.found(t, verdict("r")) // of the old version
		}
		return clean(t)
	})
	if got := strings.Join(versions, " "); got != "v1 v2" {
		b.Errorf("read %s, want v1 v2", got)
	}
	if all := b.findings(findings.Filter{}); len(all) != 0 {
		b.Errorf("a version that is no more has findings: %+v", all)
	}
}

func newRules(b *bench) {
	b.crawl(present(items(3)...)...)
	b.work(clean)
	b.must(b.store.EndScan(b.Context(), b.scan(rules), ""))
	scan := b.scan(findings.Ruleset{Reading: "r2", Policy: "p1"})
	n, err := b.store.Requeue(b.Context(), scan)
	b.must(err)
	if n != 3 {
		b.Errorf("%d documents queued again, want 3", n)
	}
	again := b.work(func(t findings.Task) findings.Record {
		r := clean(t)
		r.Ruleset.Reading = "r2"
		return r
	})
	if len(again) != 3 {
		b.Errorf("%d given out, want 3", len(again))
	}
	if n, err = b.store.Requeue(b.Context(), scan); n != 0 || err != nil {
		b.Errorf("%d queued once more, error %v", n, err)
	}
}

func workerFails(b *bench) {
	b.crawl(present(items(40)...)...)
	broken := errors.New("broken")
	err := b.store.Work(b.Context(), findings.Workers{Documents: 4}, func(context.Context, []findings.Task) error { return broken })
	if !errors.Is(err, broken) {
		b.Errorf("Work returned %v", err)
	}
	b.waiting(40)
	for _, t := range b.work(clean) {
		if t.Attempt != 1 {
			b.Errorf("attempt %d after nobody had tried", t.Attempt)
		}
	}
	b.waiting(0)
}

func workerPanics(b *bench) {
	b.crawl(present(item("a"))...)
	err := b.store.Work(b.Context(), findings.Workers{Documents: 1}, func(context.Context, []findings.Task) error { panic("19121212-1212") })
	if err == nil || strings.Contains(err.Error(), "1212-1212") {
		b.Errorf("Work returned %v", err)
	}
	if again := b.work(clean); len(again) != 1 {
		b.Errorf("%d documents wait again, want 1", len(again))
	}
}

func workerForgets(b *bench) {
	b.crawl(present(items(2)...)...)
	err := b.store.Work(b.Context(), findings.Workers{Documents: 1, Until: closed()}, func(context.Context, []findings.Task) error { return nil })
	if err == nil {
		b.Error("Work ended well although nothing was recorded")
	}
	b.waiting(2)
}

func cancelled(b *bench) {
	const n = 60
	b.crawl(present(items(n)...)...)
	ctx, cancel := context.WithCancel(b.Context())
	var done atomic.Int64
	err := b.store.Work(ctx, findings.Workers{Documents: 3, Batch: 1}, func(ctx context.Context, tasks []findings.Task) error {
		if done.Load() >= 20 {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}
		done.Add(int64(len(tasks)))
		var records []findings.Record
		for _, t := range tasks {
			records = append(records, clean(t))
		}
		return b.store.Record(context.WithoutCancel(ctx), records)
	})
	cancel()
	if !errors.Is(err, context.Canceled) {
		b.Errorf("Work returned %v", err)
	}
	b.waiting(n - done.Load())
	b.restart()
	if rest := b.work(clean); len(rest) != n-int(done.Load()) {
		b.Errorf("%d documents were left, want %d", len(rest), n-done.Load())
	}
}

// untilEmpty has a crawl that still queues while the workers have nothing to do.
func untilEmpty(b *bench) {
	crawled := make(chan struct{})
	var read atomic.Int64
	ended := make(chan error, 1)
	go func() {
		ended <- b.store.Work(b.Context(), findings.Workers{Documents: 2, Until: crawled}, func(ctx context.Context, tasks []findings.Task) error {
			var done []findings.Record
			for _, t := range tasks {
				done = append(done, clean(t))
			}
			read.Add(int64(len(tasks)))
			return b.store.Record(ctx, done)
		})
	}()
	for i, name := range []string{"a", "b", "c"} {
		b.crawl(present(item(name))...)
		eventually(b, func() bool { return read.Load() == int64(i+1) })
	}
	select {
	case err := <-ended:
		b.Fatalf("Work ended before the crawl: %v", err)
	default:
	}
	close(crawled)
	began := time.Now()
	b.must(<-ended)
	if took := time.Since(began); took > time.Second {
		b.Errorf("Work ended %v after the crawl", took)
	}
}

func eventually(b *bench, done func() bool) {
	b.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.Fatal("nothing happened for five seconds")
}

func smallScan(b *bench) {
	began := time.Now()
	b.crawl(present(items(10)...)...)
	b.work(clean)
	took := time.Since(began)
	b.Logf("ten documents in %v", took)
	if took > 2*time.Second {
		b.Errorf("ten documents took %v", took)
	}
}

func retried(b *bench) {
	i := item("a")
	b.crawl(present(i)...)
	later := func(t findings.Task) findings.Record {
		return findings.Record{Task: t, Ruleset: rules, Reading: findings.Reading{Status: "unavailable"}, RetryAt: b.clock.time().Add(time.Hour)}
	}
	b.work(later)
	if again := b.work(clean); len(again) != 0 {
		b.Fatalf("given out before its time: %+v", again)
	}
	gaps := b.gaps()
	if len(gaps) != 1 || gaps[0].Reason != "unavailable" || gaps[0].Path != i.Path || !gaps[0].RetryAt.Equal(b.clock.time().Add(time.Hour)) {
		b.Errorf("gaps %+v", gaps)
	}
	since := gaps[0].Since
	b.clock.pass(2 * time.Hour)
	if again := b.work(later); len(again) != 1 || again[0].Attempt != 2 {
		b.Fatalf("given out in its time: %+v, want attempt 2", again)
	}
	if gaps := b.gaps(); len(gaps) != 1 || !gaps[0].Since.Equal(since) {
		b.Errorf("the gap is known since %v, want %v", gaps, since)
	}
	b.clock.pass(2 * time.Hour)
	b.work(clean)
	if gaps := b.gaps(); len(gaps) != 0 {
		b.Errorf("gaps %+v after a good reading", gaps)
	}
	i.Version = "v2"
	b.crawl(present(i)...)
	if again := b.work(clean); len(again) != 1 || again[0].Attempt != 1 {
		b.Errorf("a new version is a new beginning: %+v", again)
	}
}

func recognised(b *bench) {
	b.crawl(present(items(2)...)...)
	first := func(t findings.Task) findings.Record {
		r := clean(t)
		r.Reading.Status, r.Reading.Gaps, r.OCR = "partial", []findings.Gap{{Place: "page 1", Reason: "ocr-pending"}}, true
		r.Judgment.Conclusive = false
		return r
	}
	if tasks := b.workWith(findings.Workers{Documents: 1, Until: closed()}, first); len(tasks) != 2 || tasks[0].OCR {
		b.Fatalf("%+v", tasks)
	}
	backlog, err := b.store.Waiting(b.Context())
	b.must(err)
	if backlog.OCR != 2 || backlog.Documents != 0 {
		b.Fatalf("backlog %+v", backlog)
	}
	for _, d := range b.documents(findings.Filter{}) {
		if !d.Waiting || d.Reading.Status != "partial" {
			b.Errorf("%+v", d)
		}
	}
	b.restart()
	tasks := b.work(func(t findings.Task) findings.Record {
		if !t.OCR {
			b.Errorf("%+v is not for recognition", t)
		}
		return clean(t)
	})
	if len(tasks) != 2 {
		b.Errorf("%d recognised, want 2", len(tasks))
	}
	if gaps := b.gaps(); len(gaps) != 0 {
		b.Errorf("gaps %+v", gaps)
	}
}

func otherSources(b *bench) {
	b.crawl(present(item("a"))...)
	scan, err := b.store.BeginScan(b.Context(), "other", "onprem", rules)
	b.must(err)
	c, err := b.store.BeginCrawl(b.Context(), scan, sources.Scope{ID: "s"}, false)
	b.must(err)
	b.must(b.store.SavePage(b.Context(), c, sources.Page{Changes: present(sources.Item{ID: "x", Path: "x"})}))
	only := findings.Workers{Documents: 2, Until: closed(), Sources: []string{"other"}}
	if tasks := b.workWith(only, clean); len(tasks) != 1 || tasks[0].Source != "other" || tasks[0].Service != "onprem" {
		b.Errorf("%+v", tasks)
	}
	b.waiting(1)
	if tasks := b.work(clean); len(tasks) != 1 || tasks[0].Source != "src" {
		b.Errorf("%+v", tasks)
	}
}

func knownContent(b *bench) {
	i, other, scan := item("a"), item("b"), item("scan")
	i.ContentHash, other.ContentHash, scan.ContentHash = "quickxor:1", "quickxor:2", "quickxor:9"
	b.crawl(present(i, other, scan)...)
	b.work(func(t findings.Task) findings.Record {
		if t.Item.ID == scan.ID {
			r := clean(t)
			r.Reading.Status, r.Reading.Gaps = "partial", []findings.Gap{{Reason: "ocr-off"}}
			return r
		}
		if t.Item.ID == other.ID {
			r := clean(t)
			r.Reading.Status = "timeout"
			return r
		}
		return b.found(t, verdict("r"))
	})
	for _, test := range []struct {
		hash    string
		size    int64
		reading string
		want    bool
	}{
		{"quickxor:1", 10, "r1", true}, {"quickxor:1", 11, "r1", false}, {"quickxor:1", 10, "r2", false},
		{"quickxor:2", 10, "r1", false}, {"quickxor:3", 10, "r1", false}, {"quickxor:9", 10, "r1", false}, {"", 10, "r1", false},
	} {
		r, ok, err := b.store.Known(b.Context(), test.hash, test.size, test.reading)
		b.must(err)
		if ok != test.want || ok && r.Content.People != 3 {
			b.Errorf("%+v: %v %+v", test, ok, r)
		}
	}
	i.Version, i.ContentHash = "v2", "quickxor:4"
	b.crawl(present(i)...)
	if _, ok, err := b.store.Known(b.Context(), "quickxor:4", 10, "r1"); ok || err != nil {
		b.Errorf("content that nobody has read is known: %v %v", ok, err)
	}
}

func roundTrip(b *bench) {
	i := item("mapp/å ä ö ☃ 'citat\" %_.docx")
	i.ContentHash = "quickxor:5"
	b.crawl(present(i)...)
	exposure := &sources.Exposure{Grants: []sources.Grant{{To: sources.Guest, Name: "gäst@annan.se", Roles: []string{"read"}}}, Unseen: []string{"x"}}
	v := verdict("r")
	v.Until = time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	var sent findings.Record
	b.work(func(t findings.Task) findings.Record {
		sent = b.found(t, v)
		sent.Exposure = exposure
		sent.Reading.Status, sent.Reading.MediaType, sent.Reading.Extractor, sent.Reading.NameMismatch, sent.Reading.Files = "partial", "application/pdf", "pdf", true, 4
		sent.Reading.Gaps = []findings.Gap{{Place: "page 2", Reason: "no-ocr", Detail: "x"}, {Place: "a.zip", Reason: "encrypted"}}
		return sent
	})
	b.restart()
	d, err := b.store.Document(b.Context(), "src", i.Path)
	b.must(err)
	if got := d.Reading; len(got.Gaps) != 2 || got.Gaps[0].Place != "page 2" || got.Gaps[1].Reason != "encrypted" || got.Gaps[0].Path != i.Path {
		b.Errorf("gaps %+v", got.Gaps)
	}
	want := sent.Reading
	d.Reading.Gaps, want.Gaps = nil, nil
	equal(b, "reading", d.Reading, want)
	equal(b, "item", d.Item, i)
	equal(b, "exposure", d.Exposure, exposure)
	equal(b, "responsible", d.Responsible, sent.Judgment.Document.Responsible)
	if d.Site != drive.Site || d.Service != "m365" || d.Class != policy.K3 || d.Outcome != policy.Forbidden || d.Ruleset != rules || d.Waiting ||
		!d.ReadAt.Equal(b.clock.time()) || !d.FirstSeen.Equal(b.clock.time()) {
		b.Errorf("document %+v", d)
	}
	f := b.status(i, findings.Open)
	equal(b, "verdict", f.Verdict, v)
	equal(b, "kinds", f.Kinds, []patterns.DocumentKind{{Kind: "rehabplan", Confidence: patterns.High, Filled: true}})
	equal(b, "exposure", f.Exposure, exposure)
	equal(b, "item", f.Item, i)
	if f.Document != d.ID || f.People != 3 || f.Controller != "Socialnämnden" || !f.First.Equal(b.clock.time()) || !f.Last.Equal(f.First) {
		b.Errorf("finding %+v", f)
	}
}
