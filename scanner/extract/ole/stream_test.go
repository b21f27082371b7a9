package ole

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
)

// streams returns the named streams of a golden document.
func streams(f *testing.F, path string, names ...string) [][]byte {
	content, err := os.ReadFile(filepath.Join("testdata", path))
	if err != nil {
		f.Fatal(err)
	}
	file, err := openCompound(f.Context(), extracttest.Input(path, content))
	if err != nil {
		f.Fatal(err)
	}
	var all [][]byte
	for _, name := range names {
		all = append(all, file.find("", name).bytes())
	}
	return all
}

// try reads a stream of damaged records, without the compound file around it,
// which would seldom let damage through.
func try(t *testing.T, read func(d *document) error) {
	in := extracttest.Input("input", nil)
	in.Limits.Text, in.Limits.Inflate = 4<<20, 16<<20
	start := time.Now()
	_, err := extracttest.Read(t.Context(), streamReader{read: read}, in)
	if err != nil && !extracttest.Named(err) {
		t.Errorf("unnamed error %v", err)
	}
	if took := time.Since(start); took > extracttest.Patience {
		t.Errorf("took %v", took)
	}
}

func FuzzWord(f *testing.F) {
	s := streams(f, "letter/input.doc", "WordDocument", "1Table")
	f.Add(s[0], s[1])
	f.Fuzz(func(t *testing.T, main, table []byte) {
		try(t, func(d *document) error { return d.word(main, table, table, "") })
	})
}

func FuzzExcel(f *testing.F) {
	f.Add(streams(f, "pupils/input.xls", "Workbook")[0])
	f.Fuzz(func(t *testing.T, book []byte) {
		try(t, func(d *document) error { return d.excel(bytes.NewReader(book), "") })
	})
}

func FuzzPowerPoint(f *testing.F) {
	s := streams(f, "talk/input.ppt", "PowerPoint Document", "Current User", "Pictures")
	f.Add(s[0], s[1], s[2])
	f.Fuzz(func(t *testing.T, main, user, pictures []byte) {
		try(t, func(d *document) error {
			err := d.powerPoint(main, user)
			d.pictures(pictures, "")
			return err
		})
	})
}

func FuzzMacro(f *testing.F) {
	f.Add([]byte("\x01\x19\xB0\x00abcdefgh\x00ijklmnop"))
	f.Add([]byte("\x01\x03\xB0\x02a\x45\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 0 && len(decompressMacro(b)) > 4096*(len(b)+1) {
			t.Error("more than a chunk may hold")
		}
	})
}

func TestMacroCopies(t *testing.T) {
	// "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa" of [MS-OVBA] 3.2.2.
	packed := []byte("\x01\x2F\xB0\x00#aaabcde\x82f\x00\x70aghij\x018\x08akl\x000mnop\x06q\x02p\x04\x10rstuv\x10wxyz\x00<")
	if got := string(decompressMacro(packed)); got != "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa" {
		t.Errorf("got %q", got)
	}
}

func TestReadsRk(t *testing.T) {
	for v, want := range map[uint32]float64{0x3FF00000: 1, 0x004B5646: 1234321, 0x004B5647: 12343.21, 0x3FF00001: 0.01} {
		if got := rk(v); got != want {
			t.Errorf("%x: got %v, want %v", v, got, want)
		}
	}
}

func TestOldCodepages(t *testing.T) {
	for language, want := range map[uint16]int{0x041D: 1252, 0x0419: 1251, 0x0415: 1250} {
		if got := codepageOf(language); got != want {
			t.Errorf("%x: got %d, want %d", language, got, want)
		}
	}
	if extract.Codepage(1251) == nil {
		t.Error("no Cyrillic")
	}
}
