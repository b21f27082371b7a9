package csv

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Whatever a file is called, its cell is one line of text and no formula.
func FuzzNeutral(f *testing.F) {
	for _, seed := range []string{"", "=1+1", " \t=x", "\u200b\ufeff@a", "＝cmd", "a;b\r\n=c", "\xff\xfe=", strings.Repeat("å", 20_000), "'=", "−1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		got := neutral(cell)
		if !utf8.ValidString(got) || len(got) > 32_767 || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q became %q", cell, got)
		}
		shown := strings.TrimLeftFunc(got, func(r rune) bool { return unicode.In(r, unicode.Cf, unicode.Zs) })
		if shown != "" && strings.ContainsRune("=+-@＝＋－＠−", []rune(shown)[0]) {
			t.Errorf("%q became the formula %q", cell, got)
		}
	})
}
