package odf

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// reader reads one XML part by descending into its elements.
type reader struct {
	d      *document
	x      *extract.XML
	folder string // of the part in the package

	begun    bool
	prefixes map[string]string // the usual ones by those of this document, where they differ
}

// next reads the next token, with the prefix that everybody uses: a few
// programs make up their own.
func (r *reader) next() (extract.XMLKind, error) {
	kind, err := r.x.Next()
	if err != nil || kind == extract.XMLText {
		return kind, err
	}
	if !r.begun && kind == extract.XMLStart {
		r.begun = true
		r.x.Attrs(func(name, value string) {
			usual := namespace.FindStringSubmatch(value)
			if usual == nil || usual[1] == name {
				return
			}
			if name == "xmlns" {
				name = ""
			}
			if r.prefixes == nil {
				r.prefixes = map[string]string{}
			}
			r.prefixes[name] = usual[1]
		})
	}
	if usual := r.prefixes[r.x.Prefix]; usual != "" {
		r.x.Prefix = usual
	}
	return kind, nil
}

// namespace is one of OpenDocument (part 1, 1.4), in which the usual prefix is
// found ("drawing" is "draw").
var namespace = regexp.MustCompile(`^urn:oasis:names:tc:opendocument:xmlns:(text|table|office|style|meta|form|presentation|svg|draw)(?:ing|-compatible)?:1\.0$`)

// scope is where what stands in an element goes: to the flow, beside it, or
// into a table's cell.
type scope struct {
	part    extract.Part
	aside   bool
	cell    *strings.Builder
	headers bool // in rows that name the columns
	row     int  // of the sheet, counted from 1; 0 outside of sheets
}

func (s scope) as(kind extract.Kind) scope {
	return scope{part: extract.Part{Kind: kind, Place: s.part.Place}, aside: true}
}

// children reads the elements inside the present one, and its end. At the
// root it returns io.EOF.
func (r *reader) children(s scope) error {
	for {
		kind, err := r.next()
		if err != nil {
			return err
		}
		switch kind {
		case extract.XMLEnd:
			return r.d.flow.Err()
		case extract.XMLStart:
			if err := r.element(s); err != nil {
				return err
			}
		}
	}
}

// element reads the element whose start is at hand, its end included.
func (r *reader) element(s scope) error {
	switch r.x.Prefix {
	case "text":
		return r.textElement(s)
	case "table":
		return r.tableElement(s)
	case "draw", "presentation":
		return r.drawElement(s)
	case "style":
		return r.styleElement(s)
	case "meta", "dc":
		return r.property(s)
	case "svg":
		if r.x.Name == "title" || r.x.Name == "desc" {
			return r.paragraph(s.as(extract.TextBox), "")
		}
	case "form":
		return r.field(s)
	case "office":
		switch r.x.Name {
		case "annotation":
			return r.annotation(s)
		case "binary-data":
			return r.binary(s)
		case "font-face-decls", "settings", "change-info":
			return r.x.Skip()
		}
	}
	return r.children(s)
}

func (r *reader) textElement(s scope) error {
	switch r.x.Name {
	case "p", "h":
		return r.paragraph(s, r.x.Name)
	case "tracked-changes":
		return r.children(s.as(extract.Deleted))
	case "change-info", "list-style", "outline-style", "notes-configuration", "linenumbering-configuration":
		return r.x.Skip()
	case "user-field-decl", "variable-decl":
		if v := r.x.Attr("string-value"); v != "" {
			r.d.flow.Aside(s.as(extract.Hidden).part, v+"\n")
		}
	}
	return r.children(s)
}

// paragraph reads a paragraph or heading; name is "" for what is neither.
func (r *reader) paragraph(s scope, name string) error {
	looks := r.d.styles[r.x.Attr("style-name")]
	var text strings.Builder
	err := r.inline(s, &text)
	switch {
	case s.part.Kind != extract.Body || s.cell != nil:
	case looks.title:
		s.part.Kind = extract.Title
	case name == "h":
		s.part.Kind = extract.Heading
	}
	if looks.hidden {
		s = s.as(extract.Hidden)
	}
	r.write(s, text.String())
	if err != nil {
		return err
	}
	return r.d.flow.Err()
}

// write hands on a finished paragraph.
func (r *reader) write(s scope, text string) {
	switch {
	case strings.TrimSpace(text) == "":
	case s.cell != nil:
		if s.cell.Len() > 0 {
			s.cell.WriteByte('\n')
		}
		s.cell.WriteString(text)
	case s.aside:
		r.d.flow.Aside(s.part, text+"\n")
	default:
		r.d.flow.In(s.part)
		r.d.flow.Write(text)
		r.d.flow.Line()
	}
}

