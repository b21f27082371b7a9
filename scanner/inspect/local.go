package inspect

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Config says how Local inspects. Zero values of the limits take those of
// DefaultConfig.
type Config struct {
	// Extractors in order of preference: the first that accepts a document
	// and does not call it unsupported reads it.
	Extractors []extract.Extractor
	// Readers makes a patterns.Reader; Local keeps and reuses them.
	Readers func() patterns.Reader
	// Sniff tells the media type from the content; nil means extract.Sniff.
	Sniff func(name string, r io.ReaderAt, size int64) string

	Limits    extract.Limits
	Passwords []string // to try on encrypted documents

	Memory   int64         // bytes of one document, files in it included, held in memory
	Scratch  string        // a private folder for what does not fit; "": too large then
	MaxSize  int64         // bytes of one document
	Deadline time.Duration // for one document, counted from when its content is here
	OCRPage  time.Duration // added to Deadline for each picture that is recognised
	Grace    time.Duration // for an extractor to notice that its time is up
}

// DefaultConfig has the limits that were measured as generous and safe. It
// lacks Extractors and Readers.
func DefaultConfig() Config {
	return Config{
		Limits:   extract.DefaultLimits(),
		Memory:   16 << 20,
		MaxSize:  1 << 30,
		Deadline: 60 * time.Second,
		OCRPage:  2 * time.Minute, // of the clock; picture bounds the processor time
		Grace:    2 * time.Second,
	}
}

// Local inspects in this process. Hostile documents belong into a sandbox,
// whose children use it.
type Local struct {
	config  Config
	readers sync.Pool
	buffers sync.Pool
}

var _ Inspector = (*Local)(nil)

// NewLocal returns a Local with c's extractors and limits.
func NewLocal(c Config) *Local {
	d := DefaultConfig()
	if c.Limits == (extract.Limits{}) {
		c.Limits = d.Limits
	}
	orElse(&c.Memory, d.Memory)
	orElse(&c.MaxSize, d.MaxSize)
	orElse(&c.Deadline, d.Deadline)
	orElse(&c.OCRPage, d.OCRPage)
	orElse(&c.Grace, d.Grace)
	if c.Sniff == nil {
		c.Sniff = extract.Sniff
	}
	l := &Local{config: c}
	l.readers.New = func() any { return c.Readers() }
	return l
}

// Prepare does the extractors' slow work that need be done only once.
func (l *Local) Prepare(ctx context.Context) error {
	for _, e := range l.config.Extractors {
		if p, ok := e.(extract.Preparer); ok {
			if err := p.Prepare(ctx); err != nil {
				return fmt.Errorf("prepare %s: %w", e.Name(), err)
			}
		}
	}
	return nil
}

func orElse[T comparable](field *T, fallback T) {
	var zero T
	if *field == zero {
		*field = fallback
	}
}

// Inspect implements Inspector. It may return a Result together with an error
// that wraps ErrStalled or ErrCrashed: an extractor did not stop when its time
// was up, or broke. What was found before is in the Result, but the process
// may hold a runaway goroutine and should end.
func (l *Local) Inspect(ctx context.Context, doc Document) (Result, error) {
	in := &inspection{
		Config: &l.config,
		local:  l,
		doc:    doc,
		memory: l.config.Memory,
		reader: l.readers.Get().(patterns.Reader),
	}
	started := time.Now()
	body, err := in.spool(doc.Content, doc.Size, l.config.MaxSize)
	in.result.Times.Read = time.Since(started)
	switch {
	case detail(err) != "": // over the limits of size or memory
		in.result.Bytes = max(doc.Size, 0)
		in.result.Status = Limit
		in.result.Gaps = []Gap{{Reason: "limit", Detail: detail(err)}}
		return in.result, nil
	case err != nil:
		return Result{}, fmt.Errorf("read content: %w", err)
	}
	defer body.release()
	in.result.Bytes = body.size
	in.reader.Begin(patterns.Subject{Name: doc.Name, Path: doc.Path}, doc.Options)

	started = time.Now()
	failure, broken := in.run(ctx, body)
	if err := context.Cause(ctx); err != nil && broken == nil {
		return Result{}, err
	}
	result := in.finish(failure)
	result.Times.Extract = time.Since(started) - result.Times.Detect
	if broken == nil {
		l.readers.Put(in.reader)
	}
	return result, broken
}

// run extracts in a goroutine of its own, so that an extractor that hangs or
// panics costs what it would have found, not what was found before it.
func (in *inspection) run(ctx context.Context, body spooled) (failure, broken error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	in.clock = startClock(in.Deadline, func() { cancel(ErrStalled) })
	defer in.clock.stop()

	done := make(chan error, 1)
	var crashed error // written before done is closed
	go func() {
		defer func() {
			// The process ends after this: see Inspect. The panic's own words
			// may quote the document.
			if recover() != nil {
				crashed = ErrCrashed
				close(done)
			}
		}()
		done <- in.read(ctx, in.doc.Name, body)
	}()
	select {
	case failure = <-done:
	case <-ctx.Done():
		in.stop(context.Cause(ctx))
		select {
		case failure = <-done:
		case <-time.After(in.Grace):
			return context.Cause(ctx), ErrStalled
		}
	}
	if crashed != nil {
		return crashed, crashed
	}
	if cause := context.Cause(ctx); cause != nil {
		failure = cause
	}
	return failure, nil
}

// clock ends a document whose time is up; recognising a picture adds time.
type clock struct {
	mu    sync.Mutex
	until time.Time
	timer *time.Timer
}

func startClock(d time.Duration, expired func()) *clock {
	return &clock{until: time.Now().Add(d), timer: time.AfterFunc(d, expired)}
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer.Stop() {
		c.until = c.until.Add(d)
		c.timer.Reset(time.Until(c.until))
	}
}

func (c *clock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
}
