package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/inspect"
)

// Config is molnvakt.yaml. Paths in it are relative to the file's folder.
type Config struct {
	Organisation string         `yaml:"organisation,omitempty" json:"organisation,omitempty" jsonschema_description:"Name of the municipality, for reports and the User-Agent"`
	Language     string         `yaml:"language,omitempty" json:"language,omitempty" jsonschema:"enum=sv,enum=en" jsonschema_description:"Language of what people read; sv by default"`
	Data         string         `yaml:"data,omitempty" json:"data,omitempty" jsonschema_description:"Folder for the database, the key and caches"`
	Database     string         `yaml:"database,omitempty" json:"database,omitempty" jsonschema_description:"The SQLite file; molnvakt.db in data by default"`
	Key          string         `yaml:"key,omitempty" json:"key,omitempty" jsonschema_description:"The key file, mode 0600; molnvakt.key in data by default. Keep it apart from the database's backups"`
	Policy       string         `yaml:"policy,omitempty" json:"policy,omitempty" jsonschema_description:"policy.yaml; the built-in policy by default"`
	Patterns     string         `yaml:"patterns,omitempty" json:"patterns,omitempty" jsonschema_description:"Folder of own patterns (patterns.d); none by default"`
	Reports      string         `yaml:"reports,omitempty" json:"reports,omitempty" jsonschema_description:"Folder where molnvakt serve writes its reports after each scan"`
	Log          LogConfig      `yaml:"log,omitempty" json:"log,omitempty"`
	Scan         ScanConfig     `yaml:"scan,omitempty" json:"scan,omitempty"`
	Sources      []SourceConfig `yaml:"sources,omitempty" json:"sources,omitempty"`

	file string // where it was read; "" for the defaults
}

// LogConfig is the log section.
type LogConfig struct {
	Format string `yaml:"format,omitempty" json:"format,omitempty" jsonschema:"enum=text,enum=json"`
	Level  string `yaml:"level,omitempty" json:"level,omitempty" jsonschema:"enum=debug,enum=info,enum=warn,enum=error"`
}

// ScanConfig is the scan section.
type ScanConfig struct {
	Children         int           `yaml:"children,omitempty" json:"children,omitempty" jsonschema_description:"Sandbox processes; the number of cores by default"`
	AtOnce           int           `yaml:"at_once,omitempty" json:"at_once,omitempty" jsonschema_description:"Documents fetched at once; four times children by default"`
	MaxSize          int64         `yaml:"max_size,omitempty" json:"max_size,omitempty" jsonschema_description:"Bytes of the largest document that is read; 1 GiB by default. Larger ones are gaps"`
	Deadline         time.Duration `yaml:"deadline,omitempty" json:"deadline,omitempty" jsonschema:"type=string" jsonschema_description:"Time for one document; 60s by default"`
	Memory           int64         `yaml:"memory,omitempty" json:"memory,omitempty" jsonschema_description:"Bytes of memory of one sandbox process; 1 GiB by default"`
	OCR              inspect.OCR   `yaml:"ocr,omitempty" json:"ocr,omitempty" jsonschema:"enum=off,enum=scans,enum=all" jsonschema_description:"Text recognition: of pages that are pictures (scans, the default), of all pictures, or off"`
	Passwords        string        `yaml:"passwords,omitempty" json:"passwords,omitempty" jsonschema_description:"File of passwords, one a line, to try on encrypted documents"`
	PDFEngine        string        `yaml:"pdf_engine,omitempty" json:"pdf_engine,omitempty" jsonschema:"enum=pdfium,enum=ledongthuc,enum=both"`
	MaxText          int64         `yaml:"max_text,omitempty" json:"max_text,omitempty" jsonschema_description:"Bytes of text read out of one document; 64 MiB by default. What lies behind is a gap"`
	MaxUnpacked      int64         `yaml:"max_unpacked,omitempty" json:"max_unpacked,omitempty" jsonschema_description:"Bytes of one document after decompression; 1 GiB by default"`
	MaxFiles         int           `yaml:"max_files,omitempty" json:"max_files,omitempty" jsonschema_description:"Files, sheets and parts in one document; 20000 by default"`
	MaxDepth         int           `yaml:"max_depth,omitempty" json:"max_depth,omitempty" jsonschema_description:"Archives within archives; 8 by default"`
	CountTestNumbers bool          `yaml:"count_test_numbers,omitempty" json:"count_test_numbers,omitempty" jsonschema_description:"Treat Skatteverket's test numbers as real, for trials"`
}