// inline gathers the text of a paragraph until its end.
func (r *reader) inline(s scope, text *strings.Builder) error {
	for {
		kind, err := r.next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("odf: paragraph without end: %w", extract.ErrDamaged)
		}
		if err != nil {
			return err
		}
		switch kind {
		case extract.XMLEnd:
			return nil
		case extract.XMLText:
			text.Write(r.x.Text())
			if int64(text.Len()) > r.d.in.Limits.Text {
				return fmt.Errorf("odf: text of one paragraph: %w", extract.ErrLimit)
			}
		case extract.XMLStart:
			if err := r.run(s, text); err != nil {
				return err
			}
		}
	}
}

// run reads an element inside a paragraph, its end included.
func (r *reader) run(s scope, text *strings.Builder) error {
	x := r.x
	switch x.Prefix + ":" + x.Name {
	case "text:s":
		n, err := strconv.Atoi(x.Attr("c"))
		if err != nil || n < 1 {
			n = 1
		}
		text.WriteString(strings.Repeat(" ", min(n, 1000)))
		return r.inline(s, text)
	case "text:tab", "text:tab-stop": // the second in OpenOffice.org 1
		text.WriteByte('\t')
		return r.inline(s, text)
	case "text:line-break":
		text.WriteByte('\n')
		return r.inline(s, text)
	case "text:note", "text:footnote", "text:endnote":
		return r.note(s)
	case "text:hidden-text", "text:conditional-text":
		r.d.flow.Aside(s.as(extract.Hidden).part, x.Attr("string-value")+"\n")
		return r.x.Skip()
	case "text:a":
		if link := x.Attr("href"); link != "" && !strings.HasPrefix(link, "#") {
			r.d.flow.Aside(s.as(extract.Hidden).part, link+"\n")
		}
		return r.inline(s, text)
	case "text:span":
		if r.d.styles[x.Attr("style-name")].hidden {
			return r.paragraph(s.as(extract.Hidden), "")
		}
		return r.inline(s, text)
	case "text:ruby-text", "text:page-number", "text:page-count", "text:sheet-name":
		return x.Skip()
	}
	if x.Prefix == "text" || x.Prefix == "presentation" {
		return r.inline(s, text)
	}
	return r.element(s)
}

func (r *reader) note(s scope) error {
	for {
		kind, err := r.next()
		switch {
		case err != nil:
			return err
		case kind == extract.XMLEnd:
			return nil
		case kind == extract.XMLStart && strings.HasSuffix(r.x.Name, "note-citation"):
			err = r.x.Skip()
		case kind == extract.XMLStart:
			err = r.children(s.as(extract.Note))
		}
		if err != nil {
			return err
		}
	}
}

// annotation reads a comment: who wrote it, and what.
func (r *reader) annotation(s scope) error {
	comment := s.as(extract.Comment)
	var text strings.Builder
	body := scope{part: comment.part, cell: &text}
	author := ""
	for {
		kind, err := r.next()
		if err != nil {
			return err
		}
		if kind == extract.XMLEnd {
			break
		}
		if kind != extract.XMLStart {
			continue
		}
		switch r.x.Prefix + ":" + r.x.Name {
		case "dc:creator":
			var name strings.Builder
			err = r.inline(s, &name)
			author = name.String()
		case "dc:date", "meta:date-string", "meta:creator-initials", "text:sender-initials":
			err = r.x.Skip()
		default:
			err = r.element(body)
		}
		if err != nil {
			return err
		}
	}
	said := text.String()
	if author != "" && said != "" {
		said = author + ": " + said
	}
	r.write(comment, said)
	return r.d.flow.Err()
}

// drawElement reads slides, frames, text boxes, pictures and objects.
func (r *reader) drawElement(s scope) error {
	x := r.x
	switch x.Prefix + ":" + x.Name {
	case "draw:page":
		return r.slide(s)
	case "presentation:notes":
		return r.children(scope{part: extract.Part{Kind: extract.Note, Place: s.part.Place}})
	case "draw:text-box":
		if s.part.Kind == extract.Body && r.d.slides == 0 {
			return r.children(s.as(extract.TextBox))
		}
	case "draw:image", "draw:object", "draw:object-ole", "draw:plugin":
		r.refer(x.Attr("href"), s)
	case "presentation:settings", "draw:glue-point", "draw:enhanced-geometry":
		return x.Skip()
	}
	return r.children(s)
}

