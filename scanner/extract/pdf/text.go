package pdf

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// lineHyphens are what PDFium gives, by one function or another, for a hyphen
// that ended a line: the line's end is gone with it.
const lineHyphens = "\u0002\ufffe"

// splitNumber is an identifier that a line's end parts after its hyphen:
// "19670919-" and, on the next line, "9530".
var splitNumber = regexp.MustCompile(`(\b(?:\d{2})?\d{6}[-+])\n(\d{4}\b) ?`)

// tidy makes page text of what PDFium gives: lines end in "\n", words and
// numbers that were parted at a line's end are whole again, rows of tables
// stay lines.
func tidy(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if strings.ContainsAny(text, lineHyphens) {
		text = joinHyphens(text)
	}
	text = splitNumber.ReplaceAllString(text, "$1$2\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r == '\uffff' || r == '\u00ad':
			return -1
		case r == '\u00a0':
			return ' '
		}
		return r
	}, text)
}

// joinHyphens decides at every hyphen that ended a line whether the word goes
// on without it, keeps it, or only shares its ending ("social- och").
func joinHyphens(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for {
		i := strings.IndexAny(text, lineHyphens)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		before := text[:i]
		_, size := utf8.DecodeRuneInString(text[i:])
		text = strings.TrimLeft(text[i+size:], "\n ")
		b.WriteString(before)
		last, _ := utf8.DecodeLastRuneInString(before)
		next, _ := utf8.DecodeRuneInString(text)
		switch {
		case sharesEnding(text):
			b.WriteString("- ")
		case unicode.IsLower(last) && unicode.IsLower(next):
		default: // "HVB-hem", "1967-02"
			b.WriteByte('-')
		}
	}
}

// sharesEnding: "hälso- och sjukvård" broken after its hyphen.
func sharesEnding(rest string) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	switch word {
	case "och", "eller", "samt", "respektive", "and", "or":
		return true
	}
	return false
}
