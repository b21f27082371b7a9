// Package extract turns documents into text. Each sub-package knows one family
// of formats. Extractors read hostile input: they run in a sandbox process.
package extract

import (
	"context"
	"errors"
	"io"
)

// Extractor reads one family of formats. Implementations keep no state
// between calls, are safe for concurrent use and pass extracttest.Run.
type Extractor interface {
	// Name is how logs, reports and stored coverage call it: "pdf".
	Name() string
	// Version goes up whenever the output can change: documents are read again.
	Version() int
	// Accepts decides from name and media type alone; it does no I/O. The
	// media type is what Sniff saw in the content, never the sender's claim.
	Accepts(name, mediaType string) bool
	// Extract writes everything it can read to out, in reading order. An
	// error wraps one of this package's, or is the Sink's or the context's
	// own; what was written before it is kept. Errors never quote the content.
	Extract(ctx context.Context, in Input, out Sink) error
}

// Preparer is an Extractor that has slow work to do once and for all, such as
// filling a cache of compiled code. It is called before documents come, while
// files can still be written; where all is done it takes no time.
type Preparer interface {
	Prepare(ctx context.Context) error
}

// Input is the document to read.
type Input struct {
	Name      string // file name, without folders
	MediaType string // from Sniff
	Size      int64  // bytes
	io.ReaderAt

	Passwords []string // to try on encrypted documents, after the empty one
	Scratch   string   // a private folder that is wiped after the document; "" if there is none
	Limits    Limits

	// OCR asks for the text in pictures. Without it a picture gives only what
	// is written beside its pixels, and ErrOCRDeferred if there may be more.
	OCR bool
}

// Reader returns the whole input as a stream.
func (in Input) Reader() *io.SectionReader { return io.NewSectionReader(in, 0, in.Size) }

// Limits bound one document, everything inside it included. The Sink counts
// text and files; an Extractor checks what only it can know.
type Limits struct {
	Text    int64 // bytes of text
	Inflate int64 // bytes after decompression
	Entries int   // files, sheets, parts
	Depth   int   // files in files; XML has XMLDepth
	XML     int   // depth of XML elements
	Token   int   // bytes between '<' and '>'
}

// DefaultLimits are what extraction.md measured as generous and safe.
func DefaultLimits() Limits {
	return Limits{Text: 64 << 20, Inflate: 1 << 30, Entries: 20_000, Depth: 8, XML: 2_000, Token: 16 << 20}
}

// Sink takes what an Extractor reads. An error from it ends the extraction and
// is returned unchanged.
type Sink interface {
	// Text takes a run of text. Pieces of one Part follow each other; a piece
	// ends at a line's or paragraph's end unless the line itself is too long,
	// and never inside a rune.
	Text(p Part, text string) error
	// Row takes one row of a table; rows of one table share the Part and
	// follow each other. A cell's place is p.Place + "!" + its A1 name.
	Row(p Part, r Row) error
	// File takes a document inside the document. Content is read before File
	// returns, or not at all.
	File(f File) error
	// Gap notes a part that could not be read while the rest could. The
	// reason wraps one of this package's errors.
	Gap(place string, reason error) error
}

// Part says where in a document a text stands.
type Part struct {
	Kind Kind
	// Place is for people and the same in every language: "page 3",
	// "slide 2", "Blad1" (the sheet's own name), "table 2", "line 120",
	// "" for a document without inner places. reports/locale translates it.
	Place string
}

// Kind is the role of a text in its document.
type Kind string

// The kinds of text.
const (
	Body       Kind = "body"
	Title      Kind = "title"      // the document's title, also a mail's subject
	Heading    Kind = "heading"    //
	Header     Kind = "header"     // page header and footer
	Footer     Kind = "footer"     //
	Note       Kind = "note"       // footnotes, endnotes, speaker notes
	Comment    Kind = "comment"    // comments, annotations
	Deleted    Kind = "deleted"    // tracked deletions
	Hidden     Kind = "hidden"     // hidden sheets, rows, slides, text
	TextBox    Kind = "textbox"    //
	FormField  Kind = "field"      // what somebody filled in
	Property   Kind = "property"   // author, keywords, custom properties
	Recognised Kind = "recognised" // by OCR: expect misread letters
	Address    Kind = "address"    // a mail's From, To, Cc: "From: Namn <a@b.se>"
	Code       Kind = "code"       // source code, logs, configuration
)

// Row is one row of a table.
type Row struct {
	Number int      // 1-based, as the document counts it
	Cells  []string // from column A, empty where there is nothing
	Header bool     // the document itself says that this row names the columns
}

// File is a document inside a document.
type File struct {
	Name      string // its own name, or one that says what it is: "image1.png"
	Place     string // where it stands in its parent: "page 3"; "" for archives
	Role      Role
	MediaType string // the container's claim, a hint only; Sniff decides
	Content   io.Reader
}

// Role says why a file lies inside a document.
type Role string

// The roles.
const (
	Entry      Role = "entry"      // of an archive
	Attachment Role = "attachment" // of a mail or PDF
	Embedded   Role = "embedded"   // an object in an office document
	Picture    Role = "picture"    // an illustration
	Scan       Role = "scan"       // a page that is a picture: its text is only there
)

// Reasons a document or a part of it could not be read. Each becomes a gap.
var (
	ErrUnsupported = errors.New("format not supported")
	ErrEncrypted   = errors.New("protected by a password")
	ErrRights      = errors.New("protected by rights management") // IRM, MIP
	ErrCertificate = errors.New("encrypted for a certificate")    // S/MIME, PDF public-key
	ErrDamaged     = errors.New("damaged document")
	ErrLimit       = errors.New("over a limit")
	ErrNoOCR       = errors.New("no text recognition installed")
	ErrOCRDeferred = errors.New("waits for text recognition")
	ErrOCROff      = errors.New("text recognition is turned off")
)
