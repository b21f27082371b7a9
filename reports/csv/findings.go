package csv

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/reports"
)

// Findings is a report with one row for each finding, the most severe first.
type Findings struct{ Dialect Dialect }

// Name returns "csv".
func (Findings) Name() string { return "csv" }

// Extension returns "csv".
func (Findings) Extension() string { return "csv" }

var findingColumns = []string{
	"severity", "outcome", "class", "categories", "controller", "department", "head", "mail",
	"service", "source", "site", "path", "link", "people", "identifiers", "kinds", "evidence",
	"rule", "why", "todo", "exposure", "status", "first", "last", "owner", "modified", "id",
}

// Write writes the findings that in.Filter selects.
func (f Findings) Write(ctx context.Context, w io.Writer, in reports.Input) error {
	words := in.Words()
	out, err := f.Dialect.begin(w)
	if err != nil {
		return err
	}
	if err := out.header(words, "csv.", findingColumns); err != nil {
		return err
	}
	sealed, n := 0, 0
	for found, err := range in.Register.Findings(ctx, in.Filter) {
		if err != nil {
			return fmt.Errorf("findings: %w", err)
		}
		if err := every(ctx, n); err != nil {
			return err
		}
		n++
		if found.Verdict.Sealed {
			sealed++
			continue
		}
		if err := out.write(findingRow(words, found)); err != nil {
			return err
		}
	}
	if sealed > 0 {
		if err := out.write([]string{words.N("csv.sealed", int64(sealed))}); err != nil {
			return err
		}
	}
	return out.end()
}

// list separates what stands together in a cell.
const list = " | "

func findingRow(words reports.Words, f findings.Finding) []string {
	v := f.Verdict
	var evidence []string
	for _, e := range words.EvidenceOf(v) {
		evidence = append(evidence, e.String())
	}
	return []string{
		words.Severity(string(v.Severity)),
		words.Outcome(string(v.Outcome)),
		words.Class(v.Class),
		strings.Join(words.Categories(v.Categories), list),
		words.Controller(f.Controller),
		f.Department,
		f.Head,
		f.Mail,
		words.Service(f.Service),
		f.Source,
		f.Site,
		f.Item.Path,
		f.Item.WebURL,
		strconv.Itoa(f.People),
		strings.Join(words.Identifiers(v), list),
		strings.Join(words.Kinds(f.Kinds), list),
		strings.Join(evidence, list),
		v.Title,
		strings.Join(words.Why(v), " "),
		words.Advice(v.Advice),
		strings.Join(words.Exposure(f.Exposure), list),
		words.Status(f),
		words.DateTime(f.First),
		words.DateTime(f.Last),
		f.Item.Owner,
		words.DateTime(f.Item.Modified),
		string(f.ID),
	}
}
