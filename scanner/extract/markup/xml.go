package markup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// XML reads any XML: exports, forms, drawings (SVG), settings. Elements of
// simple elements that repeat become the rows of a table that is called after
// them.
type XML struct{}

var _ extract.Extractor = XML{}

// NewXML returns the reader of XML.
func NewXML() XML { return XML{} }

// Name implements extract.Extractor.
func (XML) Name() string { return "xml" }

// Version implements extract.Extractor.
func (XML) Version() int { return 2 }

// Accepts implements extract.Extractor. Kinds of XML that others know better
// (OpenDocument) have media types of their own.
func (XML) Accepts(_, mediaType string) bool {
	return mediaType == "application/xml" || mediaType == "text/xml" || mediaType == "image/svg+xml"
}

// Extract implements extract.Extractor.
func (XML) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	flow := extract.NewFlow(ctx, out)
	t := tree{flow: flow, records: records{flow: flow}, files: packed{flow: flow}}
	flow.In(extract.Part{Kind: extract.Body})
	err := t.read(in)
	t.close()
	t.files.hand()
	if t.glyphs >= drawnLetters {
		flow.Gap("", fmt.Errorf("xml: letters that are drawn: %w", extract.ErrUnsupported))
	}
	if closeErr := flow.Close(); closeErr != nil {
		return closeErr
	}
	return err
}

// tree is where reading a document stands.
type tree struct {
	flow    *extract.Flow
	records records
	files   packed
	open    []*element
	glyphs  int // letters that a drawing (SVG) defines as shapes
}

// drawnLetters is how many of them make text that nobody can read but by eye.
const drawnLetters = 10

// element is an open element.
type element struct {
	name     string
	attrs    record
	text     strings.Builder
	children record // the simple ones; taken as a record when it ends
	complex  bool   // holds elements that are not simple
	mixed    bool   // holds text and elements: its simple elements are part of the text
}

// maxText is where an element's text is written before the element ends, in
// bytes.
const maxText = 1 << 20

func (t *tree) read(in extract.Input) error {
	x := extract.NewXML(in.Reader(), in.Limits)
	var office func(*extract.XML, extract.XMLKind)
	for first := true; ; {
		if err := t.flow.Err(); err != nil {
			return nil // Close tells
		}
		kind, err := x.Next()
		switch {
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return extract.Damaged(err)
		case first && kind == extract.XMLStart:
			if first, office = false, officeReader(x, t.flow); office == nil {
				t.start(x)
			}
		case office != nil:
			office(x, kind)
		case kind == extract.XMLStart:
			t.start(x)
		case kind == extract.XMLEnd:
			t.end()
		case kind == extract.XMLText:
			t.text(x.Text())
		}
	}
}

func (t *tree) top() *element {
	if len(t.open) == 0 {
		return nil
	}
	return t.open[len(t.open)-1]
}

func (t *tree) start(x *extract.XML) {
	if parent := t.top(); parent != nil && parent.text.Len() > 0 {
		parent.mixed = true
	}
	e := &element{name: x.Name}
	x.Attrs(func(name, value string) {
		if name == "id" && strings.HasPrefix(value, "glyph") {
			t.glyphs++
		}
		if !silentAttributes[name] && len(e.attrs.names) < maxRecord {
			e.attrs.add(name, value)
		}
	})
	t.open = append(t.open, e)
}

// silentAttributes say how, not what.
var silentAttributes = map[string]bool{
	"xmlns": true, "schemaLocation": true, "noNamespaceSchemaLocation": true, "style": true, "class": true, "d": true, "points": true, "viewBox": true,
	"transform": true, "fill": true, "stroke": true, "x": true, "y": true, "x1": true, "y1": true, "x2": true, "y2": true, "cx": true, "cy": true, "r": true,
	"width": true, "height": true, "stroke-width": true, "font-size": true, "font-family": true,
}

func (t *tree) text(text []byte) {
	e := t.top()
	if e == nil {
		return
	}
	blank := len(bytes.TrimSpace(text)) == 0
	if blank && e.text.Len() == 0 {
		return
	}
	if len(e.children.names) > 0 && !blank {
		e.mixed = true
		e.text.WriteString(strings.Join(e.children.values, " "))
		e.children = record{}
	}
	e.text.Write(text)
	if n := e.text.Len(); n > maxPacked || n > maxText && !startsPacked(e.text.String()) {
		e.complex = true
		t.spill(e)
	}
}

// spill writes text that cannot wait for its element's end.
func (t *tree) spill(e *element) {
	t.emit(&e.children, e.name)
	t.records.flush()
	t.line(e.name, e.text.String())
	e.text.Reset()
}

func (t *tree) line(name, value string) {
	t.flow.In(extract.Part{Kind: extract.Body})
	t.records.line(name, strings.TrimSpace(value))
}

func (t *tree) end() {
	e := t.top()
	if e == nil {
		return
	}
	t.open = t.open[:len(t.open)-1]
	parent := t.top()
	simple := len(e.children.names) == 0 && !e.complex
	if simple && t.files.take(e.name, e.text.String()) {
		e.text.Reset()
	}
	switch {
	case simple && len(e.attrs.names) == 0 && parent != nil && parent.mixed:
		parent.text.WriteString(e.text.String())
	case simple && len(e.attrs.names) == 0 && parent != nil:
		t.child(parent, e.name, e.text.String())
	case simple:
		if text := strings.TrimSpace(e.text.String()); text != "" {
			e.attrs.add(e.name, text)
		}
		t.whole(parent, e, e.attrs)
	case !e.complex && len(e.children.names) > 0:
		for i, name := range e.children.names {
			e.attrs.add(name, e.children.values[i])
		}
		e.children = record{}
		t.whole(parent, e, e.attrs)
		t.trailing(e)
	default:
		t.emit(&e.attrs, e.name)
		t.emit(&e.children, e.name)
		t.trailing(e)
		t.complicate(parent)
	}
}

// child adds a simple element to its parent's record.
func (t *tree) child(parent *element, name, text string) {
	if len(parent.children.names) >= maxRecord {
		t.emit(&parent.children, parent.name)
		parent.complex = true
	}
	if text = strings.TrimSpace(text); text != "" || !parent.complex {
		parent.children.add(name, text)
	}
}

// whole takes an element that is a record by itself.
func (t *tree) whole(parent *element, e *element, r record) {
	t.complicate(parent)
	r.kind = e.name
	t.records.put(&r)
}

// complicate notes that an element holds more than simple ones: those read so
// far are written.
func (t *tree) complicate(parent *element) {
	if parent == nil {
		return
	}
	if len(parent.children.names) > 0 {
		held := t.records.held
		t.records.held = nil
		t.emit(&parent.children, parent.name)
		t.records.held = held
	}
	parent.complex = true
}

// emit writes simple elements that stand beside others, as lines.
func (t *tree) emit(r *record, _ string) {
	t.flow.In(extract.Part{Kind: extract.Body})
	for i, name := range r.names {
		t.records.line(name, r.values[i])
	}
	*r = record{}
}

func (t *tree) trailing(e *element) {
	if text := strings.TrimSpace(e.text.String()); text != "" {
		t.line(e.name, text)
	}
}

// close writes what is left of a document that was cut off.
func (t *tree) close() {
	for len(t.open) > 0 {
		t.end()
	}
	t.records.flush()
}
