package mail

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lineDecoder is a reader that decodes line by line; lines longer than its
// buffer come in pieces.
type lineDecoder struct {
	lines  *bufio.Reader
	decode func(line []byte) []byte // of at least one byte; the result may overwrite it
	ready  []byte
}

// Read implements io.Reader.
func (d *lineDecoder) Read(p []byte) (int, error) {
	for len(d.ready) == 0 {
		line, err := d.lines.ReadSlice('\n')
		if len(line) == 0 && err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return 0, err
		}
		d.ready = d.decode(line)
	}
	n := copy(p, d.ready)
	d.ready = d.ready[n:]
	return n, nil
}

// newBase64 decodes what mail programs call base64 (RFC 2045, 6.8): whatever
// is not of its alphabet is passed over, and padding may come in the middle.
func newBase64(r io.Reader) io.Reader {
	var bits uint32
	var digits int
	return &lineDecoder{lines: bufio.NewReaderSize(r, lineBuffer), decode: func(line []byte) []byte {
		out := line[:0]
		for _, c := range line {
			v := base64Value(c)
			switch {
			case c == '=':
				digits = 0
				continue
			case v < 0:
				continue
			}
			bits = bits<<6 | uint32(v)
			if digits++; digits > 1 {
				out = append(out, byte(bits>>(8-2*digits)))
			}
			if digits == 4 {
				digits = 0
			}
		}
		return out
	}}
}

func base64Value(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+', c == '-':
		return 62
	case c == '/', c == '_':
		return 63
	}
	return -1
}

// newQuotedPrintable decodes RFC 2045, 6.7; what is wrong stays as it is.
func newQuotedPrintable(r io.Reader) io.Reader {
	var held []byte // an escape that goes on in the next piece of a long line
	return &lineDecoder{lines: bufio.NewReaderSize(r, lineBuffer), decode: func(line []byte) []byte {
		if len(held) > 0 {
			line, held = append(held, line...), nil
		}
		text := bytes.TrimRight(line, " \t\r\n")
		ended := line[len(line)-1] == '\n'
		soft := ended && len(text) > 0 && text[len(text)-1] == '='
		switch {
		case soft:
			text = text[:len(text)-1]
		case !ended:
			text = line
			if i := bytes.LastIndexByte(text[max(0, len(text)-2):], '='); i >= 0 {
				from := max(0, len(text)-2) + i
				text, held = text[:from], bytes.Clone(text[from:])
			}
		}
		out := unescapeQuoted(text)
		if ended && !soft {
			out = append(out, '\n')
		}
		return out
	}}
}

// unescapeQuoted decodes in place.
func unescapeQuoted(text []byte) []byte {
	out := text[:0]
	for i := 0; i < len(text); i++ {
		if text[i] == '=' && i+2 < len(text) {
			if hi, lo := hexValue(text[i+1]), hexValue(text[i+2]); hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	return out
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// newUuencode decodes the lines between "begin" and "end".
func newUuencode(r io.Reader) io.Reader {
	begun := false
	return &lineDecoder{lines: bufio.NewReaderSize(r, lineBuffer), decode: func(line []byte) []byte {
		text := bytes.TrimRight(line, "\r\n")
		switch {
		case !begun:
			begun = bytes.HasPrefix(text, []byte("begin "))
			return nil
		case len(text) == 0 || string(text) == "end":
			return nil
		}
		length := int(text[0]-' ') & 63
		out := make([]byte, 0, 48)
		for quad := text[1:]; len(quad) > 0; quad = quad[min(4, len(quad)):] {
			var bits uint32
			for i := range 4 {
				bits <<= 6
				if i < len(quad) {
					bits |= uint32(quad[i]-' ') & 63
				}
			}
			out = append(out, byte(bits>>16), byte(bits>>8), byte(bits))
		}
		return out[:min(length, len(out))]
	}}
}
