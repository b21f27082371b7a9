package picture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/font/gofont/goregular"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/picture"
)

// heic encodes with Debian's heif-enc, as telephones do.
func heic(t testing.TB, name string, content []byte, args ...string) []byte {
	t.Helper()
	program, err := exec.LookPath("heif-enc")
	if err != nil {
		t.Skip("SKIPPED: HEIC is not tried: apt-get install libheif-examples")
	}
	dir := t.TempDir()
	from, to := filepath.Join(dir, name), filepath.Join(dir, "photo.heic")
	if err := os.WriteFile(from, content, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, append(args, "-q", "60", "-o", to, from)...).CombinedOutput() //nolint:gosec // the test's own words
	if err != nil {
		t.Fatalf("heif-enc: %v\n%s", err, out)
	}
	encoded, err := os.ReadFile(to) //nolint:gosec // just made
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// coloured is m with red paper.
func coloured(m *image.Gray) *image.NRGBA64 {
	c := image.NewNRGBA64(m.Rect)
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			v := uint16(m.GrayAt(x, y).Y) * 0x101
			c.SetNRGBA64(x, y, color.NRGBA64{R: max(v, 0x4000), G: v, B: v, A: 0xffff})
		}
	}
	return c
}

func TestHEICIsRecognised(t *testing.T) {
	needTesseract(t)
	page := draws(t, goregular.TTF, 11, letter)
	for name, content := range map[string][]byte{
		"photo":    heic(t, "a.jpg", encoded(t, "jpg", page)),
		"grey":     heic(t, "a.png", encoded(t, "png", page)),
		"lossless": heic(t, "a.jpg", encoded(t, "jpg", coloured(page)), "-L", "-p", "chroma=444"),
		"deep":     heic(t, "a.png", encoded(t, "png", coloured(page)), "-b", "10"),
		"tiles":    heic(t, "a.png", encoded(t, "png", coloured(page).SubImage(image.Rect(0, 0, 1653, 899)))), // heif-enc makes odd sizes so
	} {
		t.Run(name, func(t *testing.T) {
			text, err := recognise(t, "IMG_0001.HEIC", content)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"19850709-2388", "Orosanmälan", "sjukskriven", "Åsa Öberg"} {
				if !strings.Contains(text, want) {
					t.Errorf("lacks %q:\n%s", want, text)
				}
			}
		})
	}
}

// TestHEICNotes: where a photo was taken is known without its pixels.
func TestHEICNotes(t *testing.T) {
	content := heic(t, "a.jpg", photo(t, exifOf(binary.BigEndian)))
	rec, err := extracttest.Read(t.Context(), picture.New(picture.Config{}), extracttest.Input("IMG_0001.HEIC", content))
	if !errors.Is(err, extract.ErrOCRDeferred) || !strings.Contains(rec.PlainText(), "GPS: 59.051111, 12.710000") {
		t.Errorf("%v:\n%s", err, rec.PlainText())
	}
}

// TestBrokenHEIC: cut off and damaged everywhere, a photo is named so, in time.
func TestBrokenHEIC(t *testing.T) {
	whole := heic(t, "a.jpg", encoded(t, "jpg", coloured(image.NewGray(image.Rect(0, 0, 64, 64)))))
	read := func(content []byte) error {
		_, err := picture.DecodeHEIF(extracttest.Input("a.heic", content))
		return err
	}
	if err := read(whole); err != nil {
		t.Fatalf("whole: %v", err)
	}
	named := func(err error) bool {
		return errors.Is(err, extract.ErrDamaged) || errors.Is(err, extract.ErrLimit) || errors.Is(err, extract.ErrUnsupported) ||
			errors.Is(err, picture.ErrTiny)
	}
	for n := 20; n < len(whole)/2; n += max(1, len(whole)/60) {
		if err := read(whole[:n]); !errors.Is(err, extract.ErrDamaged) {
			t.Errorf("cut off at %d of %d: %v", n, len(whole), err)
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 200 {
		broken := bytes.Clone(whole)
		for range 1 + random.IntN(8) {
			broken[12+random.IntN(min(len(broken)-12, 600))] = byte(random.Uint32())
		}
		started := time.Now()
		if err := read(broken); err != nil && !named(err) {
			t.Errorf("damaged %d: %v", i, err)
		}
		if took := time.Since(started); took > extracttest.Patience {
			t.Errorf("damaged %d took %v", i, took)
		}
	}
}

// TestHugeHEIC: the size in its header is believed before memory is taken.
func TestHugeHEIC(t *testing.T) {
	needTesseract(t)
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	content := heic(t, "a.png", b.Bytes())
	at := bytes.Index(content, []byte("ispe"))
	for ; at >= 0; at = bytes.Index(content, []byte("ispe")) {
		copy(content[at:], "isp#")
		binary.BigEndian.PutUint32(content[at+8:], 30_000)
		binary.BigEndian.PutUint32(content[at+12:], 30_000)
	}
	content = bytes.ReplaceAll(content, []byte("isp#"), []byte("ispe"))
	in := extracttest.Input("a.heic", content)
	in.OCR = true
	started := time.Now()
	_, err := extracttest.Read(t.Context(), picture.New(picture.Config{}), in)
	if err == nil || time.Since(started) > 3*time.Second {
		t.Errorf("900 Mpx: %v after %v", err, time.Since(started))
	}
	t.Log(err)
}
