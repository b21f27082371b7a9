package extract_test

import (
	"io"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

var charsets = map[string]encoding.Encoding{
	"utf-8":        unicode.UTF8,
	"utf-8-bom":    unicode.UTF8BOM,
	"utf-16":       unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf-16le":     unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
	"utf-16be":     unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
	"windows-1252": charmap.Windows1252,
	"iso-8859-1":   charmap.ISO8859_1,
	"iso-8859-15":  charmap.ISO8859_15,
	"mac":          charmap.Macintosh,
	"cp850":        charmap.CodePage850,
	"cp437":        charmap.CodePage437,
}

// What people and systems write reads alike in every charset that has its
// letters, also where one letter is all there is to go by.
func TestDecodeText(t *testing.T) {
	for _, want := range []string{
		"Åsa",
		"på",
		"Ärende: överklagan, Östra Göinge.",
		"NÄMNDENS BESLUT RÖR ÅTTA ÄRENDEN",
		"En lång text utan svenska tecken, och till sist bör det komma ett.",
		"Idé, müsli och Åke",
		"§ 12 Ärende rör Åre",
		strings.Repeat("ren ascii\r\n", 100) + "å",
		"Bengtsfors kommun;Göran;Öberg;\"662 31\"",
	} {
		for name, e := range charsets {
			raw, err := e.NewEncoder().String(want)
			if err != nil {
				continue // the charset lacks a letter
			}
			if got := extract.DecodeText([]byte(raw), ""); got != want {
				t.Errorf("%s: %.40q reads %.40q", name, want, got)
			}
		}
	}
}

func TestDeclaredCharset(t *testing.T) {
	for _, c := range []struct{ raw, declared, want string }{
		{"\xe5\xe4\xf6", "iso-8859-1", "åäö"},
		{"\xcf\xf0\xe8\xe2\xe5\xf2", "windows-1251", "Привет"},
		{"\xc3\xa5", "iso-8859-1", "å"},        // a lie: it is UTF-8
		{"\xe5", "utf-8", "å"},                 // another
		{"\xe5", "x-unknown", "å"},             //
		{"\x1b$B8l\x1b(B", "iso-2022-jp", "語"}, // 7-bit, only the declaration tells
		{"\xff\xfea\x00", "utf-8", "a"},
		{"\x80 5", "iso-8859-1", "€ 5"},
	} {
		if got := extract.DecodeText([]byte(c.raw), c.declared); got != c.want {
			t.Errorf("%q as %s reads %q, want %q", c.raw, c.declared, got, c.want)
		}
	}
}

// A log to which two systems write is read line by line as each meant it.
func TestMixedCharsets(t *testing.T) {
	raw := strings.Repeat("Åsa öppnade ärendet\n", 10) + "G\xf6ran st\xe4ngde det\n"
	if got := extract.DecodeText([]byte(raw), ""); !strings.HasSuffix(got, "Göran stängde det\n") || !strings.HasPrefix(got, "Åsa") {
		t.Errorf("reads %q", got)
	}
}

// Reading in pieces gives what reading at once gives, wherever a rune falls.
func TestTextReaderAcrossBuffers(t *testing.T) {
	for shift := range 4 {
		want := strings.Repeat("x", 64<<10-2+shift) + strings.Repeat("åäö€😀", 20_000)
		r, err := extract.TextReader(strings.NewReader(want), int64(len(want)), "")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != want {
			t.Errorf("shift %d: %d bytes of %d, %v", shift, len(got), len(want), err)
		}
	}
}

func FuzzDecodeText(f *testing.F) {
	f.Add([]byte("Åsa \xe5\x84"), "utf-8")
	f.Fuzz(func(t *testing.T, raw []byte, declared string) {
		extract.DecodeText(raw, declared)
	})
}
