package pdf

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// lineHyphen is what PDFium gives for a hyphen that ended a line.
const lineHyphen = '\u0002'

// splitNumber is an identifier that a line's end parts after its hyphen:
// "19670919-" and, on the next line, "9530".
var splitNumber = regexp.MustCompile(`(\b(?:\d{2})?\d{6}[-+])\n(\d{4}\b)`)

// tidy makes page text of what PDFium gives: lines end in "\n", words and
// numbers that were parted at a line's end are whole again, rows of tables
// stay lines.
func tidy(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if strings.ContainsRune(text, lineHyphen) {
		text = joinHyphens(text)
	}
	text = splitNumber.ReplaceAllString(text, "$1$2\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r == '\ufffe' || r == '\uffff' || r == '\u00ad':
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
		before, after, found := strings.Cut(text, string(lineHyphen))
		b.WriteString(before)
		if !found {
			return b.String()
		}
		text = after
		rest := strings.TrimLeft(after, "\n ")
		if rest == after { // in the midst of a line: a hyphen like any other
			b.WriteByte('-')
			continue
		}
		last, _ := utf8.DecodeLastRuneInString(before)
		next, _ := utf8.DecodeRuneInString(rest)
		switch {
		case sharesEnding(rest):
			b.WriteString("- ")
			text = rest
		case unicode.IsLower(last) && unicode.IsLower(next):
			text = rest
		case unicode.IsDigit(last) && unicode.IsDigit(next), unicode.IsUpper(last), unicode.IsUpper(next) && unicode.IsLetter(last):
			b.WriteByte('-')
			text = rest
		default:
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
