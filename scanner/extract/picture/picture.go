// Package picture reads the text in pictures: tesseract recognises it, in a
// process of its own. Beside the pixels it reads where a photo was taken and
// what its maker wrote into it, which needs no recognition.
package picture

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"time"

	// Decoders, called through image.Decode.
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/webp"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Config says how text is recognised. Zero values take those of DefaultConfig.
type Config struct {
	Program   string   // tesseract: a name to look for in PATH, or a path
	Languages []string // tesseract's names; those not installed are left out
	// PageTime is processor time for one attempt on a picture. By the clock,
	// all attempts together may take four times as long: a busy machine does
	// not make a page illegible.
	PageTime time.Duration
}

// DefaultConfig recognises Swedish and English.
func DefaultConfig() Config {
	return Config{Program: "tesseract", Languages: []string{"swe", "eng"}, PageTime: 30 * time.Second}
}

// Reader is the Extractor for pictures.
type Reader struct{ recogniser *recogniser }

var _ extract.Extractor = (*Reader)(nil)

// New returns a Reader. It looks for tesseract when the first picture comes.
func New(c Config) *Reader {
	d := DefaultConfig()
	if c.Program == "" {
		c.Program = d.Program
	}
	if len(c.Languages) == 0 {
		c.Languages = d.Languages
	}
	if c.PageTime == 0 {
		c.PageTime = d.PageTime
	}
	return &Reader{&recogniser{config: c}}
}

// Name implements extract.Extractor.
func (*Reader) Name() string { return "picture" }

// Version implements extract.Extractor.
func (*Reader) Version() int { return 3 }

// Accepts implements extract.Extractor: photos, scans and what tesseract
// itself can open. Drawings (DWG, PSD) and icons are nobody's.
func (*Reader) Accepts(_, mediaType string) bool { return kinds[mediaType] }

// kinds are the pictures that are read, or that would be if there were a
// decoder: those say so themselves.
var kinds = map[string]bool{
	"image/jpeg": true, "image/png": true, "image/gif": true, "image/tiff": true, "image/bmp": true, "image/webp": true,
	"image/jp2": true, "image/jpx": true, "image/x-portable-bitmap": true, "image/x-portable-graymap": true, "image/x-portable-pixmap": true,
	"image/heic": true, "image/heif": true, "image/heic-sequence": true, "image/heif-sequence": true, "image/avif": true,
}

const (
	// smallest is the area, in pixels, below which a picture holds no text
	// worth looking for: icons, lines, tracking pixels.
	smallest = 100 * 40
	// largest is the area above which a picture is not decoded: it would take
	// half a gigabyte.
	largest = 120e6
)

// Extract implements extract.Extractor.
func (r *Reader) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	exif := readExif(in)
	if text := exif.text(); text != "" {
		if err := extract.Pieces(ctx, extract.Part{Kind: extract.Property}, text, out); err != nil {
			return err
		}
	}
	if in.MediaType == "image/avif" {
		return fmt.Errorf("no decoder for %s: %w", in.MediaType, extract.ErrUnsupported)
	}
	if in.MediaType == "image/tiff" {
		if pages := tiffPages(in); len(pages) > 1 {
			return r.pages(ctx, in, pages, out)
		}
	}
	switch w, h := size(in); {
	case w == 0 || h == 0:
	case tiny(w, h):
		return nil
	case float64(w)*float64(h) > largest:
		return fmt.Errorf("%d × %d pixels: %w", w, h, extract.ErrLimit)
	}
	if !in.OCR {
		return extract.ErrOCRDeferred
	}
	return r.recognise(ctx, in, exif.orientation, out)
}

// size is what a picture's header says; 0 where it is not understood.
func size(in extract.Input) (width, height int) {
	if isHEIF(in) {
		return heifSize(in) // its decoder need not be woken for that
	}
	config, _, err := image.DecodeConfig(in.Reader())
	if err != nil {
		return 0, 0
	}
	return config.Width, config.Height
}

// tiny tells whether a picture is too small to hold text worth looking for.
func tiny(width, height int) bool {
	return width < 40 || height < 20 || width*height < smallest
}

// recognise writes the text of one picture.
func (r *Reader) recognise(ctx context.Context, in extract.Input, orientation int, out extract.Sink) error {
	if err := r.recogniser.ready(ctx); err != nil {
		return err
	}
	var text string
	page, err := r.decode(ctx, in, orientation)
	switch {
	case errors.Is(err, errTiny):
		return nil
	case err == nil:
		text, err = r.recogniser.read(ctx, page)
	case errors.Is(err, errUndecoded) && ctx.Err() == nil:
		// What Go's decoders do not know, tesseract's may.
		text, err = r.recogniser.readFile(ctx, in.Reader())
	}
	if text != "" {
		if err := extract.Pieces(ctx, extract.Part{Kind: extract.Recognised}, text, out); err != nil {
			return err
		}
	}
	return err
}

// pages hands on every page of a TIFF as a picture of its own, so that each
// has its place, its time and its gap.
func (r *Reader) pages(ctx context.Context, in extract.Input, pages []tiffPage, out extract.Sink) error {
	if !in.OCR {
		return extract.ErrOCRDeferred
	}
	for i, page := range pages {
		if err := ctx.Err(); err != nil {
			return err
		}
		place := fmt.Sprintf("page %d", i+1)
		err := out.File(extract.File{
			Name: place, Place: place, Role: extract.Scan,
			Content: singlePage(in, page),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Installed returns the version and the languages of the tesseract that c
// names, for doctor. The error wraps extract.ErrNoOCR if there is none.
func Installed(ctx context.Context, c Config) (version string, languages []string, err error) {
	r := New(c).recogniser
	if err := r.ready(ctx); err != nil {
		return "", nil, err
	}
	return r.version(ctx), r.languages, nil
}

var (
	errUndecoded = errors.New("picture cannot be decoded")
	errTiny      = errors.New("picture holds no text")
)

// decode returns the picture fit for recognition.
func (r *Reader) decode(ctx context.Context, in extract.Input, orientation int) (*image.Gray, error) {
	if isHEIF(in) {
		g, err := decodeHEIF(in) // upright already, whatever its Exif says
		if err != nil {
			return nil, err
		}
		return prepare(ctx, g)
	}
	g, err := decode(in.Reader())
	if err != nil {
		return nil, err
	}
	return prepare(ctx, upright(g, orientation))
}

// decode returns a picture that Go's decoders know as shades of grey.
func decode(r io.Reader) (*image.Gray, error) {
	m, _, err := image.Decode(r)
	if err != nil {
		return nil, errUndecoded // the decoder's words may quote the picture
	}
	return grey(m), nil
}
