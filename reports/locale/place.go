package locale

import (
	"regexp"
	"strings"
)

// between stands between a document and what lies inside it.
const between = " › "

// counted is a place with a number, and perhaps a cell: "page 3", "table 1!B7".
var counted = regexp.MustCompile(`^([a-z][a-z-]*) (\d+)(?:!([A-Z]{1,3}\d+))?$`)

// cell is a cell of a sheet: "Blad1!B7".
var cell = regexp.MustCompile(`^(.*)!([A-Z]{1,3}\d+)$`)

// Place translates a place inside a document: "page 3" → "sida 3",
// "bilaga.pdf › page 2" → "bilaga.pdf › sida 2", "table 1!B7" → "tabell 1,
// cell B7". What it does not know, such as names, stays as it is.
func (l *Locale) Place(place string) string {
	if place == "" {
		return ""
	}
	parts := strings.Split(place, between)
	for i, p := range parts {
		parts[i] = l.place(p)
	}
	return strings.Join(parts, between)
}

func (l *Locale) place(p string) string {
	if m := counted.FindStringSubmatch(p); m != nil && l.Has("place."+m[1]) {
		where := l.T("place."+m[1], m[2])
		if m[3] != "" {
			where += ", " + l.T("place-cell", m[3])
		}
		return where
	}
	if m := cell.FindStringSubmatch(p); m != nil {
		return l.place(m[1]) + ", " + l.T("place-cell", m[2])
	}
	if l.Has("place-part." + p) {
		return l.T("place-part." + p)
	}
	return p
}
