package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/reports"
	jsonreport "github.com/molnvakt/molnvakt/reports/json"
	"github.com/molnvakt/molnvakt/scanner"
	"github.com/molnvakt/molnvakt/scanner/inspect"
	"github.com/molnvakt/molnvakt/scanner/sandbox"
	"github.com/molnvakt/molnvakt/sources"
)

func (p *program) checkCommand() *cobra.Command {
	var service, ocr, format string
	cmd := &cobra.Command{
		Use:  "check",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if format != "text" && format != "json" {
				return &fault{key: "fault.format", args: []any{format, "text, json"}}
			}
			mode, err := p.ocrMode(ocr)
			if err != nil {
				return err
			}
			if err := p.knownService(service); err != nil {
				return err
			}
			rules, err := p.policy()
			if err != nil {
				return err
			}
			c := checker{program: p, rules: rules, service: service, ocr: mode, json: format == "json"}
			return c.run(cmd.Context(), files)
		},
	}
	cmd.Flags().StringVar(&service, "service", folderService, "")
	cmd.Flags().StringVar(&ocr, "ocr", "", "off, scans, all")
	cmd.Flags().StringVar(&format, "format", "text", "text, json")
	return cmd
}

// checker classifies documents without storing anything.
type checker struct {
	*program
	rules   *policy.Policy
	service string
	ocr     inspect.OCR
	json    bool
	explain bool
}

// checked is one document after its inspection.
type checked struct {
	file     string
	err      error // the file could not be read
	result   inspect.Result
	class    policy.Classification
	verdicts []policy.Verdict
}

