package main

import (
	"context"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/molnvakt/molnvakt/scanner"
)

// watch runs a scan and shows a person how far it is: what was read, how fast,
// how long it may take, how much could not be read. Without a terminal it is
// silent.
func (p *program) watch(ctx context.Context, s *scanner.Scanner) error {
	if !p.terminal() {
		return s.Scan(ctx)
	}
	done := make(chan error, 1)
	go func() { done <- s.Scan(ctx) }()

	bars := mpb.New(mpb.WithOutput(p.err), mpb.WithWidth(40))
	bar := bars.New(0, mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"),
		mpb.BarRemoveOnComplete(), mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + p.progressLine(s.Progress()) })))
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			bar.Abort(true)
			bars.Wait()
			return err
		case <-tick.C:
			now := s.Progress()
			bar.SetTotal(now.Read+now.Waiting.Documents+now.Waiting.OCR+1, false)
			bar.SetCurrent(now.Read)
		}
	}
}

func (p *program) progressLine(now scanner.Snapshot) string {
	parts := []string{p.words.T("progress.read", now.Read, now.Read+now.Waiting.Documents+now.Waiting.OCR)}
	if !now.Crawled {
		parts = []string{p.words.T("progress.listing", now.Read, now.Listed)}
	}
	if secs := now.Since.Seconds(); secs > 1 {
		parts = append(parts, p.words.T("progress.rate", int64(float64(now.Read)/secs)))
	}
	if now.ETA > 0 && now.Crawled {
		parts = append(parts, p.words.T("progress.eta", now.ETA.Round(time.Second)))
	}
	if now.Gaps > 0 {
		parts = append(parts, p.words.N("progress.gaps", now.Gaps))
	}
	if now.Spent.Units > 0 {
		parts = append(parts, p.words.T("progress.units", now.Spent.Units))
	}
	return strings.Join(parts, " · ")
}
