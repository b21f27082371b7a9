// Package json writes everything the register holds as one JSON object, for
// machines: {"documents":[…],"findings":[…],"gaps":[…],"coverage":{…}}.
// docs/report.schema.json describes it; field names are stable.
package json

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/reports"
)

// Report writes documents, findings, gaps and coverage. Findings of
// säkerhetsskydd carry no evidence.
type Report struct{}

// Name returns "json".
func (Report) Name() string { return "json" }

// Extension returns "json".
func (Report) Extension() string { return "json" }

// Write writes what in.Filter selects, one record after the other.
func (Report) Write(ctx context.Context, w io.Writer, in reports.Input) error {
	words := in.Words()
	out := &stream{w: bufio.NewWriterSize(w, 64<<10)}
	out.encoder = json.NewEncoder(out.w)
	out.encoder.SetEscapeHTML(false)

	out.text("{\"documents\":[\n")
	if err := each(ctx, out, "documents", in.Register.Documents(ctx, in.Filter), documentOf); err != nil {
		return err
	}
	out.text("],\"findings\":[\n")
	spoken := func(f findings.Finding) Finding { return findingOf(words, f) }
	if err := each(ctx, out, "findings", in.Register.Findings(ctx, in.Filter), spoken); err != nil {
		return err
	}
	out.text("],\"gaps\":[\n")
	if err := each(ctx, out, "gaps", in.Register.Gaps(ctx, in.Filter), gapOf); err != nil {
		return err
	}
	covered, err := in.Register.Coverage(ctx, in.Filter)
	if err != nil {
		return fmt.Errorf("coverage: %w", err)
	}
	out.text("],\"coverage\":")
	out.value(coverageOf(in, covered))
	out.text("}\n")
	return out.end()
}

// CheckDocument writes one document as one line, with the field names of the
// report: what `molnvakt check --format json` prints for each file.
func CheckDocument(w io.Writer, d findings.Document) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(documentOf(d))
}

// stream keeps the first error, so that writing reads as one story.
type stream struct {
	w       *bufio.Writer
	encoder *json.Encoder
	err     error
}

func (s *stream) text(t string) {
	if s.err == nil {
		_, s.err = s.w.WriteString(t)
	}
}

func (s *stream) value(v any) {
	if s.err == nil {
		s.err = s.encoder.Encode(v)
	}
}

func (s *stream) end() error {
	if s.err == nil {
		s.err = s.w.Flush()
	}
	return s.err
}

// each writes the records of a sequence with commas between. An error of the
// sequence ends the report: a short list must never look like a whole one.
func each[T, V any](ctx context.Context, out *stream, name string, all iter.Seq2[T, error], show func(T) V) error {
	n := 0
	for one, err := range all {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if n > 0 {
			out.text(",")
		}
		n++
		out.value(show(one))
		if out.err != nil {
			return out.err
		}
	}
	return nil
}
