package scanner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/scanner/inspect"
	"github.com/molnvakt/molnvakt/sources"
)

// A batch's outcomes are recorded together, but not later than this.
const (
	recordAtOnce = 100
	recordAfter  = time.Second
)

// work reads what the queue holds until the crawl has ended and nothing waits.
func (s *Scanner) work(ctx context.Context, crawled <-chan struct{}) error {
	w := worker{Scanner: s, memory: semaphore.NewWeighted(prefetchAll), places: map[string]Place{}}
	workers := s.Workers
	for _, p := range s.Places {
		w.places[p.Name] = p
		workers.Sources = append(workers.Sources, p.Name)
	}
	workers.Until = crawled
	return s.Store.Work(ctx, workers, w.batch)
}

type worker struct {
	*Scanner
	places map[string]Place
	memory *semaphore.Weighted // bytes of prefetched documents
}

// batch takes its documents one after the other from claim to record. What
// goes wrong with a document becomes a gap; an error means that the store or
// we are in trouble.
func (w *worker) batch(ctx context.Context, tasks []findings.Task) error {
	var done []findings.Record
	last := time.Now()
	record := func() error {
		began := time.Now()
		err := w.Store.Record(ctx, done)
		done, last = done[:0], time.Now()
		w.progress.recording.Add(int64(time.Since(began)))
		return err
	}
	for _, task := range tasks {
		outcome, err := w.carry(ctx, task)
		if err != nil {
			if len(done) > 0 && ctx.Err() == nil {
				err = errors.Join(err, record())
			}
			return err
		}
		done = append(done, outcome)
		w.progress.done(outcome)
		if len(done) >= recordAtOnce || time.Since(last) > recordAfter {
			if err := record(); err != nil {
				return err
			}
		}
	}
	if len(done) == 0 {
		return nil
	}
	return record()
}

// carry takes one document from claim to what is to be recorded of it.
func (w *worker) carry(ctx context.Context, task findings.Task) (findings.Record, error) {
	r := findings.Record{Task: task, Ruleset: w.rules}
	place, ok := w.places[task.Source]
	if !ok {
		return r, fmt.Errorf("the queue holds documents of %q, which this scan does not know", task.Source)
	}
	known, err := w.known(ctx, task, &r)
	if err == nil && !known {
		err = w.read(ctx, place, task, &r)
	}
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case err != nil:
		if fatal := new(brokenError); errors.As(err, &fatal) {
			return r, fatal.err
		}
		w.unread(task, &r, err)
	}
	w.judge(ctx, place, &r)
	return r, nil
}

// known takes over the reading of the same content met before.
func (w *worker) known(ctx context.Context, task findings.Task, r *findings.Record) (bool, error) {
	if task.Item.ContentHash == "" || task.OCR {
		return false, nil
	}
	reading, ok, err := w.Store.Known(ctx, task.Item.ContentHash, task.Item.Size, w.rules.Reading)
	if err != nil {
		return false, &brokenError{err}
	}
	if ok {
		r.Reading = reading
	}
	return ok, nil
}

// read opens and inspects a document.
func (w *worker) read(ctx context.Context, place Place, task findings.Task, r *findings.Record) error {
	if task.Item.Size > w.MaxSize {
		return fmt.Errorf("%w: %d bytes", errTooLarge, task.Item.Size)
	}
	began := time.Now()
	content, free, err := w.open(ctx, place, task.Item)
	if err != nil {
		return err
	}
	defer free()
	w.progress.opening.Add(int64(time.Since(began)))

	inspector, mode := w.Inspector, inspect.OCRDefer
	if task.OCR {
		mode = place.OCR
		if w.Recogniser != nil {
			inspector = w.Recogniser
		}
	} else if place.OCR == inspect.OCROff {
		mode = inspect.OCROff
	}
	result, err := inspector.Inspect(ctx, inspect.Document{
		Name: path.Base(task.Item.Path), Path: task.Item.Path, Size: task.Item.Size,
		Content: content, OCR: mode, Options: w.Options,
	})
	if content.err != nil {
		return content.err // the source's own words, not how the inspection took them
	}
	if err != nil {
		return &brokenError{err}
	}
	w.progress.times(result.Times)
	r.Reading = Reading(result)
	// A PDF's illustrations are looked for only when they are to be read.
	all := place.OCR == inspect.OCRAll && (result.PendingPictures > 0 || result.Extractor == "pdf")
	r.OCR = !task.OCR && (result.PendingOCR > 0 || all)
	return nil
}

// open gets the content. A small document is fetched whole before it takes a
// sandbox child's time; free gives its memory back.
func (w *worker) open(ctx context.Context, place Place, item sources.Item) (content *watched, free func(), err error) {
	r, err := place.Source.Open(ctx, item)
	if err != nil {
		return nil, nil, err
	}
	if item.Size > prefetchOne {
		return &watched{r: r}, func() { r.Close() }, nil
	}
	defer r.Close()
	size := max(item.Size, 1)
	if err := w.memory.Acquire(ctx, size); err != nil {
		return nil, nil, err
	}
	var buf bytes.Buffer
	buf.Grow(int(item.Size) + bytes.MinRead)
	if _, err := io.Copy(&buf, io.LimitReader(r, prefetchOne+1)); err != nil {
		w.memory.Release(size)
		return nil, nil, err
	}
	if buf.Len() > prefetchOne {
		w.memory.Release(size)
		return nil, nil, fmt.Errorf("%w: larger than listed", sources.ErrChanged)
	}
	return &watched{r: &buf}, func() { w.memory.Release(size) }, nil
}

// watched keeps the error that reading a document's content ended with.
type watched struct {
	r   io.Reader
	err error
}

func (c *watched) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// unread notes that a document's content was not had.
func (w *worker) unread(task findings.Task, r *findings.Record, err error) {
	reason, _ := reasonOf(err)
	now := w.Now()
	w.Log.Warn("not read", "source", task.Source, "document", task.Document, "reason", reason, "attempt", task.Attempt, "err", err)
	r.RetryAt = retryAt(err, task.Attempt, now)
	r.Reading = findings.Reading{Status: reason, Gaps: []findings.Gap{{
		Document: task.Document, Source: task.Source, Path: task.Item.Path, Reason: reason, Since: now, RetryAt: r.RetryAt,
	}}}
}

// Reading is what is kept of an inspection.
func Reading(result inspect.Result) findings.Reading {
	r := findings.Reading{
		Status: string(result.Status), MediaType: result.MediaType, Extractor: result.Extractor,
		NameMismatch: result.NameMismatch, Bytes: result.Bytes, Chars: result.Chars, Files: result.Files,
		Content: result.Content,
	}
	for _, g := range result.Gaps {
		r.Gaps = append(r.Gaps, findings.Gap{Place: g.Place, Reason: g.Reason, Detail: g.Detail})
	}
	return r
}

// brokenError is trouble with the store or ourselves, as opposed to the
// document's.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }
