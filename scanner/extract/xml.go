package extract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// XMLKind says what XML.Next found.
type XMLKind int

// What XML.Next finds. Comments, processing instructions and DOCTYPE are
// passed over.
const (
	XMLStart XMLKind = iota + 1
	XMLEnd
	XMLText
)

// XML reads an XML document piece by piece, in memory that depends on its
// largest tag and not on its size. It is forgiving where office programs are:
// tags need not match, unknown entities stay as they are. Entities of a DTD
// are never expanded. It obeys Limits.XML and Limits.Token.
type XML struct {
	// Prefix and Name are the two halves of "w:p", of the present tag.
	Prefix, Name string
	// Depth is the number of open elements, the present one included.
	Depth int

	r        io.Reader
	limits   Limits
	buf      []byte
	pos, end int // buf[pos:end] is still to be read
	readErr  error
	started  bool

	tag       []byte // attributes of the present start tag, undecoded
	attrs     []xmlAttr
	parsed    bool
	selfClose bool
	cdata     bool
	text      []byte
	names     [256]string // those met last
}

type xmlAttr struct {
	name  string // without prefix
	value []byte // undecoded
}

// NewXML reads r, which may be UTF-8, UTF-16 or in the encoding it declares.
func NewXML(r io.Reader, limits Limits) *XML {
	return &XML{r: r, limits: limits, buf: make([]byte, smallXML)}
}

// Sizes of the buffer, in bytes: most parts of office documents are small,
// and what is not is read in large pieces.
const (
	smallXML = 4 << 10
	largeXML = 32 << 10
)

// Next moves on to the next tag or text. It returns io.EOF after a complete
// document, and an error wrapping ErrDamaged after one that is cut off.
func (x *XML) Next() (XMLKind, error) {
	if !x.started {
		x.started = true
		x.decode()
	}
	if x.selfClose {
		x.selfClose = false
		return XMLEnd, nil
	}
	for {
		if x.cdata {
			if kind, err := x.cdataText(); kind != 0 || err != nil {
				return kind, err
			}
			continue
		}
		if x.pos == x.end && !x.fill() {
			return 0, x.atEnd()
		}
		if x.buf[x.pos] != '<' {
			if kind, err := x.charText(); kind != 0 || err != nil {
				return kind, err
			}
			continue
		}
		kind, err := x.markup()
		if kind != 0 || err != nil {
			return kind, err
		}
	}
}

// Text is the present text, decoded. It is overwritten by the next Next.
func (x *XML) Text() []byte { return x.text }

// Attr returns the attribute of the present start tag with this local name,
// whatever its prefix, or "".
func (x *XML) Attr(name string) string { return string(x.AttrBytes(name)) }

// AttrBytes is Attr without a copy: overwritten by the next Next.
func (x *XML) AttrBytes(name string) []byte {
	x.parseAttrs()
	for i := range x.attrs {
		if x.attrs[i].name == name {
			return unescape(x.attrs[i].value)
		}
	}
	return nil
}

// Attrs calls visit with every attribute of the present start tag.
func (x *XML) Attrs(visit func(name, value string)) {
	x.parseAttrs()
	for i := range x.attrs {
		visit(x.attrs[i].name, string(unescape(x.attrs[i].value)))
	}
}

// Skip passes over the element whose start tag is the present one.
func (x *XML) Skip() error {
	for open := 1; open > 0; {
		kind, err := x.Next()
		switch {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("xml: element without end: %w", ErrDamaged)
		case err != nil:
			return err
		case kind == XMLStart:
			open++
		case kind == XMLEnd:
			open--
		}
	}
	return nil
}

// decode looks at the first bytes and puts a decoder before the reader where
// the document is not UTF-8.
func (x *XML) decode() {
	for x.end < 256 && x.fill() {
	}
	head := x.buf[:x.end]
	var enc encoding.Encoding
	switch {
	case bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")):
		x.pos = 3
		return
	case bytes.HasPrefix(head, []byte("\xFF\xFE")), bytes.HasPrefix(head, []byte("<\x00")):
		enc = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case bytes.HasPrefix(head, []byte("\xFE\xFF")), bytes.HasPrefix(head, []byte("\x00<")):
		enc = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	default:
		enc = declaredEncoding(head)
	}
	if enc == nil {
		return
	}
	rest := io.MultiReader(bytes.NewReader(bytes.Clone(head)), errReader{x.r, x.readErr})
	x.r = enc.NewDecoder().Reader(rest)
	x.pos, x.end, x.readErr = 0, 0, nil
}

// errReader goes on with r, unless reading it has ended already.
type errReader struct {
	r   io.Reader
	err error
}

func (e errReader) Read(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	return e.r.Read(p)
}

