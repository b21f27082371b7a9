package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/findings/sqlite"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/patterns/library"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/reports/locale"
	"github.com/molnvakt/molnvakt/scanner"
	"github.com/molnvakt/molnvakt/scanner/extract/pdf"
	"github.com/molnvakt/molnvakt/scanner/sandbox"
	"github.com/molnvakt/molnvakt/sources"
)

// program holds what the subcommands share.
type program struct {
	stdin    io.Reader
	out, err io.Writer
	words    *locale.Locale
	log      *slog.Logger
	config   *Config
	flags    struct {
		config, language, data, policy, logFormat, logLevel string
		countTestNumbers                                    bool
	}
}

// prepare reads the configuration and applies the flags that overrule it.
func (p *program) prepare(cmd *cobra.Command) error {
	p.words = locale.New(languageOf(os.Args[1:]))
	config, err := loadConfig(p.flags.config)
	if err != nil {
		return err
	}
	p.config = config
	if p.flags.data != "" {
		if config.Data, err = filepath.Abs(p.flags.data); err != nil {
			return err
		}
		config.Database, config.Key = filepath.Join(config.Data, "molnvakt.db"), ""
	}
	if p.flags.policy != "" {
		config.Policy = p.flags.policy
	}
	for _, o := range []struct{ flag, into *string }{
		{&p.flags.language, &config.Language}, {&p.flags.logFormat, &config.Log.Format}, {&p.flags.logLevel, &config.Log.Level},
	} {
		if *o.flag != "" {
			*o.into = *o.flag
		}
	}
	if config.Language == "" {
		config.Language = os.Getenv("MOLNVAKT_LANGUAGE")
	}
	if err := config.check(); err != nil {
		return &fault{key: "fault.usage", args: []any{err.Error(), cmd.CommandPath()}}
	}
	config.Scan.CountTestNumbers = config.Scan.CountTestNumbers || p.flags.countTestNumbers
	p.words = locale.New(config.Language)
	p.log = p.newLog()
	return nil
}

// newLog writes to standard error. On a terminal it is quieter, since the
// progress says what is under way and the report what was not read.
func (p *program) newLog() *slog.Logger {
	level := slog.LevelInfo
	if p.terminal() || p.config.file == "" {
		level = slog.LevelError
	}
	if p.config.Log.Level != "" {
		_ = level.UnmarshalText([]byte(p.config.Log.Level)) // checked with the configuration
	}
	if p.config.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(p.err, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(tint.NewTextHandler(p.err, &tint.Options{Level: level, NoColor: !p.terminal(), TimeFormat: time.TimeOnly}))
}

// terminal tells whether a person is watching standard error.
func (p *program) terminal() bool { return isTerminal(p.err) }

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// key loads the key that masks and seals. Without a database there is nothing
// yet that it would have to fit, so that it may be made.
func (p *program) key() (findings.Key, error) {
	file := p.config.Key
	if file == "" {
		file = filepath.Join(filepath.Dir(p.config.Database), "molnvakt.key")
	}
	key, err := findings.LoadKey(file)
	if !errors.Is(err, findings.ErrNoKey) {
		if errors.Is(err, syscall.ENOTDIR) {
			return key, &fault{key: "fault.data", args: []any{filepath.Dir(file)}, err: err}
		}
		if err != nil {
			return key, &fault{key: "fault.key", args: []any{file}, err: err}
		}
		return key, nil
	}
	if _, there := os.Stat(p.config.Database); there == nil || p.config.Key != "" {
		return key, &fault{key: "fault.key-missing", args: []any{file, p.config.Database}}
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return key, &fault{key: "fault.data", args: []any{filepath.Dir(file)}, err: err}
	}
	if key, err = findings.CreateKey(file); err != nil {
		return key, &fault{key: "fault.data", args: []any{filepath.Dir(file)}, err: err}
	}
	return key, nil
}

// store opens the database for writing; reading opens it beside a running scan.
func (p *program) store(ctx context.Context, key findings.Key) (*sqlite.DB, error) {
	if err := os.MkdirAll(filepath.Dir(p.config.Database), 0o700); err != nil {
		return nil, &fault{key: "fault.data", args: []any{filepath.Dir(p.config.Database)}, err: err}
	}
	return sqlite.Open(ctx, p.config.Database, key, sqlite.Options{Log: p.log})
}

func (p *program) register(ctx context.Context, key findings.Key) (*sqlite.DB, error) {
	if _, err := os.Stat(p.config.Database); err != nil {
		return nil, &fault{key: "fault.no-database", args: []any{p.config.Database}}
	}
	return sqlite.Open(ctx, p.config.Database, key, sqlite.Options{ReadOnly: true})
}

// policy reads the configured policy, or takes the built-in one.
func (p *program) policy() (*policy.Policy, error) {
	if p.config.Policy == "" {
		return policy.Default(), nil
	}
	text, err := os.ReadFile(p.config.Policy)
	if err != nil {
		return nil, &fault{key: "fault.policy-unreadable", args: []any{p.config.Policy}, err: err}
	}
	return policy.Parse(p.config.Policy, text)
}

// settings is what the sandbox's children need to know.
func (p *program) settings() (settings, error) {
	s := settings{PDFEngine: p.config.Scan.PDFEngine, PatternsDir: p.config.Patterns, Limits: p.config.Scan.limits()}
	if file := p.config.Scan.Passwords; file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return s, &fault{key: "fault.passwords", args: []any{file}, err: err}
		}
		s.Passwords = strings.Fields(string(text))
	}
	var err error
	s.Own, err = p.ownFiles()
	return s, err
}

