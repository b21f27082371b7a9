package mail

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"regexp"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"golang.org/x/text/encoding/charmap"
)

const (
	maxNesting = 32       // multiparts in multiparts; the mails of people have three
	maxHeader  = 1 << 20  // bytes of one part's header
	maxParts   = 20_000   // where Limits names none
	lineBuffer = 64 << 10 // longer lines are read in pieces
)

// part is one part of a mail: what its header says and where its body lies.
// Bodies stay where they are until they are read.
type part struct {
	header     header
	mediaType  string // "text/plain", in small letters
	params     map[string]string
	start, end int64
	children   []*part
	after      []*part // what stands behind the children, which no mail program shows
	tooDeep    bool    // its children were not looked for
}

// parse finds the parts of a mail in one pass over its lines, whatever is
// wrong with it: boundaries that never end, headers without bodies. It takes
// time that is linear in the size.
func parse(ctx context.Context, in extract.Input) (root *part, complete bool, err error) {
	s := splitter{root: &part{}, limit: in.Limits.Entries, counted: 1}
	if s.limit <= 0 {
		s.limit = maxParts
	}
	s.current, s.inHeader = s.root, true
	lines := bufio.NewReaderSize(in.Reader(), lineBuffer)
	at, lineStart := int64(0), true
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 && lineStart {
			s.line(line, at)
		}
		at += int64(len(line))
		lineStart = !errors.Is(err, bufio.ErrBufferFull)
		if err != nil && lineStart {
			if !errors.Is(err, io.EOF) {
				return nil, false, extract.Damaged(err)
			}
			break
		}
	}
	s.endHeader(at)
	s.endBody(at)
	return s.root, !s.full, nil
}

// splitter is where parse stands.
type splitter struct {
	root     *part
	current  *part  // the part being read; nil between parts
	inHeader bool   // of the current part
	raw      []byte // its header so far
	open     []level
	counted  int
	limit    int
	full     bool // there are more parts than the limit
}

// level is a multipart that has not ended.
type level struct {
	part     *part
	boundary string // with the two dashes
}

func (s *splitter) line(line []byte, at int64) {
	if len(line) > 2 && line[0] == '-' && line[1] == '-' && s.boundary(bytes.TrimRight(line, " \t\r\n"), at) {
		return
	}
	if !s.inHeader {
		return
	}
	next := at + int64(len(line))
	if len(s.raw) == 0 {
		line = bytes.TrimLeft(line, " \t\ufeff") // there is nothing that it could go on with
	}
	text := bytes.TrimRight(line, "\r\n")
	switch first := len(s.raw) == 0; {
	case len(text) == 0 && first && s.current == s.root:
		s.root.start = next // empty lines before the mail
	case len(text) == 0:
		s.endHeader(next)
	case first && at == s.root.start && isNumber(text):
		s.root.start = next // an .emlx of Apple begins with its length
	case first && !headerLine.Match(text) && !bytes.HasPrefix(text, []byte("From ")):
		s.endHeader(at) // a part without a header
	case len(s.raw)+len(line) <= maxHeader:
		s.raw = append(s.raw, line...)
	}
}

var headerLine = regexp.MustCompile(`^[!-9;-~]+[ \t]*:`)

func isNumber(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 0 && len(text) < 12 && len(bytes.Trim(text, "0123456789")) == 0
}

// boundary handles a line that may divide parts; the innermost open multipart
// comes first. Those inside of the one it belongs to never ended.
func (s *splitter) boundary(line []byte, at int64) bool {
	for i := len(s.open) - 1; i >= 0; i-- {
		rest, ok := bytes.CutPrefix(line, []byte(s.open[i].boundary))
		closing := string(rest) == "--"
		if !ok || len(rest) > 0 && !closing {
			continue
		}
		s.endHeader(at)
		s.endBody(at)
		s.open = s.open[:i+1]
		if closing {
			s.afterwards(s.open[i].part, at+int64(len(line)))
			s.open = s.open[:i]
			return true
		}
		if s.counted++; s.counted > s.limit {
			s.full = true
			return true
		}
		s.current, s.inHeader = &part{}, true
		s.open[i].part.children = append(s.open[i].part.children, s.current)
		return true
	}
	return false
}

// afterwards begins what stands behind a multipart's end.
func (s *splitter) afterwards(p *part, at int64) {
	if len(p.after) < 10 {
		s.current = &part{mediaType: "text/plain", start: at}
		p.after = append(p.after, s.current)
	}
}

