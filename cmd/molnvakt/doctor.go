package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/scanner/extract/picture"
	"github.com/molnvakt/molnvakt/scanner/inspect"
	"github.com/molnvakt/molnvakt/sources"
)

// sourceCheckTime bounds the checks of one source.
const sourceCheckTime = 30 * time.Second

func (p *program) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:  "doctor",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := doctor{program: p}
			d.configuration()
			d.files(cmd.Context())
			d.policy()
			d.recognition(cmd.Context())
			d.sandbox(cmd.Context())
			d.sources(cmd.Context())
			if d.failed > 0 {
				return &fault{key: "fault.doctor", n: int64(d.failed)}
			}
			return nil
		},
	}
}

// doctor looks at everything a scan needs and says what is missing.
type doctor struct {
	*program
	failed int
}

// say prints one check: its mark, its text, and what was seen.
func (d *doctor) tell(c sources.Check) {
	mark := map[sources.CheckStatus]string{sources.CheckOK: "✓", sources.CheckWarn: "!", sources.CheckFail: "✗"}[c.Status]
	if c.Status == sources.CheckFail {
		d.failed++
	}
	args := make([]any, len(c.Args))
	for i, a := range c.Args {
		args[i] = a
	}
	text := ""
	for _, key := range []string{"doctor." + c.ID + "." + string(c.Status), "doctor." + c.ID} {
		if d.words.Has(key) {
			text = d.words.T(key, args...)
			break
		}
	}
	if text == "" {
		text = strings.TrimSpace(c.ID + " " + strings.Join(c.Args, " "))
	}
	if c.Detail != "" {
		text += " (" + c.Detail + ")"
	}
	fmt.Fprintf(d.out, "%s %s\n", mark, text)
}

func (d *doctor) check(id string, err error, args ...string) bool {
	c := sources.Check{ID: id, Status: sources.CheckOK, Args: args}
	if err != nil {
		c.Status, c.Detail = sources.CheckFail, d.program.say(err)
	}
	d.tell(c)
	return err == nil
}

func (d *doctor) configuration() {
	if d.config.file == "" {
		d.tell(sources.Check{ID: "config", Status: sources.CheckWarn})
		return
	}
	d.check("config", nil, d.config.file)
}

// files looks at the key and the database without making either.
func (d *doctor) files(ctx context.Context) {
	dir := filepath.Dir(d.config.Database)
	if _, err := os.Stat(d.config.Database); err != nil {
		d.tell(sources.Check{ID: "database", Status: sources.CheckWarn, Args: []string{d.config.Database}})
		d.check("data", writable(dir), dir)
		return
	}
	key, err := d.key()
	if !d.check("key", err) {
		return
	}
	store, err := d.store(ctx, key)
	if errors.Is(err, findings.ErrLocked) { // a scan is under way: that is no fault
		store, err = d.register(ctx, key)
	}
	if d.check("database", err, d.config.Database) {
		store.Close()
	}
}

// writable tries the folder, or the nearest one above that exists.
func writable(dir string) error {
	for {
		f, err := os.CreateTemp(dir, ".molnvakt-*")
		if errors.Is(err, os.ErrNotExist) && filepath.Dir(dir) != dir {
			dir = filepath.Dir(dir)
			continue
		}
		if err != nil {
			return err
		}
		return errors.Join(f.Close(), os.Remove(f.Name()))
	}
}

func (d *doctor) policy() {
	rules, err := d.program.policy()
	if err != nil {
		d.check("policy", err, d.config.Policy)
		return
	}
	d.check("policy", nil, orDefault(d.config.Policy, d.words.T("policy.built-in")))
	for _, decision := range rules.Expires(time.Now(), 60) {
		d.tell(sources.Check{ID: "decision-ends", Status: sources.CheckWarn, Args: []string{decision.Reference, d.words.Date(decision.Until)}})
	}
	for _, s := range d.config.Sources {
		if _, known := rules.Service(s.Service); !known {
			d.tell(sources.Check{ID: "service", Status: sources.CheckFail, Args: []string{s.Name, s.Service, d.words.List(serviceIDs(rules))}})
		}
	}
}

// recognition looks for tesseract with Swedish.
func (d *doctor) recognition(ctx context.Context) {
	if d.config.Scan.OCR == inspect.OCROff {
		return
	}
	_, languages, err := picture.Installed(ctx, picture.Config{})
	switch {
	case err != nil:
		d.tell(sources.Check{ID: "ocr", Status: sources.CheckWarn})
	case !slices.Contains(languages, "swe"):
		d.tell(sources.Check{ID: "ocr-swedish", Status: sources.CheckWarn})
	default:
		d.tell(sources.Check{ID: "ocr", Status: sources.CheckOK})
	}
}

// sandbox starts a child and tells which walls stand around it.
func (d *doctor) sandbox(ctx context.Context) {
	pool, free, err := d.pooled(true)
	if err != nil {
		d.check("sandbox", err)
		return
	}
	defer free()
	walls, err := pool.Protections(ctx)
	if !d.check("sandbox", err) {
		return
	}
	for _, w := range walls {
		c := sources.Check{ID: "protection-" + w.Name, Status: sources.CheckOK, Detail: w.Detail}
		if !w.Holds {
			c.Status = sources.CheckWarn
		}
		d.tell(c)
	}
}

func (d *doctor) sources(ctx context.Context) {
	if len(d.config.Sources) == 0 {
		d.tell(sources.Check{ID: "sources", Status: sources.CheckWarn})
	}
	for _, c := range d.config.Sources {
		fmt.Fprintf(d.out, "\n%s\n", d.words.T("doctor.source", c.Name, c.Kind))
		src, err := d.openSource(c)
		if err != nil {
			d.check("source-opens", err, c.Name)
			continue
		}
		if checker, ok := src.(sources.Checker); ok {
			ctx, cancel := context.WithTimeout(ctx, sourceCheckTime)
			for _, one := range checker.Check(ctx) {
				d.tell(one)
			}
			cancel()
		}
		if closer, ok := src.(interface{ Close() error }); ok {
			closer.Close()
		}
	}
}
