package locale

import (
	"strconv"
	"strings"
)

// Because returns why a candidate counted or not: "individual:name" →
// "individ: namn". Codes and details that the catalogue does not know are
// shown as they are.
func (l *Locale) Because(code string) string {
	name, detail, _ := strings.Cut(code, ":")
	key := "because." + name
	if !l.Has(key) {
		return code
	}
	detail = l.weight(detail)
	kind, weight, weighed := strings.Cut(detail, ":")
	for _, family := range []string{"because-detail", "innocence", "identifier"} {
		if l.Has(family + "." + kind) {
			detail = l.Code(family, kind)
			if weighed {
				detail += " " + l.weight(weight)
			}
			break
		}
	}
	if text := l.T(key, detail); detail == "" || strings.Contains(text, detail) {
		return text
	}
	return l.T(key) + " (" + detail + ")"
}

// weight writes a number such as 1.5 as the language does, and all else as it
// is.
func (l *Locale) weight(text string) string {
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		return text
	}
	return strings.Replace(text, ".", l.T("number.decimal"), 1)
}

// Innocence returns what speaks for a document being harmless.
func (l *Locale) Innocence(code string) string { return l.Code("innocence", code) }
