package picture

import (
	"image"
	"math"
	"testing"
)

func TestPaper(t *testing.T) {
	page := image.NewGray(image.Rect(0, 0, 200, 200))
	photo := image.NewGray(page.Rect)
	for i := range page.Pix {
		page.Pix[i] = 240
		if i/200%10 == 0 {
			page.Pix[i] = 20
		}
		photo.Pix[i] = byte(128 + 120*math.Sin(float64(i%200)/30)*math.Cos(float64(i/200)/40))
	}
	if !paper(page) || paper(photo) {
		t.Errorf("a page is paper: %v, a photo: %v", paper(page), paper(photo))
	}
}

// stripes is a page of lines that rise to the right by so many degrees.
func stripes(degrees float64) *image.Gray {
	g := image.NewGray(image.Rect(0, 0, 800, 1000))
	slope := math.Tan(degrees * math.Pi / 180)
	for y := range 1000 {
		for x := range 800 {
			g.Pix[y*g.Stride+x] = 255
			if row := y + int(float64(x)*slope); row%40 < 12 && x%17 > 2 && 100 < x && x < 700 {
				g.Pix[y*g.Stride+x] = 0
			}
		}
	}
	return g
}

func TestSkew(t *testing.T) {
	for _, want := range []float64{-9, -3.5, -0.7, 0, 0.7, 2, 6.3} {
		g := stripes(want)
		if got := skew(g); math.Abs(got-want) > 0.3 {
			t.Errorf("lines that rise by %v°: %v", want, got)
		}
		if want != 0 {
			if left := skew(rotate(g, -skew(g))); math.Abs(left) > minSkew {
				t.Errorf("after turning %v° back, %v are left", want, left)
			}
		}
	}
	if got := skew(image.NewGray(image.Rect(0, 0, 100, 100))); got != 0 {
		t.Errorf("a black square: %v", got)
	}
}

func TestUpright(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 3, 2)) // 1 2 3 / 4 5 6
	copy(g.Pix, []byte{1, 2, 3, 4, 5, 6})
	for orientation, want := range map[int][]byte{
		1: {1, 2, 3, 4, 5, 6}, 2: {3, 2, 1, 6, 5, 4}, 3: {6, 5, 4, 3, 2, 1}, 4: {4, 5, 6, 1, 2, 3},
		5: {1, 4, 2, 5, 3, 6}, 6: {4, 1, 5, 2, 6, 3}, 7: {6, 3, 5, 2, 4, 1}, 8: {3, 6, 2, 5, 1, 4},
	} {
		if got := upright(g, orientation).Pix; string(got) != string(want) {
			t.Errorf("orientation %d: %v, want %v", orientation, got, want)
		}
	}
}

func TestZoneLines(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"passport":        {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\n", "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<|L898902C36UTO7408122F1204159ZE184226B<<<<<10"},
		"misread":         {"P<UT0ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<\nL898902C36UT074O8I22F12O4IS9ZE184226B<<<<<10\n", "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<|L898902C36UTO7408122F1204159ZE184226B<<<<<10"},
		"identity card":   {"I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<\n", "I<UTOD231458907<<<<<<<<<<<<<<<|7408122F1204159UTO<<<<<<<<<<<6|ERIKSSON<<ANNA<MARIA<<<<<<<<<<"},
		"wrong digits":    {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408132F1204159ZE184226B<<<<<10\n", ""},
		"no zone at all":  {"Ett vanligt brev\nmed några rader\n", ""},
		"only fill marks": {"<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<\n", ""},
	} {
		got := ""
		for i, line := range zoneLines(c.in) {
			if i > 0 {
				got += "|"
			}
			got += line
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestZoneFacts(t *testing.T) {
	for name, c := range map[string]struct {
		zone []string
		want string
	}{
		"Swedish passport":  {[]string{"P<SWELIND<<ALVA<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", "59000002<8SWE1209014F3101012201209012390<<72"}, "Passnummer: 59000002\nPersonnummer: 20120901-2390\n"},
		"another country's": {[]string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}, "Passnummer: L898902C3\n"},
		"identity card":     {[]string{"I<SWED231458907201209012390<<<", "1209012F3104159SWE<<<<<<<<<<<6", "LIND<<ALVA<<<<<<<<<<<<<<<<<<<<"}, "ID-kort nr: D23145890\nPersonnummer: 20120901-2390\n"},
	} {
		if got := zoneFacts(c.zone); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestShrink: a slope stays a slope, from one edge to the other.
func TestShrink(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 1000, 500))
	for i := range g.Pix {
		g.Pix[i] = byte(i % 1000 / 4)
	}
	s := shrink(g, 0.7)
	if s.Rect.Dx() != 700 || s.Rect.Dy() != 350 {
		t.Fatalf("size %v", s.Rect)
	}
	for x := range 700 {
		if got, want := int(s.GrayAt(x, 349).Y), int(float64(x)/0.7/4); got < want-1 || got > want+1 {
			t.Fatalf("at %d: %d, not %d", x, got, want)
		}
	}
}
