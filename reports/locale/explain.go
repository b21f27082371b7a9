package locale

import "strings"

// Because returns why a candidate counted or not: "individual:name" →
// "individ: namn". Codes and details that the catalogue does not know are
// shown as they are.
func (l *Locale) Because(code string) string {
	name, detail, _ := strings.Cut(code, ":")
	key := "because." + name
	if !l.Has(key) {
		return code
	}
	kind, weight, weighed := strings.Cut(detail, ":")
	for _, family := range []string{"because-detail", "innocence", "identifier"} {
		if l.Has(family + "." + kind) {
			detail = l.Code(family, kind)
			if weighed {
				detail += " " + weight
			}
			break
		}
	}
	if text := l.T(key, detail); detail == "" || strings.Contains(text, detail) {
		return text
	}
	return l.T(key) + " (" + detail + ")"
}

// Innocence returns what speaks for a document being harmless.
func (l *Locale) Innocence(code string) string { return l.Code("innocence", code) }