func declaredEncoding(head []byte) encoding.Encoding {
	if !bytes.HasPrefix(head, []byte("<?xml")) {
		return nil
	}
	declaration, _, _ := bytes.Cut(head, []byte("?>"))
	_, after, found := bytes.Cut(declaration, []byte("encoding="))
	if !found || len(after) < 2 {
		return nil
	}
	label, _, _ := bytes.Cut(after[1:], after[:1])
	name := strings.ToLower(string(label))
	if name == "utf-8" || strings.HasPrefix(name, "utf-16") {
		return nil // UTF-16 would have shown its NULs
	}
	enc, err := htmlindex.Get(name)
	if err != nil {
		return nil
	}
	return enc
}

// fill reads more behind what is unread; false when there is no more.
func (x *XML) fill() bool {
	if x.readErr != nil {
		return false
	}
	full := x.end == len(x.buf)
	into := x.buf
	if full && (x.pos == 0 || len(x.buf) < largeXML) {
		into = make([]byte, max(2*len(x.buf), largeXML))
	}
	if full || x.pos == x.end {
		x.buf, x.pos, x.end = into, 0, copy(into, x.buf[x.pos:x.end])
	}
	for range 100 {
		n, err := x.r.Read(x.buf[x.end:])
		x.end += n
		x.readErr = err
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	x.readErr = io.ErrNoProgress
	return false
}

func (x *XML) atEnd() error {
	switch {
	case x.readErr != nil && !errors.Is(x.readErr, io.EOF):
		return x.readErr
	case x.Depth > 0 || x.cdata || x.pos < x.end:
		return fmt.Errorf("xml: cut off: %w", ErrDamaged)
	}
	return io.EOF
}

// textChunk is how much text is handed out at once, in bytes.
const textChunk = 16 << 10

func (x *XML) charText() (XMLKind, error) {
	for {
		unread := x.buf[x.pos:x.end]
		if i := bytes.IndexByte(unread, '<'); i >= 0 {
			x.pos += i
			x.text = unescape(unread[:i])
			return XMLText, nil
		}
		if len(unread) >= textChunk {
			n := len(unread) - incomplete(unread)
			if n > 0 {
				x.pos += n
				x.text = unescape(unread[:n])
				return XMLText, nil
			}
		}
		if !x.fill() {
			x.text = unescape(x.buf[x.pos:x.end])
			x.pos = x.end
			return XMLText, nil
		}
	}
}

// incomplete counts the bytes at the end of b that belong to a rune or an
// entity whose other half is still to come.
func incomplete(b []byte) int {
	if i := bytes.LastIndexByte(b[max(0, len(b)-12):], '&'); i >= 0 {
		tail := b[max(0, len(b)-12)+i:]
		if bytes.IndexByte(tail, ';') < 0 {
			return len(tail)
		}
	}
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-i:]) {
				return i
			}
			break
		}
	}
	return 0
}

func (x *XML) cdataText() (XMLKind, error) {
	for {
		unread := x.buf[x.pos:x.end]
		if i := bytes.Index(unread, []byte("]]>")); i >= 0 {
			x.pos += i + 3
			x.cdata = false
			if i == 0 {
				return 0, nil
			}
			x.text = unread[:i]
			return XMLText, nil
		}
		if n := len(unread) - 8; n >= textChunk {
			for n > 0 && !utf8.RuneStart(unread[n]) {
				n--
			}
			x.pos += n
			x.text = unread[:n]
			return XMLText, nil
		}
		if !x.fill() {
			return 0, x.atEnd()
		}
	}
}

// markup handles what begins with '<': it returns 0 where there is nothing to
// tell.
func (x *XML) markup() (XMLKind, error) {
	for x.end-x.pos < 9 && x.fill() {
	}
	unread := x.buf[x.pos:x.end]
	switch {
	case len(unread) > 1 && unread[1] != '!' && unread[1] != '?': // as most
	case bytes.HasPrefix(unread, []byte("<!--")):
		x.pos += 4
		return 0, x.passOver("-->")
	case bytes.HasPrefix(unread, []byte("<![CDATA[")):
		x.pos += 9
		x.cdata = true
		return 0, nil
	case bytes.HasPrefix(unread, []byte("<?")):
		return 0, x.passOver("?>")
	case bytes.HasPrefix(unread, []byte("<!")):
		return 0, x.passOverDoctype()
	}
	n, err := x.tagLength()
	if err != nil {
		return 0, err
	}
	tag := x.buf[x.pos+1 : x.pos+n-1]
	x.pos += n
	if len(tag) > 0 && tag[0] == '/' {
		return x.closeTag(tag[1:])
	}
	return x.openTag(tag)
}

func (x *XML) openTag(tag []byte) (XMLKind, error) {
	x.selfClose = len(tag) > 0 && tag[len(tag)-1] == '/'
	if x.selfClose {
		tag = tag[:len(tag)-1]
	} else {
		x.Depth++
	}
	if x.Depth > x.limits.XML {
		return 0, fmt.Errorf("xml: elements nested too deep: %w", ErrLimit)
	}
	n := 0
	for n < len(tag) && !isSpace(tag[n]) {
		n++
	}
	x.setName(tag[:n])
	x.tag, x.parsed = tag[n:], false
	x.attrs = x.attrs[:0]
	return XMLStart, nil
}

