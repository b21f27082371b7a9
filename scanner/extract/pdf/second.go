package pdf

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/ledongthuc/pdf"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// maxSecondPages bounds a page tree that only claims to be long.
const maxSecondPages = 100_000

// tooManyObjects recognises numbers that no document has so many objects for:
// the second reader makes room for as many as a document says. They stand
// before a part of the table of objects, or in the stream that holds it
// (ISO 32000-1, 7.5.4 and 7.5.8).
var tooManyObjects = regexp.MustCompile(`\b0*[1-9]\d{7,}\s+\d+\s+\d+\s+\d+\s+[nf]\b|/(?:Size|Columns)\s+0*[1-9]\d{7,}|/(?:Index|W)\s*\[[^\]]{0,200}\b0*[1-9]\d{7,}`)

// readSecond reads the document with ledongthuc/pdf. With seen, only lines
// that hold a word that was not seen are written.
func readSecond(ctx context.Context, in extract.Input, out extract.Sink, seen words) error {
	if has(in, tooManyObjects) {
		return fmt.Errorf("second reader: numbers of objects: %w", extract.ErrDamaged)
	}
	passwords := append([]string{""}, in.Passwords...)
	var r *pdf.Reader
	pages := 0
	err := guarded(func() (err error) {
		r, err = pdf.NewReaderEncrypted(in, in.Size, func() string {
			if len(passwords) == 0 {
				return ""
			}
			next := passwords[0]
			passwords = passwords[1:]
			return next
		})
		if err == nil {
			pages = min(r.NumPage(), maxSecondPages)
		}
		return err
	})
	switch {
	case errors.Is(err, pdf.ErrInvalidPassword):
		return protection(in)
	case err != nil: // its words may quote the document
		return fmt.Errorf("second reader: %w", extract.ErrDamaged)
	}
	damaged := 0
	for n := 1; n <= pages; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		var text string
		err := guarded(func() (err error) {
			text, err = r.Page(n).GetPlainText(nil)
			return err
		})
		if err != nil {
			damaged++
			continue
		}
		if text = tidy(text); seen != nil {
			text = newLines(text, seen)
		}
		part := extract.Part{Kind: extract.Body, Place: page(n)}
		if err := extract.Pieces(ctx, part, text, out); err != nil {
			return err
		}
	}
	if damaged > 0 && seen == nil {
		return fmt.Errorf("second reader: %d pages: %w", damaged, extract.ErrDamaged)
	}
	return nil
}

// guarded calls the library, which reports what it cannot parse by panicking.
// What it was building is dropped.
func guarded(call func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = extract.ErrDamaged
		}
	}()
	return call()
}

// newLines keeps the lines that add a word.
func newLines(text string, seen words) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if seen.adds(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}
