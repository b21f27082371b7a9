// Package mail reads mail as people keep it: single messages (EML, MHT, MSG),
// mailboxes (MBOX), Outlook's winmail.dat (TNEF), calendars (ICS) and contacts
// (VCF). Attachments and messages in messages are handed on as files.
package mail

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// EML reads a message in the format of the Internet (RFC 5322, MIME), also a
// web page saved as MHT, and files that are signed as such mail is (.p7m).
type EML struct{}

var _ extract.Extractor = EML{}

// NewEML returns the reader of Internet messages.
func NewEML() EML { return EML{} }

// Name implements extract.Extractor.
func (EML) Name() string { return "eml" }

// Version implements extract.Extractor.
func (EML) Version() int { return 2 }

// Accepts implements extract.Extractor.
func (EML) Accepts(_, mediaType string) bool {
	return mediaType == "message/rfc822" || isPKCS7(mediaType)
}

// Extract implements extract.Extractor.
func (EML) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if isPKCS7(in.MediaType) {
		return openSigned(ctx, in, out)
	}
	root, complete, err := parse(ctx, in)
	if err != nil {
		return err
	}
	m := message{in: in, flow: extract.NewFlow(ctx, out), out: out, ctx: ctx}
	m.head(root.header)
	m.part(root, "")
	if !complete {
		m.limit("", fmt.Errorf("mail: parts: %w", extract.ErrLimit))
	}
	if m.failed != nil {
		return m.failed
	}
	if err := m.flow.Close(); err != nil {
		return err
	}
	return m.sealed
}

// message is where reading a mail stands.
type message struct {
	ctx  context.Context
	in   extract.Input
	flow *extract.Flow
	out  extract.Sink

	place    string  // of a message that lies in this one without being a file
	said     wordSet // the words of the plain bodies so far
	attached int
	sealed   error // the whole mail is encrypted
	failed   error // of the sink, below an HTML body
}

// addressFields and otherFields are the header's fields that tell of people.
var (
	addressFields = []string{"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Resent-From", "Resent-To"}
	otherFields   = []string{"Date", "Organization", "Keywords", "Comments"}
)

func (m *message) head(h header) {
	m.flow.Alone(m.at(extract.Title), words(h.get("Subject")))
	for _, name := range addressFields {
		for _, v := range h[strings.ToLower(name)] {
			if v = strings.TrimSpace(words(v)); v != "" {
				m.flow.Alone(m.at(extract.Address), name+": "+v)
			}
		}
	}
	for _, name := range otherFields {
		if v := strings.TrimSpace(words(h.get(name))); v != "" {
			m.flow.Alone(m.at(extract.Property), name+": "+v)
		}
	}
}

// part reads p, which lies in a multipart of the type parent.
func (m *message) part(p *part, parent string) {
	if m.failed != nil || m.flow.Err() != nil {
		return
	}
	top := parent == ""
	switch {
	case p.tooDeep:
		m.limit("", fmt.Errorf("mail: parts in parts: %w", extract.ErrLimit))
	case p.mediaType == "multipart/encrypted":
		m.locked(top, fmt.Errorf("mail: PGP: %w", extract.ErrEncrypted))
	case len(p.children) > 0:
		for _, child := range p.children {
			m.part(child, p.mediaType)
		}
		for _, around := range append([]*part{{start: p.start, end: p.end}}, p.after...) {
			m.around(around)
		}
	case isPKCS7(p.mediaType):
		m.pkcs7(p, top)
	case p.mediaType == "application/pkcs7-signature", p.mediaType == "application/x-pkcs7-signature", p.mediaType == "application/pgp-signature":
	case p.mediaType == "application/x-microsoft-rpmsg-message":
		m.locked(true, fmt.Errorf("mail: rights management: %w", extract.ErrRights))
	case p.mediaType == "message/external-body", p.mediaType == "message/partial":
		m.flow.Gap("", fmt.Errorf("mail: %s: %w", p.mediaType, extract.ErrUnsupported))
	case m.isBody(p):
		m.body(p)
	default:
		m.file(p, parent)
	}
}

