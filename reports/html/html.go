// Package html writes the report that people read: one self-contained file,
// accessible, printable, in Swedish or English. It loads nothing and runs no
// script.
package html

import (
	"bufio"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/reports"
)

// Report goes through the findings once to count and once for each controller
// to show them, so that its memory does not grow with their number.
type Report struct {
	// Cards is how many findings of each controller are shown in full; the
	// report states how many more there are. 0: 100.
	Cards int
	// Gaps is how many gaps are listed, likewise. 0: 200.
	Gaps int
}

// Name returns "html".
func (Report) Name() string { return "html" }

// Extension returns "html".
func (Report) Extension() string { return "html" }

//go:embed templates
var files embed.FS

var (
	pages = template.Must(template.ParseFS(files, "templates/*.tmpl"))
	style = must(files.ReadFile("templates/style.css"))
)

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err) // the file is part of the program
	}
	return b
}

// Write writes the findings, coverage and gaps that in.Filter selects.
func (r Report) Write(ctx context.Context, w io.Writer, in reports.Input) error {
	words := in.Words()
	counted, err := count(ctx, in)
	if err != nil {
		return err
	}
	covered, err := in.Register.Coverage(ctx, in.Filter)
	if err != nil {
		return fmt.Errorf("coverage: %w", err)
	}
	p := &page{ctx: ctx, in: in, words: words, out: bufio.NewWriterSize(w, 64<<10), cards: orDefault(r.Cards, 100), gaps: orDefault(r.Gaps, 200)}
	p.show("top", p.top(counted))
	p.show("summary", p.summary(counted, covered))
	p.show("sealed", p.sealed(counted))
	p.show("start", p.start(counted))
	p.show("organisation", p.organisation(counted))
	p.show("services", p.services(counted))
	p.show("categories", p.categories(counted))
	p.findings(counted)
	p.show("decided", p.decided(counted))
	p.show("coverage", p.coverage(covered))
	p.unread(covered)
	p.show("end", p.end())
	if p.err != nil {
		return p.err
	}
	return p.out.Flush()
}

// page is a report under way. It keeps the first error, after which nothing
// more is written.
type page struct {
	ctx   context.Context // of this one Write
	in    reports.Input
	words reports.Words
	out   *bufio.Writer
	cards int
	gaps  int
	err   error
}

func (p *page) show(name string, view any) {
	if p.err == nil && view != nil {
		p.err = pages.ExecuteTemplate(p.out, name, view)
	}
}

// view is what every template may use.
type view struct {
	W reports.Words
}

type topView struct {
	view
	Title, Organisation, Version, Written, Machine string
	Scope                                          []string
	CSS                                            template.CSS
	Policy                                         string
	Sealed, Findings, Decided                      bool
}

func (p *page) top(t *tally) topView {
	hash := sha256.Sum256(style)
	return topView{
		view: view{p.words}, Title: p.words.T("html.title"), Organisation: p.in.Title, Version: p.in.Version,
		Written: p.words.LongDate(p.in.Now), Machine: p.words.DateTime(p.in.Now),
		Scope:  p.scope(),
		CSS:    template.CSS(style),
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; base-uri 'none'; form-action 'none'",
		Sealed: t.sealed > 0, Findings: t.active > 0, Decided: t.decided() > 0,
	}
}

// scope says in words what a filter restricts the report to.
func (p *page) scope() []string {
	f := p.in.Filter
	var scope []string
	for _, part := range []struct{ key, value string }{
		{"html.scope-source", f.Source},
		{"html.scope-service", f.Service},
		{"html.scope-controller", f.Controller},
		{"html.scope-department", f.Department},
		{"html.scope-category", p.words.Category(string(f.Category))},
		{"html.scope-path", f.PathPrefix},
		{"html.scope-finding", string(f.Finding)},
		{"html.scope-status", p.statuses(f.Statuses)},
	} {
		if part.value != "" {
			scope = append(scope, p.words.T(part.key, part.value))
		}
	}
	return scope
}

func (p *page) statuses(all []findings.Status) string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = p.words.Locale.Status(string(s))
	}
	return p.words.List(names)
}

type endView struct {
	view
	Classes []classView
	Version string
}

type classView struct{ ID, Name, Meaning string }

func (p *page) end() endView {
	v := endView{view: view{p.words}, Version: p.in.Version}
	for _, c := range p.words.Classes() {
		v.Classes = append(v.Classes, classView{ID: p.words.Class(c), Name: p.words.ClassName(c), Meaning: p.words.ClassText(c)})
	}
	return v
}

func orDefault(n, fallback int) int {
	if n > 0 {
		return n
	}
	return fallback
}
