package pdf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	pdferrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// document is a PDF that PDFium has open.
type document struct {
	*engine
	ctx       context.Context // of the one call of Extract that this lives in
	ref       references.FPDF_DOCUMENT
	form      *references.FPDF_FORMHANDLE // nil without a form
	pages     int
	out       extract.Sink
	seen      words
	recognise bool // the text in pictures is asked for
	broken    bool // PDFium's memory is not to be trusted any more
}

// withPDFium reads the document with the first engine, or says errRefused.
func (r *Reader) withPDFium(ctx context.Context, in extract.Input, out extract.Sink, seen words) error {
	e, err := r.take()
	if err != nil {
		return err
	}
	d := &document{engine: e, ctx: ctx, out: out, seen: seen, recognise: in.OCR}
	e.documents++
	e.bytes += in.Size
	fit := false
	defer func() { r.give(e, fit) }()
	err = d.open(in)
	if err == nil {
		err = d.read()
		d.close()
	}
	fit = !d.broken
	return err
}

// open opens the document with the empty password or one of those given.
func (d *document) open(in extract.Input) error {
	var err error
	for _, password := range append([]string{""}, in.Passwords...) {
		var opened references.FPDF_DOCUMENT
		opened, err = d.openWith(in, password)
		if err == nil {
			d.ref = opened
			return d.prepare()
		}
		if !errors.Is(err, pdferrors.ErrPassword) {
			break
		}
	}
	switch {
	case errors.Is(err, pdferrors.ErrPassword):
		return protection(in)
	case errors.Is(err, pdferrors.ErrSecurity):
		return protection(in)
	}
	d.check(err)
	return errRefused
}

func (d *document) openWith(in extract.Input, password string) (references.FPDF_DOCUMENT, error) {
	request := &requests.OpenDocument{FileReader: io.NewSectionReader(in, 0, in.Size), FileReaderSize: in.Size}
	if password != "" {
		request.Password = &password
	}
	opened, err := d.OpenDocument(request)
	if err != nil {
		return "", err
	}
	return opened.Document, nil
}

// prepare learns how many pages there are and whether there is a form.
func (d *document) prepare() error {
	count, err := d.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: d.ref})
	if err != nil || count.PageCount <= 0 {
		d.check(err)
		d.close()
		return errRefused
	}
	d.pages = count.PageCount
	return nil
}

func (d *document) close() {
	d.closeForm()
	_, err := d.FPDF_CloseDocument(&requests.FPDF_CloseDocument{Document: d.ref})
	d.check(err)
}

// check notices when a call trapped: the instance behind it is unfit then.
// Every other error is a part of the document that is not there.
func (d *document) check(err error) bool {
	if err == nil {
		return true
	}
	if s := err.Error(); strings.Contains(s, "wasm error") || strings.Contains(s, "module closed") || strings.Contains(s, "panic") {
		d.broken = true
	}
	return false
}

// read writes everything the document says, in order of pages.
func (d *document) read() error {
	if err := d.information(); err != nil {
		return err
	}
	d.openForm()
	failed := 0
	for i := range d.pages {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		ok, err := d.page(i)
		if err != nil {
			return err
		}
		if d.broken {
			return fmt.Errorf("page %d and what follows: %w", i+1, extract.ErrDamaged)
		}
		if !ok {
			failed++
			if err := d.out.Gap(page(i+1), fmt.Errorf("page cannot be loaded: %w", extract.ErrDamaged)); err != nil {
				return err
			}
		}
		if failed > 1000 {
			return fmt.Errorf("too many pages that cannot be loaded: %w", extract.ErrDamaged)
		}
	}
	if err := d.xfa(); err != nil {
		return err
	}
	return d.attachments()
}

// page reads one page; false means that it is not there.
func (d *document) page(index int) (bool, error) {
	loaded, err := d.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: d.ref, Index: index})
	if !d.check(err) {
		return false, nil
	}
	p := requests.Page{ByReference: &loaded.Page}
	defer func() {
		_, err := d.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: loaded.Page})
		d.check(err)
	}()
	text, unmapped, ok := d.text(p)
	if !ok {
		return false, nil
	}
	place := page(index + 1)
	d.seen.add(text)
	if err := extract.Pieces(d.ctx, extract.Part{Kind: extract.Body, Place: place}, text, d.out); err != nil {
		return true, err
	}
	annotated, err := d.annotations(p, place)
	if err != nil {
		return true, err
	}
	if unmapped || d.isPicture(p, visible(text), annotated) {
		return true, d.scan(p, place)
	}
	if d.recognise && d.hasPicture(p) {
		return true, d.pictures(p, place)
	}
	return true, nil
}

// text returns the text of a page, and whether its fonts do not tell what
// letters they draw: then the text is none, and only the picture of the page
// can be read.
func (d *document) text(p requests.Page) (text string, unmapped, ok bool) {
	loaded, err := d.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: p})
	if !d.check(err) {
		return "", false, false
	}
	defer func() {
		_, err := d.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: loaded.TextPage})
		d.check(err)
	}()
	count, err := d.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: loaded.TextPage})
	if !d.check(err) || count.Count <= 0 {
		return "", false, err == nil
	}
	got, err := d.FPDFText_GetText(&requests.FPDFText_GetText{TextPage: loaded.TextPage, Count: count.Count})
	if !d.check(err) {
		return "", false, false
	}
	text = tidy(got.Text) + "\n"
	return text, garbled(text) || d.unmapped(loaded.TextPage, count.Count), true
}

// sampled is how many characters of a page are looked at.
const sampled = 40

// unmapped tells whether an eighth of a page's characters have no meaning: what
// was filled in may have a font of its own.
func (d *document) unmapped(page references.FPDF_TEXTPAGE, count int) bool {
	asked, none := 0, 0
	for i := 0; i < count; i += max(1, count/sampled) {
		got, err := d.FPDFText_HasUnicodeMapError(&requests.FPDFText_HasUnicodeMapError{TextPage: page, Index: i})
		if !d.check(err) {
			return false
		}
		if asked++; got.HasUnicodeMapError {
			none++
		}
	}
	return none*8 > asked
}

// information writes title, author, subject and keywords.
func (d *document) information() error {
	tags := []string{"Title", "Author", "Subject", "Keywords"}
	got, err := d.GetMetaData(&requests.GetMetaData{Document: d.ref, Tags: &tags})
	if !d.check(err) {
		return nil
	}
	for _, tag := range got.Tags {
		value := strings.TrimSpace(strings.Trim(tag.Value, "\x00"))
		if value == "" {
			continue
		}
		part, line := extract.Part{Kind: extract.Property}, tag.Tag+": "+value+"\n"
		if tag.Tag == "Title" {
			part, line = extract.Part{Kind: extract.Title}, value+"\n"
		}
		if err := extract.Pieces(d.ctx, part, line, d.out); err != nil {
			return err
		}
	}
	return nil
}
