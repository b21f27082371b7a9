// Package ole reads the office documents of 1995–2006 and what else lives in
// compound files: Word, Excel and PowerPoint ([MS-DOC], [MS-XLS], [MS-PPT]),
// their embedded objects, pictures, macros and properties. It names how a
// protected document is protected, and opens those whose password is known.
package ole

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Extractor reads compound files. The zero value is ready.
type Extractor struct{}

// Name implements extract.Extractor.
func (Extractor) Name() string { return "ole" }

// Version implements extract.Extractor.
func (Extractor) Version() int { return 3 }

// Accepts implements extract.Extractor.
func (Extractor) Accepts(_, mediaType string) bool {
	switch strings.ToLower(mediaType) {
	case "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/vnd.visio",
		"application/vnd.ms-project", "application/vnd.ms-publisher", "application/x-mspublisher", "application/vnd.ms-works",
		"application/x-ole-storage", extract.EncryptedOOXML:
		return true
	}
	return false
}

// Extract implements extract.Extractor.
func (Extractor) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d := &document{ctx: ctx, in: in, flow: extract.NewFlow(ctx, out), done: map[*stream]bool{}}
	if err := d.read(); err != nil {
		if closing := d.flow.Close(); closing != nil {
			return closing
		}
		return err
	}
	return d.flow.Close()
}

// document is one file on its way through.
type document struct {
	ctx  context.Context
	in   extract.Input
	file *compound
	flow *extract.Flow
	done map[*stream]bool
	// known: some part was of a kind that has a reader.
	known bool
	// lockedPictures: of a presentation that a password opened, the pictures
	// are encrypted in a way of their own.
	lockedPictures bool
}

func (d *document) read() error {
	if bare := d.bareStream(); bare != nil {
		return bare()
	}
	file, err := openCompound(d.ctx, d.in)
	if errors.Is(err, extract.ErrDamaged) {
		d.strings(d.in.Reader()) // what is left may still be read by eye
	}
	if err != nil {
		return err
	}
	d.file = file
	if err := d.protection(); err != nil {
		return err
	}
	err = d.storage("", 0)
	d.leftovers()
	switch {
	case err != nil:
		return err
	case !d.known && d.flow.Err() == nil:
		return fmt.Errorf("ole: unknown kind of compound file: %w", extract.ErrUnsupported)
	case file.damaged:
		d.flow.Gap("", fmt.Errorf("ole: cut off: %w", extract.ErrDamaged))
	}
	return nil
}

// bareStream recognises the documents from before compound files: Word 2 and
// Excel 4 and older.
func (d *document) bareStream() func() error {
	head := make([]byte, 8)
	if n, _ := d.in.ReadAt(head, 0); n < 8 {
		return nil
	}
	switch {
	case head[0] == 0xDB && head[1] == 0xA5 || head[0] == 0xEC && head[1] == 0xA5:
		return func() error {
			content := make([]byte, d.in.Size)
			n, _ := d.in.ReadAt(content, 0)
			return d.word(content[:n], nil, nil, "")
		}
	case head[0] == 9 && (head[1] == 0 || head[1] == 2 || head[1] == 4 || head[1] == 8) && head[3] == 0:
		return func() error { return d.excel(d.in.Reader(), "") }
	}
	return nil
}

// protection recognises documents that are wholly encrypted: OOXML in a
// compound file, by password ([MS-OFFCRYPTO] 2.3) or rights management (2.2).
func (d *document) protection() error {
	for _, s := range d.file.streams {
		if strings.Contains(s.path+s.name, "DRMEncrypted") || strings.Contains(s.name, "DRMContent") || strings.Contains(s.path, "DRMTransform") {
			return fmt.Errorf("ole: %w", extract.ErrRights)
		}
	}
	if d.file.find("", "EncryptedPackage") != nil {
		d.known = true
		return d.decryptPackage()
	}
	return nil
}

// storage reads the document whose streams lie at path, and then those
// embedded in it.
func (d *document) storage(path string, depth int) error {
	if depth > d.in.Limits.Depth {
		return fmt.Errorf("ole: objects in objects: %w", extract.ErrLimit)
	}
	d.properties(path)
	find := func(name string) *stream {
		s := d.file.find(path, name)
		if s != nil {
			d.done[s] = true
		}
		return s
	}
	var failed error
	if s := find("WordDocument"); s != nil {
		d.known = true
		failed = d.word(s.bytes(), find("0Table").bytes(), find("1Table").bytes(), path)
		d.pictures(find("Data").bytes(), path)
	}
	book := find("Workbook")
	if book == nil {
		book = find("Book")
	}
	if book != nil {
		d.known = true
		failed = d.excel(book.reader(), path)
	}
	if s := find("PowerPoint Document"); s != nil {
		d.known = true
		failed = d.powerPoint(s.bytes(), find("Current User").bytes())
		if b := find("Pictures").bytes(); !d.lockedPictures {
			d.pictures(b, path)
		} else if len(b) > 0 {
			d.flow.Gap("Pictures", fmt.Errorf("powerpoint: pictures: %w", extract.ErrEncrypted))
		}
	}
	d.flow.Flush()
	d.objects(path, depth)
	return failed
}

