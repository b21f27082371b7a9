package markup

import (
	"bufio"
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// lexer takes JSON apart as it comes: what is left out, written wrong or cut
// off costs only itself, and a value of any length costs little memory.
type lexer struct {
	r    *bufio.Reader
	text []byte // of the present string or word
	// long takes what a string holds beyond maxText, piece by piece, unless it
	// may be a file.
	long func(piece []byte)
}

// The kinds of token besides the four brackets, which are themselves.
const (
	stringToken = 's'
	wordToken   = 'w' // a number, true, null, or what should not be there
)

// next reads a token. Commas and colons are passed over.
func (l *lexer) next() (kind byte, err error) {
	for {
		c, err := l.r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case ' ', '\t', '\r', '\n', ',', ':', 0, 0x1e:
		case '{', '}', '[', ']':
			return c, nil
		case '"':
			return stringToken, l.string()
		default:
			l.text = append(l.text[:0], c)
			return wordToken, l.word()
		}
	}
}

// word reads on to what cannot be part of a number or word.
func (l *lexer) word() error {
	for {
		c, err := l.r.ReadByte()
		if err != nil {
			return nil // next meets it again
		}
		if bytes.IndexByte([]byte(" \t\r\n,:{}[]\""), c) >= 0 {
			return l.r.UnreadByte()
		}
		if l.text = append(l.text, c); len(l.text) >= maxText {
			l.spill()
		}
	}
}

// string reads to the closing quote.
func (l *lexer) string() error {
	l.text = l.text[:0]
	for {
		ready, _ := l.r.Peek(max(1, l.r.Buffered()))
		n := bytes.IndexAny(ready, `"\`)
		if n < 0 {
			n = len(ready)
		}
		l.text = append(l.text, ready[:n]...)
		_, _ = l.r.Discard(n) // they were peeked
		if n := len(l.text); n >= maxPacked || n >= maxText && !startsPacked(string(l.text[:256])) {
			l.spill()
		}
		c, err := l.r.ReadByte()
		switch {
		case err != nil:
			return err
		case c == '"':
			return nil
		case c == '\\':
			if err := l.escape(); err != nil {
				return err
			}
		default:
			l.text = append(l.text, c)
		}
	}
}

// escape reads what follows a backslash.
func (l *lexer) escape() error {
	c, err := l.r.ReadByte()
	if err != nil {
		return err
	}
	switch c {
	case 'n', 'r':
		c = '\n'
	case 't':
		c = '\t'
	case 'b', 'f':
		c = ' '
	case 'u':
		l.text = utf8.AppendRune(l.text, l.unicode())
		return nil
	}
	l.text = append(l.text, c)
	return nil
}

// unicode reads the four digits of \uXXXX, and the second half of a pair.
func (l *lexer) unicode() rune {
	r := l.digits()
	if !utf16.IsSurrogate(r) {
		return r
	}
	if next, _ := l.r.Peek(2); string(next) == `\u` {
		_, _ = l.r.Discard(2) // they were peeked
		return utf16.DecodeRune(r, l.digits())
	}
	return utf8.RuneError
}

func (l *lexer) digits() rune {
	hex, _ := l.r.Peek(4)
	n, err := strconv.ParseUint(string(hex), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	_, _ = l.r.Discard(4) // they were peeked
	return rune(n)
}

// spill hands on a long text up to its last whole rune.
func (l *lexer) spill() {
	n := len(l.text)
	for i := 1; i < utf8.UTFMax && i <= n; i++ {
		if utf8.RuneStart(l.text[n-i]) {
			if !utf8.FullRune(l.text[n-i:]) {
				n -= i
			}
			break
		}
	}
	l.long(l.text[:n])
	l.text = append(l.text[:0], l.text[n:]...)
}
