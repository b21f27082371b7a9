package main

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/patterns/library"
	"github.com/molnvakt/molnvakt/reports"
	"github.com/molnvakt/molnvakt/reports/csv"
	"github.com/molnvakt/molnvakt/reports/html"
	"github.com/molnvakt/molnvakt/reports/json"
	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/archive"
	"github.com/molnvakt/molnvakt/scanner/extract/database"
	"github.com/molnvakt/molnvakt/scanner/extract/iwork"
	"github.com/molnvakt/molnvakt/scanner/extract/mail"
	"github.com/molnvakt/molnvakt/scanner/extract/markup"
	"github.com/molnvakt/molnvakt/scanner/extract/metafile"
	"github.com/molnvakt/molnvakt/scanner/extract/odf"
	"github.com/molnvakt/molnvakt/scanner/extract/ole"
	"github.com/molnvakt/molnvakt/scanner/extract/onenote"
	"github.com/molnvakt/molnvakt/scanner/extract/ooxml"
	"github.com/molnvakt/molnvakt/scanner/extract/pdf"
	"github.com/molnvakt/molnvakt/scanner/extract/picture"
	"github.com/molnvakt/molnvakt/scanner/extract/plaintext"
	"github.com/molnvakt/molnvakt/scanner/extract/rtf"
	"github.com/molnvakt/molnvakt/scanner/extract/table"
	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/folder"
	"github.com/molnvakt/molnvakt/sources/graph"
	"github.com/molnvakt/molnvakt/sources/graph/sdk"
	"github.com/molnvakt/molnvakt/sources/smb"
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
	"smb": func(n sourceNeeds) (sources.Source, error) {
		return opened(n, func(c smb.Config) (sources.Source, error) {
			for _, p := range []*string{&c.Password.File, &c.Kerberos.Keytab, &c.Kerberos.Config} {
				n.path(p)
			}
			return smb.Open(c)
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
func extractors(p pdf.Config) []extract.Extractor {
	return []extract.Extractor{
		pdf.New(p),
		ooxml.Extractor{},
		odf.Extractor{},
		ole.Extractor{},
		rtf.Extractor{},
		onenote.Extractor{},
		iwork.Extractor{},
		mail.NewEML(),
		mail.NewMbox(),
		mail.NewMSG(),
		mail.NewPST(),
		mail.NewTNEF(),
		mail.NewCard(),
		archive.New(),
		table.New(),
		markup.NewHTML(),
		markup.NewXML(),
		markup.NewJSON(),
		database.NewSQLite(),
		database.NewDBase(),
		database.NewDump(),
		metafile.Extractor{},
		picture.New(picture.Config{}),
		plaintext.New(),
	}
}

// set is the patterns: the built-in ones and the customer's own.
// Its tables are kept in the cache: building them takes longer than a child
// may take to start.
func (s settings) set(cache string) (*patterns.Set, error) {
	return library.Load(s.library(cache))
}

func (s settings) library(cache string) library.Options {
	return library.Options{PatternsDir: s.PatternsDir, TablesDir: cache}
}

// reportFormats lists the reports.
var reportFormats = []reports.Report{
	html.Report{},
	csv.Findings{},
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
