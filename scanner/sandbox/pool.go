package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/molnvakt/molnvakt/scanner/inspect"
)

// Pool keeps children ready. It is an inspect.Inspector, safe for concurrent
// use; more callers than children wait, with their document already read.
type Pool struct {
	config  Config
	scratch string      // of this pool; each child has a folder in it
	idle    chan *child // nil stands for a child not yet started
	buffers sync.Pool
	starter starter
}

var _ inspect.Inspector = (*Pool)(nil)

// NewPool returns a Pool that starts its children when they are first needed.
// Close ends them.
func NewPool(c Config) (*Pool, error) {
	c = c.withDefaults()
	if len(c.Command) == 0 {
		return nil, errors.New("sandbox: no command for children")
	}
	scratch, err := newScratch(c.Scratch)
	if err != nil {
		return nil, fmt.Errorf("sandbox: scratch folder: %w", err)
	}
	p := &Pool{config: c, scratch: scratch, idle: make(chan *child, c.Size)}
	for range c.Size {
		p.idle <- nil
	}
	return p, nil
}

// Close ends all children and removes their scratch folders. It waits for
// those still at work; a Pool that was closed must not be used again.
func (p *Pool) Close() error {
	for range cap(p.idle) {
		if c := <-p.idle; c != nil {
			c.end()
		}
	}
	return os.RemoveAll(p.scratch)
}

// Protections starts a child, if none is ready, and returns what protects the
// machine from it.
func (p *Pool) Protections(ctx context.Context) ([]Protection, error) {
	c, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	p.idle <- c
	return c.protections, nil
}

// Inspect implements inspect.Inspector. A document that kills its child is
// tried once more, then a last time up to just before what killed it, so that
// what stands before that is found all the same.
func (p *Pool) Inspect(ctx context.Context, doc inspect.Document) (inspect.Result, error) {
	started := time.Now()
	held, err := p.hold(doc)
	if err != nil {
		return inspect.Result{}, err
	}
	defer p.release(held)
	reading := time.Since(started)
	if held.tooLarge {
		return tooLarge(doc.Size), nil
	}
	var last death
	for try := (attempt{}); ; try = last.next(try) {
		result, err := p.try(ctx, doc, held, try)
		if err == nil {
			result.Times.Read += reading
			if try.stopAfter > 0 {
				result = last.explain(result)
			}
			return result, nil
		}
		if ctx.Err() != nil {
			return inspect.Result{}, context.Cause(ctx)
		}
		if !errors.As(err, &last) {
			return inspect.Result{}, err
		}
		if last.final(try) || !held.rewind() {
			return last.result(held.size()), nil
		}
	}
}

// attempt is one try of one document.
type attempt struct {
	number    int
	stopAfter int64
}

// death is how a child died over a document.
type death struct {
	stalled bool
	memory  bool
	chars   int64 // text it had read, as far as it told
}

func (d death) Error() string { return d.cause().Error() }
func (d death) Unwrap() error { return d.cause() }

func (d death) cause() error {
	if d.stalled {
		return inspect.ErrStalled
	}
	return inspect.ErrCrashed
}

// final tells whether there is nothing more to gain after try.
func (d death) final(try attempt) bool {
	if try.stopAfter > 0 {
		return true
	}
	return (try.number > 0 || d.stalled) && d.chars == 0
}

// next is the attempt after try: the whole document once more, traced; then,
// or if time ran out, only what came before the end.
func (d death) next(try attempt) attempt {
	if try.number > 0 || d.stalled {
		return attempt{try.number + 1, d.chars}
	}
	return attempt{number: 1}
}

// result is what remains to be said of a document that killed every child.
func (d death) result(size int64) inspect.Result {
	r := inspect.Result{Bytes: size, Status: inspect.Crashed, Gaps: []inspect.Gap{{Reason: "crashed"}}}
	switch {
	case d.memory:
		r.Status, r.Gaps[0] = inspect.Limit, inspect.Gap{Reason: "limit", Detail: "memory"}
	case d.stalled:
		r.Status, r.Gaps[0] = inspect.Timeout, inspect.Gap{Reason: "timeout"}
	}
	return r
}

// explain puts the true cause into the result of an attempt that was stopped
// before it.
func (d death) explain(r inspect.Result) inspect.Result {
	truth := d.result(r.Bytes)
	r.Status = truth.Status
	gaps := truth.Gaps
	for _, g := range r.Gaps {
		if g.Place != "" || g.Reason != "crashed" {
			gaps = append(gaps, g)
		}
	}
	r.Gaps = gaps
	return r
}

