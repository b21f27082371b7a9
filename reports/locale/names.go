package locale

import (
	"strconv"
	"strings"
)

// Code returns the name of a code within a family of codes ("status", "gap",
// …). A code the catalogue does not know is shown as itself.
func (l *Locale) Code(family, code string) string {
	if code == "" {
		return ""
	}
	if e, known := l.texts[family+"."+code]; known {
		return e[l.language].other
	}
	return code
}

// Category returns the name of a category: "halsa" → "Hälsa".
func (l *Locale) Category(code string) string { return l.Code("category", code) }

// Class returns what a class means: 3 → "K3 – …".
func (l *Locale) Class(class int) string {
	name := "K" + strconv.Itoa(class)
	if meaning := l.Code("class", name); meaning != name {
		return name + " – " + meaning
	}
	return name
}

// Outcome returns the name of a verdict's outcome: "forbidden" → "Fel plats".
func (l *Locale) Outcome(code string) string { return l.Code("outcome", code) }

// Severity returns the name of a severity.
func (l *Locale) Severity(code string) string { return l.Code("severity", code) }

// Status returns the name of a finding's status.
func (l *Locale) Status(code string) string { return l.Code("status", code) }

// Audience returns who an audience is: "anonymous" → "alla som har länken".
func (l *Locale) Audience(code string) string { return l.Code("audience", code) }

// Reading returns how the reading of a document ended.
func (l *Locale) Reading(status string) string {
	if status == "" {
		return l.T("reading.waiting")
	}
	return l.Code("reading", status)
}

// Gap returns the reason of a gap as a sentence, GapRemedy what can be done
// about it ("" if nothing is known).
func (l *Locale) Gap(reason string) string { return l.Code("gap", reason) }

// GapRemedy returns what can be done about a gap; "" if nothing is known.
func (l *Locale) GapRemedy(reason string) string {
	if key := "gap-remedy." + reason; l.Has(key) {
		return l.T(key)
	}
	return ""
}

// Identifier returns the name of a type of identifier.
func (l *Locale) Identifier(code string) string { return l.Code("identifier", code) }

// IdentifierCount returns a counted type of identifier: "12 personnummer".
func (l *Locale) IdentifierCount(code string, n int64) string {
	if key := "identifier-count." + code; l.Has(key) {
		return l.N(key, n)
	}
	return l.Number(n) + " " + l.Identifier(code)
}

// Kind returns the name of a kind of document: "rehabplan" → "rehabplan".
func (l *Locale) Kind(code string) string { return l.Code("kind", code) }

// Law returns the name of a jurisdiction: "US" → "USA".
func (l *Locale) Law(code string) string { return l.Code("law", code) }

// Decision returns the name of a kind of decision on file.
func (l *Locale) Decision(kind string) string { return l.Code("decision", kind) }

// Confidence returns how sure something is: 1, 2 or 3.
func (l *Locale) Confidence(c int) string {
	switch c {
	case 1:
		return l.T("confidence.low")
	case 2:
		return l.T("confidence.medium")
	case 3:
		return l.T("confidence.high")
	}
	return ""
}

// Pattern returns the name of what evidence was found by: an identifier's
// type, or a category and the term of the lexicon ("halsa:diagnos").
func (l *Locale) Pattern(code string) string {
	if l.Has("identifier." + code) {
		return l.Identifier(code)
	}
	category, group, grouped := strings.Cut(code, ":")
	if !grouped || !l.Has("category."+category) {
		return l.Category(code)
	}
	return l.Category(category) + ": " + group
}

// Advice returns what a head of department is asked to do, in full sentences.
func (l *Locale) Advice(code string) string { return l.Code("advice", code) }

// List joins words as the language does: "a, b och c".
func (l *Locale) List(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + l.T("and") + " " + words[last]
}