func (x *XML) closeTag(tag []byte) (XMLKind, error) {
	if x.Depth > 0 {
		x.Depth--
	}
	x.setName(trimSpace(tag))
	x.tag, x.parsed = nil, false
	x.attrs = x.attrs[:0]
	return XMLEnd, nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func (x *XML) setName(name []byte) {
	x.Prefix = ""
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		x.Prefix = x.intern(name[:i])
		name = name[i+1:]
	}
	x.Name = x.intern(name)
}

// intern spares an allocation for each of the few names a document repeats.
func (x *XML) intern(name []byte) string {
	n := len(name)
	if n == 0 {
		return ""
	}
	slot := &x.names[(n*37+int(name[0])*7+int(name[n-1])+int(name[n/2])*3)%len(x.names)]
	if *slot != string(name) {
		*slot = string(name)
	}
	return *slot
}

// tagLength is the length of the tag at x.pos, quoted '>' respected.
func (x *XML) tagLength() (int, error) {
	var quote byte
	for at := 1; ; {
		for unread := x.buf[x.pos:x.end]; at < len(unread); at++ {
			c := unread[at]
			switch {
			case quote != 0:
				i := bytes.IndexByte(unread[at:], quote)
				if i < 0 {
					at = len(unread) - 1
					continue
				}
				at += i
				quote = 0
			case c == '"' || c == '\'':
				quote = c
			case c == '>' && at <= x.limits.Token:
				return at + 1, nil
			}
		}
		if at > x.limits.Token {
			return 0, fmt.Errorf("xml: tag too long: %w", ErrLimit)
		}
		if !x.fill() {
			return 0, x.atEnd()
		}
	}
}

func (x *XML) passOver(end string) error {
	for {
		unread := x.buf[x.pos:x.end]
		if i := bytes.Index(unread, []byte(end)); i >= 0 {
			x.pos += i + len(end)
			return nil
		}
		x.pos = max(x.pos, x.end-len(end)+1)
		if !x.fill() {
			return x.atEnd()
		}
	}
}

func (x *XML) passOverDoctype() error {
	brackets := 0
	for {
		for x.pos < x.end {
			c := x.buf[x.pos]
			x.pos++
			switch {
			case c == '[':
				brackets++
			case c == ']':
				brackets--
			case c == '>' && brackets <= 0:
				return nil
			}
		}
		if !x.fill() {
			return x.atEnd()
		}
	}
}

func (x *XML) parseAttrs() {
	if x.parsed {
		return
	}
	x.parsed = true
	x.attrs = x.attrs[:0]
	for rest := x.tag; ; {
		eq := bytes.IndexByte(rest, '=')
		if eq < 0 {
			return
		}
		name := trimSpace(rest[:eq])
		if i := bytes.LastIndexByte(name, ':'); i >= 0 {
			name = name[i+1:]
		}
		for rest = rest[eq+1:]; len(rest) > 0 && isSpace(rest[0]); {
			rest = rest[1:]
		}
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return
		}
		x.attrs = append(x.attrs, xmlAttr{x.intern(name), rest[1 : 1+end]})
		rest = rest[end+2:]
	}
}

// unescape replaces entities; it returns b itself where there are none.
func unescape(b []byte) []byte {
	i := bytes.IndexByte(b, '&')
	if i < 0 {
		return b
	}
	out := append(make([]byte, 0, len(b)), b[:i]...)
	for b = b[i:]; len(b) > 0; {
		if b[0] != '&' {
			n := bytes.IndexByte(b, '&')
			if n < 0 {
				n = len(b)
			}
			out = append(out, b[:n]...)
			b = b[n:]
			continue
		}
		end := bytes.IndexByte(b[:min(len(b), 12)], ';')
		decoded, ok := rune(0), false
		if end > 0 {
			decoded, ok = entity(string(b[1:end]))
		}
		if !ok {
			out = append(out, '&')
			b = b[1:]
			continue
		}
		out = utf8.AppendRune(out, decoded)
		b = b[end+1:]
	}
	return out
}

func entity(name string) (rune, bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	case "nbsp":
		return ' ', true
	}
	digits, isNumber := strings.CutPrefix(name, "#")
	if !isNumber {
		return 0, false
	}
	base := 10
	if hex, ok := strings.CutPrefix(strings.ToLower(digits), "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > utf8.MaxRune || utf16.IsSurrogate(rune(n)) {
		return 0, false
	}
	return rune(n), true
}

// EachXML calls visit for every start tag, end tag and text of r until visit
// or the reader fails; the end of a complete document is no error.
func EachXML(r io.Reader, limits Limits, visit func(x *XML, kind XMLKind) error) error {
	x := NewXML(r, limits)
	for {
		kind, err := x.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := visit(x, kind); err != nil {
			return err
		}
	}
}