func tooLarge(size int64) inspect.Result {
	return inspect.Result{
		Bytes: max(size, 0), Status: inspect.Limit,
		Gaps: []inspect.Gap{{Reason: "limit", Detail: "size"}},
	}
}

// try lets one child look at the document.
func (p *Pool) try(ctx context.Context, doc inspect.Document, held *held, try attempt) (inspect.Result, error) {
	c, err := p.take(ctx)
	if err != nil {
		return inspect.Result{}, err
	}
	limit := p.config.Deadline + killAfter
	if doc.OCR == inspect.OCRScans || doc.OCR == inspect.OCRAll {
		limit += p.config.OCRDeadline
	}
	result, err := c.ask(ctx, doc, held, try, limit)
	if c.spent {
		c.end()
		c = nil
	}
	p.idle <- c
	return result, err
}

// killAfter is what a child gets beyond its own deadline to answer with what
// it found.
const killAfter = 5 * time.Second

// take returns a child that is ready.
func (p *Pool) take(ctx context.Context) (*child, error) {
	var c *child
	select {
	case c = <-p.idle:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if c != nil {
		return c, nil
	}
	c, err := p.starter.start(ctx, p.config, p.scratch)
	if err != nil {
		p.idle <- nil
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("start sandbox child: %w", err)
	}
	return c, nil
}

// held is a document's content on its way to a child: all of it if it is
// small, so that a slow source keeps no child waiting and a second try needs
// no second download; else its beginning and the stream it came from.
type held struct {
	head     *bytes.Buffer
	rest     io.Reader // nil: head is all
	origin   io.Reader
	limit    int64
	sent     int64 // bytes of rest that were sent
	tooLarge bool
}

func (p *Pool) hold(doc inspect.Document) (*held, error) {
	h := &held{origin: doc.Content, limit: p.config.MaxSize, tooLarge: doc.Size > p.config.MaxSize}
	h.head, _ = p.buffers.Get().(*bytes.Buffer)
	if h.head == nil || h.head.Cap() > 1<<20 {
		h.head = new(bytes.Buffer)
	}
	h.head.Reset()
	if h.tooLarge {
		return h, nil
	}
	if doc.Size > p.config.Replay {
		h.rest = doc.Content
		return h, nil
	}
	if 0 < doc.Size {
		h.head.Grow(int(doc.Size) + bytes.MinRead)
	}
	n, err := h.head.ReadFrom(io.LimitReader(doc.Content, p.config.Replay+1))
	if err != nil {
		p.release(h)
		return nil, fmt.Errorf("read content: %w", err)
	}
	if n > p.config.Replay {
		h.rest = doc.Content
	}
	h.tooLarge = n > h.limit
	return h, nil
}

func (p *Pool) release(h *held) { p.buffers.Put(h.head) }

func (h *held) size() int64 { return int64(h.head.Len()) + h.sent }

// knownSize is the size of a document that said size, which may be -1.
func (h *held) knownSize(size int64) int64 {
	if h.rest == nil {
		return int64(h.head.Len())
	}
	return size
}

// rewind makes the content ready to be sent again, if it can be.
func (h *held) rewind() bool {
	if h.rest == nil {
		return true
	}
	seeker, ok := h.origin.(io.Seeker)
	if !ok {
		return false
	}
	_, err := seeker.Seek(int64(h.head.Len()), io.SeekStart)
	h.sent = 0
	return err == nil
}

// send writes the content as chunks. An error of the content itself is a
// contentError; any other is the pipe's.
func (h *held) send(w *wire) error {
	for b := h.head.Bytes(); len(b) > 0; {
		n := min(len(b), chunkSize)
		if err := w.send(frameChunk, b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	if h.rest == nil {
		return nil
	}
	buf := make([]byte, chunkSize)
	for {
		n, err := h.rest.Read(buf)
		h.sent += int64(n)
		if h.size() > h.limit {
			return errTooLarge
		}
		if sendErr := w.send(frameChunk, buf[:n]); sendErr != nil {
			return sendErr
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return contentError{err}
		}
	}
}

var errTooLarge = errors.New("content over the size limit")

type contentError struct{ error }

func (e contentError) Unwrap() error { return e.error }
