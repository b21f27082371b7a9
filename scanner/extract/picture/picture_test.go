package picture_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/bmp"
	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/f64"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/tiff"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/picture"
)

// needTesseract skips where there is none: everything else would be a mock.
func needTesseract(t testing.TB) {
	t.Helper()
	if _, _, err := picture.Installed(context.Background(), picture.DefaultConfig()); err != nil {
		t.Skipf("SKIPPED: %v: apt-get install tesseract-ocr tesseract-ocr-swe", err)
	}
}

// letter is a page with Swedish words and one of the official test numbers.
var letter = []string{
	"Orosanmälan enligt 14 kap. 1 § socialtjänstlagen",
	"Personnummer: 19850709-2388",
	"Läkarintyget visar att eleven är sjukskriven för ångest.",
	"Handläggare på förvaltningen är Åsa Öberg.",
}

// draws lines of text as a scanner at 200 dpi would see them.
func draws(t testing.TB, ttf []byte, size float64, lines []string) *image.Gray {
	t.Helper()
	parsed, err := opentype.Parse(ttf)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 200, Hinting: font.HintingNone})
	if err != nil {
		t.Fatal(err)
	}
	page := image.NewGray(image.Rect(0, 0, 1654, 900))
	draw.Draw(page, page.Rect, image.White, image.Point{}, draw.Src)
	for i, line := range lines {
		d := font.Drawer{Dst: page, Src: image.NewUniform(color.Gray{30}), Face: face, Dot: fixed.P(120, 150+i*90)}
		d.DrawString(line)
	}
	return page
}

func turned(m *image.Gray, quarters int) *image.Gray {
	for range quarters {
		w, h := m.Rect.Dx(), m.Rect.Dy()
		r := image.NewGray(image.Rect(0, 0, h, w))
		for y := range h {
			for x := range w {
				r.SetGray(h-1-y, x, m.GrayAt(x, y))
			}
		}
		m = r
	}
	return m
}

func tilted(m *image.Gray, sin, cos float64) *image.Gray {
	r := image.NewGray(m.Rect)
	draw.Draw(r, r.Rect, image.White, image.Point{}, draw.Src)
	w, h := float64(m.Rect.Dx()), float64(m.Rect.Dy())
	draw.BiLinear.Transform(r, f64.Aff3{cos, sin, w/2 - cos*w/2 - sin*h/2, -sin, cos, h/2 + sin*w/2 - cos*h/2}, m, m.Rect, draw.Over, nil)
	return r
}

func encoded(t testing.TB, format string, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&b, m)
	case "jpg":
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 80})
	case "tiff":
		err = tiff.Encode(&b, m, &tiff.Options{Compression: tiff.Deflate})
	case "bmp":
		err = bmp.Encode(&b, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func recognise(t testing.TB, name string, content []byte) (string, error) {
	t.Helper()
	in := extracttest.Input(name, content)
	in.OCR = true
	rec, err := extracttest.Read(t.Context(), picture.New(picture.Config{}), in)
	return rec.PlainText(), err
}

func TestFormats(t *testing.T) {
	needTesseract(t)
	page := draws(t, goregular.TTF, 11, letter)
	for _, format := range []string{"png", "jpg", "tiff", "bmp"} {
		t.Run(format, func(t *testing.T) {
			text, err := recognise(t, "a."+format, encoded(t, format, page))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"19850709-2388", "Orosanmälan", "sjukskriven", "ångest", "Åsa Öberg"} {
				if !strings.Contains(text, want) {
					t.Errorf("lacks %q:\n%s", want, text)
				}
			}
		})
	}
}

func TestPosture(t *testing.T) {
	needTesseract(t)
	page := draws(t, goregular.TTF, 11, letter)
	for name, m := range map[string]*image.Gray{
		"upside down":     turned(page, 2),
		"on its side":     turned(page, 1),
		"5° to the left":  tilted(page, 0.0872, 0.9962),
		"8° to the right": tilted(page, -0.1392, 0.9903),
	} {
		t.Run(name, func(t *testing.T) {
			text, err := recognise(t, "a.png", encoded(t, "png", m))
			if err != nil || !strings.Contains(text, "19850709-2388") || !strings.Contains(text, "sjukskriven") {
				t.Errorf("%v:\n%s", err, text)
			}
		})
	}
}

