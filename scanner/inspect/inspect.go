// Package inspect looks into one document: extract the text, detect, mask. It
// is the only code that ever holds document text.
package inspect

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
)

// Inspector turns a document into evidence. Implementations are safe for
// concurrent use.
type Inspector interface {
	// Inspect reads doc to its end, unless a limit ends it before. Whatever
	// is wrong with the document stands in the Result; an error means that
	// the context ended, that Content failed (the error wraps Content's own),
	// or that we are broken.
	Inspect(ctx context.Context, doc Document) (Result, error)
}

// Document is what to look into.
type Document struct {
	Name    string // file name
	Path    string // folders and name, as the source shows them
	Size    int64  // bytes; -1: unknown until Content ends
	Content io.Reader
	OCR     OCR
	Options patterns.Options
	// Progress, if set, is told after every piece how many bytes of text were
	// read. An error from it ends the inspection with what was found.
	Progress func(chars int64) error
	// Text, if set, gets the extracted text, part by part, for `molnvakt
	// text`. It is never set by scans.
	Text func(TextPart) error
}

// OCR says what to do with pictures.
type OCR string

// What to do with pictures.
const (
	OCRDefer OCR = "defer" // count them, so that the document can be queued for text recognition
	OCRScans OCR = "scans" // recognise pages that are pictures
	OCRAll   OCR = "all"   // illustrations too
	OCROff   OCR = "off"
)

// Result is all that leaves the inspection: no text, only evidence.
type Result struct {
	Status    Status
	Gaps      []Gap // why Status is not OK; also gaps inside the document
	MediaType string
	Extractor string // name of the outermost extractor; "" if none
	// NameMismatch: the ending of the name does not fit the content.
	NameMismatch bool
	Content      patterns.Content
	Steps        []patterns.Step // if Options.Explain
	Bytes        int64           // of the document
	Chars        int64           // bytes of text extracted
	Files        int             // documents inside the document, all depths
	PendingOCR   int             // scans left out because of OCRDefer
	// PendingPictures counts illustrations left out because of OCRDefer; only
	// OCRAll would read them.
	PendingPictures int
	Times           Times
}

// Times is where the time of one document went.
type Times struct{ Read, Extract, Detect time.Duration }

// Status is how reading a document ended.
type Status string

// The statuses, of which each document gets one.
const (
	OK          Status = "ok"
	Partial     Status = "partial"
	Encrypted   Status = "encrypted"
	Unsupported Status = "unsupported"
	Damaged     Status = "damaged"
	Limit       Status = "limit"
	Timeout     Status = "timeout"
	Crashed     Status = "crashed"
)

// Gap is a part of a document, or the whole, that was not read.
type Gap struct {
	Place  string // "" for the whole document
	Reason string // a short code: "encrypted", "rights", "certificate", "unsupported", "damaged", "limit", "timeout", "crashed", "no-ocr", "ocr-pending", "ocr-off", "mismatch", "patterns"
	Detail string // technical, never content: "depth", "text", "application/x-7z-compressed", the name of an own pattern
}

// TextPart is a piece of extracted text.
type TextPart struct {
	Kind, Place string
	Text        string
	Row         int // > 0: a row of a table, cells separated by tabs
}

// Why an inspection did not come back.
var (
	ErrCrashed = errors.New("inspection crashed")
	ErrStalled = errors.New("inspection took too long")
)
