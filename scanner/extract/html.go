package extract

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// HTML writes to flow what an HTML document says, from text that is UTF-8:
// title and description, headings, paragraphs, tables as rows, what forms are
// filled in with, comments, what the page hides, and pictures that lie in it.
// Scripts come as code, since pages keep what they show in them; styles are
// left out. Tables that only lay out a page come as text.
func HTML(text io.Reader, limits Limits, flow *Flow) error {
	z := html.NewTokenizer(text)
	z.SetMaxBuf(limits.Token)
	p := page{z: z, flow: flow, limits: limits}
	p.settle()
	last := html.ErrorToken
	for {
		if err := flow.Err(); err != nil {
			return err
		}
		kind := z.Next()
		if kind == html.ErrorToken {
			if errors.Is(z.Err(), html.ErrBufferExceeded) && last == html.TextToken {
				return p.rest(text)
			}
			p.endTables(0)
			flow.Line()
			return pageEnd(z.Err())
		}
		p.token(kind)
		last = kind
	}
}

// rest writes what follows a text without any tag that is too long to be held,
// as it is.
func (p *page) rest(text io.Reader) error {
	if p.cell() != nil {
		p.endTables(0)
	}
	all := io.MultiReader(bytes.NewReader(p.tail), bytes.NewReader(bytes.Clone(p.z.Buffered())), text)
	buf := make([]byte, pieceBytes)
	kept := 0
	for p.flow.Err() == nil {
		n, err := all.Read(buf[kept:])
		n += kept
		whole := n
		if err == nil {
			whole = wholeRunes(buf[:n])
		}
		p.flow.Write(clean(string(buf[:whole])))
		kept = copy(buf, buf[whole:n])
		if err != nil {
			p.flow.Line()
			return pageEnd(err)
		}
	}
	return p.flow.Err()
}

func pageEnd(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.Is(err, html.ErrBufferExceeded):
		return fmt.Errorf("html: tag or text too long: %w", ErrLimit)
	}
	return Damaged(err)
}

// HTMLCharset returns the charset that an HTML or XML document declares in
// its head, or "".
func HTMLCharset(head []byte) string {
	if m := charsetDeclared.FindSubmatch(head[:min(len(head), 4<<10)]); m != nil {
		return string(m[1])
	}
	return ""
}

var charsetDeclared = regexp.MustCompile(`(?i)(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_:.-]+)`)

// page is where reading a page stands.
type page struct {
	z      *html.Tokenizer
	flow   *Flow
	limits Limits
	tables []*grid // the open ones, outermost first
	count  int     // tables begun
	space  bool    // white space was read that counts if a word follows
	blank  bool    // nothing stands on the line yet
	pre    int     // open elements that keep white space
	within Kind    // Title, Heading or ""

	hiddenBy string // the element that hides what is in it
	hidden   int    // open elements of that name
	number   int    // pictures met
	line     []byte // spare room for text
	tail     []byte // of a text that was too long to be held: the last rune's beginning
}

// grid is an open table.
type grid struct {
	place  string
	row    int
	cells  []string
	header bool // every cell of the row is a heading
	open   bool // in a cell
	span   int  // columns of that cell
	cell   strings.Builder
	layout bool // holds tables: its own cells are read as text
	thead  bool
}

// maxCell is where a cell's text is too long to be a cell of a table, in
// bytes.
const maxCell = 64 << 10

// maxTables bounds how deep tables lie in tables.
const maxTables = 64

func (p *page) token(kind html.TokenType) {
	switch kind {
	case html.TextToken:
		p.text(p.z.Text())
	case html.StartTagToken, html.SelfClosingTagToken:
		p.start(kind == html.SelfClosingTagToken)
	case html.EndTagToken:
		name, _ := p.z.TagName()
		tag := atom.Lookup(name)
		p.end(tag, nameOf(tag, name))
	case html.CommentToken:
		if raw := p.z.Raw(); bytes.HasPrefix(raw, []byte("<!--[")) {
			p.properties(string(raw))
			return
		}
		p.comment(p.z.Text())
	}
}

// nameOf spares an allocation for the names that HTML has.
func nameOf(tag atom.Atom, name []byte) string {
	if tag != 0 {
		return tag.String()
	}
	return string(name)
}

// comment keeps what people hid in one; mail programs' conditions are markup.
func (p *page) comment(text []byte) {
	s := strings.TrimSpace(string(text))
	if s == "" || strings.HasPrefix(s, "[") || strings.HasPrefix(s, "<!") {
		return
	}
	p.flow.Aside(Part{Kind: Comment}, clean(s)+"\n")
}

// officeProperty is a property of the document as Office and SharePoint write
// it into a page: <o:Author>…, <mso:CanvasContent1 msdt:dt="string">…
var officeProperty = regexp.MustCompile(`(?s)<(?:o|mso):(\w+)(?: [^<>]*)?>([^<]+)</(?:o|mso):`)

// properties reads those in a conditional comment. What a SharePoint page
// shows is one of them, as HTML.
func (p *page) properties(condition string) {
	if !strings.Contains(condition, "DocumentProperties>") {
		return
	}
	for _, m := range officeProperty.FindAllStringSubmatch(condition, 1000) {
		value := HTMLText(html.UnescapeString(m[2]), p.limits)
		p.aside(Property, m[1], value)
	}
}

// HTMLText is what a short piece of HTML says, such as a value in another
// document that holds it. Pages in pages come out too, Limits.Depth deep.
func HTMLText(s string, limits Limits) string {
	if limits.Depth--; limits.Depth < 0 {
		return s
	}
	var said sayings
	flow := NewFlow(context.Background(), &said)
	_ = HTML(strings.NewReader(s), limits, flow) // what could be read is in said
	_ = flow.Close()
	return strings.TrimSpace(said.String())
}

// sayings is a Sink that keeps the text.
type sayings struct{ strings.Builder }

// Text implements Sink.
func (s *sayings) Text(_ Part, text string) error {
	s.WriteString(text)
	return nil
}

// Row implements Sink.
func (s *sayings) Row(_ Part, r Row) error {
	s.WriteString(strings.Join(r.Cells, "\t") + "\n")
	return nil
}

// File implements Sink. Pictures in a piece of a page are not looked at.
func (s *sayings) File(File) error { return nil }

// Gap implements Sink.
func (s *sayings) Gap(string, error) error { return nil }

func (p *page) start(selfClosing bool) {
	name, more := p.z.TagName()
	tag := atom.Lookup(name)
	tagName := nameOf(tag, name)
	var attrs map[string]string
	for more && len(attrs) < 100 {
		if attrs == nil {
			attrs = map[string]string{}
		}
		var key, value []byte
		key, value, more = p.z.TagAttr()
		attrs[string(key)] = clean(string(value))
	}
	if !selfClosing && !voidElements[tag] {
		p.hide(tagName, attrs)
	}
	p.attributes(tag, attrs)
	switch tag {
	case atom.Script, atom.Style:
		p.raw(tagName)
	case atom.Noscript, atom.Noframes, atom.Noembed, atom.Iframe:
		p.z.NextIsNotRawText()
	case atom.Title:
		p.enter(Title)
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		p.newline()
		p.enter(Heading)
	case atom.Pre, atom.Listing:
		p.newline()
		p.pre++
	case atom.Textarea:
		p.newline()
		p.pre++
		p.enter(FormField)
	case atom.Table:
		p.beginTable()
	case atom.Thead:
		p.inTable(func(g *grid) { g.thead = true })
	case atom.Tr:
		p.inTable(p.beginRow)
	case atom.Td, atom.Th:
		p.beginCell(tag == atom.Th, attrs["colspan"])
	default:
		if blockElements[tag] {
			p.newline()
		}
	}
}

// raw passes over a raw element up to its end tag. A script's text is code.
func (p *page) raw(name string) {
	for {
		switch p.z.Next() {
		case html.ErrorToken:
			return
		case html.TextToken:
			if name == "script" {
				p.aside(Code, "", clean(string(p.z.Text())))
			}
		case html.EndTagToken:
			if end, _ := p.z.TagName(); string(end) == name {
				p.shown(name)
				return
			}
		}
		if p.flow.Err() != nil {
			return
		}
	}
}

func (p *page) end(tag atom.Atom, name string) {
	switch tag {
	case atom.Title:
		p.newline()
		p.enter("")
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		p.newline()
		p.enter("")
	case atom.Pre, atom.Listing:
		p.newline()
		p.pre = max(0, p.pre-1)
	case atom.Textarea:
		p.newline()
		p.pre = max(0, p.pre-1)
		p.enter("")
	case atom.Table:
		p.endTables(len(p.tables) - 1)
	case atom.Thead:
		p.inTable(func(g *grid) { p.endRow(g); g.thead = false })
	case atom.Tr:
		p.inTable(p.endRow)
	case atom.Td, atom.Th:
		p.inTable(p.endCell)
	default:
		if blockElements[tag] {
			p.newline()
		}
	}
	p.shown(name)
}

// hide notes an element that a page does not show.
func (p *page) hide(name string, attrs map[string]string) {
	switch {
	case p.hidden > 0 && name == p.hiddenBy:
		p.hidden++
	case p.hidden == 0 && isHidden(name, attrs):
		p.newline()
		p.hidden, p.hiddenBy = 1, name
		p.settle()
	}
}

