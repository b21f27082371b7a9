package picture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/font/gofont/goregular"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/picture"
)

// ifd writes one directory of a TIFF: entries whose values are at most four
// bytes, or stand after the directory.
type ifd struct {
	order   binary.ByteOrder
	entries []value
}

type value struct {
	tag, kind uint16
	count     uint32
	bytes     []byte
}

// encode returns the directory for the offset at, and the offset after it.
func (d ifd) encode(at, next uint32) []byte {
	var head, tail bytes.Buffer
	_ = binary.Write(&head, d.order, uint16(len(d.entries)))
	behind := at + 2 + uint32(len(d.entries))*12 + 4
	for _, v := range d.entries {
		_ = binary.Write(&head, d.order, []uint16{v.tag, v.kind})
		_ = binary.Write(&head, d.order, v.count)
		if len(v.bytes) <= 4 {
			head.Write(append(v.bytes, make([]byte, 4-len(v.bytes))...))
			continue
		}
		_ = binary.Write(&head, d.order, behind+uint32(tail.Len()))
		tail.Write(v.bytes)
	}
	_ = binary.Write(&head, d.order, next)
	return append(head.Bytes(), tail.Bytes()...)
}

// exifOf is the Exif block of a photo taken at Åmåls torg.
func exifOf(order binary.ByteOrder) []byte {
	u32 := func(v ...uint32) []byte {
		var b bytes.Buffer
		_ = binary.Write(&b, order, v)
		return b.Bytes()
	}
	ascii := func(tag uint16, s string) value { return value{tag, 2, uint32(len(s) + 1), append([]byte(s), 0)} }
	gps := ifd{order, []value{
		{1, 2, 2, []byte("N\x00")}, {2, 5, 3, u32(59, 1, 3, 1, 4, 1)},
		{3, 2, 2, []byte("E\x00")}, {4, 5, 3, u32(12, 1, 42, 1, 36, 1)},
	}}
	const first = 8
	root := func(gpsAt uint32) ifd {
		return ifd{order, []value{ascii(0x010e, "hembesök hos 19850709-2388"), ascii(0x013b, "Åsa Öberg"), {0x8825, 4, 1, u32(gpsAt)}}}
	}
	gpsAt := uint32(first + len(root(0).encode(first, 0)))
	var b bytes.Buffer
	if order == binary.LittleEndian {
		b.WriteString("II*\x00")
	} else {
		b.WriteString("MM\x00*")
	}
	_ = binary.Write(&b, order, uint32(first))
	b.Write(root(gpsAt).encode(first, 0))
	b.Write(gps.encode(gpsAt, 0))
	return b.Bytes()
}

// photo is a JPEG with an Exif block.
func photo(t testing.TB, block []byte) []byte {
	t.Helper()
	var plain bytes.Buffer
	m := image.NewGray(image.Rect(0, 0, 300, 200))
	for i := range m.Pix {
		m.Pix[i] = byte(128 + 60*math.Sin(float64(i)/40))
	}
	if err := jpeg.Encode(&plain, m, nil); err != nil {
		t.Fatal(err)
	}
	segment := append([]byte("Exif\x00\x00"), block...)
	var b bytes.Buffer
	b.Write(plain.Bytes()[:2])
	b.Write([]byte{0xff, 0xe1, byte((len(segment) + 2) >> 8), byte(len(segment) + 2)})
	b.Write(segment)
	b.Write(plain.Bytes()[2:])
	return b.Bytes()
}

func TestPosition(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		in := extracttest.Input("a.jpg", photo(t, exifOf(order)))
		rec, err := extracttest.Read(t.Context(), picture.New(picture.Config{}), in)
		if !errors.Is(err, extract.ErrOCRDeferred) {
			t.Errorf("%v: %v", order, err)
		}
		want := "GPS: 59.051111, 12.710000\nDescription: hembesök hos 19850709-2388\nArtist: Åsa Öberg\n"
		if got := rec.PlainText(); got != want {
			t.Errorf("%v: got %q, want %q", order, got, want)
		}
	}
}

