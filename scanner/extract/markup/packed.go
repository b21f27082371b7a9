package markup

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

const (
	// maxPacked is how long a value that may be a file is waited for, in bytes.
	maxPacked = 32 << 20
	// leastPacked is what is too short to be one.
	leastPacked = 64
)

// packed are the files that a document holds as base64 in its values, as
// e-services and interfaces put attachments into their exports. They are kept
// until the end, so that the rows of tables follow each other.
type packed struct {
	flow  *extract.Flow
	files []extract.File
	held  int // bytes
}

// take keeps the file that a value is, and tells whether it is one.
func (p *packed) take(name, value string) bool {
	if len(value) < leastPacked || !startsPacked(value) {
		return false
	}
	content := unpack(value)
	mediaType := extract.Sniff("", bytes.NewReader(content), int64(len(content)))
	if content == nil || mediaType == extract.Unknown || strings.HasPrefix(mediaType, "text/") && !utf8.Valid(content) {
		return false
	}
	if name = name[strings.LastIndexByte(name, '.')+1:]; name == "" {
		name = "file"
	}
	p.files = append(p.files, extract.File{
		Name: name + " " + strconv.Itoa(len(p.files)+1), Role: extract.Attachment, MediaType: mediaType, Content: bytes.NewReader(content),
	})
	if p.held += len(content); p.held > maxPacked {
		p.hand()
	}
	return true
}

// hand hands the files on.
func (p *packed) hand() {
	for _, f := range p.files {
		p.flow.File(f)
	}
	p.files, p.held = nil, 0
}

// startsPacked tells from a value's beginning whether it can be base64.
func startsPacked(value string) bool {
	value = bare(value[:min(len(value), 256)])
	if len(value) < leastPacked {
		return false
	}
	for _, c := range []byte(value) {
		if !inBase64(c) {
			return false
		}
	}
	return true
}

// bare is a value without what a data URI (RFC 2397) has before its content.
func bare(value string) string {
	if strings.HasPrefix(value, "data:") {
		_, value, _ = strings.Cut(value, ";base64,")
	}
	return value
}

func inBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '=' || c == '\n' || c == '\r' || c == ' ' || c == '\t'
}

// unpack decodes base64, or returns nil.
func unpack(value string) []byte {
	letters := strings.Join(strings.Fields(bare(value)), "")
	content, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(letters, "="))
	if err != nil {
		return nil
	}
	return content
}
