package database

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Dump reads a database that was written out as SQL, as mysqldump, pg_dump,
// SQL Server and SQLite do. What INSERT and COPY say becomes the rows of their
// table; everything else is text.
type Dump struct{}

var _ extract.Extractor = Dump{}

// NewDump returns the reader of SQL dumps.
func NewDump() Dump { return Dump{} }

// Name implements extract.Extractor.
func (Dump) Name() string { return "sql" }

// Version implements extract.Extractor.
func (Dump) Version() int { return 1 }

// Accepts implements extract.Extractor.
func (Dump) Accepts(_, mediaType string) bool { return mediaType == "application/sql" }

// Extract implements extract.Extractor.
func (Dump) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	text, err := extract.TextReader(in, in.Size, "")
	if err != nil {
		return extract.Damaged(err)
	}
	d := dump{ctx: ctx, text: bufio.NewReaderSize(text, 64<<10), flow: extract.NewFlow(ctx, out), tables: map[string]*rows{}}
	for err == nil && d.flow.Err() == nil {
		err = d.statement()
	}
	if closeErr := d.flow.Close(); closeErr != nil || errors.Is(err, io.EOF) {
		return closeErr
	}
	return extract.Damaged(err)
}

const (
	maxHead  = 64 << 10 // of a statement, up to its values, in bytes
	maxValue = 1 << 20  // bytes; longer ones are cut into several cells
	maxNames = 10_000   // tables remembered
)

// dump is where reading a dump stands.
type dump struct {
	ctx    context.Context
	text   *bufio.Reader
	flow   *extract.Flow
	tables map[string]*rows
}

// rows is what is known of a table.
type rows struct {
	name    string
	columns []string
	number  int      // of the last row
	named   []string // the columns as the last header had them
}

var (
	insertHead = regexp.MustCompile(`(?is)^\s*(?:INSERT|REPLACE)\s+(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE|OR\s+\w+)\s+)*(?:INTO\s+)?`)
	createHead = regexp.MustCompile(`(?is)^\s*CREATE\s+(?:TEMP(?:ORARY)?\s+|UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?`)
	copyHead   = regexp.MustCompile(`(?is)^\s*COPY\s+(.*)\sFROM\s+stdin`)
)

// statement reads one statement, or the comment before it.
func (d *dump) statement() error {
	head, ended, err := d.head()
	switch {
	case insertHead.Match(head) && !ended && err == nil:
		return d.insert(head)
	case createHead.Match(head):
		d.create(head)
	case copyHead.Match(head) && ended:
		d.asText(head)
		return d.copy(head)
	}
	d.asText(head)
	return err
}

// head reads up to the end of a statement, of a comment's line, or to where an
// INSERT's values begin: the bracket after VALUES.
func (d *dump) head() (head []byte, ended bool, err error) {
	for len(head) < maxHead {
		c, err := d.text.ReadByte()
		if err != nil {
			return head, false, err
		}
		head = append(head, c)
		switch c {
		case ';':
			return head, true, nil
		case '\'', '"', '`':
			if head, err = d.quoted(head, c); err != nil {
				return head, false, err
			}
		case '(':
			if valuesComeLast(head[:len(head)-1]) && insertHead.Match(head) {
				return head, false, nil
			}
		case '-':
			if bytes.HasSuffix(head, []byte("--")) { // a comment: quotes in it mean nothing
				alone := len(bytes.TrimSpace(head)) == 2
				if head, err = d.line(head); err != nil || alone {
					return head, true, err
				}
			}
		case '\n':
			if d.endedByLine(head) {
				return head, true, nil
			}
		}
	}
	return head, false, nil
}

func valuesComeLast(head []byte) bool {
	head = bytes.TrimRight(head, " \t\r\n")
	return len(head) > 6 && strings.EqualFold(string(head[len(head)-6:]), "VALUES")
}

// endedByLine says whether a line's end ends the statement, as it may without
// ";" in the scripts of SQL Server, and after some comments.
func (d *dump) endedByLine(head []byte) bool {
	trimmed := bytes.TrimSpace(head)
	last := trimmed[bytes.LastIndexByte(trimmed, '\n')+1:]
	if len(trimmed) == 0 || trimmed[0] == '#' || strings.EqualFold(string(last), "GO") {
		return true
	}
	next, _ := d.text.Peek(7)
	return len(next) == 7 && strings.EqualFold(string(next[:6]), "INSERT") && (next[6] == ' ' || next[6] == '\t')
}

func (d *dump) line(head []byte) ([]byte, error) {
	for len(head) < maxHead {
		c, err := d.text.ReadByte()
		if err != nil {
			return head, err
		}
		if head = append(head, c); c == '\n' {
			break
		}
	}
	return head, nil
}

// quoted reads to the end of a quotation, which is part of the result.
func (d *dump) quoted(head []byte, quote byte) ([]byte, error) {
	for len(head) < maxHead {
		c, err := d.text.ReadByte()
		if err != nil {
			return head, err
		}
		if head = append(head, c); c == quote {
			break
		}
	}
	return head, nil
}

func (d *dump) asText(text []byte) {
	if s := strings.TrimSpace(clean(string(text))); s != "" {
		d.flow.In(extract.Part{Kind: extract.Code})
		d.flow.Write(s)
		d.flow.Line()
	}
}

func (d *dump) table(name string) *rows {
	t := d.tables[name]
	if t == nil {
		if len(d.tables) >= maxNames {
			clear(d.tables)
		}
		t = &rows{name: clean(name)}
		d.tables[name] = t
	}
	return t
}

