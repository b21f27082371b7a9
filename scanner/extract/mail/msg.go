package mail

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/richardlehane/mscfb"
)

// MSG reads an item of Outlook saved as a file ([MS-OXMSG]): a message,
// appointment, contact, task or note.
type MSG struct{}

var _ extract.Extractor = MSG{}

// NewMSG returns the reader of Outlook items.
func NewMSG() MSG { return MSG{} }

// Name implements extract.Extractor.
func (MSG) Name() string { return "msg" }

// Version implements extract.Extractor.
func (MSG) Version() int { return 1 }

// Accepts implements extract.Extractor.
func (MSG) Accepts(_, mediaType string) bool { return mediaType == "application/vnd.ms-outlook" }

// Extract implements extract.Extractor.
func (MSG) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	storage, err := openStorage(ctx, in)
	if err != nil {
		return err
	}
	m := message{ctx: ctx, in: in, out: out, flow: extract.NewFlow(ctx, out)}
	o := outlook{storage: storage, m: &m}
	o.item("", 0)
	if m.failed != nil {
		return m.failed
	}
	if err := m.flow.Close(); err != nil {
		return err
	}
	if m.sealed == nil && storage.cut {
		return fmt.Errorf("msg: cut off: %w", extract.ErrDamaged)
	}
	return m.sealed
}

// storage is the streams of a compound file, by their path.
type storage struct {
	streams map[string]*mscfb.File
	paths   []string // sorted
	cut     bool     // something is missing
}

func openStorage(ctx context.Context, in extract.Input) (*storage, error) {
	s := &storage{streams: map[string]*mscfb.File{}}
	file, err := mscfb.New(in)
	if err != nil && in.Size > 512 {
		s.cut = true
		file, err = mscfb.New(paddedReader{in})
	}
	if err != nil {
		return nil, fmt.Errorf("msg: compound file: %w", extract.ErrDamaged)
	}
	for {
		e, err := file.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			s.cut = true
			break
		}
		if len(s.paths) >= in.Limits.Entries {
			return nil, fmt.Errorf("msg: streams: %w", extract.ErrLimit)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		path := strings.Join(append(append([]string{}, e.Path...), e.Name), "/")
		if e.FileInfo().IsDir() {
			path += "/"
		}
		s.streams[path] = e
		s.paths = append(s.paths, path)
	}
	sort.Strings(s.paths)
	return s, nil
}

// paddedReader goes on after the end of a file that is cut off: with bytes
// that mean "free" in the tables of a compound file.
type paddedReader struct{ in extract.Input }

// ReadAt implements io.ReaderAt.
func (p paddedReader) ReadAt(b []byte, at int64) (int, error) {
	if at > p.in.Size+maxPadding {
		return 0, io.EOF
	}
	n, err := p.in.ReadAt(b, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, err
	}
	for i := range b[n:] {
		b[n+i] = 0xFF
	}
	return len(b), nil
}

// maxPadding is how much of a file may be missing, in bytes.
const maxPadding = 64 << 20

// read returns a stream's content, at most max bytes of it.
func (s *storage) read(path string, max int64) []byte {
	e := s.streams[path]
	if e == nil || e.Size <= 0 {
		return nil
	}
	content, _ := io.ReadAll(io.LimitReader(s.open(e), max)) // it does not fail
	return content
}

// below returns the names of what lies directly in a folder.
func (s *storage) below(folder string) (names []string) {
	from := sort.SearchStrings(s.paths, folder)
	for _, path := range s.paths[from:] {
		rest, ok := strings.CutPrefix(path, folder)
		if !ok {
			break
		}
		if name := strings.TrimSuffix(rest, "/"); name != "" && !strings.Contains(name, "/") {
			names = append(names, rest)
		}
	}
	return names
}

// outlook is where reading an item stands.
type outlook struct {
	*storage
	m        *message
	messages int    // items in the item so far
	codepage uint32 // of the 8-bit strings of the outermost item
}