// around writes the text before and behind the parts of a multipart, where
// gateways put theirs and mail programs explain themselves.
func (m *message) around(p *part) {
	raw, err := io.ReadAll(io.LimitReader(p.content(m.in), m.in.Limits.Text+1))
	if err != nil {
		m.flow.Gap("", extract.Damaged(err))
	}
	if text := strings.TrimSpace(lineEnds.Replace(extract.DecodeText(raw, ""))); text != "" && !(len(text) < 300 && explains.MatchString(text)) {
		m.flow.Aside(m.at(extract.Hidden), text+"\n")
	}
}

var explains = regexp.MustCompile(`(?i)multi-?part (message|content)|MIME( |-)(format|encoded)|S/MIME`)

// limit notes a limit that only a part has reached; the rest is read.
func (m *message) limit(place string, reason error) {
	m.flow.Flush()
	if m.failed == nil && m.flow.Err() == nil {
		m.failed = m.out.Gap(place, reason)
	}
}

// locked notes what cannot be opened: the whole mail or one of its parts.
func (m *message) locked(whole bool, reason error) {
	if whole {
		m.sealed = reason
		return
	}
	m.flow.Gap("", reason)
}

func (m *message) isBody(p *part) bool {
	if p.attached() || p.fileName() != "" {
		return false
	}
	switch p.mediaType {
	case "text/calendar", "text/vcard", "text/x-vcard", "text/directory", "text/css", "text/csv", "text/xml":
		return false
	case "message/delivery-status", "message/disposition-notification", "text":
		return true
	}
	return strings.HasPrefix(p.mediaType, "text/") || strings.HasPrefix(p.mediaType, "multipart/")
}

// body writes a text of the mail itself.
func (m *message) body(p *part) {
	raw, err := io.ReadAll(io.LimitReader(p.content(m.in), m.in.Limits.Text+1))
	if err != nil {
		m.flow.Gap("", extract.Damaged(err))
	}
	text := extract.DecodeText(raw, p.params["charset"])
	switch p.mediaType {
	case "text/html", "text/x-amp-html", "text/enriched", "text/richtext":
		if p.params["charset"] == "" {
			text = extract.DecodeText(raw, extract.HTMLCharset(raw))
		}
		m.html(text)
		return
	}
	if strings.EqualFold(p.params["format"], "flowed") { // RFC 3676
		join := " "
		if strings.EqualFold(p.params["delsp"], "yes") {
			join = ""
		}
		text = strings.NewReplacer(" \r\n", join, " \n", join).Replace(text)
	}
	m.plain(text)
}

// plain writes a body of plain text.
func (m *message) plain(text string) {
	text = m.uuencoded(lineEnds.Replace(text))
	if strings.Contains(text, "-----BEGIN PGP MESSAGE-----") {
		m.flow.Gap("", fmt.Errorf("mail: PGP: %w", extract.ErrEncrypted))
	}
	m.said.add(text)
	m.flow.In(m.at(extract.Body))
	for line := range strings.Lines(text) {
		m.flow.Write(line)
		m.flow.Line()
	}
}

// uuencoded hands on the attachments that old programs put into the text
// itself, and returns the text without them.
func (m *message) uuencoded(text string) string {
	var rest strings.Builder
	for m.flow.Err() == nil {
		begin := uuBegin.FindStringSubmatchIndex(text)
		if begin == nil {
			break
		}
		length := strings.Index(text[begin[0]:], uuEnd)
		if length < 0 {
			break
		}
		name, body := text[begin[2]:begin[3]], text[begin[0]:begin[0]+length]
		m.attached++
		m.flow.File(extract.File{Name: name, Place: m.place, Role: extract.Attachment, Content: newUuencode(strings.NewReader(body))})
		rest.WriteString(text[:begin[0]])
		text = text[begin[0]+length+len(uuEnd):]
	}
	if rest.Len() == 0 {
		return text
	}
	rest.WriteString(text)
	return rest.String()
}

