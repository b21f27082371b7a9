package ole

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
)

// content returns the bytes of a golden document's stream.
func content(t *testing.T, path, name string) []byte {
	t.Helper()
	whole, err := os.ReadFile(filepath.Join("testdata", path))
	if err != nil {
		t.Fatal(err)
	}
	file, err := openCompound(t.Context(), extracttest.Input(path, whole))
	if err != nil {
		t.Fatal(err)
	}
	return file.find("", name).bytes()
}

// noticed reads a damaged stream and tells whether it was said to be so.
func noticed(t *testing.T, read func(d *document) error) bool {
	t.Helper()
	r, err := extracttest.Read(t.Context(), streamReader{read: read}, extracttest.Input("input", nil))
	return errors.Is(err, extract.ErrDamaged) || strings.Contains(strings.Join(r.Gaps, "\n"), extract.ErrDamaged.Error())
}

// What is lost is named: no damage to the records is passed over in silence.
func TestDamageIsNoticed(t *testing.T) {
	book := content(t, "pupils/input.xls", "Workbook")
	sst := bytes.Index(book, []byte{0xFC, 0})
	without := func(b []byte, from, to int) []byte { return slices.Delete(slices.Clone(b), from, to) }
	zeros := func(b []byte, from, to int) []byte {
		b = slices.Clone(b)
		clear(b[from:to])
		return b
	}
	for name, damaged := range map[string][]byte{
		"cut off in a sheet":     book[:len(book)-40],
		"cut off before a sheet": book[:sst],
		"a block of zeros":       zeros(book, len(book)/2, len(book)/2+512),
		"begins in the middle":   book[37:],
		"strings are missing":    without(book, sst, sst+4+int(le.Uint16(book[sst+2:]))),
	} {
		if !noticed(t, func(d *document) error { return d.excel(bytes.NewReader(damaged), "") }) {
			t.Errorf("workbook, %s: nobody is told", name)
		}
	}
	if noticed(t, func(d *document) error {
		return d.excel(bytes.NewReader(append(slices.Clone(book), make([]byte, 600)...)), "")
	}) {
		t.Error("a sound workbook with zeros behind it is called damaged")
	}

	main, table := content(t, "letter/input.doc", "WordDocument"), content(t, "letter/input.doc", "1Table")
	text := int(le.Uint32(main[0x18:]))
	for name, damaged := range map[string][2][]byte{
		"cut off in the text":    {main[:text+20], table},
		"zeros instead of text":  {zeros(main, text, text+200), table},
		"a length that is short": {zeros(main, 0x4C, 0x50), table},
		"table cut off":          {main, table[:len(table)/4]},
	} {
		if !noticed(t, func(d *document) error { return d.word(damaged[0], damaged[1], damaged[1], "") }) {
			t.Errorf("letter, %s: nobody is told", name)
		}
	}

	slides, user := content(t, "talk/input.ppt", "PowerPoint Document"), content(t, "talk/input.ppt", "Current User")
	if !noticed(t, func(d *document) error { return d.powerPoint(slides[:len(slides)*2/3], user) }) {
		t.Error("presentation, cut off: nobody is told")
	}
}

// After broken records the next sheet is read.
func TestGoesOnAtTheNextSheet(t *testing.T) {
	book := slices.Clone(content(t, "pupils/input.xls", "Workbook"))
	first := bytes.Index(book[8:], []byte("\x09\x08\x10\x00\x00\x06")) + 8
	clear(book[first+40 : first+48])
	sheet := slices.Clone(book[first:])
	book = append(book, sheet[:20]...) // begins anew, and has a cell
	book = append(book, 0x04, 0x02, 16, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 'A', 'n', 'n', 'a', 'E', 'k', 'x', 0x0A, 0, 0, 0)
	r, _ := extracttest.Read(t.Context(), streamReader{read: func(d *document) error { return d.excel(bytes.NewReader(book), "") }}, extracttest.Input("input", nil))
	if !strings.Contains(r.PlainText(), "AnnaEkx") {
		t.Errorf("the sheet behind the damage is missing:\n%s", r)
	}
}

// The stream of small streams may itself be small and lie far behind.
func TestSmallRootIsSound(t *testing.T) {
	whole, err := os.ReadFile("testdata/pupils/input.xls")
	if err != nil {
		t.Fatal(err)
	}
	c := &compound{ctx: t.Context(), r: bytes.NewReader(whole), size: int64(len(whole)), sector: 512, miniBelow: 4096, fat: make([]uint32, 256), miniFat: make([]uint32, 128)}
	c.fat[200] = noSector + 4
	entry := make([]byte, entrySize)
	entry[66] = rootEntry
	le.PutUint32(entry[116:], 200)
	le.PutUint32(entry[120:], 576)
	if s := c.newStream(entry, ""); c.damaged || len(s.chain) != 1 {
		t.Errorf("damaged: %v, chain %v", c.damaged, s.chain)
	}
}
