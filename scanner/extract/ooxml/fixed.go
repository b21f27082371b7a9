package ooxml

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// XPS and OpenXPS (ECMA-388) are what Windows prints to a file: packages whose
// pages are drawn in XML.

func isFixed(mediaType string) bool {
	return mediaType == "application/vnd.ms-xpsdocument" || mediaType == "application/oxps"
}

// fixedPages reads the pages of a printed document, in their order.
func (d *document) fixedPages() {
	number := 0
	for _, name := range d.pageNames() {
		number++
		place := fmt.Sprintf("page %d", number)
		p := d.zip.Part(name)
		if p == nil {
			d.missing(place)
			continue
		}
		if d.done[strings.ToLower(p.Name)] || d.flow.Err() != nil {
			continue
		}
		before := d.flow.Chars
		d.fixedPage(p, place)
		d.flow.Flush()
		pictures := d.pictureRole(before)
		for _, r := range d.relationships(p.Name) {
			if !strings.EqualFold(path.Ext(r.target), ".dict") {
				d.follow(r, place, pictures)
			}
		}
	}
}

// pageNames lists the pages as the documents in the package do, and then those
// that none of them names.
func (d *document) pageNames() []string {
	var names []string
	listed := map[string]bool{}
	for _, p := range d.zip.Parts {
		if !strings.EqualFold(path.Ext(p.Name), ".fdoc") {
			continue
		}
		d.done[strings.ToLower(p.Name)] = true
		r, err := p.Open()
		if err != nil {
			d.flow.Gap(p.Name, err)
			continue
		}
		err = extract.EachXML(r, d.in.Limits, func(x *extract.XML, kind extract.XMLKind) error {
			if name := resolve(p.Name, x.Attr("Source")); kind == extract.XMLStart && x.Name == "PageContent" && !listed[strings.ToLower(name)] {
				listed[strings.ToLower(name)] = true
				names = append(names, name)
			}
			return nil
		})
		r.Close() //nolint:errcheck // only read
		d.flow.Gap(p.Name, err)
	}
	for _, p := range d.zip.Parts {
		low := strings.ToLower(p.Name)
		switch path.Ext(low) {
		case ".fpage":
			if !listed[low] {
				names = append(names, p.Name)
			}
		case ".fdseq", ".frag", ".struct", ".dict":
			d.done[low] = true
		}
	}
	return names
}

// fixedPage reads what is drawn with letters.
func (d *document) fixedPage(p *extract.ZipPart, place string) {
	d.done[strings.ToLower(p.Name)] = true
	r, err := p.Open()
	if err != nil {
		d.flow.Gap(place, err)
		return
	}
	defer r.Close() //nolint:errcheck // only read
	body := extract.Part{Kind: extract.Body, Place: place}
	d.flow.In(body)
	var line baseline
	err = extract.EachXML(r, d.in.Limits, func(x *extract.XML, kind extract.XMLKind) error {
		if kind != extract.XMLStart {
			return d.flow.Err()
		}
		if link := x.Attr("FixedPage.NavigateUri"); strings.Contains(link, ":") {
			d.flow.Aside(extract.Part{Kind: extract.Hidden, Place: place}, link+"\n")
		}
		if x.Name == "Glyphs" {
			d.flow.In(body)
			line.next(x, d.flow)
		}
		return d.flow.Err()
	})
	d.flow.Line()
	d.flow.Gap(place, err)
}

// baseline is where the next run of letters goes on if it belongs to the same
// line, and to the same word.
type baseline struct{ x, y float64 }

func (l *baseline) next(x *extract.XML, flow *extract.Flow) {
	text := strings.TrimPrefix(x.Attr("UnicodeString"), "{}")
	if text == "" {
		return
	}
	em, left, y := number(x, "FontRenderingEmSize"), number(x, "OriginX"), number(x, "OriginY")
	if em <= 0 {
		em = 12
	}
	switch away := left - l.x; {
	case y-l.y > em/3 || l.y-y > em/3 || away < -em:
		flow.Line()
	case away > em/6:
		flow.Write(" ")
	}
	flow.Write(text)
	l.x, l.y = left+advance(x.Attr("Indices"), len([]rune(text)))*em, y
}

func number(x *extract.XML, name string) float64 {
	v, err := strconv.ParseFloat(x.Attr(name), 64)
	if err != nil {
		return 0
	}
	return v
}

// advance is how wide a run is, in ems: as its indices say ("glyph,width;…", a
// width in hundredths), or by the width of common letters.
func advance(indices string, letters int) float64 {
	const common = 0.45
	sum, counted := 0.0, 0
	for index := range strings.SplitSeq(indices, ";") {
		fields := strings.Split(index, ",")
		if len(fields) < 2 {
			continue
		}
		if width, err := strconv.ParseFloat(fields[1], 64); err == nil {
			sum += width / 100
			counted++
		}
	}
	return sum + common*float64(max(0, letters-counted))
}
