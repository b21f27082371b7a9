package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/molnvakt/molnvakt/patterns/library"
	"github.com/molnvakt/molnvakt/reports"
	"github.com/molnvakt/molnvakt/reports/csv"
	"github.com/molnvakt/molnvakt/reports/html"
	"github.com/molnvakt/molnvakt/reports/json"
	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/archive"
	"github.com/molnvakt/molnvakt/scanner/extract/database"
	"github.com/molnvakt/molnvakt/scanner/extract/mail"
	"github.com/molnvakt/molnvakt/scanner/extract/markup"
	"github.com/molnvakt/molnvakt/scanner/extract/odf"
	"github.com/molnvakt/molnvakt/scanner/extract/ole"
	"github.com/molnvakt/molnvakt/scanner/extract/onenote"
	"github.com/molnvakt/molnvakt/scanner/extract/ooxml"
	"github.com/molnvakt/molnvakt/scanner/extract/pdf"
	"github.com/molnvakt/molnvakt/scanner/extract/picture"
	"github.com/molnvakt/molnvakt/scanner/extract/plaintext"
	"github.com/molnvakt/molnvakt/scanner/extract/rtf"
	"github.com/molnvakt/molnvakt/scanner/extract/table"
	"github.com/molnvakt/molnvakt/scanner/extract/xlsb"
	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/folder"
	"github.com/molnvakt/molnvakt/sources/graph"
	"github.com/molnvakt/molnvakt/sources/graph/sdk"
)

// This file lists everything the program can do: one line for each
// implementation.

// sourceNeeds is what a source is opened with.
type sourceNeeds struct {
	decode       func(any) error // fills the source's own configuration
	version      string
	organisation string
	file         string // the configuration's, for relative paths
	line         int
}

// path makes a path of the configuration absolute.
func (n sourceNeeds) path(p *string) {
	if *p != "" && !filepath.IsAbs(*p) && n.file != "" {
		*p = filepath.Join(filepath.Dir(n.file), *p)
	}
}

var sourceKinds = map[string]func(sourceNeeds) (sources.Source, error){
	"folder": func(n sourceNeeds) (sources.Source, error) {
		return opened(n, func(c folder.Config) (sources.Source, error) {
			n.path(&c.Path)
			return folder.Open(c)
		})
	},
	"graph": func(n sourceNeeds) (sources.Source, error) {
		return opened(n, func(c graph.Config) (sources.Source, error) {
			orElse(&c.Organisation, n.organisation)
			for _, p := range []*string{&c.Auth.Secret.File, &c.Auth.Certificate.File, &c.Auth.Certificate.Password.File, &c.Auth.WorkloadIdentity.TokenFile, &c.CAFile} {
				n.path(p)
			}
			return sdk.Open(c, n.version)
		})
	},
}

// opened decodes a source's own configuration and opens it.
func opened[C any](n sourceNeeds, open func(C) (sources.Source, error)) (sources.Source, error) {
	var c C
	if err := n.decode(&c); err != nil {
		return nil, &fault{key: "fault.config", args: []any{n.file, plainYAML(err)}}
	}
	return open(c)
}

func kindNames() []string { return slices.Sorted(maps.Keys(sourceKinds)) }

// extractors lists the readers in order of preference: the first that accepts
// a document reads it.
func (s settings) extractors() []extract.Extractor { return s.extractorsIn("") }

// extractorsIn is extractors with a folder for compiled code ("" for none).
func (s settings) extractorsIn(cache string) []extract.Extractor {
	return []extract.Extractor{
		pdf.New(pdf.Config{Engine: pdf.Engine(s.PDFEngine), Cache: cache}),
		ooxml.New(),
		odf.New(),
		ole.New(),
		xlsb.New(),
		rtf.New(),
		onenote.New(),
		mail.New(),
		archive.New(),
		table.New(),
		markup.New(),
		database.New(),
		picture.New(picture.Config{}),
		plaintext.New(),
	}
}

// set is the patterns: the built-in ones and the customer's own.
func (s settings) set() (*library.Set, error) { return library.Load(s.Patterns) }

// reportFormats lists the reports.
var reportFormats = []reports.Report{
	html.Report{},
	csv.Report{},
	csv.Gaps{},
	json.Report{},
}

func reportNames() (names []string) {
	for _, r := range reportFormats {
		names = append(names, r.Name())
	}
	return names
}

func reportNamed(name string) reports.Report {
	i := slices.IndexFunc(reportFormats, func(r reports.Report) bool { return r.Name() == name })
	return reportFormats[i]
}

// ownPatterns reads the customer's patterns.d, which the sandbox's children
// cannot reach.
func (p *program) ownPatterns(s *settings) error {
	if p.config.Patterns == "" {
		return nil
	}
	names, err := filepath.Glob(filepath.Join(p.config.Patterns, "*.yaml"))
	if err != nil {
		return err
	}
	if _, err := os.Stat(p.config.Patterns); err != nil {
		return &fault{key: "fault.patterns", args: []any{p.config.Patterns}, err: err}
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return &fault{key: "fault.patterns", args: []any{name}, err: err}
		}
		s.Patterns = append(s.Patterns, library.File{Name: name, Text: text})
	}
	if _, err := s.set(); err != nil {
		return fmt.Errorf("%s: %w", p.config.Patterns, err)
	}
	return nil
}
