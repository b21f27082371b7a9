// Package csv writes findings and gaps for spreadsheets: one row each. Nothing
// in a file name or a document can become a formula. Findings of
// säkerhetsskydd are left out; their number is stated.
package csv

import (
	"context"
	"encoding/csv"
	"io"
	"strings"
	"unicode"

	"github.com/molnvakt/molnvakt/reports"
)

// Dialect is how the cells are set apart.
type Dialect int

// The dialects. Excel is what a Swedish Excel opens with a double click: UTF-8
// with a byte order mark, semicolons, \r\n. Standard is RFC 4180 with commas
// and without the mark, for programs and for English spreadsheets.
const (
	Excel Dialect = iota
	Standard
)

// rows writes rows of neutralised cells.
type rows struct {
	w   *csv.Writer
	row []string
}

func (d Dialect) begin(w io.Writer) (*rows, error) {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if d == Excel {
		out.Comma = ';'
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return nil, err
		}
	}
	return &rows{w: out}, nil
}

// header writes the names of the columns; keys name them in the catalogue.
func (r *rows) header(words reports.Words, prefix string, keys []string) error {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = words.T(prefix + k)
	}
	return r.write(names)
}

func (r *rows) write(cells []string) error {
	r.row = r.row[:0]
	for _, c := range cells {
		r.row = append(r.row, neutral(c))
	}
	return r.w.Write(r.row)
}

func (r *rows) end() error {
	r.w.Flush()
	return r.w.Error()
}

// maxCell is below the 32,767 characters that Excel can show in a cell.
const maxCell = 32_000

// neutral makes a cell harmless: on one line, and never a formula. A quote in
// front makes spreadsheets show what follows as text (OWASP, CSV injection).
func neutral(cell string) string {
	cell = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(cell, "\ufffd"))
	if len(cell) > maxCell {
		cell = strings.ToValidUTF8(cell[:maxCell], "") + "…"
	}
	first := strings.TrimLeftFunc(cell, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
	})
	if first != "" && strings.ContainsRune("=+-@＝＋－＠−﹣﹢﹦﹫", []rune(first)[0]) {
		return "'" + cell
	}
	return cell
}

// every stops a loop over the register when the context has ended.
func every(ctx context.Context, n int) error {
	if n%256 == 0 {
		return ctx.Err()
	}
	return nil
}