// item reads the item whose streams lie in folder.
func (o *outlook) item(folder string, depth int) {
	p := o.properties(folder, 32)
	if depth > 0 {
		p = o.properties(folder, 24)
	} else if o.codepage = p.fixed[messageCodepageID]; o.codepage == 0 {
		o.codepage = p.fixed[internetCodepageID]
	}
	m := o.m
	m.flow.Alone(m.at(extract.Title), p.text(subjectID))
	o.sender(p)
	recipients, attachments := []string{}, []string{}
	for _, name := range o.below(folder) {
		switch {
		case strings.HasPrefix(name, "__recip_version1.0") && strings.HasSuffix(name, "/"):
			recipients = append(recipients, folder+name)
		case strings.HasPrefix(name, "__attach_version1.0") && strings.HasSuffix(name, "/"):
			attachments = append(attachments, folder+name)
		}
	}
	for _, r := range recipients {
		o.recipient(o.properties(r, 8))
	}
	o.body(p)
	o.rest(p)
	m.flow.Flush()
	for _, a := range attachments {
		if m.failed != nil || m.flow.Err() != nil {
			return
		}
		o.attachment(a, o.properties(a, 8), depth)
	}
}

// The identifiers of properties ([MS-OXPROPS]) that are asked for by name.
const (
	subjectID          = 0x0037
	messageClassID     = 0x001A
	representingNameID = 0x0042
	representingMailID = 0x0065
	representingSMTPID = 0x5D02
	senderNameID       = 0x0C1A
	senderMailID       = 0x0C1F
	senderSMTPID       = 0x5D01
	recipientTypeID    = 0x0C15
	bodyID             = 0x1000
	htmlID             = 0x1013
	rtfID              = 0x1009
	displayNameID      = 0x3001
	mailID             = 0x3003
	smtpID             = 0x39FE
	attachDataID       = 0x3701
	attachNameID       = 0x3704
	attachLongNameID   = 0x3707
	attachMIMEID       = 0x370E
	attachContentID    = 0x3712
	internetCodepageID = 0x3FDE
	messageCodepageID  = 0x3FFD
)

// technical are strings that say nothing to or of people, or that are read
// where they belong.
var technical = map[uint16]bool{
	subjectID: true, messageClassID: true, bodyID: true, htmlID: true, rtfID: true,
	0x003D: true, 0x0064: true, 0x0070: true, 0x0075: true, 0x0077: true, 0x007D: true, 0x0E02: true, 0x0E03: true, 0x0E04: true, 0x0E1D: true,
	0x0C1E: true, 0x1035: true, 0x1039: true, 0x1042: true, 0x10F3: true, 0x300B: true, 0x3002: true, 0x3FF8: true, 0x3FFA: true,
	0x0065: true, 0x0078: true, 0x0076: true, 0x5D01: true, 0x5D02: true, 0x5D07: true, 0x5D08: true, 0x0C1F: true, 0x4030: true, 0x4031: true, 0x4038: true, 0x4039: true,
	0x001D: true, 0x403D: true, 0x403E: true, 0x65E2: true, 0x8001: true,
}

// properties are those of one item, recipient or attachment.
type properties struct {
	o      *outlook
	folder string
	fixed  map[uint16]uint32 // the numbers among them
}

func (o *outlook) properties(folder string, head int) properties {
	p := properties{o: o, folder: folder, fixed: map[uint16]uint32{}}
	raw := o.read(folder+"__properties_version1.0", 1<<20)
	for at := head; at+16 <= len(raw); at += 16 {
		tag := binary.LittleEndian.Uint32(raw[at:])
		if kind := tag & 0xFFFF; kind == 0x0003 || kind == 0x000B {
			p.fixed[uint16(tag>>16)] = binary.LittleEndian.Uint32(raw[at+8:])
		}
	}
	return p
}

func (p properties) stream(id uint16, kind string) string {
	return fmt.Sprintf("%s__substg1.0_%04X%s", p.folder, id, kind)
}

// text returns a string property, or "".
func (p properties) text(id uint16) string {
	limit := p.o.m.in.Limits.Text + 1
	if raw := p.o.read(p.stream(id, "001F"), 2*limit); len(raw) > 0 {
		return strings.ReplaceAll(decodeUTF16(raw), "\x00", "")
	}
	if raw := p.o.read(p.stream(id, "001E"), limit); len(raw) > 0 {
		return strings.ReplaceAll(p.decode(raw), "\x00", "")
	}
	return ""
}

