package reporttest

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/molnvakt/molnvakt/findings"
)

// Register is a findings.Register in memory. A report only reads; the methods
// that change something belong to the nil Register inside and panic.
type Register struct {
	findings.Register

	AllDocuments []findings.Document
	AllFindings  []findings.Finding // the most severe first
	AllGaps      []findings.Gap
	Covered      findings.Coverage

	// Repeat yields every record this many times, with growing ids, to see
	// whether a report holds them in memory. 0: once.
	Repeat int
	// Fail, if set, is what a sequence ends with after FailAfter records, and
	// what Coverage and Scans return if FailAfter is negative.
	Fail      error
	FailAfter int

	yielded func() // called with every record
}

// Documents yields the documents that f selects.
func (r *Register) Documents(ctx context.Context, f findings.Filter) iter.Seq2[findings.Document, error] {
	return sequence(ctx, r, r.AllDocuments, func(d findings.Document, round int) (findings.Document, bool) {
		d.ID += findings.DocumentID(round * len(r.AllDocuments))
		return d, f.Source == "" || f.Source == d.Source
	})
}

// Findings yields the findings that f selects.
func (r *Register) Findings(ctx context.Context, f findings.Filter) iter.Seq2[findings.Finding, error] {
	return sequence(ctx, r, r.AllFindings, func(one findings.Finding, round int) (findings.Finding, bool) {
		one.Document += findings.DocumentID(round * len(r.AllDocuments))
		return one, selects(f, one)
	})
}

// Gaps yields the gaps that f selects.
func (r *Register) Gaps(ctx context.Context, f findings.Filter) iter.Seq2[findings.Gap, error] {
	return sequence(ctx, r, r.AllGaps, func(g findings.Gap, _ int) (findings.Gap, bool) {
		return g, f.Source == "" || f.Source == g.Source
	})
}

// Coverage returns Covered.
func (r *Register) Coverage(context.Context, findings.Filter) (findings.Coverage, error) {
	if r.FailAfter < 0 {
		return findings.Coverage{}, r.Fail
	}
	return r.Covered, nil
}

// Scans returns the last scan of every source covered.
func (r *Register) Scans(context.Context, findings.Filter) ([]findings.Scan, error) {
	if r.FailAfter < 0 {
		return nil, r.Fail
	}
	scans := make([]findings.Scan, 0, len(r.Covered.Sources))
	for _, s := range r.Covered.Sources {
		scans = append(scans, s.Last)
	}
	return scans, nil
}

func sequence[T any](ctx context.Context, r *Register, all []T, choose func(T, int) (T, bool)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		n := 0
		for _, original := range all {
			for round := range max(r.Repeat, 1) {
				if err := ctx.Err(); err != nil {
					yield(none, err)
					return
				}
				if r.Fail != nil && r.FailAfter >= 0 && n >= r.FailAfter {
					yield(none, r.Fail)
					return
				}
				one, chosen := choose(original, round)
				if !chosen {
					continue
				}
				n++
				if r.yielded != nil {
					r.yielded()
				}
				if !yield(one, nil) {
					return
				}
			}
		}
	}
}

func selects(f findings.Filter, one findings.Finding) bool {
	return (f.Source == "" || f.Source == one.Source) &&
		(f.Service == "" || f.Service == one.Service) &&
		(f.Controller == "" || f.Controller == one.Controller) &&
		(f.Department == "" || f.Department == one.Department) &&
		(f.Finding == "" || f.Finding == one.ID) &&
		(len(f.Statuses) == 0 || slices.Contains(f.Statuses, one.Status)) &&
		(f.Category == "" || slices.Contains(one.Verdict.Categories, f.Category)) &&
		strings.HasPrefix(one.Item.Path, f.PathPrefix) &&
		!(f.WithoutSealed && one.Verdict.Sealed)
}