func (p *page) shown(name string) {
	if p.hidden > 0 && name == p.hiddenBy {
		if p.hidden--; p.hidden == 0 {
			p.newline()
			p.settle()
		}
	}
}

func isHidden(name string, attrs map[string]string) bool {
	if name == "html" || name == "body" || name == "td" || name == "th" || name == "tr" {
		return false
	}
	if _, ok := attrs["hidden"]; ok {
		return true
	}
	style := strings.ReplaceAll(strings.ToLower(attrs["style"]), " ", "")
	return strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden") || strings.Contains(style, "mso-hide:all")
}

// attributes takes what stands in a tag for people or about them.
func (p *page) attributes(tag atom.Atom, attrs map[string]string) {
	switch tag {
	case atom.Meta:
		switch strings.ToLower(attrs["name"]) {
		case "description", "keywords", "author", "subject", "creator", "title":
			p.property(attrs["name"], attrs["content"])
		}
	case atom.Input:
		switch strings.ToLower(attrs["type"]) {
		case "submit", "button", "reset", "image", "file":
		case "hidden":
			p.aside(Hidden, attrs["name"], attrs["value"])
		case "checkbox", "radio":
			if _, on := attrs["checked"]; on {
				p.aside(FormField, attrs["name"], attrs["value"])
			}
		default:
			p.aside(FormField, attrs["name"], attrs["value"])
		}
	case atom.A:
		if address, ok := strings.CutPrefix(attrs["href"], "mailto:"); ok {
			if plain, err := url.PathUnescape(address); err == nil {
				address = plain
			}
			p.aside(Property, "mailto", address)
		}
	case atom.Iframe:
		if page := attrs["srcdoc"]; page != "" {
			p.aside(Hidden, "", HTMLText(page, p.limits))
		}
	case atom.Img:
		p.aside(Property, "", attrs["alt"])
		p.picture(attrs["src"])
	}
	p.aside(Property, "", attrs["title"])
	p.aside(Property, "", attrs["data-sp-webpartdata"]) // what a part of a SharePoint page shows
}

func (p *page) property(name, value string) { p.aside(Property, name, value) }

func (p *page) aside(kind Kind, name, value string) {
	value = strings.TrimSpace(value)
	switch {
	case value == "":
	case name == "":
		p.flow.Aside(Part{Kind: kind}, value+"\n")
	default:
		p.flow.Aside(Part{Kind: kind}, name+": "+value+"\n")
	}
}

// picture hands over one that lies in the page itself (RFC 2397).
func (p *page) picture(src string) {
	rest, ok := strings.CutPrefix(src, "data:")
	if !ok {
		return
	}
	mediaType, body, ok := strings.Cut(rest, ",")
	mediaType, isBase64 := strings.CutSuffix(mediaType, ";base64")
	if !ok || !isBase64 || !strings.HasPrefix(mediaType, "image/") {
		return
	}
	p.number++
	ending, _, _ := strings.Cut(strings.TrimPrefix(mediaType, "image/"), "+")
	p.flow.File(File{
		Name: "image" + strconv.Itoa(p.number) + "." + ending, Role: Picture, MediaType: mediaType,
		Content: DamagedReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(strings.Join(strings.Fields(body), "")))),
	})
	p.settle()
}

// text writes words; white space between them counts once.
func (p *page) text(text []byte) {
	if n := wholeRunes(text); n < len(text) {
		p.tail = bytes.Clone(text[n:])
		text = text[:n]
	}
	if p.pre > 0 {
		p.write(text)
		return
	}
	line := p.line[:0]
	for _, c := range text {
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			p.space = true
			continue
		case p.space && !p.blank:
			line = append(line, ' ')
		}
		p.space, p.blank = false, false
		line = append(line, c)
	}
	p.line = line
	p.write(line)
}

func (p *page) write(text []byte) {
	if len(text) == 0 {
		return
	}
	s := string(text)
	if bytes.IndexByte(text, 0xC2) >= 0 || !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		s = visible.Replace(clean(s))
	}
	p.blank = strings.HasSuffix(s, "\n")
	if g := p.cell(); g != nil {
		g.cell.WriteString(s)
		if g.cell.Len() > maxCell {
			p.dissolve(g)
		}
		return
	}
	p.flow.Write(s)
}

// visible makes plain spaces of hard ones and drops the hyphens that only
// show where a word may be divided.
var visible = strings.NewReplacer("\u00a0", " ", "\u00ad", "")

