package extracttest

import (
	"io"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Bench measures e on in with a Sink that costs next to nothing.
func Bench(b *testing.B, e extract.Extractor, in extract.Input) {
	b.SetBytes(in.Size)
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Extract(b.Context(), in, Discard{}); err != nil {
			b.Fatal(err)
		}
	}
}

// Discard is an extract.Sink that reads everything and keeps nothing.
type Discard struct{}

var _ extract.Sink = Discard{}

// Text implements extract.Sink.
func (Discard) Text(extract.Part, string) error { return nil }

// Row implements extract.Sink.
func (Discard) Row(extract.Part, extract.Row) error { return nil }

// File implements extract.Sink.
func (Discard) File(f extract.File) error {
	_, err := io.Copy(io.Discard, f.Content)
	return err
}

// Gap implements extract.Sink.
func (Discard) Gap(string, error) error { return nil }
