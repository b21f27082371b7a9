package locale

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Codes come from stored data and other versions: nothing they hold may stop
// a report, and what is unknown stays visible.
func FuzzCodes(f *testing.F) {
	f.Add("page 3", "category", "halsa", "12")
	f.Add("a › b!C7", "ceiling", "m365", "K1")
	f.Add("{0}", "register", "{n}", "{")
	l := New("sv")
	f.Fuzz(func(t *testing.T, place, code, a, b string) {
		l.Place(place)
		l.Because(place)
		l.Pattern(code)
		said := l.Reason(Reason{Code: code, Args: []string{a, b}})
		if !l.Has("reason."+code) && !strings.Contains(said, strings.TrimSpace(code)) {
			t.Errorf("the unknown reason %q became %q", code, said)
		}
		if utf8.ValidString(code) && utf8.ValidString(a) && utf8.ValidString(b) && !utf8.ValidString(said) {
			t.Errorf("%q is no text", said)
		}
	})
}