// decode reads an 8-bit string in the code page that the item names.
func (p properties) decode(raw []byte) string {
	for _, number := range []uint32{p.fixed[messageCodepageID], p.o.codepage, p.fixed[internetCodepageID]} {
		if number != 0 && number != 20127 {
			text, _ := extract.Codepage(int(number)).NewDecoder().Bytes(raw) // these decoders replace, they do not fail
			return string(text)
		}
	}
	return extract.DecodeText(raw, "")
}

func decodeUTF16(raw []byte) string {
	units := make([]uint16, 0, len(raw)/2)
	for ; len(raw) >= 2; raw = raw[2:] {
		if u := binary.LittleEndian.Uint16(raw); u != 0xFFFF { // no letter: the padding of a file that is cut off
			units = append(units, u)
		}
	}
	return string(utf16.Decode(units))
}

func (p properties) first(ids ...uint16) string {
	for _, id := range ids {
		if s := strings.TrimSpace(p.text(id)); s != "" {
			return s
		}
	}
	return ""
}

func (o *outlook) sender(p properties) {
	o.address("From", p.first(senderNameID), p.first(senderSMTPID, senderMailID))
	if name := p.first(representingNameID); name != p.first(senderNameID) {
		o.address("Sender", name, p.first(representingSMTPID, representingMailID))
	}
}

func (o *outlook) recipient(p properties) {
	role := map[uint32]string{2: "Cc", 3: "Bcc"}[p.fixed[recipientTypeID]&0xF]
	if role == "" {
		role = "To"
	}
	o.address(role, p.first(displayNameID), p.first(smtpID, mailID))
}

// address writes "From: Name <mail>"; Exchange's own addresses are left out.
func (o *outlook) address(role, name, mail string) {
	if strings.HasPrefix(strings.ToUpper(mail), "/O=") {
		mail = ""
	}
	switch {
	case name == "" && mail == "":
		return
	case name == "" || name == mail:
		name = mail
	case mail != "":
		name += " <" + mail + ">"
	}
	o.m.said.add(name)
	o.m.flow.Alone(o.m.at(extract.Address), role+": "+name)
}

// body writes the item's text; the formatted forms only where they say more.
func (o *outlook) body(p properties) {
	text := p.text(bodyID)
	o.m.plain(text)
	page := p.text(htmlID)
	if raw := o.read(p.stream(htmlID, "0102"), o.m.in.Limits.Text+1); len(raw) > 0 {
		page = o.page(p, raw)
	}
	switch {
	case page != "":
		o.m.html(page)
	case strings.TrimSpace(text) == "":
		o.rich(p)
	}
}

func (o *outlook) page(p properties, raw []byte) string {
	if label := extract.HTMLCharset(raw); label != "" {
		return extract.DecodeText(raw, label)
	}
	if number := p.fixed[internetCodepageID]; number != 0 && number != 65001 && number != 20127 {
		text, _ := extract.Codepage(int(number)).NewDecoder().Bytes(raw) // these decoders replace, they do not fail
		return string(text)
	}
	return extract.DecodeText(raw, "")
}

// rich hands on a body that there is only as RTF.
func (o *outlook) rich(p properties) {
	packed := o.read(p.stream(rtfID, "0102"), o.m.in.Limits.Text+1)
	if len(packed) == 0 {
		return
	}
	rtf, err := unpackRTF(packed, o.m.in.Limits.Text)
	if err != nil {
		o.m.flow.Gap(o.m.place, err)
	}
	if len(rtf) > 0 {
		o.m.flow.File(extract.File{Name: "body.rtf", Place: o.m.place, Role: extract.Embedded, MediaType: "application/rtf", Content: bytes.NewReader(rtf)})
	}
}

// rest writes the strings that are left: names, telephones and remarks of
// contacts, places of appointments, categories, fields of forms.
func (o *outlook) rest(p properties) {
	for _, name := range o.below(p.folder) {
		hex, ok := strings.CutPrefix(name, "__substg1.0_")
		if !ok || len(hex) < 8 || hex[4:8] != "001F" && hex[4:8] != "001E" {
			continue
		}
		id, err := strconv.ParseUint(hex[:4], 16, 16)
		if err != nil || technical[uint16(id)] {
			continue
		}
		if text := strings.TrimSpace(p.text(uint16(id))); text != "" && !o.m.said.holds(text) {
			o.m.said.add(text)
			o.m.flow.Alone(o.m.at(extract.Property), text)
		}
	}
}