// pool makes the sandbox. With recognition its children may start tesseract,
// and pictures get the time they need.
func (p *program) pool(key findings.Key, size int, recognition bool) (*sandbox.Pool, error) {
	s, err := p.settings()
	if err != nil {
		return nil, err
	}
	if err := soundOwn(s.Own, key); err != nil {
		return nil, err
	}
	s.Recognition = recognition
	packed, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cache, err := p.cache()
	if err != nil {
		return nil, err
	}
	// Once and here, rather than in every child at the same time.
	if err := pdf.New(pdf.Config{Engine: pdf.Engine(s.PDFEngine), Cache: cache}).Prepare(context.Background()); err != nil {
		return nil, err
	}
	return sandbox.NewPool(sandbox.Config{
		Size: size, Command: []string{self, sandboxCommand},
		Key: key.Subkey(maskPurpose), Settings: packed, Cache: cache, Programs: recognition,
		Memory: p.config.Scan.Memory, MaxSize: p.config.Scan.MaxSize, Deadline: p.config.Scan.Deadline,
	})
}

// cache is the folder of compiled code: systemd's, the user's, else one among
// the data. Whoever can write there can run programs, so it is private.
func (p *program) cache() (string, error) {
	dir := os.Getenv("CACHE_DIRECTORY")
	if dir == "" {
		if user, err := os.UserCacheDir(); err == nil {
			dir = filepath.Join(user, "molnvakt")
		} else {
			dir = filepath.Join(p.config.Data, "cache")
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", &fault{key: "fault.data", args: []any{dir}, err: err}
	}
	return dir, nil
}

// options are the pattern options that the configuration asks for.
func (p *program) options() patterns.Options {
	return patterns.Options{CountTestNumbers: p.config.Scan.CountTestNumbers}
}

// reading is the hash of everything that decides what is read out of a
// document: when it changes, documents are read again.
func (p *program) reading(key findings.Key) (string, error) {
	s, err := p.settings()
	if err != nil {
		return "", err
	}
	cache, err := p.cache()
	if err != nil {
		return "", err
	}
	found, err := library.Prepare(s.library(cache))
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, e := range extractors(pdf.Config{Engine: pdf.Engine(s.PDFEngine)}) {
		fmt.Fprintf(h, "%s %d\n", e.Name(), e.Version())
	}
	fmt.Fprintf(h, "patterns %s\nkey %s\npdf %s\nlimits %d %s %v\npasswords %d\ntest numbers %t\n",
		found, key.ID(), s.PDFEngine, p.config.Scan.MaxSize, p.config.Scan.Deadline, s.Limits, len(s.Passwords), p.config.Scan.CountTestNumbers)
	if err := hashOwn(h, s.Own); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// scanner puts a Scanner together; close frees what it holds.
func (p *program) scanner(key findings.Key, store findings.Store, places []scanner.Place) (*scanner.Scanner, func(), error) {
	rules, err := p.policy()
	if err != nil {
		return nil, nil, err
	}
	reading, err := p.reading(key)
	if err != nil {
		return nil, nil, err
	}
	pool, err := p.pool(key, p.config.Scan.Children, false)
	if err != nil {
		return nil, nil, err
	}
	recogniser, err := p.pool(key, p.config.Scan.Children, true)
	if err != nil {
		pool.Close()
		return nil, nil, err
	}
	s := &scanner.Scanner{
		Places: places, Store: store, Inspector: pool, Recogniser: recogniser, Policy: rules, Reading: reading,
		Key: key.Subkey("finding"), Options: p.options(), MaxSize: p.config.Scan.MaxSize,
		Workers: findings.Workers{Documents: p.config.Scan.AtOnce, OCR: p.config.Scan.Children},
		Scopes:  4, Log: p.log, Now: time.Now,
	}
	return s, func() { pool.Close(); recogniser.Close() }, nil
}

// places opens the configured sources that are wanted; all if names is empty.
// One that cannot be opened does not keep the others from being scanned: its
// error stands in missing. If there is nothing else, it is the error.
func (p *program) places(names []string) (places []scanner.Place, free func(), missing, err error) {
	free = func() {
		for _, place := range places {
			if c, ok := place.Source.(io.Closer); ok {
				c.Close()
			}
		}
	}
	for _, n := range names {
		if !p.configured(n) {
			return nil, nil, nil, &fault{key: "fault.source-unknown", args: []any{n}}
		}
	}
	for _, c := range p.config.Sources {
		if len(names) > 0 && !slices.Contains(names, c.Name) {
			continue
		}
		src, err := p.openSource(c)
		if err != nil {
			missing = errors.Join(missing, &fault{key: "fault.source", args: []any{c.Name}, err: errors.New(p.say(err))})
			continue
		}
		places = append(places, scanner.Place{Name: c.Name, Service: c.Service, Controller: c.Controller, Source: src, OCR: c.OCR})
	}
	if len(places) == 0 {
		return nil, nil, nil, missing
	}
	return places, free, missing, nil
}

func (p *program) openSource(c SourceConfig) (sources.Source, error) {
	return sourceKinds[c.Kind](sourceNeeds{decode: c.decode, version: version, organisation: p.config.Organisation, line: c.line, file: p.config.file})
}
