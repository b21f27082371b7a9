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
// numbers that were parted at a line's end, or whose digits stand in boxes, are
// whole again, rows of tables stay lines.
func tidy(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if strings.ContainsAny(text, lineHyphens) {
		text = joinHyphens(text)
	}
	text = splitNumber.ReplaceAllString(text, "$1$2\n")
	return joinDigits(strings.Map(func(r rune) rune {
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
	}, text))
}

// garbled tells whether a text is mostly signs: fonts whose letters are
// numbered anew give "! " # $" for words. Dots and lines that lead the eye do
// not count.
func garbled(text string) bool {
	letters, signs := 0, 0
	for _, r := range text {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			letters++
		case !unicode.IsSpace(r) && !strings.ContainsRune("._-–—·•…|☐☑", r):
			signs++
		}
	}
	return signs >= 100 && signs > letters
}

// spacedNumber is a personal number whose digits stand apart, as they do in the
// boxes of a form: a year with or without its century, month, day, four digits.
var spacedNumber = regexp.MustCompile(`(?:(?:1 {1,2}9|2 {1,2}0) {1,2})?(?:\d {1,2}){2}(?:0 {1,2}[1-9]|1 {1,2}[0-2]) {1,2}(?:[01236789] {1,2}\d)(?: {0,2}[-+–] {0,2}| {1,2})(?:\d {1,2}){3}\d`)

// joinDigits makes such numbers whole.
func joinDigits(text string) string {
	found := spacedNumber.FindAllStringIndex(text, -1)
	if found == nil {
		return text
	}
	var b strings.Builder
	from := 0
	for _, at := range found {
		if b.WriteString(text[from:at[0]]); standsAlone(text, at[0], at[1]) {
			b.WriteString(strings.NewReplacer(" ", "", "–", "-").Replace(text[at[0]:at[1]]))
		} else {
			b.WriteString(text[at[0]:at[1]])
		}
		from = at[1]
	}
	b.WriteString(text[from:])
	return b.String()
}

// standsAlone tells whether no more digits, of a longer row of them, stand
// before or behind.
func standsAlone(text string, from, to int) bool {
	before, after := strings.TrimRight(text[:from], " "), strings.TrimLeft(text[to:], " ")
	isDigit := func(s string, i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	return !isDigit(before, len(before)-1) && !isDigit(after, 0)
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
