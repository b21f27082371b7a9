package csv

import (
	"context"
	"fmt"
	"io"

	"github.com/molnvakt/molnvakt/reports"
)

// Gaps is a report with one row for everything that was not looked into.
type Gaps struct{ Dialect Dialect }

// Name returns "gaps".
func (Gaps) Name() string { return "gaps" }

// Extension returns "csv".
func (Gaps) Extension() string { return "csv" }

var gapColumns = []string{"source", "path", "place", "reason", "remedy", "detail", "since", "retry"}

// Write writes the gaps that in.Filter selects.
func (g Gaps) Write(ctx context.Context, w io.Writer, in reports.Input) error {
	words := in.Words()
	out, err := g.Dialect.begin(w)
	if err != nil {
		return err
	}
	if err := out.header(words, "csv.", gapColumns); err != nil {
		return err
	}
	n := 0
	for gap, err := range in.Register.Gaps(ctx, in.Filter) {
		if err != nil {
			return fmt.Errorf("gaps: %w", err)
		}
		if err := every(ctx, n); err != nil {
			return err
		}
		n++
		row := []string{
			gap.Source, gap.Path, words.Place(gap.Place),
			words.Gap(gap.Reason), words.GapRemedy(gap.Reason), gap.Detail,
			words.DateTime(gap.Since), words.DateTime(gap.RetryAt),
		}
		if err := out.write(row); err != nil {
			return err
		}
	}
	return out.end()
}
