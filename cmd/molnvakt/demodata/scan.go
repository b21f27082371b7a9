package demodata

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math/rand/v2"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// scanned is the sheet as a page from a scanner at 200 dpi: grey, a little
// dusty, no text but the picture of it.
func scanned(rng *rand.Rand, s sheet) ([]byte, error) {
	typeface, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	face, err := opentype.NewFace(typeface, &opentype.FaceOptions{Size: 11, DPI: 200})
	if err != nil {
		return nil, err
	}
	defer face.Close()
	page := image.NewGray(image.Rect(0, 0, 1654, 2339))
	draw.Draw(page, page.Bounds(), image.NewUniform(color.Gray{Y: 246}), image.Point{}, draw.Src)
	pen := &font.Drawer{Dst: page, Src: image.NewUniform(color.Gray{Y: 32}), Face: face}
	y := 190
	for _, line := range pdfLayout(s) {
		for i, cell := range line.cells {
			pen.Dot = fixed.P(150+i*1350/max(len(line.cells), 1), y)
			pen.DrawString(cell)
		}
		if y += 46; y > 2250 {
			break
		}
	}
	for range 300 {
		page.SetGray(rng.IntN(1654), rng.IntN(2339), color.Gray{Y: uint8(180 + rng.IntN(50))})
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, page)
	return out.Bytes(), err
}
