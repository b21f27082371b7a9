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
	// scanned is how few characters make a page a scan if it shows a picture
	// at all, such as a copied identity card, or drawn letters.
	scanned = 20
	// titled is how few make one if the picture is more than a logotype.
	titled = 150
	// layered is how many make a page one of text, whatever lies behind it.
	// With fewer it is a scan if they keep to the margins of a large picture:
	// what registries and signing services print on every page.
	layered = 1500
	// trace, card and most are parts of a page that pictures cover.
	trace, card, most = 0.03, 0.05, 0.5
	// outlined is how many paths on a page with few characters may be letters
	// that were turned into drawings.
	outlined = 60
	// bands is how many strips a page is cut into, each way, and margin how
	// many of them hold the characters of a stamp.
	bands, margin = 40, 8
	// renderDPI is what recognition needs: 150 loses digits, 300 costs twice.
	renderDPI = 200
	// renderPixels bounds one rendered page.
	renderPixels = 25e6
	// pictured is the part of a page of text that a picture covers to be worth
	// reading where illustrations are read: less is a logotype.
	pictured = 0.02
	// maxObjects bounds the look for pictures on one page, maxForms how deep
	// forms in forms are looked into.
	maxObjects, maxForms = 2_000, 4
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

// isPicture tells whether a page with so many characters, and more in its
// annotations, is a scan.
func (d *document) isPicture(p requests.Page, characters, annotated int) bool {
	if characters >= layered {
		return false
	}
	shown, ok := d.shows(p)
	switch {
	case !ok:
		return false
	case characters+annotated < scanned:
		return shown.pictures+shown.drawings > trace || shown.paths >= outlined
	case characters < titled:
		return shown.pictures > card
	}
	return shown.pictures > most && d.inMargins(p)
}

// shown is what a page shows besides text: parts of its area, and paths.
type shown struct {
	pictures, drawings float64
	paths              int
	objects            int
	area               float64 // of the page, in square points
}

// shows looks at the objects of a page.
func (d *document) shows(p requests.Page) (s shown, ok bool) {
	size, err := d.GetPageSize(&requests.GetPageSize{Page: p})
	if !d.check(err) || size.Width <= 0 || size.Height <= 0 {
		return s, false
	}
	s.area = size.Width * size.Height
	count, err := d.FPDFPage_CountObjects(&requests.FPDFPage_CountObjects{Page: p})
	if !d.check(err) {
		return s, false
	}
	for i := range min(count.Count, maxObjects) {
		object, err := d.FPDFPage_GetObject(&requests.FPDFPage_GetObject{Page: p, Index: i})
		if d.check(err) {
			d.addTo(&s, object.PageObject, 1, 1)
		}
		if s.objects >= maxObjects || s.pictures > most {
			break
		}
	}
	return s, true
}

// addTo adds what a page object shows, in forms so deep, whose area counts
// scale times.
func (d *document) addTo(s *shown, object references.FPDF_PAGEOBJECT, scale float64, depth int) {
	s.objects++
	kind, err := d.FPDFPageObj_GetType(&requests.FPDFPageObj_GetType{PageObject: object})
	if !d.check(err) {
		return
	}
	switch kind.Type {
	case enums.FPDF_PAGEOBJ_PATH:
		s.paths++
	case enums.FPDF_PAGEOBJ_IMAGE:
		s.pictures += d.part(object) * scale / s.area
	case enums.FPDF_PAGEOBJ_FORM:
		if depth == 1 {
			s.drawings += d.part(object) / s.area
		}
		if depth < maxForms {
			d.addForm(s, object, scale, depth)
		}
	}
}

// addForm adds what the objects in a form show.
func (d *document) addForm(s *shown, form references.FPDF_PAGEOBJECT, scale float64, depth int) {
	matrix, err := d.FPDFPageObj_GetMatrix(&requests.FPDFPageObj_GetMatrix{PageObject: form})
	if d.check(err) {
		m := matrix.Matrix
		scale *= math.Abs(float64(m.A)*float64(m.D) - float64(m.B)*float64(m.C))
	}
	count, err := d.FPDFFormObj_CountObjects(&requests.FPDFFormObj_CountObjects{PageObject: form})
	if !d.check(err) {
		return
	}
	for i := range min(count.Count, maxObjects-s.objects) {
		object, err := d.FPDFFormObj_GetObject(&requests.FPDFFormObj_GetObject{PageObject: form, Index: uint64(i)}) //nolint:gosec // not negative
		if d.check(err) {
			d.addTo(s, object.PageObject, scale, depth+1)
		}
	}
}

// part is the area of an object, in square points of where it stands.
func (d *document) part(object references.FPDF_PAGEOBJECT) float64 {
	box, err := d.FPDFPageObj_GetBounds(&requests.FPDFPageObj_GetBounds{PageObject: object})
	if !d.check(err) {
		return 0
	}
	return math.Abs(float64(box.Right-box.Left) * float64(box.Top-box.Bottom))
}

// inMargins tells whether the characters of a page keep to a few strips of it.
func (d *document) inMargins(p requests.Page) bool {
	size, err := d.GetPageSize(&requests.GetPageSize{Page: p})
	if !d.check(err) {
		return false
	}
	loaded, err := d.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: p})
	if !d.check(err) {
		return false
	}
	defer func() {
		_, err := d.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: loaded.TextPage})
		d.check(err)
	}()
	count, err := d.FPDFText_CountRects(&requests.FPDFText_CountRects{TextPage: loaded.TextPage, StartIndex: 0, Count: -1})
	if !d.check(err) {
		return false
	}
	var down, across strips
	for i := range min(count.Count, maxObjects) {
		r, err := d.FPDFText_GetRect(&requests.FPDFText_GetRect{TextPage: loaded.TextPage, Index: i})
		if d.check(err) {
			down.mark(r.Bottom/size.Height, r.Top/size.Height)
			across.mark(r.Left/size.Width, r.Right/size.Width)
		}
	}
	return min(down.count(), across.count()) <= margin
}

// strips are those of a page, one way, that hold characters.
type strips [bands]bool

func (s *strips) mark(from, to float64) {
	for i := max(0, int(from*bands)); i < bands && float64(i) <= to*bands; i++ {
		s[i] = true
	}
}

func (s *strips) count() (n int) {
	for _, marked := range s {
		if marked {
			n++
		}
	}
	return n
}

// scan hands on a page as a picture. It is rendered only if somebody reads it.
func (d *document) scan(p requests.Page, place string) error {
	return d.out.File(extract.File{
		Name: place + ".bmp", Place: place, Role: extract.Scan, MediaType: "image/bmp",
		Content: &rendering{document: d, page: p},
	})
}

// hasPicture tells whether a page of text has pictures on it that may hold
// text of their own.
func (d *document) hasPicture(p requests.Page) bool {
	shown, ok := d.shows(p)
	return ok && shown.pictures > pictured
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
