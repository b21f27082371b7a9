package ole

import (
	"context"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// streamReader is an Extractor of one stream.
type streamReader struct {
	Extractor
	read func(d *document) error
}

func (s streamReader) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	d := &document{ctx: ctx, in: in, flow: extract.NewFlow(ctx, out), done: map[*stream]bool{}}
	err := s.read(d)
	if closing := d.flow.Close(); closing != nil {
		return closing
	}
	return err
}
