package ooxml

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// word is what a Word document's parts share.
type word struct {
	styles map[string]extract.Kind // of paragraph styles that are headings
	tables int                     // met so far
}

// readStory reads the main document, a header, footer, notes or comments.
func (d *document) readStory(x *extract.XML, place string) error {
	if d.word.styles == nil {
		d.word.styles = d.wordStyles()
	}
	kind := map[string]extract.Kind{
		"hdr": extract.Header, "ftr": extract.Footer, "footnotes": extract.Note, "endnotes": extract.Note, "comments": extract.Comment,
	}[x.Name]
	if kind == "" {
		kind = extract.Body
	}
	w := &wordReader{d: d, x: x}
	return w.blocks(target{part: extract.Part{Kind: kind, Place: place}}, false)
}

// wordStyles tells which paragraph styles are titles and headings: by their
// built-in names, which are English in every language, or their outline level.
func (d *document) wordStyles() map[string]extract.Kind {
	styles, based := map[string]extract.Kind{}, map[string]string{}
	p := d.zip.Part("word/styles.xml")
	if p == nil {
		return styles
	}
	r, err := p.Open()
	if err != nil {
		return styles
	}
	defer r.Close() //nolint:errcheck // only read
	id := ""
	// A damaged list of styles costs headings, not text.
	_ = extract.EachXML(r, d.in.Limits, func(x *extract.XML, kind extract.XMLKind) error {
		if kind != extract.XMLStart {
			return nil
		}
		switch x.Name {
		case "style":
			id = x.Attr("styleId")
		case "name":
			switch name := strings.ToLower(x.Attr("val")); {
			case name == "title":
				styles[id] = extract.Title
			case strings.HasPrefix(name, "heading "), strings.HasPrefix(name, "rubrik "), name == "subtitle":
				styles[id] = extract.Heading
			}
		case "basedOn":
			based[id] = x.Attr("val")
		case "outlineLvl":
			if level, err := strconv.Atoi(x.Attr("val")); err == nil && level < 9 && styles[id] == "" {
				styles[id] = extract.Heading
			}
		}
		return nil
	})
	for id, parent := range based {
		for range 10 {
			if styles[id] == "" && styles[parent] != "" {
				styles[id] = styles[parent]
			}
			parent = based[parent]
		}
	}
	return styles
}

// target is where blocks go: the flow, beside it, or into a table's cell.
type target struct {
	part  extract.Part
	aside bool
	cell  *cellText
}

// cellText is the text of one table cell.
type cellText struct{ strings.Builder }

func (c *cellText) line(s string) {
	if c.Len() > 0 {
		c.WriteByte('\n')
	}
	c.WriteString(s)
}

// wordReader reads one part of a Word document.
type wordReader struct {
	d       *document
	x       *extract.XML
	deleted int // open elements of what was deleted or moved away

	inTables   int         // open tables
	nested     []nestedRow // rows of tables in tables, until the outermost ends
	nestedSize int         // bytes
	choices
}

// next is x.Next without what has been said already.
func (w *wordReader) next() (extract.XMLKind, error) { return w.choices.next(w.x) }

// choices leaves out the Fallback that repeats a Choice (ECMA-376, part 3,
// 7.5). One without a Choice is all there is.
type choices struct{ chosen bool }

func (c *choices) next(x *extract.XML) (extract.XMLKind, error) {
	for {
		kind, err := x.Next()
		if err != nil || kind != extract.XMLStart {
			return kind, err
		}
		switch x.Name {
		case "AlternateContent":
			c.chosen = false
		case "Choice":
			c.chosen = true
		case "Fallback":
			if c.chosen {
				if err := x.Skip(); err != nil {
					return 0, err
				}
				continue
			}
		}
		return kind, nil
	}
}

