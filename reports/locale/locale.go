// Package locale puts Molnvakt's codes into words: the names of categories,
// classes and statuses, advice to a head of department, places inside a
// document, numbers and dates, in Swedish and English.
//
// The texts stand in texts/*.yaml, one entry for a key with every language
// side by side. A text may hold {0}, {1} … for its arguments and, where it is
// counted, {n}. To add a text, add an entry; the tests fail when a language is
// missing or its arguments differ.
package locale

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Swedish and English are the languages of the catalogue.
const (
	Swedish = "sv"
	English = "en"
)

// Languages returns the languages of the catalogue, the default first.
func Languages() []string { return []string{Swedish, English} }

// Locale speaks one language. It is safe for concurrent use.
type Locale struct {
	language string
	texts    map[string]entry
	zone     *time.Location
}

// New returns the Locale of a language ("sv", "en", "en-GB"). A language that
// the catalogue lacks becomes Swedish.
func New(language string) *Locale {
	language, _, _ = strings.Cut(strings.ToLower(strings.ReplaceAll(language, "_", "-")), "-")
	if !slices.Contains(Languages(), language) {
		language = Swedish
	}
	return &Locale{language: language, texts: catalog(), zone: time.Local}
}

// In returns a Locale that shows times in zone.
func (l *Locale) In(zone *time.Location) *Locale {
	there := *l
	there.zone = zone
	return &there
}

// Language returns "sv" or "en".
func (l *Locale) Language() string { return l.language }

// Has tells whether the catalogue knows a key.
func (l *Locale) Has(key string) bool {
	_, known := l.texts[key]
	return known
}

// T returns the text of a key with its arguments put in. Integers, times and
// durations are written as the language writes them. An unknown key is
// returned as it is, with its arguments, so that nothing vanishes.
func (l *Locale) T(key string, args ...any) string {
	e, known := l.texts[key]
	if !known {
		return l.unknown(key, args)
	}
	return l.fill(e[l.language].other, 0, args)
}

// N is T for a text that is counted: it chooses the singular or the plural
// and puts n in the place of {n}.
func (l *Locale) N(key string, n int64, args ...any) string {
	e, known := l.texts[key]
	if !known {
		return l.unknown(key, append([]any{n}, args...))
	}
	t := e[l.language]
	if n == 1 && t.one != "" {
		return l.fill(t.one, n, args)
	}
	return l.fill(t.other, n, args)
}

func (l *Locale) unknown(key string, args []any) string {
	for _, a := range args {
		key += " " + l.value(a)
	}
	return key
}

// fill puts arguments in the places that a text has for them.
func (l *Locale) fill(text string, n int64, args []any) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(before)
		if i, err := strconv.Atoi(name); err == nil && i < len(args) {
			b.WriteString(l.value(args[i]))
		} else if name == "n" {
			b.WriteString(l.Number(n))
		} else {
			b.WriteString("{" + name + "}")
		}
		text = after
	}
}

func (l *Locale) value(a any) string {
	switch v := a.(type) {
	case string:
		return v
	case int:
		return l.Number(int64(v))
	case int64:
		return l.Number(v)
	case time.Time:
		return l.Date(v)
	case time.Duration:
		return l.Duration(v)
	}
	return fmt.Sprint(a)
}