func TestZone(t *testing.T) {
	needTesseract(t)
	page := draws(t, goregular.TTF, 11, []string{"SPECIMEN PASSPORT", "SWEDEN UTOPIA"})
	mono := draws(t, gomono.TTF, 9, []string{"", "", "", "",
		"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", // the specimen of ICAO Doc 9303
		"L898902C36UTO7408122F1204159ZE184226B<<<<<10"})
	draw.Draw(page, image.Rect(0, 380, 1654, 900), mono, image.Pt(0, 380), draw.Src)
	text, err := recognise(t, "pass.jpg", encoded(t, "jpg", page))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nP<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n", "UTO7408122F1204159"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
}

func TestNothingToRecognise(t *testing.T) {
	icon := encoded(t, "png", image.NewGray(image.Rect(0, 0, 32, 32)))
	in := extracttest.Input("icon.png", icon)
	if _, err := extracttest.Read(t.Context(), picture.New(picture.Config{}), in); err != nil {
		t.Errorf("an icon: %v", err)
	}
	page := encoded(t, "png", draws(t, goregular.TTF, 11, letter))
	in = extracttest.Input("page.png", page)
	if _, err := extracttest.Read(t.Context(), picture.New(picture.Config{}), in); !errors.Is(err, extract.ErrOCRDeferred) {
		t.Errorf("a page without OCR: %v", err)
	}
	in.OCR = true
	if _, err := extracttest.Read(t.Context(), picture.New(picture.Config{Program: "no-such-tesseract"}), in); !errors.Is(err, extract.ErrNoOCR) {
		t.Errorf("without tesseract: %v", err)
	}
}

func TestHuge(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewPaletted(image.Rect(0, 0, 12000, 12000), color.Palette{color.White, color.Black})); err != nil {
		t.Fatal(err)
	}
	in := extracttest.Input("bomb.png", b.Bytes())
	in.OCR = true
	started := time.Now()
	_, err := extracttest.Read(t.Context(), picture.New(picture.Config{}), in)
	if !errors.Is(err, extract.ErrLimit) || time.Since(started) > time.Second {
		t.Errorf("144 Mpx: %v after %v", err, time.Since(started))
	}
}

func TestTimeLimit(t *testing.T) {
	needTesseract(t)
	in := extracttest.Input("page.png", encoded(t, "png", draws(t, goregular.TTF, 11, letter)))
	in.OCR = true
	_, err := extracttest.Read(t.Context(), picture.New(picture.Config{PageTime: 20 * time.Millisecond}), in)
	if !errors.Is(err, extract.ErrLimit) {
		t.Errorf("got %v", err)
	}
}

// TestCorpusScans: at 200 dpi and more, 45 of the 46 numbers of a dense page.
func TestCorpusScans(t *testing.T) {
	needTesseract(t)
	dir := filepath.Join(extracttest.Corpus(t), "scans")
	list, err := os.ReadFile(filepath.Join(dir, "dense.pn"))
	if err != nil {
		t.Fatal(err)
	}
	notDigit := regexp.MustCompile(`[^0-9]`)
	numbers := strings.Split(strings.TrimSpace(string(list)), "\n")
	for i, n := range numbers {
		numbers[i] = notDigit.ReplaceAllString(n, "")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "s[0-9]*.jpg"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no scans", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			started := time.Now()
			text, err := recognise(t, path, content)
			if err != nil {
				t.Fatal(err)
			}
			digits := notDigit.ReplaceAllString(text, "")
			found := 0
			for _, n := range numbers {
				if strings.Contains(digits, n) {
					found++
				}
			}
			t.Logf("%d of %d numbers in %v", found, len(numbers), time.Since(started).Round(10*time.Millisecond))
			if !strings.Contains(path, "150") && found < len(numbers)-1 {
				t.Errorf("only %d of %d numbers", found, len(numbers))
			}
		})
	}
}

func ExampleConfig() {
	fmt.Println(picture.DefaultConfig().Languages)
	// Output: [swe eng]
}
