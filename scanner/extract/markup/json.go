package markup

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// JSON reads JSON and JSON lines. Objects that repeat become the rows of a
// table that is called after the list they stand in.
type JSON struct{}

var _ extract.Extractor = JSON{}

// NewJSON returns the reader of JSON.
func NewJSON() JSON { return JSON{} }

// Name implements extract.Extractor.
func (JSON) Name() string { return "json" }

// Version implements extract.Extractor.
func (JSON) Version() int { return 2 }

// Accepts implements extract.Extractor.
func (JSON) Accepts(_, mediaType string) bool {
	return mediaType == "application/json" || mediaType == "application/x-ndjson"
}

// Extract implements extract.Extractor.
func (JSON) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	text, err := extract.TextReader(in, in.Size, "utf-8")
	if err != nil {
		return extract.Damaged(err)
	}
	flow := extract.NewFlow(ctx, out)
	flow.In(extract.Part{Kind: extract.Body})
	o := objects{flow: flow, records: records{flow: flow}, files: packed{flow: flow}, limits: in.Limits}
	o.lexer = lexer{r: bufio.NewReaderSize(text, 64<<10), long: func(piece []byte) { o.line("", string(piece)) }}
	for err == nil && flow.Err() == nil {
		var first byte
		if first, err = o.next(); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			break
		}
		err = o.value(first, "", 0)
	}
	o.records.flush()
	o.files.hand()
	if closeErr := flow.Close(); closeErr != nil || err == nil {
		return closeErr
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("json: ends too early: %w", extract.ErrDamaged)
	}
	return extract.Damaged(err)
}

// objects is where reading JSON stands.
type objects struct {
	lexer
	flow    *extract.Flow
	records records
	files   packed
	limits  extract.Limits
}

func (o *objects) tooDeep(depth int) error {
	if depth > o.limits.XML {
		return fmt.Errorf("json: values nested too deep: %w", extract.ErrLimit)
	}
	return o.flow.Err()
}

// value reads the value that begins with a token; path is its name.
func (o *objects) value(token byte, path string, depth int) error {
	if err := o.tooDeep(depth); err != nil {
		return err
	}
	switch token {
	case '{':
		r := record{kind: path}
		err := o.object(&r, path, "", depth)
		o.records.put(&r)
		return err
	case '[':
		return o.list(path, depth)
	case '}', ']':
		return nil // one too many
	}
	o.line(path, o.said(path, token))
	return nil
}

// said is the present string or word as the value of a name: a file says
// nothing itself.
func (o *objects) said(name string, token byte) string {
	text := o.scalar(token)
	if token == stringToken && o.files.take(name, text) {
		return ""
	}
	return text
}

// scalar is the present string or word; null says nothing.
func (o *objects) scalar(token byte) string {
	if token == wordToken && string(o.text) == "null" {
		return ""
	}
	text := strings.ToValidUTF8(strings.ReplaceAll(string(o.text), "\x00", ""), "\ufffd")
	if token == stringToken && htmlInside.MatchString(text) {
		return extract.HTMLText(text, o.limits)
	}
	return text
}

// htmlInside recognises the HTML that exports of chats and pages hold in their
// strings: Teams, SharePoint, Jupyter.
var htmlInside = regexp.MustCompile(`(?i)</(p|div|span|a|b|i|u|strong|em|li|ul|ol|td|tr|table|h[1-6]|body|html|blockquote|pre)>|<(br|p|div)\s*/?>|&(nbsp|[aao]uml|aring|amp|lt|gt|quot|#\d{2,6}|#x[0-9a-f]{2,5});`)

// object reads an object's members into r; those of objects in it are called
// "outer.inner".
func (o *objects) object(r *record, path, prefix string, depth int) error {
	if err := o.tooDeep(depth); err != nil {
		return err
	}
	for {
		token, err := o.next()
		if err != nil || token == '}' || token == ']' {
			return err
		}
		name := prefix
		if token == stringToken || token == wordToken {
			name += o.scalar(token)
			if token, err = o.next(); err != nil {
				r.add(name, "") // cut off: the name alone may tell
				return err
			}
		}
		switch token {
		case '}':
			r.add(name, "")
			return nil
		case '{':
			err = o.object(r, path, name+".", depth+1)
		case '[':
			err = o.listIn(r, name, depth+1)
		default:
			r.add(name, o.said(name, token))
		}
		if err != nil {
			return err
		}
		if len(r.names) > maxRecord {
			o.spillRecord(r)
		}
	}
}

// spillRecord writes what there is of an object too large for a row.
func (o *objects) spillRecord(r *record) {
	o.records.flush()
	o.flow.In(extract.Part{Kind: extract.Body})
	for i, name := range r.names {
		o.records.line(name, r.values[i])
	}
	r.names, r.values = nil, nil
}

// listIn reads a list that is an object's member: simple values are joined
// into one, others are read for themselves.
func (o *objects) listIn(r *record, name string, depth int) error {
	var joined bytes.Buffer
	defer func() {
		if joined.Len() > 0 {
			r.add(name, joined.String())
		}
	}()
	for {
		token, err := o.next()
		switch {
		case err != nil || token == ']' || token == '}':
			return err
		case token == '{' || token == '[':
			if len(r.names) > 0 {
				o.spillRecord(r)
			}
			if err := o.value(token, name, depth); err != nil {
				return err
			}
			continue
		}
		if joined.Len() > 0 {
			joined.WriteString(", ")
		}
		joined.WriteString(o.said(name, token))
		if joined.Len() > maxText {
			o.line(name, joined.String())
			joined.Reset()
		}
		if err := o.flow.Err(); err != nil {
			return err
		}
	}
}

func (o *objects) line(name, value string) {
	o.records.flush()
	o.flow.In(extract.Part{Kind: extract.Body})
	o.records.line(name, strings.TrimSpace(value))
}

// list reads a list outside of objects. One of simple values is a line.
func (o *objects) list(path string, depth int) error {
	if err := o.tooDeep(depth); err != nil {
		return err
	}
	var simple []string
	for {
		token, err := o.next()
		if err != nil || token == ']' || token == '}' {
			o.simple(simple)
			return err
		}
		if token == '{' || token == '[' {
			if err := o.value(token, path, depth+1); err != nil {
				return err
			}
			continue
		}
		if simple = append(simple, o.said(path, token)); len(simple) >= maxRecord {
			o.simple(simple)
			simple = simple[:0]
		}
		if err := o.flow.Err(); err != nil {
			return err
		}
	}
}

func (o *objects) simple(values []string) {
	if len(values) > 0 {
		o.line("", strings.Join(values, "\t"))
	}
}