func (d *dump) create(head []byte) {
	name, rest := tableName(string(head[len(createHead.Find(head)):]))
	if columns, _ := columnsOf(rest); len(columns) > 0 {
		d.table(name).columns = columns
	}
}

// insert reads the tuples of an INSERT, whose first bracket is read.
func (d *dump) insert(head []byte) error {
	name, rest := tableName(string(head[len(insertHead.Find(head)):]))
	t := d.table(name)
	columns := t.columns
	if open := strings.IndexByte(rest, '('); open >= 0 && open < len(rest)-1 {
		columns, _ = columnsOf(rest)
	}
	for {
		cells, err := d.tuple()
		d.row(t, columns, cells)
		if err != nil {
			return err
		}
		if more, err := d.another(); !more || err != nil || d.flow.Err() != nil {
			return err
		}
	}
}

// another looks for the bracket of another tuple, after a comma.
func (d *dump) another() (bool, error) {
	for {
		next, err := d.text.Peek(1)
		if err != nil {
			return false, err
		}
		switch next[0] {
		case ' ', '\t', '\r', '\n', ',':
		case '(':
			_, err := d.text.ReadByte()
			return true, err
		case ';':
			_, err := d.text.ReadByte()
			return false, err
		default:
			return false, nil
		}
		if _, err := d.text.ReadByte(); err != nil {
			return false, err
		}
	}
}

// tuple reads the values up to the closing bracket.
func (d *dump) tuple() (cells []string, err error) {
	var value []byte
	quoted, depth := false, 0 // quoted: the value was in quotes
	end := func() {
		s := clean(string(value))
		if !quoted {
			s = bare(s)
		}
		cells = append(cells, s)
		value, quoted = value[:0], false
	}
	for {
		c, err := d.text.ReadByte()
		if err != nil {
			end()
			return cells, err
		}
		switch {
		case c == '\'' || c == '"':
			if prefix := bytes.TrimSpace(value); len(prefix) <= 1 { // N'text', X'00', E'text'
				value = value[:0]
			}
			if value, err = d.value(value, c); err != nil {
				end()
				return cells, err
			}
			quoted = true
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == ')':
			end()
			return cells, nil
		case c == ',' && depth == 0:
			end()
		case quoted && (c == ' ' || c == '\n' || c == '\r' || c == '\t'):
		default:
			value = append(value, c)
		}
		if len(value) > maxValue {
			end()
		}
	}
}

// value reads a quoted value: the quote doubled or after a backslash is part
// of it.
func (d *dump) value(value []byte, quote byte) ([]byte, error) {
	for len(value) <= maxValue {
		c, err := d.text.ReadByte()
		if err != nil {
			return value, err
		}
		switch c {
		case quote:
			if next, _ := d.text.Peek(1); len(next) == 0 || next[0] != quote {
				return value, nil
			}
			_, _ = d.text.Discard(1) // it was peeked
		case '\\':
			next, _ := d.text.Peek(2)
			if len(next) == 2 && next[0] == quote && (next[1] == ',' || next[1] == ')') {
				break // only MySQL escapes so; here the value ends in a backslash
			}
			if len(next) > 0 && strings.IndexByte(`'"\nr`, next[0]) >= 0 {
				_, _ = d.text.Discard(1) // it was peeked
				c = unescaped[next[0]]
			}
		}
		value = append(value, c)
	}
	return value, nil
}

var unescaped = map[byte]byte{'\'': '\'', '"': '"', '\\': '\\', 'n': '\n', 'r': '\n'}

// bare reads a value without quotes.
func bare(s string) string {
	s = strings.TrimSpace(s)
	if strings.EqualFold(s, "NULL") {
		return ""
	}
	if digits, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok && len(digits) > 16 {
		if raw, err := hex.DecodeString(digits); err == nil {
			return clean(extract.DecodeText(raw, ""))
		}
	}
	return s
}

func (d *dump) row(t *rows, columns, cells []string) {
	if strings.Join(cells, "") == "" {
		return
	}
	part := extract.Part{Kind: extract.Body, Place: t.name}
	if len(columns) > 0 && strings.Join(columns, "\x00") != strings.Join(t.named, "\x00") {
		t.named = columns
		t.number++
		d.flow.Row(part, extract.Row{Number: t.number, Cells: slices.Clone(columns), Header: true})
	}
	t.number++
	d.flow.Row(part, extract.Row{Number: t.number, Cells: cells})
}

// copy reads the lines that follow PostgreSQL's COPY … FROM stdin.
func (d *dump) copy(head []byte) error {
	if _, err := d.text.ReadString('\n'); err != nil {
		return err
	}
	name, rest := tableName(string(copyHead.FindSubmatch(head)[1]))
	t := d.table(name)
	columns := t.columns
	if strings.Contains(rest, "(") {
		columns, _ = columnsOf(rest)
	}
	for d.flow.Err() == nil {
		line, err := d.text.ReadBytes('\n')
		text := strings.TrimRight(string(line), "\r\n")
		if text == `\.` {
			return err
		}
		if text != "" {
			cells := strings.Split(text, "\t")
			for i, cell := range cells {
				cells[i] = clean(copyEscapes.Replace(cell))
			}
			d.row(t, columns, cells)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var copyEscapes = strings.NewReplacer(`\\`, `\`, `\N`, "", `\n`, "\n", `\t`, "\t", `\r`, "\n")
