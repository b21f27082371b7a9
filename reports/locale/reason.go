package locale

import (
	"strconv"
	"strings"
)

// Reason is one cause of a class or verdict, as package policy documents it.
type Reason struct {
	Code     string
	Category string
	Args     []string
}

// Reason returns a cause as a sentence. What the catalogue does not know, or
// what lacks arguments, is shown as it is.
func (l *Locale) Reason(r Reason) string {
	key := "reason." + r.Code
	switch r.Code {
	case "category":
		if people := r.number(0); people > 0 {
			return l.N("reason.category-people", people, l.Category(r.Category))
		}
		return l.T(key, l.Category(r.Category))
	case "identifiers", "register":
		if len(r.Args) == 2 {
			return l.T(key, l.IdentifierCount(r.Args[0], r.number(1)))
		}
	case "own":
		if len(r.Args) == 1 {
			return l.own(r.Args[0])
		}
	case "jurisdiction":
		return l.T(key, l.List(l.laws(r.Args)))
	}
	args := make([]any, 0, len(r.Args))
	for _, a := range r.Args {
		args = append(args, l.argument(r.Code, a))
	}
	if e, known := l.texts[key]; known && placeholders(e[l.language].other) <= len(args) {
		return l.fill(e[l.language].other, 0, args)
	}
	return l.unknown(strings.TrimSpace(r.Code+" "+r.Category), args)
}

// own says what of the organisation's own was met.
func (l *Locale) own(pattern string) string {
	if kind, name, ok := strings.Cut(pattern, ":"); ok && l.Has("reason.own-"+kind) {
		return l.T("reason.own-"+kind, name)
	}
	return l.T("reason.own", pattern)
}

// number returns an argument as a number; 0 if it is none.
func (r Reason) number(i int) int64 {
	if i >= len(r.Args) {
		return 0
	}
	n, _ := strconv.ParseInt(r.Args[i], 10, 64)
	return n
}

func (l *Locale) laws(args []string) []string {
	var names []string
	for _, a := range args {
		for _, code := range strings.FieldsFunc(a, func(r rune) bool { return r == ',' || r == ' ' }) {
			names = append(names, l.Law(code))
		}
	}
	return names
}

// argument puts a code in words if the reason speaks of its family.
func (l *Locale) argument(code, arg string) string {
	family := code
	if strings.HasPrefix(code, "decision") {
		family = "decision"
	}
	if arg == "" {
		return "–"
	}
	return l.Code(family, arg)
}

// placeholders returns how many arguments a text needs.
func placeholders(text string) int {
	n := 0
	for strings.Contains(text, "{"+strconv.Itoa(n)+"}") {
		n++
	}
	return n
}
