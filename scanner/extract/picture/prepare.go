package picture

import (
	"context"
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"
)

const (
	// recognisable is the most pixels that recognition gets: an A3 page at
	// 300 dpi. More costs time and finds nothing.
	recognisable = 25e6
	// small is the width below which letters are a screen's, too small to be
	// recognised well; such pictures are doubled.
	small = 1100
)

// prepare makes an upright picture fit for recognition: level, of a sensible
// size.
func prepare(ctx context.Context, g *image.Gray) (*image.Gray, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w, h := g.Rect.Dx(), g.Rect.Dy()
	switch area := float64(w) * float64(h); {
	case area > recognisable:
		g = shrink(g, math.Sqrt(recognisable/area))
	case w < small && h < small*2:
		g = scale(g, 2)
	}
	if angle := skew(g); math.Abs(angle) >= minSkew {
		g = rotate(g, -angle)
	}
	return g, nil
}

// grey returns m in shades of grey, on white where it is transparent.
func grey(m image.Image) *image.Gray {
	b := m.Bounds()
	g := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	switch src := m.(type) {
	case *image.Gray:
		for y := range b.Dy() {
			copy(g.Pix[y*g.Stride:], src.Pix[src.PixOffset(b.Min.X, b.Min.Y+y):][:b.Dx()])
		}
	case *image.YCbCr:
		for y := range b.Dy() {
			copy(g.Pix[y*g.Stride:], src.Y[src.YOffset(b.Min.X, b.Min.Y+y):][:b.Dx()])
		}
	default:
		draw.Draw(g, g.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
		draw.Draw(g, g.Rect, m, b.Min, draw.Over)
	}
	return g
}

func scale(g *image.Gray, factor float64) *image.Gray {
	w := max(1, int(float64(g.Rect.Dx())*factor))
	h := max(1, int(float64(g.Rect.Dy())*factor))
	scaled := image.NewGray(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(scaled, scaled.Rect, g, g.Rect, draw.Src, nil)
	return scaled
}

// shrink makes a large picture smaller, by less than half in each direction,
// by interpolation between the four nearest pixels. draw's scalers would take
// 32 bytes for each pixel.
func shrink(g *image.Gray, factor float64) *image.Gray {
	w, h := max(1, int(float64(g.Rect.Dx())*factor)), max(1, int(float64(g.Rect.Dy())*factor))
	smaller := image.NewGray(image.Rect(0, 0, w, h))
	const one = 1 << 16 // of fixed point
	step := int(one / factor)
	right, bottom := g.Rect.Dx()-1, g.Rect.Dy()-1
	for y := range h {
		sy, fy := y*step/one, y*step%one
		upper := g.Pix[min(sy, bottom)*g.Stride:]
		lower := g.Pix[min(sy+1, bottom)*g.Stride:]
		for x := range w {
			sx, fx := min(x*step/one, right), x*step%one
			next := min(sx+1, right)
			above := int(upper[sx])*(one-fx) + int(upper[next])*fx
			below := int(lower[sx])*(one-fx) + int(lower[next])*fx
			smaller.Pix[y*smaller.Stride+x] = byte((above*(one-fy) + below*fy) / (one * one)) //nolint:gosec // a mean of bytes
		}
	}
	return smaller
}

// upright undoes what the camera noted: Exif 2.32, tag 0x0112.
func upright(g *image.Gray, orientation int) *image.Gray {
	if orientation < 2 || orientation > 8 {
		return g
	}
	w, h := g.Rect.Dx(), g.Rect.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	turned := image.NewGray(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, h-1-x
			case 7:
				sx, sy = w-1-y, h-1-x
			case 8:
				sx, sy = w-1-y, x
			}
			turned.Pix[y*turned.Stride+x] = g.Pix[sy*g.Stride+sx]
		}
	}
	return turned
}

const (
	maxSkew = 10.0 // degrees
	minSkew = 0.4  // what recognition does not mind
)

// skew estimates by how many degrees the lines of a page rise to the right:
// at the right angle, rows are either full of ink or empty, so that the sum
// of squares of the ink per row is greatest (Postl, 1986).
func skew(g *image.Gray) float64 {
	points, height := ink(g)
	if len(points) < 200 {
		return 0
	}
	rows := make([]int, height*2)
	sharpness := func(degrees float64) float64 {
		clear(rows)
		slope := math.Tan(degrees * math.Pi / 180)
		for _, p := range points {
			y := p.Y + int(float64(p.X)*slope) + height/2
			if 0 <= y && y < len(rows) {
				rows[y]++
			}
		}
		sum := 0.0
		for i := 1; i < len(rows); i++ {
			d := float64(rows[i] - rows[i-1])
			sum += d * d
		}
		return sum
	}
	level := sharpness(0)
	best, most := 0.0, level
	search := func(from, to, step float64) {
		for a := from; a <= to; a += step {
			if s := sharpness(a); s > most {
				best, most = a, s
			}
		}
	}
	search(-maxSkew, maxSkew, 0.5)
	search(best-0.4, best+0.4, 0.1)
	if most < level*1.15 { // no clear gain: a photo, a drawing
		return 0
	}
	return best
}

// ink returns the dark points of a page, made smaller for speed.
func ink(g *image.Gray) (points []image.Point, height int) {
	const width = 800
	if g.Rect.Dx() > width {
		f := float64(width) / float64(g.Rect.Dx())
		smaller := image.NewGray(image.Rect(0, 0, width, max(1, int(float64(g.Rect.Dy())*f))))
		draw.ApproxBiLinear.Scale(smaller, smaller.Rect, g, g.Rect, draw.Src, nil)
		g = smaller
	}
	sum := 0
	for _, v := range g.Pix {
		sum += int(v)
	}
	threshold := byte(sum / max(1, len(g.Pix)) * 3 / 4)
	for y := range g.Rect.Dy() {
		for x, v := range g.Pix[y*g.Stride:][:g.Rect.Dx()] {
			if v < threshold {
				points = append(points, image.Pt(x, y))
			}
		}
	}
	return points, g.Rect.Dy()
}

// paper tells whether a picture has a ground that something could be written
// on: one brightness that much of it shares. Photos have all of them.
func paper(g *image.Gray) bool {
	const bin, share = 32, 0.4
	var counts [256 / bin]int
	for i := 0; i < len(g.Pix); i += 7 {
		counts[g.Pix[i]/bin]++
	}
	most, sum := 0, 0
	for _, c := range counts {
		most, sum = max(most, c), sum+c
	}
	return float64(most) > share*float64(sum)
}

// rotate turns a page about its middle, on white.
func rotate(g *image.Gray, degrees float64) *image.Gray {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	w, h := float64(g.Rect.Dx()), float64(g.Rect.Dy())
	turned := image.NewGray(g.Rect)
	for i := range turned.Pix {
		turned.Pix[i] = 255
	}
	m := [6]float64{cos, sin, w/2 - cos*w/2 - sin*h/2, -sin, cos, h/2 + sin*w/2 - cos*h/2}
	draw.BiLinear.Transform(turned, m, g, g.Rect, draw.Over, nil)
	return turned
}
