package picture

import (
	"bytes"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// tiffPage is where the directory of a page stands, and its link to the next.
type tiffPage struct{ directory, link int64 }

// maxPages bounds the pages of one TIFF.
const maxPages = 5_000

// tiffPages returns the pages of a TIFF.
func tiffPages(in extract.Input) []tiffPage {
	head := make([]byte, 8)
	if _, err := in.ReadAt(head, 0); err != nil {
		return nil
	}
	t, ok := openTIFF(head)
	if !ok || t.order.Uint16(head[2:]) != 42 {
		return nil
	}
	var pages []tiffPage
	seen := map[int64]bool{}
	for at := int64(t.first); at != 0 && !seen[at] && len(pages) < maxPages; {
		seen[at] = true
		b := make([]byte, 4)
		if _, err := in.ReadAt(b[:2], at); err != nil {
			break
		}
		page := tiffPage{at, at + 2 + int64(t.order.Uint16(b))*12}
		if _, err := in.ReadAt(b, page.link); err != nil {
			break
		}
		pages = append(pages, page)
		at = int64(t.order.Uint32(b))
	}
	return pages
}

// singlePage returns the page as a picture of its own: decoded, or, where only
// tesseract's decoder knows how, the TIFF with this page as its only one.
func singlePage(in extract.Input, page tiffPage) io.Reader {
	return &lazyPage{alone: &alone{in: in, page: page, size: in.Size}}
}

// lazyPage decodes its page when it is first read.
type lazyPage struct {
	alone *alone
	r     io.Reader
}

// Read implements io.Reader.
func (l *lazyPage) Read(b []byte) (int, error) {
	if l.r == nil {
		l.r = l.open()
	}
	return l.r.Read(b)
}

func (l *lazyPage) open() io.Reader {
	whole := io.NewSectionReader(l.alone, 0, l.alone.size)
	c, err := tiff.DecodeConfig(whole)
	if err != nil || float64(c.Width)*float64(c.Height) > largest {
		return whole
	}
	m, err := tiff.Decode(whole)
	if err != nil {
		_, _ = whole.Seek(0, io.SeekStart)
		return whole
	}
	var b bytes.Buffer
	if err := bmp.Encode(&b, grey(m)); err != nil {
		return bytes.NewReader(nil)
	}
	return &b
}

// alone is a TIFF in which the header points to one page and that page to no
// other.
type alone struct {
	in   io.ReaderAt
	page tiffPage
	size int64
}

// ReadAt implements io.ReaderAt.
func (a *alone) ReadAt(b []byte, at int64) (int, error) {
	n, err := a.in.ReadAt(b, at)
	head := make([]byte, 8)
	if _, err := a.in.ReadAt(head, 0); err != nil {
		return 0, err
	}
	if t, ok := openTIFF(head); ok {
		t.order.PutUint32(head[4:], uint32(a.page.directory))
	}
	overlay(b[:n], at, head, 0)
	overlay(b[:n], at, make([]byte, 4), a.page.link)
	return n, err
}

// overlay writes patch, which belongs at patchAt, over b, which was read at.
func overlay(b []byte, at int64, patch []byte, patchAt int64) {
	for i, c := range patch {
		if p := patchAt + int64(i) - at; 0 <= p && p < int64(len(b)) {
			b[p] = c
		}
	}
}
