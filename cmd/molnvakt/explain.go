package main

import (
	"bufio"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/reports"
	"github.com/molnvakt/molnvakt/scanner/inspect"
	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/folder"
)

func (p *program) explainCommand() *cobra.Command {
	var service string
	cmd := &cobra.Command{
		Use:  "explain",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			rules, err := p.policy()
			if err != nil {
				return err
			}
			c := &checker{program: p, rules: rules, service: service, ocr: p.config.Scan.OCR, explain: true}
			if len(args) == 1 {
				if err := p.knownService(service); err != nil {
					return err
				}
				return c.explainFile(cmd.Context(), args[0])
			}
			return c.explainDocument(cmd.Context(), args[0], args[1])
		},
	}
	cmd.Flags().StringVar(&service, "service", folderService, "")
	return cmd
}

// explainFile explains a local file.
func (c *checker) explainFile(ctx context.Context, file string) error {
	in, free, err := c.pooled(true)
	if err != nil {
		return err
	}
	defer free()
	one, err := c.check(ctx, in, file)
	if err != nil {
		return err
	}
	if one.err != nil {
		return one.err
	}
	return c.tell(one, policy.Place{Source: "check", Service: c.service, Path: filepath.ToSlash(file)})
}

// explainDocument explains a document that a scan met: it is fetched anew.
func (c *checker) explainDocument(ctx context.Context, source, at string) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	store, err := c.register(ctx, key)
	if err != nil {
		return err
	}
	defer store.Close()
	if abs, err := filepath.Abs(source); err == nil && !c.configured(source) {
		source = abs // a folder that was scanned without configuration
	}
	doc, err := store.Document(ctx, source, strings.Trim(at, "/"))
	if err != nil {
		return &fault{key: "fault.document", args: []any{at, source}, err: err}
	}
	src, free, err := c.sourceOf(doc)
	if err != nil {
		return err
	}
	defer free()
	content, err := src.Open(ctx, doc.Item)
	if err != nil {
		return err
	}
	defer content.Close()
	in, freePool, err := c.pooled(true)
	if err != nil {
		return err
	}
	defer freePool()
	options := c.options()
	options.Explain = true
	result, err := in.Inspect(ctx, inspect.Document{
		Name: path.Base(doc.Item.Path), Path: doc.Item.Path, Size: doc.Item.Size, Content: content, OCR: c.ocr, Options: options,
	})
	if err != nil {
		return err
	}
	place := policy.Place{Source: doc.Source, Service: doc.Service, Site: doc.Site, Path: doc.Item.Path, Modified: doc.Item.Modified}
	if doc.Exposure != nil {
		place.Audience = string(doc.Exposure.Widest())
	}
	c.service = doc.Service
	one := checked{file: doc.Item.Path, result: result, class: c.rules.Classify(result.Content), verdicts: c.rules.Judge(place, result.Content, time.Now())}
	return c.tell(one, place)
}

func (p *program) configured(source string) bool {
	for _, s := range p.config.Sources {
		if s.Name == source {
			return true
		}
	}
	return false
}

// sourceOf opens the source of a document: a configured one, or the folder
// whose path is its name.
func (p *program) sourceOf(doc findings.Document) (sources.Source, func(), error) {
	if p.configured(doc.Source) {
		places, free, _, err := p.places([]string{doc.Source})
		if err != nil {
			return nil, nil, err
		}
		return places[0].Source, free, nil
	}
	f, err := folder.Open(folder.Config{Path: doc.Source})
	if err != nil {
		return nil, nil, &fault{key: "fault.source-unknown", args: []any{doc.Source}, err: err}
	}
	return f, func() { f.Close() }, nil
}

// tell prints the whole trace: what was considered, what it came to, and what
// the policy made of it.
func (c *checker) tell(one checked, at policy.Place) error {
	out := bufio.NewWriter(c.out)
	t := c.words.T
	words := reports.NewWords(c.words, c.rules)
	fmt.Fprintln(out, t("explain.title", printable(one.file)))
	fmt.Fprintln(out, t("explain.read", orDefault(one.result.Extractor, "–"), one.result.MediaType, c.words.Reading(string(one.result.Status)), one.result.Chars))
	for _, g := range one.result.Gaps {
		fmt.Fprintln(out, "  "+t("check.gap", strings.TrimSpace(c.words.Place(g.Place)+" "+c.words.Gap(g.Reason)+" "+g.Detail)))
	}
	fmt.Fprintln(out, "\n"+t("explain.candidates", len(one.result.Steps)))
	sealed := slices.ContainsFunc(one.verdicts, func(v policy.Verdict) bool { return v.Sealed })
	for _, s := range one.result.Steps {
		if sealed {
			s.Masked = "" // of säkerhetsskydd no excerpt is shown
		}
		c.tellStep(out, s)
	}
	if len(one.result.Content.Innocence) > 0 {
		var innocent []string
		for _, code := range one.result.Content.Innocence {
			innocent = append(innocent, c.words.Innocence(code))
		}
		fmt.Fprintln(out, "\n"+t("explain.innocence", c.words.List(innocent)))
	}
	for _, k := range one.result.Content.Kinds {
		fmt.Fprintln(out, t("explain.kind", c.words.Kind(k.Kind), c.words.Confidence(int(k.Confidence))))
	}
	fmt.Fprintln(out, "\n"+t("explain.class", words.Class(one.class.Class), words.ClassName(one.class.Class)))
	for _, r := range one.class.Because {
		fmt.Fprintln(out, "  · "+words.Because(r))
	}
	fmt.Fprintln(out, "\n"+t("explain.place", c.rules.ServiceName(at.Service), printable(at.Path)))
	if len(one.verdicts) == 0 {
		fmt.Fprintln(out, "  "+t("explain.no-rule"))
	}
	for _, v := range one.verdicts {
		fmt.Fprintf(out, "  %s: %s (%s)\n", c.words.Outcome(string(v.Outcome)), v.Title, v.Rule)
		for _, r := range v.Because {
			fmt.Fprintln(out, "    · "+words.Because(r))
		}
	}
	fmt.Fprintln(out, "\n"+t("whatif.title"))
	for _, sentence := range c.whatIf(one, at) {
		fmt.Fprintln(out, "  · "+sentence)
	}
	return out.Flush()
}

func (c *checker) tellStep(out *bufio.Writer, s patterns.Step) {
	mark := "–"
	if s.Counted {
		mark = "+"
	}
	facts := []string{c.words.Pattern(s.Pattern)}
	if s.Masked != "" {
		facts = append(facts, s.Masked)
	}
	if s.Place != "" {
		facts = append(facts, c.words.Place(s.Place))
	}
	if s.Counted {
		facts = append(facts, c.words.Confidence(int(s.Confidence)))
	}
	var because []string
	for _, b := range s.Because {
		because = append(because, c.words.Because(b))
	}
	fmt.Fprintf(out, "  %s %s: %s\n", mark, strings.Join(facts, " · "), strings.Join(because, "; "))
}
