package patterns

import (
	"sort"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCanonicalize(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"rent åäö ÅÄÖ é", "rent åäö ÅÄÖ é"},
		{"mjukt\u00adbindestreck", "mjuktbindestreck"},
		{"noll\u200bbredd\ufeff", "nollbredd"},
		{"hårt\u00a0mellan\u202fslag\u2009", "hårt mellan slag "},
		{"1–2—3−4‑5", "1-2-3-4-5"},
		{"“citat” ’s", "\"citat\" 's"},
		{"a\u030a a\u0308 o\u0308 A\u030a e\u0301 c\u030c", "å ä ö Å é č"},
		{"x\u030a", "x\u030a"},
		{"Ã¥Ã¤Ã¶ Ã…Ã„Ã–", "åäö ÅÄÖ"},
		{"f†r k„nd sk”n", "får känd skön"},
		{"”citat” och „citat„", "\"citat\" och \"citat\""},
		{"ﬁnﬂoﬀ", "finfloff"},
		{"１９８０ＡＢ", "1980AB"},
		{"K Å ſ", "K Å s"},
		{"\xc2", "\xc2"},
		{"\xe2\x80", "\xe2\x80"},
		{"日本 😀 русский", "日本 😀 русский"},
		{"rad\u2028rad", "rad\nrad"},
	} {
		var k canonicalizer
		if got := string(k.canonicalize([]byte(c.text)).text); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

// TestCanonicalOffsets maps every canonical offset back: what lies between
// must be what the canonical text shows.
func TestCanonicalOffsets(t *testing.T) {
	text := "få\u00adr a\u030ab –1\u200b2 Ã¤ ﬁ slut"
	var k canonicalizer
	canon := k.canonicalize([]byte(text))
	last := 0
	for off := range len(canon.text) + 1 {
		at := canon.original(off)
		if at < last || at > len(text) {
			t.Fatalf("offset %d maps to %d after %d", off, at, last)
		}
		last = at
	}
	if last != len(text) {
		t.Errorf("the end maps to %d of %d", last, len(text))
	}
	for _, word := range []string{"slut", "12"} {
		i := strings.Index(string(canon.text), word)
		from, to := canon.original(i), canon.original(i+len(word))
		if got := strings.ReplaceAll(text[from:to], "\u200b", ""); got != word {
			t.Errorf("%s maps to %q", word, got)
		}
	}
}

// FuzzCanonicalize: offsets never go backwards, and canonical text stays so.
func FuzzCanonicalize(f *testing.F) {
	f.Add("få\u00adr a\u030ab –1\u200b2 Ã¤ ﬁ ”")
	f.Fuzz(func(t *testing.T, text string) {
		var k canonicalizer
		canon := k.canonicalize([]byte(text))
		last := 0
		for off := range len(canon.text) + 1 {
			at := canon.original(off)
			if at < last || at > len(text) {
				t.Fatalf("offset %d maps to %d after %d", off, at, last)
			}
			last = at
		}
		if utf8.ValidString(text) && !utf8.Valid(canon.text) {
			t.Fatalf("%q became invalid: %q", text, canon.text)
		}
	})
}

// TestRestore: mapping hits back in one pass is mapping each offset.
func TestRestore(t *testing.T) {
	var c canonicalizer
	canon := c.canonicalize([]byte("a\u00adb\u00a0cd\u2013e\u200bf\uff11g a\u030aa\u0308o\u0308 h\u00ad\u00adi"))
	if len(canon.edits) < 8 {
		t.Fatal("the text has too few edits")
	}
	var hits, want []Hit
	for from := range len(canon.text) + 1 {
		for to := len(canon.text); to >= from; to-- {
			hits = append(hits, Hit{Start: from, End: to})
			want = append(want, Hit{Start: canon.original(from), End: canon.original(to)})
		}
	}
	canon.restore(hits)
	for i := range hits {
		if hits[i] != want[i] {
			t.Errorf("got %d..%d, want %d..%d", hits[i].Start, hits[i].End, want[i].Start, want[i].End)
		}
	}
}

// original maps a canonical offset to the original text. Invisible
// characters right before the offset count as before it.
func (c *canonText) original(off int) int {
	if len(c.edits) == 0 {
		return off
	}
	i := sort.Search(len(c.edits), func(i int) bool { return c.edits[i].off > off })
	if i == 0 {
		return off
	}
	return off + c.edits[i-1].delta
}
