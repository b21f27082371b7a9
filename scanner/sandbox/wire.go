package sandbox

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/scanner/inspect"
)

// The two sides speak in frames: a type, a length (4 bytes, big-endian) and a
// payload, JSON except for chunks. JSON, because a child that a document took
// over may send anything.
//
//	parent → child   handshake, then for each document: begin, chunk…, end (or abort)
//	child → parent   ready, then for each document: progress…, text…, answer
type frame byte

const (
	frameHandshake frame = 'H' // Handshake
	frameBegin     frame = 'D' // begin
	frameChunk     frame = 'C' // raw bytes of the document
	frameEnd       frame = 'E' // empty: the document is complete
	frameAbort     frame = 'X' // empty: its content could not be read, forget it
	frameReady     frame = 'R' // ready
	frameProgress  frame = 'P' // 8 bytes: text read so far
	frameText      frame = 'T' // inspect.TextPart
	frameAnswer    frame = 'A' // answer
)

const (
	chunkSize = 256 << 10
	// maxFrame bounds what one side believes the other. The largest honest
	// frame is a text part: as long as Limits.Text allows, JSON doubled.
	maxFrame = 256 << 20
	// maxAnswer bounds an answer: evidence is at most a few hundred kilobytes,
	// an explanation of a large document some megabytes.
	maxAnswer = 32 << 20
)

// begin announces a document.
type begin struct {
	Name, Path string
	Size       int64
	OCR        inspect.OCR
	Options    patterns.Options
	Text       bool  // send the text back
	Trace      bool  // report progress after every piece of text
	StopAfter  int64 // end there, as crashed: what follows killed a child before
}

// ready says that a child takes documents, and what protects us from it.
type ready struct {
	Protections []Protection
	Error       string // why there will be no child: build failed
}

// answer closes a document.
type answer struct {
	Result inspect.Result
	Broken string // the inspector failed for a reason that is not the document's
	Last   bool   // the child ends after this: it is unfit or too large
}

var errFrame = errors.New("sandbox: broken frame")

// wire is one side of the pipes. It is not safe for concurrent use, except
// that one goroutine may read while another writes.
type wire struct {
	in  *bufio.Reader
	out *bufio.Writer
}

func newWire(in io.Reader, out io.Writer) *wire {
	return &wire{bufio.NewReaderSize(in, 64<<10), bufio.NewWriterSize(out, 64<<10)}
}

func (w *wire) send(f frame, payload []byte) error {
	var head [5]byte
	head[0] = byte(f)
	binary.BigEndian.PutUint32(head[1:], uint32(len(payload)))
	if _, err := w.out.Write(head[:]); err != nil {
		return err
	}
	_, err := w.out.Write(payload)
	return err
}

func (w *wire) sendJSON(f frame, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return unspeakable{fmt.Errorf("sandbox: %w", err)}
	}
	return w.send(f, b)
}

// unspeakable is something that cannot be sent: we are broken, not the child.
type unspeakable struct{ error }

// next reads a frame's head; its payload of n bytes follows in w.in.
func (w *wire) next() (frame, int, error) {
	var head [5]byte
	if _, err := io.ReadFull(w.in, head[:]); err != nil {
		return 0, 0, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxFrame {
		return 0, 0, errFrame
	}
	return frame(head[0]), int(n), nil
}

// payload reads a frame's n bytes, without believing in n before they come.
func (w *wire) payload(n int) ([]byte, error) {
	if n <= 64<<10 {
		b := make([]byte, n)
		_, err := io.ReadFull(w.in, b)
		return b, err
	}
	b, err := io.ReadAll(io.LimitReader(w.in, int64(n)))
	if err == nil && len(b) < n {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

func (w *wire) decode(n int, v any) error {
	b, err := w.payload(n)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %T", errFrame, v) // json's own words quote the frame
	}
	return nil
}