// blocks reads paragraphs and tables until the end of the element it stands
// in, or of the part if that is not bounded.
func (w *wordReader) blocks(t target, bounded bool) error {
	for open := 1; open > 0; {
		kind, err := w.next()
		if errors.Is(err, io.EOF) && !bounded {
			w.d.flow.Line()
			return nil
		}
		if err != nil {
			return err
		}
		if kind == extract.XMLEnd {
			open--
			if open == 0 && !bounded {
				open = 1
			}
			continue
		}
		if kind != extract.XMLStart {
			continue
		}
		consumed, err := w.block(t)
		if err != nil {
			return err
		}
		if !consumed {
			open++
		}
	}
	return nil
}

// block reads the element at hand if it is a block: then its end is consumed.
func (w *wordReader) block(t target) (consumed bool, err error) {
	switch w.x.Name {
	case "p":
		return true, w.paragraph(t)
	case "tbl":
		return true, w.table(t)
	case "footnote", "endnote":
		if kind := w.x.Attr("type"); kind != "" && kind != "normal" {
			return true, w.x.Skip()
		}
	case "comment":
		if author := w.x.Attr("author"); author != "" {
			w.d.flow.In(t.part)
			w.d.flow.Write(author + ": ")
		}
	case "sectPr", "tblPr", "tblGrid", "sdtPr":
		return true, w.x.Skip()
	}
	return false, w.d.flow.Err()
}

// paragraph gathers the runs of one paragraph.
type paragraph struct {
	text, deleted, hidden strings.Builder
	instruction           strings.Builder
	kind                  extract.Kind
	vanish                bool // the present run is hidden
	mode                  string
}

func (w *wordReader) paragraph(t target) error {
	p := &paragraph{}
	for open := 1; open > 0; {
		kind, err := w.next()
		if err != nil {
			w.write(p, t)
			return err
		}
		switch kind {
		case extract.XMLStart:
			consumed, err := w.inline(p, t)
			if err != nil {
				w.write(p, t)
				return err
			}
			if !consumed {
				open++
			}
		case extract.XMLEnd:
			open--
			w.inlineEnd(p)
		case extract.XMLText:
			p.add(w.x.Text(), w.deleted > 0)
			if err := w.relieve(p, t); err != nil {
				return err
			}
		}
	}
	w.write(p, t)
	return w.d.flow.Err()
}

// relieve hands on what there is of a paragraph that is too long to be held.
func (w *wordReader) relieve(p *paragraph, t target) error {
	if p.text.Len()+p.deleted.Len()+p.hidden.Len()+p.instruction.Len() < 1<<20 {
		return nil
	}
	w.write(p, t)
	p.text.Reset()
	p.deleted.Reset()
	p.hidden.Reset()
	p.instruction.Reset()
	if t.cell != nil && int64(t.cell.Len()) > w.d.in.Limits.Text {
		return fmt.Errorf("ooxml: text of one cell: %w", extract.ErrLimit)
	}
	return w.d.flow.Err()
}

// add writes text to where it belongs: what stands there, what was deleted,
// what is hidden, or what a field does.
func (p *paragraph) add(text []byte, deleted bool) {
	switch {
	case p.mode == "":
	case p.mode == "instrText" || p.mode == "delInstrText":
		p.instruction.Write(text)
	case deleted || p.mode == "delText":
		p.deleted.Write(text)
	case p.vanish:
		p.hidden.Write(text)
	default:
		p.text.Write(text)
	}
}

// special adds what an element stands for.
func (p *paragraph) special(s string, deleted bool) {
	mode := p.mode
	p.mode = "t"
	p.add([]byte(s), deleted)
	p.mode = mode
}