const uuEnd = "\nend\n"

var uuBegin = regexp.MustCompile(`(?m)^begin [0-7]{3,4} (\S.*)\n[!-` + "`" + `]`)

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "")

func (m *message) at(kind extract.Kind) extract.Part {
	return extract.Part{Kind: kind, Place: m.place}
}

// html writes an HTML body, unless the plain one has said it all.
func (m *message) html(text string) {
	m.flow.Flush()
	if m.flow.Err() != nil {
		return
	}
	held := heldSink{said: &m.said, out: m.out, place: m.place}
	flow := extract.NewFlow(m.ctx, &held)
	err := extract.HTML(strings.NewReader(text), m.in.Limits, flow)
	if closeErr := flow.Close(); closeErr != nil {
		err = closeErr
	}
	if held.err != nil {
		err = held.err
	}
	m.failed = err
}

// file hands on an attachment.
func (m *message) file(p *part, parent string) {
	m.attached++
	name := p.fileName()
	if name == "" {
		name = "attachment " + strconv.Itoa(m.attached) + endings[p.mediaType]
	}
	role := extract.Attachment
	if strings.HasPrefix(p.mediaType, "image/") && !p.attached() && parent == "multipart/related" {
		role = extract.Picture
	}
	m.flow.File(extract.File{Name: name, Role: role, MediaType: p.mediaType, Content: p.content(m.in)})
}

var endings = map[string]string{
	"message/rfc822": ".eml", "text/calendar": ".ics", "text/vcard": ".vcf", "text/x-vcard": ".vcf", "text/html": ".html", "text/plain": ".txt",
	"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "application/ms-tnef": ".dat", "text/css": ".css",
}

// maxWords bounds a wordSet; a body with more has its HTML form read as well.
const maxWords = 100_000

// wordSet holds words, without regard to case.
type wordSet map[string]bool

func (w *wordSet) add(text string) {
	if *w == nil {
		*w = wordSet{}
	}
	for line := range strings.Lines(text) {
		if len(*w) > maxWords {
			return
		}
		for _, word := range strings.FieldsFunc(line, noWord) {
			(*w)[strings.ToLower(word)] = true
		}
	}
}

func (w *wordSet) holds(text string) bool {
	for _, word := range strings.FieldsFunc(text, noWord) {
		if !(*w)[strings.ToLower(word)] {
			return false
		}
	}
	return true
}

func noWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// heldSink holds back what says nothing new and hands on everything from the
// first new word.
type heldSink struct {
	said  *wordSet
	out   extract.Sink
	place string // for text that has none
	held  []func() error
	open  bool
	err   error // of out
}

func (h *heldSink) hand(isNew bool, do func() error) error {
	if !h.open && !isNew {
		h.held = append(h.held, do)
		return nil
	}
	h.open = true
	h.held = append(h.held, do)
	for _, do := range h.held {
		if h.err = do(); h.err != nil {
			return h.err
		}
	}
	h.held = nil
	return nil
}

// Text implements extract.Sink.
func (h *heldSink) Text(p extract.Part, text string) error {
	if p.Place == "" {
		p.Place = h.place
	}
	return h.hand(!h.said.holds(text), func() error { return h.out.Text(p, text) })
}

// Row implements extract.Sink.
func (h *heldSink) Row(p extract.Part, r extract.Row) error {
	return h.hand(!h.said.holds(strings.Join(r.Cells, " ")), func() error { return h.out.Row(p, r) })
}

// File implements extract.Sink.
func (h *heldSink) File(f extract.File) error { return h.out.File(f) }

// Gap implements extract.Sink.
func (h *heldSink) Gap(place string, reason error) error { return h.out.Gap(place, reason) }
