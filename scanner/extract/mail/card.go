package mail

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Card reads calendars (RFC 5545) and contacts (RFC 6350 and the vCards
// before it). Contacts and events are told apart by their places.
type Card struct{}

var _ extract.Extractor = Card{}

// NewCard returns the reader of calendars and contacts.
func NewCard() Card { return Card{} }

// Name implements extract.Extractor.
func (Card) Name() string { return "card" }

// Version implements extract.Extractor.
func (Card) Version() int { return 1 }

// Accepts implements extract.Extractor.
func (Card) Accepts(_, mediaType string) bool {
	return mediaType == "text/calendar" || mediaType == "text/vcard"
}

// maxField is where a field of a card is cut, in bytes: photographs are long.
const maxField = 16 << 20

// Extract implements extract.Extractor.
func (Card) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	text, err := extract.TextReader(in, in.Size, "")
	if err != nil {
		return extract.Damaged(err)
	}
	c := cards{flow: extract.NewFlow(ctx, out)}
	c.flow.In(extract.Part{Kind: extract.Body})
	lines := bufio.NewReaderSize(text, lineBuffer)
	var field []byte
	for {
		line, err := lines.ReadSlice('\n')
		ended := err == nil
		if len(field) > 0 && c.fresh && !c.folded(field, line) {
			c.field(field)
			field = field[:0]
		} else if len(field) > 0 && c.fresh {
			if line[0] == ' ' || line[0] == '\t' {
				line = line[1:]
			} else {
				field = field[:len(field)-1] // the "=" of a soft line break
			}
		}
		c.fresh = ended
		if len(field) < maxField {
			field = append(field, bytes.TrimRight(line, "\r\n")...)
		}
		if c.flow.Err() != nil || err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			c.field(field)
			if closeErr := c.flow.Close(); closeErr != nil || errors.Is(err, io.EOF) {
				return closeErr
			}
			return extract.Damaged(err)
		}
	}
}

// cards is where reading cards stands.
type cards struct {
	flow   *extract.Flow
	fresh  bool // the last line was whole
	number int  // cards and events begun
	photos int
}

// folded says whether line goes on with field: it begins with a space, or the
// field is quoted-printable and ends in "=".
func (c *cards) folded(field, line []byte) bool {
	if len(line) > 0 && (line[0] == ' ' || line[0] == '\t') {
		return true
	}
	name, _, _ := bytes.Cut(field, []byte(":"))
	return len(field) > 0 && field[len(field)-1] == '=' && bytes.Contains(bytes.ToUpper(name), []byte("QUOTED-PRINTABLE"))
}

func (c *cards) field(raw []byte) {
	head, value, ok := strings.Cut(string(raw), ":")
	if !ok || c.flow.Err() != nil {
		return
	}
	params := strings.Split(strings.ToUpper(head), ";")
	name := params[0][strings.LastIndexByte(params[0], '.')+1:]
	encoding := ""
	for _, p := range params[1:] {
		switch p {
		case "ENCODING=QUOTED-PRINTABLE", "QUOTED-PRINTABLE":
			encoding = "quoted-printable"
		case "ENCODING=B", "ENCODING=BASE64", "BASE64":
			encoding = "base64"
		}
	}
	switch {
	case name == "BEGIN":
		c.begin(strings.ToUpper(strings.TrimSpace(value)))
	case encoding == "base64" || strings.HasPrefix(value, "data:"):
		c.picture(name, value)
	case silentFields[name] || strings.TrimSpace(value) == "":
	default:
		if encoding == "quoted-printable" {
			decoded, _ := io.ReadAll(newQuotedPrintable(strings.NewReader(value))) // a string does not fail
			value = extract.DecodeText(decoded, "")
		}
		c.write(name, params[1:], head, value)
	}
}

// silentFields are for programs.
var silentFields = map[string]bool{
	"END": true, "VERSION": true, "PRODID": true, "UID": true, "REV": true, "DTSTAMP": true, "SEQUENCE": true, "TRANSP": true, "CALSCALE": true,
	"METHOD": true, "TZID": true, "TZOFFSETFROM": true, "TZOFFSETTO": true, "TZNAME": true, "RRULE": true, "CREATED": true, "LAST-MODIFIED": true,
	"TRIGGER": true, "ACTION": true, "CLASS": true, "STATUS": true, "PRIORITY": true, "X-MICROSOFT-CDO-BUSYSTATUS": true,
}

func (c *cards) begin(what string) {
	kind := map[string]string{"VCARD": "contact ", "VEVENT": "event ", "VTODO": "event ", "VJOURNAL": "event "}[what]
	if kind == "" {
		return
	}
	c.number++
	c.flow.In(extract.Part{Kind: extract.Body, Place: kind + strconv.Itoa(c.number)})
}

func (c *cards) write(name string, params []string, head, value string) {
	value = unescapeCard(value)
	for i, p := range params { // a participant's name is a parameter: CN=Åsa Ek
		if strings.HasPrefix(p, "CN=") {
			value = strings.Trim(strings.Split(head, ";")[i+1][3:], `"`) + " " + value
		}
	}
	if strings.Contains(value, "<html") || strings.Contains(value, "<HTML") {
		return // X-ALT-DESC repeats DESCRIPTION as HTML
	}
	c.flow.Write(strings.ToLower(name) + ": " + strings.TrimSpace(value))
	c.flow.Line()
}

// unescapeCard undoes what RFC 6350, 3.4, escapes; the parts of a structured
// value are set apart by spaces.
func unescapeCard(value string) string {
	return strings.TrimSpace(cardEscapes.Replace(value))
}

var cardEscapes = strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`, ";", " ", "MAILTO:", "", "mailto:", "", "\x00", "")

func (c *cards) picture(name, value string) {
	if _, data, ok := strings.Cut(value, "base64,"); ok {
		value = data
	}
	c.photos++
	file := extract.File{Name: strings.ToLower(name) + " " + strconv.Itoa(c.photos), Role: extract.Attachment}
	if name == "PHOTO" || name == "LOGO" {
		file.Role = extract.Picture
	}
	file.Content = extract.DamagedReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(strings.Join(strings.Fields(value), ""))))
	c.flow.File(file)
}
