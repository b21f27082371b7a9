// Package odf reads OpenDocument texts, spreadsheets, presentations and
// drawings (ISO/IEC 26300), packed and flat, and what OpenOffice.org 1 wrote
// before there was a standard: text, tables, headers, footers, notes,
// comments, deletions, text boxes, hidden sheets and slides, form fields,
// properties, pictures and embedded objects.
package odf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Extractor reads OpenDocument files. The zero value is ready.
type Extractor struct{}

// Name implements extract.Extractor.
func (Extractor) Name() string { return "odf" }

// Version implements extract.Extractor.
func (Extractor) Version() int { return 3 }

// Accepts implements extract.Extractor.
func (Extractor) Accepts(_, mediaType string) bool {
	t := strings.ToLower(mediaType)
	return strings.HasPrefix(t, "application/vnd.oasis.opendocument.") || strings.HasPrefix(t, "application/vnd.sun.xml.")
}

// Extract implements extract.Extractor.
func (Extractor) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d := &document{in: in, flow: extract.NewFlow(ctx, out), done: map[string]bool{}, styles: map[string]style{}}
	if strings.HasSuffix(strings.ToLower(in.MediaType), "-flat-xml") {
		d.readXML(in.Reader(), "", "")
		return d.flow.Close()
	}
	z, err := extract.OpenZip(ctx, in)
	if err != nil {
		return err
	}
	d.zip = z
	if d.encrypted() {
		if err := d.unlock(); err != nil {
			return err
		}
	}
	d.readPackage()
	return d.flow.Close()
}

// document is one file on its way through.
type document struct {
	in     extract.Input
	zip    *extract.Zip // nil for a flat document
	flow   *extract.Flow
	done   map[string]bool // parts dealt with
	styles map[string]style
	tables int // of text, met so far
	slides int

	missing  bool               // parts that the manifest names
	sealed   map[string]*sealed // encrypted parts by name
	password string             // of them
	unsealed int64              // bytes inflated from them
}

// style is what a style says about whether its users are seen.
type style struct {
	hidden, title bool
}

// encrypted: the manifest says how the parts are encrypted (part 2, 3.4.1).
func (d *document) encrypted() bool {
	if d.zip.Part("encrypted-package") != nil {
		return true
	}
	p := d.zip.Part("META-INF/manifest.xml")
	if p == nil {
		return false
	}
	r, err := p.Open()
	if err != nil {
		return false
	}
	defer r.Close() //nolint:errcheck // only read
	found, name := false, ""
	d.sealed = map[string]*sealed{}
	// A damaged manifest is no reason not to try.
	_ = extract.EachXML(r, d.in.Limits, func(x *extract.XML, kind extract.XMLKind) error {
		switch {
		case kind != extract.XMLStart:
		case x.Name == "encryption-data":
			found = true
			d.sealed[name] = &sealed{}
			d.sealed[name].read(x)
		case d.sealed[name] != nil && x.Name != "file-entry":
			d.sealed[name].read(x)
		case x.Name == "file-entry":
			if name = x.Attr("full-path"); path.Ext(name) == ".xml" && d.zip.Part(name) == nil {
				d.missing = true
			}
		}
		return nil
	})
	return found
}

// readPackage reads the parts in reading order: properties, styles (which
// hold headers and footers, and say what is hidden), content, the rest.
func (d *document) readPackage() {
	for _, name := range []string{"meta.xml", "styles.xml", "content.xml"} {
		if p := d.zip.Part(name); p != nil {
			d.readPart(p, "")
		}
	}
	for _, p := range d.zip.Parts {
		if d.flow.Err() != nil {
			return
		}
		d.readRest(p)
	}
	switch {
	case d.zip.Salvaged:
		d.flow.Gap("", fmt.Errorf("odf: cut off: %w", extract.ErrDamaged))
	case d.missing || d.zip.Part("content.xml") == nil:
		d.flow.Gap("", fmt.Errorf("odf: a part is missing: %w", extract.ErrDamaged))
	}
}

// readRest deals with a part that the content did not mention.
func (d *document) readRest(p *extract.ZipPart) {
	low := strings.ToLower(p.Name)
	switch {
	case d.done[p.Name], strings.HasSuffix(low, "/"), path.Base(low) == "settings.xml", low == "mimetype",
		strings.HasPrefix(low, "meta-inf/"), strings.HasPrefix(low, "thumbnails/"), strings.HasPrefix(low, "configurations"),
		strings.HasPrefix(low, "objectreplacements/"), strings.HasPrefix(low, "fonts/"), low == "layout-cache", low == "manifest.rdf":
	case strings.HasPrefix(low, "basic/"), strings.HasPrefix(low, "dialogs/"):
		d.readCode(p)
	case strings.HasPrefix(low, "pictures/"):
		d.hand(p, "", extract.Picture)
	case path.Ext(low) == ".xml":
		d.readPart(p, "")
	default:
		d.hand(p, "", extract.Embedded)
	}
}

// readPart reads one XML part; embedded objects stand at place.
func (d *document) readPart(p *extract.ZipPart, place string) {
	if d.done[p.Name] || d.flow.Err() != nil {
		return
	}
	d.done[p.Name] = true
	r, err := d.open(p)
	if err != nil {
		d.flow.Gap(p.Name, err)
		return
	}
	defer r.Close() //nolint:errcheck // only read
	d.readXML(r, p.Name, place)
}

func (d *document) readXML(r io.Reader, name, place string) {
	x := &reader{d: d, x: extract.NewXML(r, d.in.Limits), folder: path.Dir(name)}
	err := x.children(scope{part: extract.Part{Kind: extract.Body, Place: place}})
	if err != nil && !errors.Is(err, io.EOF) {
		d.flow.Gap(name, err)
	}
	d.flow.Line()
	d.flow.Flush()
}

// readCode reads a macro.
func (d *document) readCode(p *extract.ZipPart) {
	d.done[p.Name] = true
	r, err := d.open(p)
	if err != nil {
		d.flow.Gap(p.Name, err)
		return
	}
	defer r.Close() //nolint:errcheck // only read
	d.flow.In(extract.Part{Kind: extract.Code})
	err = extract.EachXML(r, d.in.Limits, func(x *extract.XML, kind extract.XMLKind) error {
		if kind == extract.XMLText {
			d.flow.WriteBytes(x.Text())
		}
		return d.flow.Err()
	})
	d.flow.Line()
	d.flow.Gap(p.Name, err)
}

// hand gives an embedded file to the sink.
func (d *document) hand(p *extract.ZipPart, place string, role extract.Role) {
	if d.done[p.Name] || d.flow.Err() != nil {
		return
	}
	d.done[p.Name] = true
	r, err := d.open(p)
	if err != nil {
		d.flow.Gap(p.Name, err)
		return
	}
	defer r.Close() //nolint:errcheck // only read
	d.flow.File(extract.File{Name: path.Base(p.Name), Place: place, Role: role, Content: r})
}
