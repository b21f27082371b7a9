package pdf

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"math"
	"unicode"

	"golang.org/x/image/bmp"

	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

const (
	// scanned is how few characters make a page a scan, if pictures cover a
	// part of it, such as a copied identity card; stamped, if they cover nearly
	// all: a scan that was stamped with its registration is still a scan.
	scanned, stamped = 20, 150
	// outlined is how many paths on a page with as few characters may be
	// letters that were turned into drawings.
	outlined = 60
	// renderDPI is what recognition needs: 150 loses digits, 300 costs twice.
	renderDPI = 200
	// renderPixels bounds one rendered page.
	renderPixels = 25e6
	// illustrated is how many characters make what is pictured on a page an
	// illustration; pictured, the part of the page that one covers to be worth
	// reading: less is a logotype.
	illustrated, pictured = 250, 0.02
	// maxObjects bounds the look for pictures on one page.
	maxObjects = 2_000
)

// visible counts the characters that show.
func visible(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// isPicture tells whether a page with so many characters is a scan.
func (d *document) isPicture(p requests.Page, characters int) bool {
	if characters >= stamped {
		return false
	}
	enough, lines := 0.03, outlined
	if characters >= scanned {
		enough, lines = 0.85, maxObjects+1
	}
	size, err := d.GetPageSize(&requests.GetPageSize{Page: p})
	if !d.check(err) || size.Width <= 0 || size.Height <= 0 {
		return false
	}
	count, err := d.FPDFPage_CountObjects(&requests.FPDFPage_CountObjects{Page: p})
	if !d.check(err) {
		return false
	}
	covered, paths := 0.0, 0
	for i := range min(count.Count, maxObjects) {
		object, err := d.FPDFPage_GetObject(&requests.FPDFPage_GetObject{Page: p, Index: i})
		if !d.check(err) {
			continue
		}
		area, path := d.shows(object.PageObject)
		covered += area
		if path {
			paths++
		}
		if covered > size.Width*size.Height*enough || paths >= lines {
			return true
		}
	}
	return false
}

// shows tells what a page object covers as a picture, in square points, or
// that it is a path. A form with few characters in it can only show pictures
// or drawings.
func (d *document) shows(object references.FPDF_PAGEOBJECT) (area float64, path bool) {
	kind, err := d.FPDFPageObj_GetType(&requests.FPDFPageObj_GetType{PageObject: object})
	switch {
	case !d.check(err):
		return 0, false
	case kind.Type == enums.FPDF_PAGEOBJ_PATH:
		return 0, true
	case kind.Type != enums.FPDF_PAGEOBJ_IMAGE && kind.Type != enums.FPDF_PAGEOBJ_FORM:
		return 0, false
	}
	box, err := d.FPDFPageObj_GetBounds(&requests.FPDFPageObj_GetBounds{PageObject: object})
	if !d.check(err) {
		return 0, false
	}
	return math.Abs(float64(box.Right-box.Left) * float64(box.Top-box.Bottom)), false
}

// scan hands on a page as a picture. It is rendered only if somebody reads it.
func (d *document) scan(p requests.Page, place string) error {
	return d.out.File(extract.File{
		Name: place + ".bmp", Place: place, Role: extract.Scan, MediaType: "image/bmp",
		Content: &rendering{document: d, page: p},
	})
}

// hasPicture tells whether a page of text has a picture on it that may hold
// text of its own.
func (d *document) hasPicture(p requests.Page) bool {
	size, err := d.GetPageSize(&requests.GetPageSize{Page: p})
	if !d.check(err) {
		return false
	}
	count, err := d.FPDFPage_CountObjects(&requests.FPDFPage_CountObjects{Page: p})
	if !d.check(err) {
		return false
	}
	for i := range min(count.Count, maxObjects) {
		object, err := d.FPDFPage_GetObject(&requests.FPDFPage_GetObject{Page: p, Index: i})
		if !d.check(err) {
			continue
		}
		kind, err := d.FPDFPageObj_GetType(&requests.FPDFPageObj_GetType{PageObject: object.PageObject})
		if !d.check(err) || kind.Type != enums.FPDF_PAGEOBJ_IMAGE {
			continue
		}
		if area, _ := d.shows(object.PageObject); area > size.Width*size.Height*pictured {
			return true
		}
	}
	return false
}

// pictures hands on a page of text for the pictures on it, which only those
// who want illustrations read too.
func (d *document) pictures(p requests.Page, place string) error {
	return d.out.File(extract.File{
		Name: "pictures.bmp", Place: place, Role: extract.Picture, MediaType: "image/bmp",
		Content: &rendering{document: d, page: p},
	})
}

// rendering is a page that becomes a picture when it is first read.
type rendering struct {
	*document
	page    requests.Page
	picture io.Reader
}

// Read implements io.Reader.
func (r *rendering) Read(b []byte) (int, error) {
	if r.picture == nil {
		encoded, err := r.render()
		if err != nil {
			return 0, err
		}
		r.picture = encoded
	}
	return r.picture.Read(b)
}

func (r *rendering) render() (io.Reader, error) {
	size, err := r.GetPageSize(&requests.GetPageSize{Page: r.page})
	if !r.check(err) {
		return nil, fmt.Errorf("render page: %w", extract.ErrDamaged)
	}
	rendered, err := r.RenderPageInDPI(&requests.RenderPageInDPI{
		Page: r.page, DPI: dpi(size.Width, size.Height), ImageFormat: requests.RenderImageFormatGrayscale,
	})
	if !r.check(err) {
		return nil, fmt.Errorf("render page: %w", extract.ErrDamaged)
	}
	defer rendered.Cleanup()
	var encoded bytes.Buffer
	bounds := rendered.Result.RenderedImage.Bounds()
	encoded.Grow(bounds.Dx()*bounds.Dy() + 4096)
	if _, gray := rendered.Result.RenderedImage.(*image.Gray); !gray {
		return nil, fmt.Errorf("render page: %w", extract.ErrUnsupported)
	}
	if err := bmp.Encode(&encoded, rendered.Result.RenderedImage); err != nil {
		return nil, fmt.Errorf("render page: %w", extract.ErrDamaged)
	}
	return &encoded, nil
}

// dpi is the resolution for a page of so many points: less for posters.
func dpi(width, height float64) int {
	square := width / 72 * height / 72
	return int(min(renderDPI, math.Sqrt(renderPixels/max(square, 1e-6))))
}
