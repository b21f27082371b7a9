// Package scanner crawls sources, looks into what changed, and records what it
// finds. Two loops, joined only by the queue in the store:
//
//	crawl:  source changes → register and queue
//	work:   queue → open → inspect → judge → findings
package scanner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/scanner/inspect"
	"github.com/molnvakt/molnvakt/sources"
)

// Place is a source together with the facts its configuration states about it.
type Place struct {
	Name    string // of the source, in the configuration
	Service string // id in the policy's register of services
	// Controller answers for what no organisation rule of the policy maps; may
	// be empty.
	Controller string
	Source     sources.Source
	OCR        inspect.OCR // OCRScans, OCRAll or OCROff; the document's first reading defers it
}

// Scanner scans places into a store.
type Scanner struct {
	Places    []Place
	Store     findings.Store
	Inspector inspect.Inspector
	// Recogniser inspects with text recognition, apart from Inspector so that
	// it never delays the rest. Nil: Inspector does both.
	Recogniser inspect.Inspector
	Policy     *policy.Policy
	Reading    string // Ruleset.Reading: extractors, patterns, the key's id
	Key        []byte // for the IDs of findings
	Options    patterns.Options
	MaxSize    int64 // bytes of one document
	Workers    findings.Workers
	Scopes     int // scopes of one source crawled at once
	Log        *slog.Logger
	Now        func() time.Time

	progress Progress
	rules    findings.Ruleset // of the scan under way
}

// prefetch bounds the documents held in memory between source and sandbox.
const (
	prefetchOne = 8 << 20
	prefetchAll = 64 << 20
)

// ErrIncomplete says that a source was not listed to its end. What was met is
// recorded; the next scan goes on.
var ErrIncomplete = errors.New("the crawl is not complete")

// Scan crawls every place, reads what needs reading, and judges again what a
// new policy may judge otherwise. An error of one source does not stop the
// others: they are joined in the error, which wraps ErrIncomplete. Everything
// recorded before an error or the end of ctx stays recorded.
func (s *Scanner) Scan(ctx context.Context) error {
	s.progress.start(s.Now())
	s.rules = findings.Ruleset{Reading: s.Reading, Policy: s.Policy.VersionAt(s.Now())}
	if _, err := s.Store.Expire(ctx, s.Now()); err != nil {
		return err
	}
	crawled := make(chan struct{})
	scans := make([]findings.Scan, len(s.Places))
	failures := make([]error, len(s.Places))

	group, both := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(crawled)
		return s.crawlAll(both, scans, failures)
	})
	group.Go(func() error { return s.work(both, crawled) })
	if err := group.Wait(); err != nil {
		return err
	}
	if err := s.rejudge(ctx); err != nil {
		return err
	}
	return s.end(ctx, scans, failures)
}

// crawlAll crawls the places side by side. Only trouble with the store or the
// end of ctx is returned; a source's trouble is its failure.
func (s *Scanner) crawlAll(ctx context.Context, scans []findings.Scan, failures []error) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, place := range s.Places {
		group.Go(func() error {
			scan, err := s.Store.BeginScan(ctx, place.Name, place.Service, s.rules)
			if err != nil {
				return err
			}
			scans[i] = scan
			failures[i], err = s.crawl(ctx, place, scan)
			return err
		})
	}
	err := group.Wait()
	s.progress.crawled.Store(true)
	return err
}

func (s *Scanner) end(ctx context.Context, scans []findings.Scan, failures []error) error {
	var all []error
	for i, scan := range scans {
		code := ""
		if failures[i] != nil {
			code, _ = reasonOf(failures[i])
			all = append(all, fmt.Errorf("source %q: %w: %w", s.Places[i].Name, ErrIncomplete, failures[i]))
		}
		if err := s.Store.EndScan(ctx, scan, code); err != nil {
			return err
		}
	}
	return errors.Join(all...)
}

// Progress returns how far the scan is; it may be called at any time.
func (s *Scanner) Progress() Snapshot { return s.progress.snapshot(s) }
