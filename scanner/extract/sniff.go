package extract

import (
	"bytes"
	"encoding/binary"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// Media types that Sniff gives and that have no better-known name.
const (
	// EncryptedOOXML is an Office document behind a password or rights
	// management: a compound file that holds the encrypted package.
	EncryptedOOXML = "application/x-ooxml-protected"
	// CompoundFile is an OLE compound file of no known kind.
	CompoundFile = "application/x-ole-storage"
	// Unknown is content that nothing recognises.
	Unknown = "application/octet-stream"
)

const (
	sniffHead = 16 << 10 // what is looked at of a text
	sniffScan = 64 << 20 // what is looked through of a damaged container
)

// Sniff returns the media type of a document by its content. The name only
// decides between texts that look alike (source code, Markdown, logs) and is
// never believed against the content. It reads little: the head, a
// container's directory.
func Sniff(name string, r io.ReaderAt, size int64) string {
	head := make([]byte, min(size, sniffHead))
	n, _ := r.ReadAt(head, 0)
	head = head[:n]
	if t := magic(head); t != "" {
		return t
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")), bytes.HasPrefix(head, []byte("PK\x07\x08PK\x03\x04")):
		return sniffZip(r, size)
	case bytes.HasPrefix(head, compoundMagic):
		return sniffCompound(r, size)
	case bytes.Contains(head[:min(len(head), 1024)], []byte("%PDF-")), barePDF.Match(head):
		return "application/pdf"
	case bytes.HasPrefix(head, []byte(`{\rtf`)): // may hold binary pictures
		return "application/rtf"
	case isTar(head):
		return "application/x-tar"
	case isDBase(head, size):
		return "application/vnd.dbf"
	}
	if t := sniffText(name, unpadded(head, r, size)); t != "" {
		return t
	}
	if len(head) > 8 && head[0] == 0 && strings.EqualFold(path.Ext(name), ".iwa") { // nothing else tells these
		return "application/x-iwork-part"
	}
	if isDisc(r, size) {
		return "application/x-iso9660-image"
	}
	if len(zipDirectory(r, size)) > 0 { // behind a program that unpacks it, or of several parts
		return sniffZip(r, size)
	}
	return fallback(head)
}

// barePDF begins a PDF whose header is damaged: comments, then an object.
var barePDF = regexp.MustCompile(`(?s-U)^\s*(%[^\r\n]{0,200}[\r\n]+){1,5}\s*\d+\s+\d+\s+obj\s*<<`)

// isTar checks the header's sum: old archives have no magic.
func isTar(head []byte) bool {
	if len(head) < 512 || head[0] == 0 {
		return false
	}
	sum := 0
	for i, b := range head[:512] {
		if i >= 148 && i < 156 {
			b = ' '
		}
		sum += int(b)
	}
	want, digits := 0, 0
	for _, b := range head[148:156] {
		if b >= '0' && b <= '7' {
			want, digits = want*8+int(b-'0'), digits+1
		} else if digits > 0 {
			break
		}
	}
	return digits > 0 && want == sum
}

// isDBase checks what the header of a dBASE table must agree on: a version, a
// date, and lengths that add up to the file's.
func isDBase(head []byte, size int64) bool {
	if len(head) < 65 || bytes.IndexByte([]byte("\x02\x03\x04\x05\x30\x31\x32\x43\x63\x83\x8b\xcb\xf5\xfb"), head[0]) < 0 {
		return false
	}
	le := binary.LittleEndian
	rows, from, width := int64(le.Uint32(head[4:])), int64(le.Uint16(head[8:])), int64(le.Uint16(head[10:]))
	return head[2] >= 1 && head[2] <= 12 && head[3] >= 1 && head[3] <= 31 && from >= 65 && width >= 2 &&
		from <= size && rows*width <= size-from+width && size <= from+rows*width+4096
}

// unpadded is the head of a text without the zeros that stand before or behind
// it: a log that was emptied while a program wrote it, or a file that a crash
// left longer than what was written. A few letters and zeros are no text.
func unpadded(head []byte, r io.ReaderAt, size int64) []byte {
	const run = 16 // fewer may be a part of UTF-16
	if len(head) < run || len(bytes.Trim(head[:run], "\x00")) > 0 {
		return beforeZeros(head, run)
	}
	for at := int64(0); at < min(size, sniffScan); at += sniffHead {
		block := make([]byte, min(sniffHead, size-at))
		n, _ := r.ReadAt(block, at)
		if text := bytes.TrimLeft(block[:n], "\x00"); len(text) > 0 {
			return beforeZeros(text, run)
		}
	}
	return head
}

func beforeZeros(head []byte, run int) []byte {
	text := bytes.TrimRight(head, "\x00")
	if len(head)-len(text) >= run && len(text) >= 2*run && bytes.IndexByte([]byte("\n>}];"), text[len(text)-1]) >= 0 {
		return text
	}
	return head
}

// sniffText tells texts apart, or returns "" for what is no text.
func sniffText(name string, head []byte) string {
	if len(head) == 0 {
		return "text/plain"
	}
	var c census
	c.add(head)
	if c.binary() {
		return ""
	}
	text, _ := c.encoding("").NewDecoder().Bytes(head)
	start := bytes.TrimLeft(text, "\ufeff \t\r\n\f\v")
	if t := armoured(start); t != "" {
		return t
	}
	if t := structured(name, start); t != "" {
		return t
	}
	if t := listed(start); t != "" {
		return t
	}
	if ending := strings.ToLower(path.Ext(name)); ending == ".eml" && len(mailKnown.FindAll(headerOf(start), 2)) == 2 {
		return "message/rfc822" // a draft has no date
	}
	if t, ok := textEndings[strings.ToLower(path.Ext(name))]; ok {
		return t
	}
	switch {
	case sqlDump.Match(start[:min(len(start), 4<<10)]):
		return "application/sql"
	case !IsCode(path.Ext(name)):
		if _, ok := Delimiter(string(text)); ok {
			return "text/csv"
		}
	}
	return "text/plain"
}

var textEndings = map[string]string{
	".csv": "text/csv", ".tsv": "text/tab-separated-values", ".tab": "text/tab-separated-values",
	".md": "text/markdown", ".markdown": "text/markdown", ".sql": "application/sql",
}

// IsCode says whether a name's ending (".py") is one of source code, logs or
// configuration.
func IsCode(ending string) bool { return codeEndings[strings.ToLower(ending)] }

var codeEndings = map[string]bool{
	".c": true, ".h": true, ".cc": true, ".cpp": true, ".cs": true, ".go": true, ".java": true, ".js": true, ".ts": true,
	".py": true, ".rb": true, ".php": true, ".pl": true, ".ps1": true, ".psm1": true, ".sh": true, ".bat": true, ".cmd": true,
	".vb": true, ".vbs": true, ".bas": true, ".cls": true, ".r": true, ".kt": true, ".rs": true, ".swift": true, ".css": true,
	".log": true, ".ini": true, ".conf": true, ".cfg": true, ".properties": true, ".toml": true, ".yaml": true, ".yml": true,
	".env": true, ".reg": true, ".tf": true, ".lua": true, ".m": true, ".sas": true, ".sps": true, ".do": true, ".tex": true,
}

var (
	subRip    = regexp.MustCompile(`^\d{1,6}[ \t]*\r?\n\d{1,3}:\d\d:\d\d[,.]\d{1,3} *--> *\d`)
	htmlStart = regexp.MustCompile(`(?is)^(<!--.*?-->\s*)*(<(head|body|title|table|tr|td|script|style|meta|div|p|center|font|frameset|h[1-6]|a|span|b|i|u|ul|ol|li|br|img|hr|pre|strong|em|blockquote|iframe|input|select|base)[\s>/])`)
	htmlRoot  = regexp.MustCompile(`(?is)^(<!--.*?-->\s*|<\?xml[^>]*\?>\s*)*(<!doctype\s+html|<html[\s>])`)
	xmlStart  = regexp.MustCompile(`(?s)^(<\?xml\s|(<!--.*?-->\s*)*(<!DOCTYPE\s|<[A-Za-z_][\w.:-]*(\s+[\w:.-]+\s*=\s*["']|\s*/?>)))`)
	xmlRoot   = regexp.MustCompile(`<([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)`)
	flatODF   = regexp.MustCompile(`office:mimetype\s*=\s*["'](application/vnd\.oasis\.opendocument\.[a-z-]+)["']`)
	sqlDump   = regexp.MustCompile(`(?im)^\s*(CREATE\s+(TEMP(ORARY)?\s+)?(TABLE|DATABASE|SCHEMA)\s|INSERT\s+INTO\s|COPY\s+\S+\s*\(.*\)\s+FROM\s+stdin|BEGIN TRANSACTION;|SET\s+NAMES\s|DROP\s+TABLE\s)`)
)

// structured recognises markup and object notation by how it starts.
func structured(name string, start []byte) string {
	switch {
	case bytes.HasPrefix(start, []byte("%!PS")):
		return "application/postscript"
	case bytes.HasPrefix(start, []byte("WEBVTT")):
		return "text/vtt"
	case subRip.Match(start):
		return "application/x-subrip"
	case bytes.HasPrefix(start, []byte(`{\rtf`)), bytes.HasPrefix(start, []byte(`{\urtf`)):
		return "application/rtf"
	case len(start) > 0 && start[0] == '<':
		return sniffMarkup(name, start)
	case len(start) > 1 && (start[0] == '{' || start[0] == '['):
		return sniffJSON(start)
	}
	return ""
}

func sniffMarkup(name string, start []byte) string {
	ending := strings.ToLower(path.Ext(name))
	if bytes.HasPrefix(start, []byte("<%@")) && (ending == ".aspx" || ending == ".ascx" || ending == ".master") {
		return "text/html"
	}
	if htmlRoot.Match(start) || ending != ".xml" && htmlStart.Match(start) {
		return "text/html"
	}
	if !xmlStart.Match(start) {
		return ""
	}
	if m := flatODF.FindSubmatch(start); m != nil {
		return string(m[1]) + "-flat-xml"
	}
	m := xmlRoot.FindSubmatch(start)
	if m == nil {
		return "application/xml"
	}
	if ending == ".htm" || ending == ".html" {
		return "text/html"
	}
	if !bytes.HasPrefix(start, []byte("<?xml")) && !bytes.Contains(start, []byte("</")) && !bytes.Contains(start, []byte("xmlns")) {
		return ""
	}
	switch strings.ToLower(string(m[2])) {
	case "svg":
		return "image/svg+xml"
	case "html":
		return "text/html"
	}
	return "application/xml"
}

// sniffJSON wants the beginning of a value and, to be told from text in
// brackets, a first member that JSON could have.
func sniffJSON(start []byte) string {
	inner := bytes.TrimLeft(start[1:], " \t\r\n")
	if len(inner) == 0 {
		return ""
	}
	ok := false
	switch c := inner[0]; {
	case start[0] == '{':
		ok = c == '"' || c == '}'
	case c == '"', c == '{', c == '[', c == ']', c == '-', c >= '0' && c <= '9':
		ok = jsonArray.Match(start)
	case bytes.HasPrefix(inner, []byte("true")), bytes.HasPrefix(inner, []byte("false")), bytes.HasPrefix(inner, []byte("null")):
		ok = true
	}
	if !ok {
		return ""
	}
	if first, rest, more := bytes.Cut(start, []byte("\n")); more && jsonLine(first) {
		if rest = bytes.TrimLeft(rest, "\r\n"); len(rest) > 0 && (rest[0] == '{' || rest[0] == '[') {
			return "application/x-ndjson"
		}
	}
	return "application/json"
}

// jsonArray: an array's first value is followed by a comma or the end, which
// tells [1, 2] from "[1] Johansson, A.".
var jsonArray = regexp.MustCompile(`^\[\s*("([^"\\]|\\.)*"\s*[,\]]|[-0-9.eE+]+\s*,|[-0-9.eE+]+\s*\]\s*$|[\[{\]])`)

func jsonLine(line []byte) bool {
	line = bytes.TrimRight(line, " \r")
	return len(line) > 1 && (line[0] == '{' && line[len(line)-1] == '}' || line[0] == '[' && line[len(line)-1] == ']')
}

var (
	appleMail  = regexp.MustCompile(`^\d+ *\r?\n`)
	mailHeader = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*:`)
	mailKnown  = regexp.MustCompile(`(?im)^(From|To|Cc|Subject|Date|Received|Return-Path|Delivered-To|Message-ID|MIME-Version|Content-Type|Content-Transfer-Encoding|Reply-To|Sender|X-[A-Za-z-]+|DKIM-Signature|Authentication-Results|In-Reply-To|References|Thread-Topic|Thread-Index|Importance):`)
	mailProof  = regexp.MustCompile(`(?im)^(Received|Return-Path|Message-ID|MIME-Version|Date|Delivered-To|Content-Type):\s*\S`)
)

// mimeEntity begins what a signed mail signs, and saved parts of mail.
var mimeEntity = regexp.MustCompile(`(?i)^(MIME-Version: *1\.0|Content-Type: *[a-z]+/[a-z0-9.+-]+(;|\r?\n|$))`)

// listed recognises mail, mailboxes, calendars and contacts.
func listed(start []byte) string {
	switch {
	case hasFold(start, "BEGIN:VCALENDAR"):
		return "text/calendar"
	case hasFold(start, "BEGIN:VCARD"):
		return "text/vcard"
	case bytes.HasPrefix(start, []byte("From ")):
		if _, rest, ok := bytes.Cut(start, []byte("\n")); ok && isMail(rest) {
			return "application/mbox"
		}
	case isMail(start), isMail(appleMail.ReplaceAll(start, nil)):
		return "message/rfc822"
	}
	return ""
}

func isMail(start []byte) bool {
	if !mailHeader.Match(start) {
		return false
	}
	block := headerOf(start)
	return mailProof.Match(block) && len(mailKnown.FindAll(block, 4)) >= 3 || mimeEntity.Match(block)
}

// headerOf is what stands before the first empty line.
func headerOf(start []byte) []byte {
	block := start[:min(len(start), 32<<10)]
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(block, []byte(end)); i >= 0 {
			block = block[:i]
		}
	}
	return block
}

func hasFold(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && strings.EqualFold(string(b[:len(prefix)]), prefix)
}

// fallback asks the general library about what no Swedish office writes.
func fallback(head []byte) string {
	t := mimetype.Detect(head)
	if t == nil || strings.HasPrefix(t.String(), "text/") {
		return Unknown
	}
	mediaType, _, _ := strings.Cut(t.String(), ";")
	return mediaType
}