// inline handles a start tag inside a paragraph.
func (w *wordReader) inline(p *paragraph, t target) (consumed bool, err error) {
	x, deleted := w.x, w.deleted > 0
	switch x.Name {
	case "t", "delText", "instrText", "delInstrText":
		p.mode = x.Name
	case "del", "moveFrom":
		w.deleted++
	case "r":
		p.vanish = false
	case "vanish", "webHidden":
		p.vanish = x.Name == "vanish" && on(x.Attr("val"))
	case "pPr":
		return true, w.paragraphStyle(p)
	case "tab", "ptab":
		p.special("\t", deleted)
	case "br", "cr":
		p.special("\n", deleted)
	case "noBreakHyphen":
		p.special("-", deleted)
	case "fldSimple":
		p.instruction.WriteString(x.Attr("instr"))
	case "default":
		if v := x.Attr("val"); len(v) > 1 {
			w.d.flow.Aside(extract.Part{Kind: extract.FormField, Place: t.part.Place}, v+"\n")
		}
	case "docPr", "cNvPr", "hlinkClick":
		w.d.altText(x, t.part)
	case "txbxContent":
		return true, w.blocks(target{part: extract.Part{Kind: extract.TextBox, Place: t.part.Place}, aside: true}, true)
	case "p", "tbl": // in a paragraph, but of something else: a drawing's own text
		return true, w.drawingText(t)
	case "sdtPr":
		return true, x.Skip()
	}
	return false, nil
}

func (w *wordReader) inlineEnd(p *paragraph) {
	switch w.x.Name {
	case "t", "delText", "instrText", "delInstrText":
		p.mode = ""
	case "del", "moveFrom":
		if w.deleted > 0 {
			w.deleted--
		}
	}
}

// on reads a boolean property, which is true when it says nothing.
func on(val string) bool { return val != "0" && val != "false" && val != "off" }

// drawingText reads a paragraph of DrawingML inside a paragraph.
func (w *wordReader) drawingText(t target) error {
	var text strings.Builder
	inside := false
	for open := 1; open > 0; {
		kind, err := w.next()
		if err != nil {
			return err
		}
		switch kind {
		case extract.XMLStart:
			open++
			inside = w.x.Name == "t"
		case extract.XMLEnd:
			open--
			inside = false
		case extract.XMLText:
			if inside {
				text.Write(w.x.Text())
			}
		}
	}
	if text.Len() > 0 {
		w.d.flow.Aside(extract.Part{Kind: extract.TextBox, Place: t.part.Place}, text.String()+"\n")
	}
	return nil
}

// paragraphStyle reads pPr for what makes the paragraph a heading.
func (w *wordReader) paragraphStyle(p *paragraph) error {
	for open := 1; open > 0; {
		kind, err := w.next()
		if err != nil {
			return err
		}
		switch kind {
		case extract.XMLStart:
			open++
			switch w.x.Name {
			case "pStyle":
				p.kind = w.d.word.styles[w.x.Attr("val")]
			case "outlineLvl":
				if level, err := strconv.Atoi(w.x.Attr("val")); err == nil && level < 9 {
					p.kind = extract.Heading
				}
			}
		case extract.XMLEnd:
			open--
		}
	}
	return nil
}

// write hands a finished paragraph on.
func (w *wordReader) write(p *paragraph, t target) {
	flow := w.d.flow
	if s := p.text.String(); strings.TrimSpace(s) != "" {
		part := t.part
		if p.kind != "" && part.Kind == extract.Body {
			part.Kind = p.kind
		}
		switch {
		case t.cell != nil:
			t.cell.line(s)
		case t.aside:
			flow.Aside(part, s+"\n")
		default:
			flow.In(part)
			flow.Write(s)
			flow.Line()
		}
	}
	if s := p.deleted.String(); strings.TrimSpace(s) != "" {
		flow.Aside(extract.Part{Kind: extract.Deleted, Place: t.part.Place}, s+"\n")
	}
	hidden := p.hidden.String()
	if link := linkTarget(p.instruction.String()); link != "" {
		hidden += "\n" + link
	}
	if hidden = strings.TrimSpace(hidden); hidden != "" {
		flow.Aside(extract.Part{Kind: extract.Hidden, Place: t.part.Place}, hidden+"\n")
	}
}

// linkTarget returns where a HYPERLINK field leads.
func linkTarget(instruction string) string {
	_, after, found := strings.Cut(instruction, "HYPERLINK")
	if !found {
		return ""
	}
	if _, quoted, found := strings.Cut(after, `"`); found {
		link, _, _ := strings.Cut(quoted, `"`)
		return link
	}
	return ""
}