// run checks files side by side and prints them in their order.
func (c *checker) run(ctx context.Context, files []string) error {
	pool, free, err := c.pooled(c.ocr != inspect.OCROff)
	if err != nil {
		return err
	}
	defer free()

	results := make([]chan checked, len(files))
	for i := range results {
		results[i] = make(chan checked, 1)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.config.Scan.Children + 2) // and one that prints
	var misplaced, unread bool
	group.Go(func() error {
		for _, r := range results {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case one := <-r:
				unread = unread || one.err != nil
				misplaced = misplaced || policy.Worst(one.verdicts) != policy.Allowed
				if err := c.print(one); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for i, file := range files {
		group.Go(func() error {
			one, err := c.check(ctx, pool, file)
			results[i] <- one
			return err
		})
	}
	switch err := group.Wait(); {
	case err != nil:
		return err
	case unread:
		return &fault{key: "fault.some-unread"}
	case misplaced:
		return errFindings
	}
	return nil
}

// pooled is a sandbox for one command, with a key that dies with it: what is
// not stored needs no lasting fingerprints. Only what is compared with the
// municipality's own needs the key that this was made with.
func (p *program) pooled(recognition bool) (*sandbox.Pool, func(), error) {
	key := findings.NewKey()
	if own, err := p.ownFiles(); err != nil {
		return nil, nil, err
	} else if len(own) > 0 {
		if key, err = p.key(); err != nil {
			return nil, nil, err
		}
	}
	pool, err := p.pool(key, p.config.Scan.Children, recognition)
	if err != nil {
		return nil, nil, err
	}
	return pool, func() { pool.Close() }, nil
}

// check inspects and judges one file. The error is ours; the file's own
// trouble stands in checked.
func (c *checker) check(ctx context.Context, in inspect.Inspector, file string) (checked, error) {
	one := checked{file: file}
	result, err := c.inspect(ctx, in, file)
	var mine *fileError
	switch {
	case errors.As(err, &mine):
		one.err = mine.err
		return one, nil
	case err != nil:
		return one, err
	}
	one.result = result
	one.class = c.rules.Classify(result.Content)
	at := policy.Place{Source: "check", Service: c.service, Path: filepath.ToSlash(file)}
	one.verdicts = c.rules.Judge(at, result.Content, time.Now())
	return one, nil
}

// fileError is trouble with a file that the command line names.
type fileError struct{ err error }

func (e *fileError) Error() string { return e.err.Error() }

func (c *checker) inspect(ctx context.Context, in inspect.Inspector, file string) (inspect.Result, error) {
	f, info, err := openFile(file)
	if err != nil {
		return inspect.Result{}, &fileError{err}
	}
	defer f.Close()
	size := info.Size()
	if !info.Mode().IsRegular() {
		size = -1
	}
	options := c.options()
	options.Explain = c.explain
	return in.Inspect(ctx, inspect.Document{
		Name: filepath.Base(file), Path: filepath.ToSlash(file), Size: size, Content: f, OCR: c.ocr, Options: options,
	})
}

// openFile opens a file that the command line names. The error says why not.
func openFile(file string) (*os.File, fs.FileInfo, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, unreadable(file, err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = &fault{key: "fault.is-folder", args: []any{printable(file)}}
	} else if err != nil {
		err = unreadable(file, err)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

func unreadable(file string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &fault{key: "fault.file-missing", args: []any{printable(file)}}
	case errors.Is(err, fs.ErrPermission):
		return &fault{key: "fault.file-denied", args: []any{printable(file)}}
	}
	return &fault{key: "fault.file", args: []any{printable(file)}, err: err}
}

func (c *checker) print(one checked) error {
	if one.err != nil {
		_, err := fmt.Fprintln(c.err, "molnvakt: "+c.say(one.err))
		return err
	}
	if c.json {
		outcome := policy.Worst(one.verdicts)
		if outcome == policy.Allowed && !readable(one.result) {
			outcome = "" // null: nobody looked into it, which is no acquittal
		}
		return jsonreport.CheckDocument(c.out, findings.Document{
			Service: c.service, Item: sources.Item{Path: one.file, Size: one.result.Bytes}, Reading: scanner.Reading(one.result),
			Class: one.class.Class, Outcome: outcome,
		})
	}
	return c.printText(c.out, one)
}

// readable tells whether anything of a document was looked into.
func readable(r inspect.Result) bool {
	return r.Status == inspect.OK || r.Status == inspect.Partial || r.Chars > 0
}

func (c *checker) printText(w io.Writer, one checked) error {
	t, words := c.words.T, reports.NewWords(c.words, c.rules)
	outcome := policy.Worst(one.verdicts)
	if outcome == "" {
		outcome = policy.Allowed
	}
	lines := []string{fmt.Sprintf("%s: %s %s – %s (%s)", printable(one.file), words.Class(one.class.Class), words.ClassName(one.class.Class),
		c.words.Outcome(string(outcome)), c.rules.ServiceName(c.service))}
	if outcome == policy.Allowed && one.result.Status != inspect.OK { // not to be taken for an acquittal
		key := "check.unread"
		if one.result.Chars > 0 {
			key = "check.partly"
		}
		lines[0] = t(key, printable(one.file), c.words.Reading(string(one.result.Status)))
	}
	content := one.result.Content
	for _, category := range content.Categories {
		facts := []string{c.words.Confidence(int(category.Confidence))}
		if category.People > 0 {
			facts = append(facts, c.words.N("summary.people", int64(category.People)))
		}
		lines = append(lines, fmt.Sprintf("  %s (%s)", words.Category(string(category.Category)), strings.Join(facts, ", ")))
	}
	for _, id := range content.Identifiers {
		lines = append(lines, "  "+c.words.IdentifierCount(id.Type, int64(id.AtLeast(patterns.Low))))
	}
	if content.TestNumbers > 0 {
		lines = append(lines, "  "+c.words.N("check.test-numbers", int64(content.TestNumbers)))
	}
	for _, v := range one.verdicts {
		if v.Outcome == policy.Allowed {
			continue
		}
		lines = append(lines, "  → "+v.Title, "    "+c.words.Advice(v.Advice))
	}
	if one.result.Status != inspect.OK && outcome != policy.Allowed {
		lines = append(lines, "  "+t("check.status", c.words.Reading(string(one.result.Status))))
	}
	lines = append(lines, c.gapLines(one.result.Gaps)...)
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// gapLines tells what was not read, and behind the last gap of a kind what can
// be done about it: how to install text recognition, for one.
func (p *program) gapLines(gaps []inspect.Gap) (lines []string) {
	for i, g := range gaps {
		what := strings.TrimSpace(p.words.Place(g.Place) + " " + p.words.Gap(g.Reason))
		if g.Reason == "patterns" {
			what += " (" + g.Detail + ")"
		}
		lines = append(lines, "  "+p.words.T("check.gap", what))
		last := !slices.ContainsFunc(gaps[i+1:], func(later inspect.Gap) bool { return later.Reason == g.Reason })
		if remedy := p.words.GapRemedy(g.Reason); last && remedy != "" {
			lines = append(lines, "    "+remedy)
		}
	}
	return lines
}
