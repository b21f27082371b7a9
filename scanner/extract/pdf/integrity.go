package pdf

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"regexp"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

const (
	// maxChecked bounds the documents whose streams are looked at, in bytes.
	maxChecked = 64 << 20
	// maxUnpacked bounds what is unpacked of one stream and maxAll of all, in
	// bytes.
	maxUnpacked, maxAll = 8 << 20, 128 << 20
)

var (
	streamStart = regexp.MustCompile(`stream\r?\n`)
	packed      = regexp.MustCompile(`/Filter\s*(\[\s*)?/(FlateDecode|Fl)\b\s*(\]|/|>|$)`)
	// noText are the streams that hold pictures, fonts, colours, files, lists
	// of objects.
	noText = regexp.MustCompile(`/Subtype\s*/(Image|XML|Type1C|CIDFontType0C|OpenType)\b|/Length[123]\b|/(EmbeddedFile|FunctionType|ShadingType|XRef|Alternate|ImageMask|BitsPerComponent)\b`)
)

// unread tells whether text of the document was lost without a word: engines
// pass over streams that they cannot unpack. Where nothing was read at all, it
// is lost too if some stream would write text.
func unread(in extract.Input, nothing bool) bool {
	if in.Size > maxChecked || in.Size == 0 {
		return false
	}
	b := make([]byte, in.Size)
	n, err := in.ReadAt(b, 0)
	if b = b[:n]; err != nil && !errors.Is(err, io.EOF) || bytes.Contains(b, []byte("/Encrypt")) {
		return false
	}
	left := int64(maxAll)
	for _, at := range streamStart.FindAllIndex(b, -1) {
		dictionary := b[max(0, at[0]-2048):at[0]]
		if i := bytes.LastIndex(dictionary, []byte(" obj")); i >= 0 {
			dictionary = dictionary[i:]
		}
		body := b[at[1]:]
		end := bytes.Index(body, []byte("endstream"))
		if bytes.HasSuffix(b[:at[0]], []byte("end")) || end < 0 || noText.Match(dictionary) {
			continue
		}
		body = body[:end]
		if packed.Match(dictionary) {
			var broken bool
			if body, broken = unpack(body, min(left, maxUnpacked)); broken {
				return true
			}
			left -= int64(len(body))
		}
		if nothing && writesText(body) || left <= 0 {
			return nothing && left > 0
		}
	}
	return false
}

// unpack inflates a stream as far as that goes.
func unpack(b []byte, most int64) (content []byte, broken bool) {
	if len(b) < 3 {
		return nil, false
	}
	content, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b[2:])), most))
	var corrupt flate.CorruptInputError
	return content, errors.As(err, &corrupt)
}

// writesText recognises the operators that show text (ISO 32000-1, 9.4.3).
func writesText(content []byte) bool {
	return textShown.Match(content)
}

var textShown = regexp.MustCompile(`\bBT\b[^\x00]{0,1000}?[)\]>]\s*(Tj|TJ)\b`)
