package locale

import (
	"strconv"
	"strings"
	"time"
)

// Reason is one cause of a class or verdict, as the policy gives it.
type Reason struct {
	Code     string
	Category string
	Args     []string
}

// Reason returns a cause as a sentence. Codes and arguments that the
// catalogue does not know are shown as they are.
func (l *Locale) Reason(r Reason) string {
	args := make([]any, 0, len(r.Args)+1)
	if r.Category != "" {
		args = append(args, l.Category(r.Category))
	}
	for i, a := range r.Args {
		args = append(args, l.argument(r.Code, i, a))
	}
	key := "reason." + r.Code
	if e, known := l.texts[key]; known && placeholders(e[l.language].other) <= len(args) {
		return l.fill(e[l.language].other, 0, args)
	}
	if short := key + ".short"; l.Has(short) {
		return l.T(short) + tail(l, args)
	}
	return l.unknown(r.Code, args)
}

func tail(l *Locale, args []any) string {
	if len(args) == 0 {
		return ""
	}
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = l.value(a)
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// argument puts an argument of a reason in words: dates, numbers and codes
// are recognised by their shape or by the families that the reason speaks of.
func (l *Locale) argument(code string, _ int, arg string) any {
	if n, err := strconv.ParseInt(arg, 10, 64); err == nil {
		return n
	}
	if day, err := time.Parse(time.DateOnly, arg); err == nil {
		return day.Format(time.DateOnly)
	}
	for _, family := range argumentFamilies(code) {
		if l.Has(family + "." + arg) {
			return l.Code(family, arg)
		}
	}
	return arg
}

func argumentFamilies(code string) []string {
	switch code {
	case "identifiers", "register":
		return []string{"identifier-plural", "identifier"}
	case "audience":
		return []string{"audience"}
	case "decision-missing", "decision-expired":
		return []string{"decision"}
	}
	return []string{"category", "identifier", "kind", "audience", "decision"}
}

// placeholders returns how many arguments a text needs.
func placeholders(text string) int {
	n := 0
	for strings.Contains(text, "{"+strconv.Itoa(n)+"}") {
		n++
	}
	return n
}