// objects reads what is embedded in the document at path.
func (d *document) objects(path string, depth int) {
	for _, s := range d.file.streams {
		if d.done[s] || !strings.HasPrefix(s.path, path) || d.flow.Err() != nil {
			continue
		}
		switch name := strings.ToLower(s.name); {
		case s.path == "" && name != "package" && name != "\x01ole10native" && name != "contents":
		case name == "worddocument", name == "workbook", name == "book", name == "powerpoint document":
			if s.path != path {
				d.flow.Gap("embedded object", d.storage(s.path, depth+1))
			}
		case name == "package", name == "embeddedodf", name == "contents" && d.isFile(s):
			d.done[s] = true
			d.known = true
			d.flow.File(extract.File{Name: s.name, Role: extract.Embedded, Content: s.reader()})
		case name == "contents" && d.known: // what a form's control holds
			d.done[s] = true
			d.flow.Flush()
			d.strings(s.reader())
		case strings.HasPrefix(name, "__substg1.0_"):
			d.done[s] = true
			d.message(s, name)
		case name == "\x01ole10native":
			d.done[s] = true
			d.known = true
			d.native(s.bytes())
		}
	}
	d.macros()
}

// message reads a property of a mail that lies in the document ([MS-OXMSG]
// 2.4): of its subject, people and body. What is attached to it is a gap.
func (d *document) message(s *stream, name string) {
	property, wide := strings.CutSuffix(strings.TrimPrefix(name, "__substg1.0_"), "001f")
	property, narrow := strings.CutSuffix(property, "001e")
	part := extract.Part{Kind: extract.Body}
	switch property {
	case "0037":
		part.Kind = extract.Title
	case "0c1a", "0e04", "0e03", "3001", "39fe":
		part.Kind = extract.Address
	case "1000":
	case "37010102":
		d.flow.Gap("attachment", fmt.Errorf("ole: of a mail in the document: %w", extract.ErrUnsupported))
		return
	default:
		return
	}
	d.known = true
	switch {
	case wide:
		d.flow.Alone(part, utf16String(s.bytes()))
	case narrow:
		d.flow.Alone(part, decode(s.bytes(), 1252))
	}
}

// isFile tells a file that was embedded as it is from other programs' data.
func (d *document) isFile(s *stream) bool {
	head := make([]byte, 8)
	n, _ := s.ReadAt(head, 0)
	mediaType := extract.Sniff("", s.reader(), s.size)
	return n == len(head) && mediaType != "application/octet-stream" && !strings.HasPrefix(mediaType, "text/")
}

// native hands over a file that was packed into a document ([MS-OLEDS]
// 2.3.6, and the shell's wrapping of it: label, path, length, content).
func (d *document) native(b []byte) {
	name, content := "object", b
	if len(b) > 6 && le.Uint16(b[4:]) == 2 {
		if label, rest, ok := bytes.Cut(b[6:], []byte{0}); ok {
			if _, rest, ok = bytes.Cut(rest, []byte{0}); ok && len(rest) > 8 {
				skip := int64(le.Uint32(rest[4:])) + 8
				if skip+4 <= int64(len(rest)) {
					name = decode(label, 1252)
					content = rest[skip+4:]
					content = content[:min(int64(le.Uint32(rest[skip:])), int64(len(content)))]
				}
			}
		}
	} else if len(b) > 4 {
		content = b[4:]
	}
	d.flow.File(extract.File{Name: name, Role: extract.Embedded, Content: bytes.NewReader(content)})
}

// leftovers looks into a compound file of a kind nobody knows: files that lie
// in it as they are, else whatever looks like text, so that it is not wholly
// silent.
func (d *document) leftovers() {
	if d.known || d.flow.Err() != nil {
		return
	}
	for _, s := range d.file.streams {
		if !d.done[s] && d.isFile(s) && d.flow.Err() == nil {
			d.done[s] = true
			d.known = true
			d.flow.File(extract.File{Name: s.name, Role: extract.Embedded, Content: s.reader()})
		}
	}
	if d.known {
		return
	}
	for _, s := range d.file.streams {
		if d.done[s] || strings.HasPrefix(s.name, "\x05") || d.flow.Err() != nil {
			continue
		}
		d.strings(s.reader())
	}
}

// strings writes the runs of UTF-16 and 8-bit letters in r.
func (d *document) strings(r io.Reader) {
	const most = 8 << 20
	b, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return
	}
	d.flow.In(extract.Part{Kind: extract.Body})
	for i := 0; i < len(b) && d.flow.Err() == nil; {
		if n := wideRun(b[i:]); n >= 16 {
			d.flow.Write(utf16String(b[i : i+n]))
			d.flow.Line()
			i += n
		} else if n := narrowRun(b[i:]); n >= 20 {
			d.flow.Write(decode(b[i:i+n], 1252))
			d.flow.Line()
			i += n
		} else {
			i += max(1, n)
		}
	}
}

// wideRun counts the bytes of the UTF-16LE letters that b begins with.
func wideRun(b []byte) int {
	n := 0
	for n+1 < len(b) && b[n+1] == 0 && printable(b[n]) {
		n += 2
	}
	return n
}

// narrowRun counts the 8-bit letters that b begins with.
func narrowRun(b []byte) int {
	n := 0
	for n < len(b) && printable(b[n]) {
		n++
	}
	return n
}

func printable(c byte) bool { return c >= ' ' && c < 0x7F || c >= 0xC0 || c == '\t' || c == 0xA0 }

// decode reads 8-bit text of a Windows code page.
func decode(b []byte, codepage int) string {
	s, err := extract.Codepage(codepage).NewDecoder().Bytes(b)
	if err != nil {
		return string(b)
	}
	return string(s)
}