// SourceConfig is one source: what every source has, and the rest, which only
// its implementation understands.
type SourceConfig struct {
	Name       string      `yaml:"name" json:"name"`
	Kind       string      `yaml:"kind" json:"kind"`
	Service    string      `yaml:"service" json:"service" jsonschema_description:"Id in the policy's register of services"`
	Controller string      `yaml:"controller,omitempty" json:"controller,omitempty" jsonschema_description:"The nämnd that answers for what no organisation rule of the policy maps"`
	Schedule   string      `yaml:"schedule,omitempty" json:"schedule,omitempty" jsonschema_description:"When molnvakt serve scans it, as in crontab: 0 2 * * *"`
	OCR        inspect.OCR `yaml:"ocr,omitempty" json:"ocr,omitempty" jsonschema:"enum=off,enum=scans,enum=all"`

	line int
	rest *yaml.Node
}

// UnmarshalYAML keeps apart what every source has from what its kind adds.
func (s *SourceConfig) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: a source is a list of keys and values", node.Line)
	}
	s.line = node.Line
	common, rest := *node, *node
	common.Content, rest.Content = nil, nil
	for i := 0; i+1 < len(node.Content); i += 2 {
		pair := node.Content[i : i+2]
		if slices.Contains([]string{"name", "kind", "service", "controller", "schedule", "ocr"}, pair[0].Value) {
			common.Content = append(common.Content, pair...)
		} else {
			rest.Content = append(rest.Content, pair...)
		}
	}
	type plain SourceConfig
	if err := common.Load((*plain)(s), yaml.WithKnownFields()); err != nil {
		return err
	}
	s.rest = &rest
	return nil
}

// decode fills an implementation's own configuration; unknown keys are refused.
func (s *SourceConfig) decode(into any) error {
	if s.rest == nil || len(s.rest.Content) == 0 {
		return nil
	}
	return s.rest.Load(into, yaml.WithKnownFields())
}

// configNames are where a configuration is looked for, in this order.
var configNames = []string{"molnvakt.yaml", "/etc/molnvakt/molnvakt.yaml"}

// loadConfig reads the configuration; name "" looks at the usual places and
// takes the defaults when there is none.
func loadConfig(name string) (*Config, error) {
	if name == "" {
		name = os.Getenv("MOLNVAKT_CONFIG")
	}
	names := configNames
	if name != "" {
		names = []string{name}
	}
	for _, n := range names {
		text, err := os.ReadFile(n)
		if errors.Is(err, fs.ErrNotExist) && name == "" {
			continue
		}
		if err != nil {
			return nil, &fault{key: "fault.config-unreadable", args: []any{n}, err: err}
		}
		return parseConfig(n, text)
	}
	c := &Config{}
	return c, c.complete()
}

func parseConfig(name string, text []byte) (*Config, error) {
	c := &Config{file: name}
	if err := yaml.Load(text, c, yaml.WithKnownFields()); err != nil && len(strings.TrimSpace(string(text))) > 0 {
		return nil, &fault{key: "fault.config", args: []any{name, plainYAML(err)}}
	}
	if err := c.check(); err != nil {
		return nil, &fault{key: "fault.config", args: []any{name, err.Error()}}
	}
	return c, c.complete()
}

var goNames = regexp.MustCompile(` (in type|into) \w+\.\w+`)

// plainYAML takes Go's words out of the library's messages.
func plainYAML(err error) string {
	text := goNames.ReplaceAllString(err.Error(), "")
	text = strings.TrimPrefix(text, "yaml: ")
	text = strings.ReplaceAll(text, "unmarshal errors:", "")
	text = strings.ReplaceAll(text, "construct errors:", "")
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "; ")
}

