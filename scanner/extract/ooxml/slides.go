package ooxml

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// readPresentation reads the slides in the order in which they are shown.
func (d *document) readPresentation(x *extract.XML, p *extract.ZipPart) error {
	var ids []string
	damage := d.eachStart(x, func() error {
		if x.Name == "sldId" {
			x.Attrs(func(name, value string) {
				if name == "id" { // its own number, and the relationship's name
					ids = append(ids, value)
				}
			})
		}
		return d.flow.Err()
	})
	targets := map[string]string{}
	for _, r := range d.relationships(p.Name) {
		if strings.HasSuffix(r.kind, "/slide") {
			targets[r.id] = r.target
		}
	}
	number := 0
	for _, id := range ids {
		if target, ok := targets[id]; ok {
			number++
			place := fmt.Sprintf("slide %d", number)
			if part := d.zip.Part(target); part != nil {
				d.walk(part, place)
			} else {
				d.missing(place)
			}
		}
	}
	return damage
}

// slideReader reads a slide, its notes, its comments or a master.
type slideReader struct {
	d     *document
	x     *extract.XML
	part  extract.Part
	shape string // type of the placeholder the present shape fills, "-" if none
	// master: only what is no placeholder shows on slides.
	master bool
	row    int
	cells  []string
	inCell bool
	text   strings.Builder
}

func (d *document) readSlide(x *extract.XML, place string) error {
	s := &slideReader{d: d, x: x, part: extract.Part{Kind: extract.Body, Place: place}, shape: "-"}
	switch x.Name {
	case "sld":
		if show := x.Attr("show"); show == "0" || show == "false" {
			s.part.Kind = extract.Hidden
		}
	case "notes":
		s.part.Kind = extract.Note
	case "cmLst":
		s.part.Kind = extract.Comment
	default:
		s.master = true
		s.part.Kind = extract.Header
	}
	return s.read()
}

func (s *slideReader) read() error {
	inside := false
	var alternatives choices
	for {
		kind, err := alternatives.next(s.x)
		if errors.Is(err, io.EOF) {
			s.paragraph()
			return nil
		}
		if err != nil {
			s.paragraph()
			return err
		}
		switch kind {
		case extract.XMLStart:
			inside = s.x.Name == "t" || s.x.Name == "text"
			s.start()
		case extract.XMLEnd:
			inside = false
			s.end()
			if err := s.d.flow.Err(); err != nil {
				return err
			}
		case extract.XMLText:
			if inside && s.text.Len() < 1<<20 {
				s.text.Write(s.x.Text())
			}
		}
	}
}

func (s *slideReader) start() {
	switch s.x.Name {
	case "sp", "pic", "graphicFrame":
		s.shape = "-"
	case "ph":
		s.shape = s.x.Attr("type")
	case "br":
		s.text.WriteByte('\n')
	case "tab":
		s.text.WriteByte('\t')
	case "tbl":
		s.row = 0
	case "tr":
		s.row++
		s.cells = s.cells[:0]
	case "tc":
		s.inCell = true
		s.text.Reset()
	case "cNvPr", "hlinkClick":
		s.d.altText(s.x, s.part)
	}
}

func (s *slideReader) end() {
	switch s.x.Name {
	case "p", "text":
		s.paragraph()
	case "tc":
		s.inCell = false
		if len(s.cells) < wideRow {
			s.cells = append(s.cells, strings.TrimSpace(s.text.String()))
		}
		s.text.Reset()
	case "tr":
		if strings.Join(s.cells, "") != "" {
			s.d.flow.Row(s.part, extract.Row{Number: s.row, Cells: s.cells})
		}
		s.cells = s.cells[:0]
	case "sp", "pic", "graphicFrame":
		s.shape = "-"
	}
}

// paragraph hands over the text gathered since the last one.
func (s *slideReader) paragraph() {
	if s.inCell {
		if s.text.Len() > 0 {
			s.text.WriteByte('\n')
		}
		return
	}
	text := s.text.String()
	s.text.Reset()
	part := s.part
	switch s.shape {
	case "-":
	case "title", "ctrTitle":
		if part.Kind == extract.Body {
			part.Kind = extract.Heading
		}
	case "sldNum":
		return
	case "ftr", "hdr", "dt":
		if part.Kind == extract.Body {
			part.Kind = extract.Footer
		}
	}
	if s.master && s.shape != "-" {
		return // the prompt of a placeholder: "Click to edit"
	}
	s.d.flow.Alone(part, text)
}

// readDiagramPage reads a page of Visio: the text of its shapes and the values
// of their fields.
func (d *document) readDiagramPage(x *extract.XML, place string) error {
	d.flow.In(extract.Part{Kind: extract.Body, Place: place})
	inText, property := false, false
	for {
		kind, err := x.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case kind == extract.XMLText:
			if inText {
				d.flow.WriteBytes(x.Text())
			}
		case x.Name == "Text":
			inText = kind == extract.XMLStart
			d.flow.Line()
		case x.Name == "Section" && kind == extract.XMLStart:
			property = x.Attr("N") == "Property" || x.Attr("N") == "User"
		case x.Name == "Cell" && kind == extract.XMLStart && property && x.Attr("U") == "STR":
			if name := x.Attr("N"); name == "Value" || name == "Label" || name == "Prompt" {
				d.flow.Aside(extract.Part{Kind: extract.Property, Place: place}, x.Attr("V")+"\n")
			}
		}
		if kind == extract.XMLEnd && d.flow.Err() != nil {
			return d.flow.Err()
		}
	}
}