func (o *outlook) attachment(folder string, p properties, depth int) {
	name := p.first(attachLongNameID, attachNameID, displayNameID)
	inner := p.stream(attachDataID, "000D") + "/"
	data := o.streams[p.stream(attachDataID, "0102")]
	switch {
	case o.streams[inner+"__properties_version1.0"] != nil:
		o.nested(inner, depth)
	case o.streams[inner] != nil:
		o.embedded(inner, name)
	case data == nil || data.Size <= 0:
		o.m.flow.Gap(name, fmt.Errorf("msg: attachment without content: %w", extract.ErrUnsupported))
	case strings.EqualFold(name, "message.rpmsg"):
		o.m.locked(true, fmt.Errorf("msg: rights management: %w", extract.ErrRights))
	case isPKCS7(p.text(attachMIMEID)) || strings.EqualFold(name, "smime.p7m"):
		o.signed(o.read(p.stream(attachDataID, "0102"), o.m.in.Limits.Text+1))
	default:
		o.m.attached++
		if name == "" {
			name = "attachment " + strconv.Itoa(o.m.attached)
		}
		o.m.flow.File(extract.File{Name: name, Place: o.m.place, Role: extract.Attachment, MediaType: p.text(attachMIMEID), Content: o.open(data)})
	}
}

// nested reads a message in the message.
func (o *outlook) nested(folder string, depth int) {
	if depth+1 >= o.m.in.Limits.Depth {
		o.m.limit(o.m.place, fmt.Errorf("msg: messages in messages: %w", extract.ErrLimit))
		return
	}
	o.messages++
	place := o.m.place
	o.m.place = "message " + strconv.Itoa(o.messages)
	o.item(folder, depth+1)
	o.m.flow.Flush()
	o.m.place = place
}

// embedded hands on what an OLE object holds, if that is a document by itself.
func (o *outlook) embedded(folder, name string) {
	for _, stream := range []string{"Package", "CONTENTS", "Contents"} {
		if e := o.streams[folder+stream]; e != nil && e.Size > 0 {
			o.m.flow.File(extract.File{Name: name, Place: o.m.place, Role: extract.Embedded, Content: o.open(e)})
			return
		}
	}
	o.m.flow.Gap(name, fmt.Errorf("msg: embedded object: %w", extract.ErrUnsupported))
}

// signed opens what S/MIME only signs.
func (o *outlook) signed(raw []byte) {
	content := signedContent(raw)
	if content == nil && hasMIMEHead(raw) {
		content = raw
	}
	if content == nil {
		o.m.locked(true, fmt.Errorf("msg: S/MIME: %w", extract.ErrCertificate))
		return
	}
	o.m.flow.File(extract.File{Name: "signed.eml", Place: o.m.place, Role: extract.Attachment, MediaType: "message/rfc822", Content: bytes.NewReader(content)})
}

func hasMIMEHead(raw []byte) bool {
	head := strings.ToLower(string(raw[:min(len(raw), 40)]))
	return strings.HasPrefix(head, "content-type:") || strings.HasPrefix(head, "mime-version:")
}

// open reads a stream from its start. One that is damaged ends where it
// breaks, so that what there is of it is read.
func (s *storage) open(e *mscfb.File) io.Reader {
	if _, err := e.Seek(0, io.SeekStart); err != nil {
		s.cut = true
		return io.LimitReader(e, 0)
	}
	return &streamReader{e: e, s: s}
}

type streamReader struct {
	e    *mscfb.File
	s    *storage
	read int64
}

// Read implements io.Reader.
func (r *streamReader) Read(p []byte) (int, error) {
	n, err := r.e.Read(p)
	r.read += int64(n)
	if err != nil {
		r.s.cut = r.s.cut || !errors.Is(err, io.EOF) || r.read < r.e.Size
		err = io.EOF
	}
	return n, err
}