// check refuses what the types alone do not.
func (c *Config) check() error {
	names := map[string]bool{}
	for _, s := range c.Sources {
		switch {
		case s.Name == "":
			return fmt.Errorf("line %d: the source has no name", s.line)
		case names[s.Name]:
			return fmt.Errorf("line %d: two sources are called %q", s.line, s.Name)
		case s.Service == "":
			return fmt.Errorf("line %d: source %q names no service", s.line, s.Name)
		case sourceKinds[s.Kind] == nil:
			return fmt.Errorf("line %d: source %q is of kind %q; there are %s", s.line, s.Name, s.Kind, strings.Join(kindNames(), ", "))
		case !slices.Contains([]inspect.OCR{"", inspect.OCROff, inspect.OCRScans, inspect.OCRAll}, s.OCR):
			return fmt.Errorf("line %d: ocr is %q; there are off, scans, all", s.line, s.OCR)
		}
		names[s.Name] = true
	}
	for what, allowed := range map[string][]string{
		"language " + c.Language:               {"", "sv", "en"},
		"log: format " + c.Log.Format:          {"", "text", "json"},
		"log: level " + c.Log.Level:            {"", "debug", "info", "warn", "error"},
		"scan: ocr " + string(c.Scan.OCR):      {"", "off", "scans", "all"},
		"scan: pdf_engine " + c.Scan.PDFEngine: {"", "pdfium", "ledongthuc", "both"},
	} {
		key, value := what[:strings.LastIndex(what, " ")], what[strings.LastIndex(what, " ")+1:]
		if !slices.Contains(allowed, value) {
			return fmt.Errorf("%s is %q; there are %s", key, value, strings.Join(allowed[1:], ", "))
		}
	}
	if c.Scan.Children < 0 || c.Scan.AtOnce < 0 || c.Scan.MaxSize < 0 || c.Scan.Memory < 0 || c.Scan.Deadline < 0 ||
		c.Scan.MaxText < 0 || c.Scan.MaxUnpacked < 0 || c.Scan.MaxFiles < 0 || c.Scan.MaxDepth < 0 {
		return errors.New("scan: numbers must not be negative")
	}
	return nil
}

// complete fills in the defaults and makes paths absolute.
func (c *Config) complete() error {
	base := "."
	if c.file != "" {
		base = filepath.Dir(c.file)
	}
	if c.Data == "" {
		c.Data = defaultData(c.file != "")
	}
	for _, p := range []*string{&c.Data, &c.Database, &c.Key, &c.Policy, &c.Patterns, &c.Reports, &c.Scan.Passwords} {
		if *p == "" || filepath.IsAbs(*p) {
			continue
		}
		abs, err := filepath.Abs(filepath.Join(base, *p))
		if err != nil {
			return err
		}
		*p = abs
	}
	orElse(&c.Database, filepath.Join(c.Data, "molnvakt.db"))
	orElse(&c.Scan.Children, runtime.NumCPU())
	orElse(&c.Scan.AtOnce, 4*c.Scan.Children)
	orElse(&c.Scan.MaxSize, 1<<30)
	orElse(&c.Scan.Deadline, time.Minute)
	orElse(&c.Scan.Memory, 1<<30)
	limits := extract.DefaultLimits()
	orElse(&c.Scan.MaxText, limits.Text)
	orElse(&c.Scan.MaxUnpacked, limits.Inflate)
	orElse(&c.Scan.MaxFiles, limits.Entries)
	orElse(&c.Scan.MaxDepth, limits.Depth)
	orElse(&c.Scan.OCR, inspect.OCRScans)
	orElse(&c.Scan.PDFEngine, "pdfium")
	for i := range c.Sources {
		orElse(&c.Sources[i].OCR, c.Scan.OCR)
	}
	return nil
}

// defaultData is where data lies that no configuration gave a place: beside a
// configuration file, or in the user's state folder (XDG base directories).
func defaultData(configured bool) string {
	if configured {
		return "data"
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "molnvakt")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "state", "molnvakt")
	}
	return "/var/lib/molnvakt"
}

// limits are those of extraction, with what the configuration says of them.
func (c ScanConfig) limits() extract.Limits {
	l := extract.DefaultLimits()
	l.Text, l.Inflate, l.Entries, l.Depth = c.MaxText, c.MaxUnpacked, c.MaxFiles, c.MaxDepth
	return l
}

func orElse[T comparable](field *T, fallback T) {
	var zero T
	if *field == zero {
		*field = fallback
	}
}
