package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/reports"
)

// reportFlags say how what was found is told.
type reportFlags struct {
	format string // "text" or the name of a report
	output string // file; "": standard output
	folder string // all reports as files
}

func (f *reportFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.format, "format", "text", strings.Join(append([]string{"text"}, reportNames()...), ", "))
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "")
	cmd.Flags().StringVar(&f.folder, "reports", "", "")
}

func (f *reportFlags) check() error {
	if f.format == "text" || slices.Contains(reportNames(), f.format) {
		return nil
	}
	return &fault{key: "fault.format", args: []any{f.format, "text, " + strings.Join(reportNames(), ", ")}}
}

func (p *program) reportCommand() *cobra.Command {
	var flags reportFlags
	var filter findings.Filter
	var category string
	var statuses []string
	cmd := &cobra.Command{
		Use:  "report",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.check(); err != nil {
				return err
			}
			rules, err := p.policy()
			if err != nil {
				return err
			}
			filter.Category = patterns.Category(category)
			for _, s := range statuses {
				filter.Statuses = append(filter.Statuses, findings.Status(s))
			}
			if err := checkFilter(&filter, rules); err != nil {
				return err
			}
			key, err := p.key()
			if err != nil {
				return err
			}
			store, err := p.register(cmd.Context(), key)
			if err != nil {
				return err
			}
			defer store.Close()
			if err := knownSource(cmd.Context(), store, &filter); err != nil {
				return err
			}
			misplaced, err := p.report(cmd.Context(), store, rules, filter, flags, nil)
			if err == nil && misplaced > 0 {
				err = errFindings
			}
			return err
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&filter.Source, "source", "", "")
	cmd.Flags().StringVar(&filter.Controller, "controller", "", "")
	cmd.Flags().StringVar(&filter.Department, "department", "", "")
	cmd.Flags().StringVar(&category, "category", "", "")
	cmd.Flags().StringSliceVar(&statuses, "status", nil, choices(statusesAll))
	return cmd
}

var statusesAll = []findings.Status{findings.Open, findings.FixClaimed, findings.Disputed, findings.Resolved, findings.FalsePositive, findings.RiskAccepted}

// choices lists what a flag may be.
func choices[T ~string](all []T) string {
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = string(one)
	}
	return strings.Join(names, ", ")
}

// checkFilter refuses words that select nothing because nobody knows them: an
// empty report must not be a slip of the pen. A controller may be named by its
// id or by its name.
func checkFilter(f *findings.Filter, rules *policy.Policy) error {
	for _, s := range f.Statuses {
		if !slices.Contains(statusesAll, s) {
			return &fault{key: "fault.choice", args: []any{"--status", string(s), choices(statusesAll)}}
		}
	}
	if f.Category != "" {
		var known []patterns.Category
		for _, c := range rules.Categories() {
			known = append(known, c.ID)
		}
		if !slices.Contains(known, f.Category) {
			return &fault{key: "fault.choice", args: []any{"--category", string(f.Category), choices(known)}}
		}
	}
	if f.Controller == "" {
		return nil
	}
	var names []string
	for _, c := range rules.Controllers() {
		if c.ID == f.Controller || strings.EqualFold(c.Name, f.Controller) {
			f.Controller = c.Name
			return nil
		}
		names = append(names, c.ID)
	}
	return &fault{key: "fault.choice", args: []any{"--controller", f.Controller, strings.Join(names, ", ")}}
}

// knownSource makes a filter's source the one that was scanned; a folder that
// was scanned without configuration may be named by a relative path.
func knownSource(ctx context.Context, register findings.Register, f *findings.Filter) error {
	if f.Source == "" {
		return nil
	}
	all, err := register.Coverage(ctx, findings.Filter{})
	if err != nil {
		return err
	}
	abs, _ := filepath.Abs(f.Source)
	var names []string
	for _, s := range all.Sources {
		if s.Source == f.Source || s.Source == abs {
			f.Source = s.Source
			return nil
		}
		names = append(names, s.Source)
	}
	return &fault{key: "fault.choice", args: []any{"--source", f.Source, orDefault(strings.Join(names, ", "), "–")}}
}

// report tells what was found and returns how many documents are misplaced.
// scanned is set when it follows a scan.
func (p *program) report(ctx context.Context, register findings.Register, rules *policy.Policy, filter findings.Filter, flags reportFlags, scanned *scanSummary) (misplaced int64, err error) {
	sum, err := summarise(ctx, register, filter)
	if err != nil {
		return 0, err
	}
	in := p.input(rules)
	in.Register, in.Filter = register, filter
	var files []string
	if flags.folder != "" {
		if files, err = p.writeReports(ctx, in, flags.folder); err != nil {
			return 0, err
		}
	}
	write := func(w io.Writer) error {
		if flags.format == "text" {
			return p.writeSummary(w, rules, sum, scanned, files)
		}
		return reportNamed(flags.format).Write(ctx, w, in)
	}
	if flags.output == "" {
		out := bufio.NewWriter(p.out)
		if err := write(out); err != nil {
			return 0, err
		}
		return sum.documents(), out.Flush()
	}
	return sum.documents(), p.writeFile(flags.output, write)
}

// input is what every report of this program starts from.
func (p *program) input(rules *policy.Policy) reports.Input {
	return reports.Input{
		Policy: rules, Language: p.words.Language(), Now: time.Now(), Version: version,
		Title: orDefault(p.config.Organisation, rules.Organisation()),
	}
}

// writeReports writes every report into a folder and returns the files' names.
func (p *program) writeReports(ctx context.Context, in reports.Input, dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &fault{key: "fault.output", args: []any{dir}, err: err}
	}
	var files []string
	for _, r := range reportFormats {
		file := filepath.Join(dir, fileName(r))
		if err := p.writeFile(file, func(w io.Writer) error { return r.Write(ctx, w, in) }); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// fileName is molnvakt.html, molnvakt.csv, molnvakt-gaps.csv …
func fileName(r reports.Report) string {
	name := "molnvakt"
	if r.Name() != r.Extension() {
		name += "-" + r.Name()
	}
	return name + "." + r.Extension()
}

// writeFile writes beside the file and then takes its place, so that a report
// is never half of one. What is not a regular file is written to directly.
func (p *program) writeFile(file string, write func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = &fault{key: "fault.output", args: []any{file}, err: err}
		}
	}()
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(file, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		return write(f)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".molnvakt-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already if all went well
	out := bufio.NewWriterSize(f, 1<<16)
	if err := write(out); err != nil {
		f.Close()
		return err
	}
	if err := out.Flush(); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

func orDefault(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