// newline ends a line of the page, which in a cell is a space.
func (p *page) newline() {
	p.space = false
	if g := p.cell(); g != nil {
		if g.cell.Len() > 0 && !p.blank {
			g.cell.WriteByte('\n')
		}
		p.blank = true
		return
	}
	p.blank = true
	p.flow.Line()
}

// cell is the table whose cell takes the text now, or nil.
func (p *page) cell() *grid {
	if n := len(p.tables); n > 0 && p.tables[n-1].open && !p.tables[n-1].layout {
		return p.tables[n-1]
	}
	return nil
}

func (p *page) enter(kind Kind) {
	p.within = kind
	p.settle()
}

// settle tells the flow what kind of text comes next.
func (p *page) settle() {
	kind := Body
	switch {
	case p.hidden > 0:
		kind = Hidden
	case p.within != "":
		kind = p.within
	}
	p.flow.In(Part{Kind: kind})
}

func (p *page) beginTable() {
	p.newline()
	if n := len(p.tables); n > 0 {
		p.dissolve(p.tables[n-1])
	}
	if len(p.tables) >= maxTables {
		return
	}
	p.count++
	p.tables = append(p.tables, &grid{place: "table " + strconv.Itoa(p.count)})
}

// dissolve makes text of a table that turns out to lay out the page.
func (p *page) dissolve(g *grid) {
	if g.layout {
		return
	}
	g.layout = true
	for _, c := range append(g.cells, g.cell.String()) {
		if c = strings.TrimSpace(c); c != "" {
			p.flow.Write(c)
			p.flow.Line()
		}
	}
	g.cells = nil
	g.cell.Reset()
	p.blank = true
}

// endTables closes tables until only n are open.
func (p *page) endTables(n int) {
	for len(p.tables) > max(0, n) {
		g := p.tables[len(p.tables)-1]
		p.endRow(g)
		p.tables = p.tables[:len(p.tables)-1]
	}
	p.newline()
	p.settle()
}

func (p *page) inTable(do func(*grid)) {
	if n := len(p.tables); n > 0 {
		do(p.tables[n-1])
		return
	}
	p.newline()
}

func (p *page) beginRow(g *grid) {
	p.endRow(g)
	g.header = true
}

func (p *page) beginCell(heading bool, span string) {
	p.inTable(func(g *grid) {
		p.endCell(g)
		g.open = true
		g.header = g.header && heading || g.thead
		p.blank, p.space = true, false
		g.span = 1
		if n, err := strconv.Atoi(strings.TrimSpace(span)); err == nil {
			g.span = max(1, min(n, 100))
		}
	})
}

func (p *page) endCell(g *grid) {
	if !g.open {
		return
	}
	if g.layout {
		p.newline()
	} else {
		g.cells = append(g.cells, strings.TrimSpace(g.cell.String()))
		g.cells = append(g.cells, make([]string, g.span-1)...)
		g.cell.Reset()
	}
	g.open = false
}

// endRow hands the row over; one of a single cell is no table's.
func (p *page) endRow(g *grid) {
	p.endCell(g)
	cells := g.cells
	g.cells = nil
	if g.layout || len(cells) == 0 {
		return
	}
	g.row++
	if len(cells) == 1 {
		p.flow.Write(cells[0])
		p.flow.Line()
		return
	}
	if strings.Join(cells, "") == "" {
		return
	}
	kind := Body
	if p.hidden > 0 {
		kind = Hidden
	}
	p.flow.Row(Part{Kind: kind, Place: g.place}, Row{Number: g.row, Cells: cells, Header: g.header})
}

var voidElements = map[atom.Atom]bool{
	atom.Area: true, atom.Base: true, atom.Br: true, atom.Col: true, atom.Embed: true, atom.Hr: true, atom.Img: true, atom.Input: true,
	atom.Link: true, atom.Meta: true, atom.Param: true, atom.Source: true, atom.Track: true, atom.Wbr: true,
}

var blockElements = map[atom.Atom]bool{
	atom.Address: true, atom.Article: true, atom.Aside: true, atom.Blockquote: true, atom.Body: true, atom.Br: true, atom.Caption: true,
	atom.Center: true, atom.Dd: true, atom.Details: true, atom.Dialog: true, atom.Div: true, atom.Dl: true, atom.Dt: true,
	atom.Fieldset: true, atom.Figcaption: true, atom.Figure: true, atom.Footer: true, atom.Form: true, atom.Head: true, atom.Header: true,
	atom.Hr: true, atom.Html: true, atom.Legend: true, atom.Li: true, atom.Main: true, atom.Nav: true, atom.Ol: true, atom.Optgroup: true,
	atom.Option: true, atom.P: true, atom.Section: true, atom.Select: true, atom.Summary: true, atom.Ul: true, atom.Tbody: true, atom.Tfoot: true,
}