// TestFarExif: HEIC keeps its facts wherever its boxes lie, also where the
// photo itself is broken.
func TestFarExif(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1")
	b.Write(make([]byte, 3<<20))
	b.WriteString("\x00\x00\x00\x06Exif\x00\x00")
	b.Write(exifOf(binary.BigEndian))
	in := extracttest.Input("IMG_1.HEIC", b.Bytes())
	rec, err := extracttest.Read(t.Context(), picture.New(picture.Config{}), in)
	if !errors.Is(err, extract.ErrOCRDeferred) || !strings.Contains(rec.PlainText(), "GPS: 59.051111, 12.710000") {
		t.Errorf("%s: %v %q", in.MediaType, err, rec.PlainText())
	}
}

// TestPages: each page of a TIFF is handed on as a picture of its own.
func TestPages(t *testing.T) {
	content := twoPages(t)
	in := extracttest.Input("fax.tiff", content)
	in.OCR = true
	rec, err := extracttest.Read(t.Context(), picture.New(picture.Config{}), in)
	if err != nil || len(rec.Files) != 2 || rec.Files[1].Place != "page 2" || rec.Files[1].Role != extract.Scan {
		t.Fatalf("%v: %+v", err, rec.Files)
	}
	needTesseract(t)
	for i, want := range []string{"Orosanmälan", "Sida två"} {
		text, err := recognise(t, "page.tiff", rec.Files[i].Bytes)
		if err != nil || !strings.Contains(text, want) {
			t.Errorf("page %d lacks %q: %q, %v", i+1, want, text, err)
		}
	}
}

// twoPages is an uncompressed TIFF of two pages.
func twoPages(t testing.TB) []byte {
	t.Helper()
	order := binary.LittleEndian
	b := []byte("II*\x00\x00\x00\x00\x00")
	link := 4 // where the offset of the next directory is to be written
	for _, lines := range [][]string{letter, {"Sida två av handlingen", "Beslut om bistånd"}} {
		m := draws(t, goregular.TTF, 11, lines)
		pixels := uint32(len(b))
		b = append(b, m.Pix...)
		at := uint32(len(b))
		order.PutUint32(b[link:], at)
		u32 := func(v uint32) []byte { return order.AppendUint32(nil, v) }
		d := ifd{order, []value{
			{256, 4, 1, u32(uint32(m.Rect.Dx()))}, {257, 4, 1, u32(uint32(m.Rect.Dy()))}, {258, 3, 1, u32(8)[:2]},
			{259, 3, 1, u32(1)[:2]}, {262, 3, 1, u32(1)[:2]}, {273, 4, 1, u32(pixels)}, {277, 3, 1, u32(1)[:2]},
			{278, 4, 1, u32(uint32(m.Rect.Dy()))}, {279, 4, 1, u32(uint32(len(m.Pix)))},
		}}
		encoded := d.encode(at, 0)
		link = int(at) + len(encoded) - 4
		b = append(b, encoded...)
	}
	return b
}

// TestReader runs the suite on what can be read without recognition, so that
// the golden text does not depend on tesseract's version.
func TestReader(t *testing.T) { extracttest.Run(t, picture.New(picture.Config{})) }

func FuzzReader(f *testing.F) { extracttest.Fuzz(f, picture.New(picture.Config{})) }

// TestGoldenInputs keeps the golden photos and the generator together: with
// MOLNVAKT_WRITE_GOLDEN it writes them.
func TestGoldenInputs(t *testing.T) {
	for name, content := range map[string][]byte{
		"photo":           photo(t, exifOf(binary.LittleEndian)),
		"photo-bigendian": photo(t, exifOf(binary.BigEndian)),
	} {
		path := filepath.Join("testdata", name, "input.jpg")
		if os.Getenv("MOLNVAKT_WRITE_GOLDEN") != "" {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}
