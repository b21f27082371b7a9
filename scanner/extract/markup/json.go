package markup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

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
func (JSON) Version() int { return 1 }

// Accepts implements extract.Extractor.
func (JSON) Accepts(_, mediaType string) bool {
	return mediaType == "application/json" || mediaType == "application/x-ndjson"
}

// Extract implements extract.Extractor. What turns out not to be JSON is read
// again, as text, from its beginning.
func (JSON) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	text, err := extract.TextReader(in, in.Size, "utf-8")
	if err != nil {
		return extract.Damaged(err)
	}
	flow := extract.NewFlow(ctx, out)
	flow.In(extract.Part{Kind: extract.Body})
	o := objects{flow: flow, records: records{flow: flow}, limits: in.Limits}
	decoder := json.NewDecoder(text)
	decoder.UseNumber()
	for err == nil && flow.Err() == nil {
		var first json.Token
		if first, err = decoder.Token(); err == nil {
			err = o.value(decoder, first, "", 0)
		}
	}
	o.records.flush()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && flow.Err() == nil {
		if err := flow.Close(); err != nil {
			return err
		}
		return asText(ctx, in, out)
	}
	if closeErr := flow.Close(); closeErr != nil {
		return closeErr
	}
	if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return extract.Damaged(err)
}

func asText(ctx context.Context, in extract.Input, out extract.Sink) error {
	text, err := extract.TextReader(in, in.Size, "")
	if err != nil {
		return extract.Damaged(err)
	}
	return extract.Lines(ctx, text, extract.Body, out)
}

// objects is where reading JSON stands.
type objects struct {
	flow    *extract.Flow
	records records
	limits  extract.Limits
}

// value reads the value that begins with token; path is its name.
func (o *objects) value(d *json.Decoder, token json.Token, path string, depth int) error {
	if depth > o.limits.XML {
		return fmt.Errorf("json: values nested too deep: %w", extract.ErrLimit)
	}
	switch token {
	case json.Delim('{'):
		r := record{kind: path, place: ""}
		err := o.object(d, &r, path, "", depth)
		o.records.put(&r)
		return err
	case json.Delim('['):
		return o.list(d, path, depth)
	}
	o.records.flush()
	o.flow.In(extract.Part{Kind: extract.Body})
	o.records.line(path, scalar(token))
	return o.flow.Err()
}

// object reads an object's members into r; those of objects in it are called
// "outer.inner".
func (o *objects) object(d *json.Decoder, r *record, path, prefix string, depth int) error {
	for d.More() {
		if err := o.flow.Err(); err != nil {
			return err
		}
		key, err := d.Token()
		if err != nil {
			return err
		}
		token, err := d.Token()
		if err != nil {
			return err
		}
		name := prefix + fmt.Sprint(key)
		switch token {
		case json.Delim('{'):
			if depth >= o.limits.XML {
				return fmt.Errorf("json: values nested too deep: %w", extract.ErrLimit)
			}
			err = o.object(d, r, path, name+".", depth+1)
		case json.Delim('['):
			err = o.listIn(d, r, name, depth+1)
		default:
			r.add(name, scalar(token))
		}
		if err != nil {
			return err
		}
		if len(r.names) > maxRecord {
			o.spill(r)
		}
	}
	_, err := d.Token()
	return err
}

// spill writes what there is of an object too large for a row.
func (o *objects) spill(r *record) {
	o.records.flush()
	o.flow.In(extract.Part{Kind: extract.Body})
	for i, name := range r.names {
		o.records.line(name, r.values[i])
	}
	r.names, r.values = nil, nil
}

// listIn reads a list that is an object's member: simple values are joined
// into one, others are read for themselves.
func (o *objects) listIn(d *json.Decoder, r *record, name string, depth int) error {
	var joined bytes.Buffer
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		if _, nested := token.(json.Delim); nested {
			if len(r.names) > 0 {
				o.spill(r)
			}
			if err := o.value(d, token, name, depth); err != nil {
				return err
			}
			continue
		}
		if joined.Len() > 0 {
			joined.WriteString(", ")
		}
		joined.WriteString(scalar(token))
		if joined.Len() > maxText {
			o.line(name, joined.String())
			joined.Reset()
		}
		if err := o.flow.Err(); err != nil {
			return err
		}
	}
	if joined.Len() > 0 {
		r.add(name, joined.String())
	}
	_, err := d.Token()
	return err
}

func (o *objects) line(name, value string) {
	o.records.flush()
	o.flow.In(extract.Part{Kind: extract.Body})
	o.records.line(name, value)
}

// list reads a list outside of objects. Lists of simple values are rows.
func (o *objects) list(d *json.Decoder, path string, depth int) error {
	row := record{kind: path}
	for d.More() {
		if err := o.flow.Err(); err != nil {
			return err
		}
		token, err := d.Token()
		if err != nil {
			return err
		}
		if _, nested := token.(json.Delim); nested {
			if err := o.value(d, token, path, depth+1); err != nil {
				return err
			}
			continue
		}
		row.add(strconv.Itoa(len(row.names)+1), scalar(token))
		if len(row.names) > maxRecord {
			o.spill(&row)
		}
	}
	if len(row.names) > 0 {
		o.simpleRow(&row)
	}
	_, err := d.Token()
	return err
}

// simpleRow writes a list without names as lines or, if it lies in a list,
// as a row.
func (o *objects) simpleRow(row *record) {
	o.records.flush()
	o.flow.In(extract.Part{Kind: extract.Body})
	for i, value := range row.values {
		if i > 0 {
			o.flow.Write("\t")
		}
		o.flow.Write(value)
	}
	o.flow.Line()
}

func scalar(token json.Token) string {
	switch v := token.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return fmt.Sprint(token)
}