func (r *reader) slide(s scope) error {
	r.d.slides++
	s.part.Place = fmt.Sprintf("slide %d", r.d.slides)
	if r.d.styles[r.x.Attr("style-name")].hidden {
		s.part.Kind = extract.Hidden
	}
	err := r.children(s)
	r.d.flow.Flush()
	return err
}

// refer follows a reference to another part of the package.
func (r *reader) refer(href string, s scope) {
	if href == "" || r.d.zip == nil || strings.Contains(href, "://") {
		return
	}
	name := path.Join(r.folder, href)
	if p := r.d.zip.Part(name + "/content.xml"); p != nil {
		r.d.readPart(p, s.part.Place)
		return
	}
	p := r.d.zip.Part(name)
	switch {
	case p == nil:
	case r.x.Name == "image":
		if !strings.HasPrefix(p.Name, "ObjectReplacements/") {
			r.d.hand(p, s.part.Place, extract.Picture)
		}
	default:
		r.d.hand(p, s.part.Place, extract.Embedded)
	}
}

// binary reads a picture or object of a flat document.
func (r *reader) binary(s scope) error {
	var encoded strings.Builder
	if err := r.inline(s, &encoded); err != nil {
		return err
	}
	content := base64.NewDecoder(base64.StdEncoding, strings.NewReader(strings.Join(strings.Fields(encoded.String()), "")))
	r.d.flow.File(extract.File{Name: "object", Place: s.part.Place, Role: extract.Picture, Content: damaged{content}})
	return r.d.flow.Err()
}

// damaged names the error of what is no base64.
type damaged struct{ io.Reader }

func (d damaged) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("odf: base64: %w", extract.ErrDamaged)
	}
	return n, err
}

// styleElement reads what styles say about being seen, and the headers and
// footers of pages.
func (r *reader) styleElement(s scope) error {
	x := r.x
	switch x.Name {
	case "style":
		return r.style()
	case "header", "header-left", "header-first":
		return r.children(scope{part: extract.Part{Kind: extract.Header}})
	case "footer", "footer-left", "footer-first":
		return r.children(scope{part: extract.Part{Kind: extract.Footer}})
	case "master-page":
		return r.children(scope{part: extract.Part{Kind: extract.Header}})
	}
	return r.children(s)
}

func (r *reader) style() error {
	x := r.x
	name, known := x.Attr("name"), style{}
	parent := x.Attr("parent-style-name")
	known.title = name == "Title" || parent == "Title" || r.d.styles[parent].title
	for open := 1; open > 0; {
		kind, err := r.next()
		if err != nil {
			return err
		}
		switch kind {
		case extract.XMLEnd:
			open--
		case extract.XMLStart:
			open++
			switch x.Name {
			case "table-properties":
				known.hidden = known.hidden || x.Attr("display") == "false"
			case "text-properties":
				known.hidden = known.hidden || x.Attr("display") == "none"
			case "drawing-page-properties":
				known.hidden = known.hidden || x.Attr("visibility") == "hidden"
			}
		}
	}
	delete(r.d.styles, name) // styles.xml and content.xml each have a "P1"
	if known != (style{}) && len(r.d.styles) < 10_000 {
		r.d.styles[name] = known
	}
	return nil
}

// property reads one of the document's properties.
func (r *reader) property(s scope) error {
	x := r.x
	name := x.Name
	if name == "user-defined" {
		name = x.Attr("name")
	}
	switch name {
	case "document-statistic", "editing-duration", "editing-cycles", "generator", "creation-date", "date", "print-date", "language", "template":
		return x.Skip()
	}
	var text strings.Builder
	if err := r.inline(s, &text); err != nil {
		return err
	}
	switch {
	case name == "title":
		r.d.flow.Alone(extract.Part{Kind: extract.Title}, text.String())
	case strings.TrimSpace(text.String()) != "":
		r.d.flow.Alone(extract.Part{Kind: extract.Property}, name+": "+text.String())
	}
	return r.d.flow.Err()
}

// field reads a control of a form for what somebody filled in.
func (r *reader) field(s scope) error {
	for _, name := range []string{"label", "current-value", "value"} {
		if v := r.x.Attr(name); v != "" && len(v) > 1 {
			r.d.flow.Aside(s.as(extract.FormField).part, v+"\n")
			if name != "label" {
				break
			}
		}
	}
	return r.children(s)
}