func (s *splitter) endHeader(bodyAt int64) {
	if s.current == nil || !s.inHeader {
		return
	}
	p := s.current
	s.inHeader = false
	p.header = parseHeader(s.raw)
	s.raw = s.raw[:0]
	p.start = bodyAt
	p.mediaType, p.params = mediaType(p.header.get("Content-Type"), "text/plain")
	if !strings.HasPrefix(p.mediaType, "multipart/") || p.params["boundary"] == "" {
		return
	}
	if len(s.open) >= maxNesting {
		p.tooDeep = true
		return
	}
	s.open = append(s.open, level{p, "--" + strings.TrimRight(p.params["boundary"], " \t")})
}

// endBody ends the current part. The line's end before a boundary belongs to
// the boundary (RFC 2046, 5.1.1); readers of text do not mind it.
func (s *splitter) endBody(at int64) {
	if s.current == nil {
		return
	}
	s.current.end = max(at, s.current.start)
	s.current = nil
}

// header is a part's header: names in small letters, values unfolded.
type header map[string][]string

func (h header) get(name string) string {
	if v := h[strings.ToLower(name)]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func parseHeader(raw []byte) header {
	h := header{}
	name := ""
	for line := range bytes.Lines(raw) {
		text := strings.TrimRight(string(line), "\r\n")
		if len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
			if v := h[name]; len(v) > 0 {
				v[len(v)-1] += " " + strings.TrimSpace(text)
			}
			continue
		}
		field, value, ok := strings.Cut(text, ":")
		if !ok {
			name = ""
			continue
		}
		name = strings.ToLower(strings.TrimSpace(field))
		h[name] = append(h[name], strings.TrimSpace(value))
	}
	return h
}

// words decodes RFC 2047 words and whatever 8-bit text stands between them.
func words(raw string) string {
	decoder := mime.WordDecoder{CharsetReader: func(label string, r io.Reader) (io.Reader, error) {
		if e := extract.Charset(label); e != nil {
			return e.NewDecoder().Reader(r), nil
		}
		return charmap.Windows1252.NewDecoder().Reader(r), nil
	}}
	text := extract.DecodeText([]byte(raw), "")
	if decoded, err := decoder.DecodeHeader(text); err == nil {
		return decoded
	}
	return text
}

var looseParam = regexp.MustCompile(`[;\s]\s*([A-Za-z-]+)\*?\s*=\s*(?:"([^"]*)"?|([^;\s]+))`)

// mediaType reads a Content-Type or Content-Disposition, in the shape that
// the standard asks for or near it.
func mediaType(value, missing string) (string, map[string]string) {
	if value == "" {
		return missing, map[string]string{}
	}
	value = extract.DecodeText([]byte(value), "")
	t, params, err := mime.ParseMediaType(value)
	if err == nil {
		return t, params
	}
	t = missing
	if words := strings.FieldsFunc(value, func(r rune) bool { return r == ';' || r == ' ' || r == '\t' || r == ',' }); len(words) > 0 {
		t = strings.ToLower(words[0])
	}
	params = map[string]string{}
	for _, m := range looseParam.FindAllStringSubmatch(value, 32) {
		params[strings.ToLower(m[1])] = m[2] + m[3]
	}
	return t, params
}

// fileName is what the sender calls the part, or "".
func (p *part) fileName() string {
	_, disposition := mediaType(p.header.get("Content-Disposition"), "")
	name := disposition["filename"]
	if name == "" {
		name = p.params["name"]
	}
	name = strings.ReplaceAll(words(name), `\`, "/")
	return name[strings.LastIndexByte(name, '/')+1:]
}

func (p *part) attached() bool {
	disposition, _ := mediaType(p.header.get("Content-Disposition"), "")
	return disposition == "attachment"
}

// content is the part's body, decoded from its transfer encoding.
func (p *part) content(in extract.Input) io.Reader {
	raw := io.NewSectionReader(in, p.start, p.end-p.start)
	switch strings.ToLower(strings.TrimSpace(p.header.get("Content-Transfer-Encoding"))) {
	case "base64":
		return newBase64(raw)
	case "quoted-printable":
		return newQuotedPrintable(raw)
	case "x-uuencode", "uuencode", "x-uue":
		return newUuencode(raw)
	}
	return raw
}
