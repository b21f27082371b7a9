// Package markup reads web pages and the notations of programs: HTML, XML,
// SVG, JSON and JSON lines. What repeats like a table is handed on as one.
package markup

import (
	"context"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// HTML reads web pages, also those that programs name .xls or .doc.
type HTML struct{}

var _ extract.Extractor = HTML{}

// NewHTML returns the reader of web pages.
func NewHTML() HTML { return HTML{} }

// Name implements extract.Extractor.
func (HTML) Name() string { return "html" }

// Version implements extract.Extractor.
func (HTML) Version() int { return 2 }

// Accepts implements extract.Extractor.
func (HTML) Accepts(_, mediaType string) bool {
	return mediaType == "text/html" || mediaType == "application/xhtml+xml"
}

// Extract implements extract.Extractor.
func (HTML) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	head := make([]byte, min(in.Size, 4<<10))
	n, _ := in.ReadAt(head, 0)
	text, err := extract.TextReader(in, in.Size, extract.HTMLCharset(head[:n]))
	if err != nil {
		return extract.Damaged(err)
	}
	flow := extract.NewFlow(ctx, out)
	if err := extract.HTML(text, in.Limits, flow); err != nil && flow.Err() == nil {
		flow.Flush()
		if flow.Err() == nil {
			return err
		}
	}
	return flow.Close()
}
