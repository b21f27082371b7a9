package scanner

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/scanner/inspect"
	"github.com/molnvakt/molnvakt/sources"
)

// Progress counts what a scan does; its fields are changed by many workers.
type Progress struct {
	began   atomic.Int64 // Unix nanoseconds
	crawled atomic.Bool

	listed, deleted, read, bytes, gaps, found atomic.Int64
	opening, recording                        atomic.Int64 // nanoseconds, of all workers together
	receiving, extracting, detecting          atomic.Int64
}

// Snapshot is how far a scan is at one moment.
type Snapshot struct {
	Since    time.Duration // since the scan began
	Crawled  bool          // everything was listed
	Listed   int64         // items met in this scan
	Deleted  int64
	Read     int64 // documents taken from the queue and recorded
	Bytes    int64
	Gaps     int64
	Findings int64 // verdicts that are not allowed, among Read
	Waiting  findings.Backlog
	Spent    sources.Spending // of all metered sources
	ETA      time.Duration    // until nothing waits; 0: unknown
	Stages   Stages
}

// Stages is where the workers' time went.
type Stages struct{ Open, Receive, Extract, Detect, Record time.Duration }

func (p *Progress) start(now time.Time) { p.began.Store(now.UnixNano()) }

func (p *Progress) met(page sources.Page) {
	for _, c := range page.Changes {
		switch c.Kind {
		case sources.Present:
			p.listed.Add(1)
		case sources.Deleted:
			p.deleted.Add(1)
		case sources.Unreadable:
			p.gaps.Add(1)
		}
	}
}

func (p *Progress) done(r findings.Record) {
	p.read.Add(1)
	p.bytes.Add(r.Reading.Bytes)
	p.gaps.Add(int64(len(r.Reading.Gaps)))
	p.found.Add(int64(len(r.Judgment.Findings)))
}

func (p *Progress) times(t inspect.Times) {
	p.receiving.Add(int64(t.Read))
	p.extracting.Add(int64(t.Extract))
	p.detecting.Add(int64(t.Detect))
}

func (p *Progress) snapshot(s *Scanner) Snapshot {
	now := Snapshot{
		Crawled: p.crawled.Load(), Listed: p.listed.Load(), Deleted: p.deleted.Load(), Read: p.read.Load(),
		Bytes: p.bytes.Load(), Gaps: p.gaps.Load(), Findings: p.found.Load(),
		Stages: Stages{
			Open: time.Duration(p.opening.Load()), Record: time.Duration(p.recording.Load()),
			Receive: time.Duration(p.receiving.Load()), Extract: time.Duration(p.extracting.Load()), Detect: time.Duration(p.detecting.Load()),
		},
	}
	if began := p.began.Load(); began != 0 {
		now.Since = time.Since(time.Unix(0, began))
	}
	for _, place := range s.Places {
		if m, ok := place.Source.(sources.Metered); ok {
			spent := m.Spent()
			now.Spent.Requests += spent.Requests
			now.Spent.Units += spent.Units
			now.Spent.PerMinute += spent.PerMinute
			now.Spent.Throttled += spent.Throttled
			now.Spent.Paused += spent.Paused
		}
	}
	// A store that cannot count shows as an empty backlog here; the scan itself
	// meets the error.
	now.Waiting, _ = s.Store.Waiting(context.Background())
	now.ETA = now.eta()
	return now
}

// eta is the slower of two estimates: the pace so far, and what the service
// lets through.
func (n Snapshot) eta() time.Duration {
	waiting := n.Waiting.Documents + n.Waiting.OCR
	if n.Read == 0 || waiting == 0 {
		return 0
	}
	pace := time.Duration(float64(n.Since) / float64(n.Read) * float64(waiting))
	if n.Spent.PerMinute == 0 {
		return pace
	}
	allowed := time.Duration(float64(waiting) / float64(n.Spent.PerMinute) * float64(time.Minute))
	return max(pace, allowed)
}
