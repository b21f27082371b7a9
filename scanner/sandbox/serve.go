package sandbox

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/inspect"
)

// Serve is the child's side: it builds an inspector from the handshake, lets it
// Prepare, shuts itself in, says that it is ready and answers documents until stdin ends or
// it is unfit to go on. What build needs of the machine (dictionaries,
// compiled code) it must read before it returns: afterwards there are no files
// but Handshake.Scratch and, to read, Handshake.Cache and what programs need.
//
// It redirects os.Stdout, so that no library can talk into the protocol.
func Serve(stdin io.Reader, stdout io.Writer, build func(Handshake) (inspect.Inspector, error)) error {
	os.Stdout = os.Stderr
	debug.SetMaxStack(maxStack)
	closeStrays()
	w := newWire(stdin, stdout)
	var h Handshake
	kind, n, err := w.next()
	if err == nil && kind != frameHandshake {
		err = errFrame
	}
	if err == nil {
		err = w.decode(n, &h)
	}
	if err != nil {
		return fmt.Errorf("sandbox handshake: %w", err)
	}
	inspector, err := build(h)
	if p, ok := inspector.(extract.Preparer); ok && err == nil {
		err = p.Prepare(context.Background())
	}
	if err != nil {
		return errors.Join(err, w.reply(frameReady, ready{Error: err.Error()}))
	}
	readAhead()
	debug.FreeOSMemory() // what building took
	forgetStartUp()
	protections := shutIn(h)
	if err := w.reply(frameReady, ready{Protections: protections}); err != nil {
		return err
	}
	s := &server{wire: w, handshake: h, inspector: inspector}
	for {
		last, err := s.document()
		if errors.Is(err, io.EOF) || last && err == nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// maxStack ends a runaway recursion, in bytes, before it costs seconds.
const maxStack = 128 << 20

// readAhead reads what the standard library would look for in files later.
func readAhead() {
	_ = time.Now().Local().String()
	_ = mime.TypeByExtension(".txt")
}

func (w *wire) reply(f frame, v any) error {
	if err := w.sendJSON(f, v); err != nil {
		return err
	}
	return w.out.Flush()
}

type server struct {
	*wire
	handshake Handshake
	inspector inspect.Inspector
}

// document answers one document; last says that the child must end.
func (s *server) document() (last bool, err error) {
	kind, n, err := s.next()
	if err != nil {
		return false, err
	}
	var b begin
	if kind != frameBegin {
		return false, errFrame
	}
	if err := s.decode(n, &b); err != nil {
		return false, err
	}
	content := &chunks{in: s.in, wire: s.wire}
	doc := inspect.Document{
		Name: b.Name, Path: b.Path, Size: b.Size, OCR: b.OCR, Options: b.Options,
		Content: content, Progress: s.progress(b),
	}
	if b.Text {
		doc.Text = func(part inspect.TextPart) error { return s.reply(frameText, part) }
	}
	if b.Size >= largeDocument {
		defer debug.SetGCPercent(debug.SetGCPercent(largeGarbage))
	}
	result, failure := s.inspector.Inspect(context.Background(), doc)
	if content.aborted {
		return false, s.wipe()
	}
	if err := content.drain(); err != nil {
		return false, err
	}
	a := answer{Result: result}
	switch {
	case errors.Is(failure, inspect.ErrStalled), errors.Is(failure, inspect.ErrCrashed):
		a.Last = true
	case failure != nil:
		a.Broken = failure.Error()
	}
	if err := s.wipe(); err != nil && a.Broken == "" {
		a.Broken = "wipe scratch folder: " + err.Error()
	}
	a.Last = a.Last || s.bloated()
	return a.Last, s.reply(frameAnswer, a)
}

// largeDocument is how many bytes of a document are no garbage until its end,
// and must not count for how much garbage may gather beside them;
// largeGarbage is how much may then, in percent.
const (
	largeDocument = 4 << 20
	largeGarbage  = 20
)

// progress tells the parent how far the text has come: often enough to know
// what killed a child, rarely enough to cost nothing.
func (s *server) progress(b begin) func(int64) error {
	const interval = 20 * time.Millisecond
	told := time.Now()
	return func(chars int64) error {
		if b.StopAfter > 0 && chars >= b.StopAfter {
			return inspect.ErrCrashed
		}
		if !b.Trace && time.Since(told) < interval {
			return nil
		}
		told = time.Now()
		if err := s.send(frameProgress, binary.BigEndian.AppendUint64(nil, uint64(chars))); err != nil {
			return err
		}
		return s.out.Flush()
	}
}

// wipe empties the scratch folder.
func (s *server) wipe() error {
	entries, err := os.ReadDir(s.handshake.Scratch)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(s.handshake.Scratch, e.Name())))
	}
	return err
}

// bloated tells whether the process holds more memory than a child should
// carry into its next document.
func (s *server) bloated() bool {
	if s.handshake.Retire <= 0 || footprint() < s.handshake.Retire {
		return false
	}
	debug.FreeOSMemory()
	return footprint() >= s.handshake.Retire
}

// footprint is the memory that the Go runtime holds from the system, in bytes.
func footprint() int64 {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
}

// chunks is a document's content as it comes through the pipe.
type chunks struct {
	in      *bufio.Reader
	wire    *wire
	left    int // bytes of the current chunk
	ended   bool
	aborted bool
	err     error
}

var errAborted = errors.New("sandbox: the document's content ended with an error")

// Read implements io.Reader.
func (c *chunks) Read(p []byte) (int, error) {
	for c.left == 0 {
		if err := c.advance(); err != nil {
			return 0, err
		}
	}
	n, err := c.in.Read(p[:min(len(p), c.left)])
	c.left -= n
	if err != nil {
		c.err = io.ErrUnexpectedEOF // the parent is gone
		return n, c.err
	}
	return n, nil
}

// advance goes to the next chunk, io.EOF at the document's end.
func (c *chunks) advance() error {
	switch {
	case c.err != nil:
		return c.err
	case c.aborted:
		return errAborted
	case c.ended:
		return io.EOF
	}
	kind, n, err := c.wire.next()
	if err != nil {
		c.err = io.ErrUnexpectedEOF
		return c.err
	}
	switch kind {
	case frameChunk:
		c.left = n
		return nil
	case frameEnd:
		c.ended = true
		return io.EOF
	case frameAbort:
		c.aborted = true
		return errAborted
	}
	c.err = errFrame
	return errFrame
}

// drain reads what an inspector left unread.
func (c *chunks) drain() error {
	_, err := io.Copy(io.Discard, struct{ io.Reader }{c})
	if errors.Is(err, errAborted) {
		return nil
	}
	return err
}
