package library

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/molnvakt/molnvakt/patterns"
)

// ErrPattern is wrapped by every error in a customer's pattern file.
var ErrPattern = errors.New("pattern file")

// file is one file of patterns.d.
type file struct {
	Patterns []entry `yaml:"patterns"`
}

// entry is a pattern as the customer writes it.
type entry struct {
	ID              string   `yaml:"id"`
	Title           string   `yaml:"title"`
	Category        string   `yaml:"category"`
	Words           []string `yaml:"words"`   // with their Swedish inflections
	Phrases         []string `yaml:"phrases"` // the last word inflects
	Exact           []string `yaml:"exact"`   // case and all
	Regex           []string `yaml:"regex"`   // RE2
	Dictionary      string   `yaml:"dictionary"`
	Identifier      string   `yaml:"identifier"`
	Validator       string   `yaml:"validator"`
	Near            []string `yaml:"near"`
	NotNear         []string `yaml:"not_near"`
	Distance        int      `yaml:"distance"`
	Individual      bool     `yaml:"individual"`
	AtLeast         int      `yaml:"at_least"`
	Confidence      string   `yaml:"confidence"`
	Class           string   `yaml:"class"`
	Examples        []string `yaml:"examples"`
	CounterExamples []string `yaml:"counter_examples"`
}

// ReadDir reads the customer's patterns from the *.yaml files of a folder, in
// the order of their names, and returns a hash of them.
func ReadDir(dir string) ([]patterns.CustomPattern, string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, "", fmt.Errorf("%w: %s: %w", ErrPattern, dir, err)
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrPattern, err)
	}
	slices.Sort(names)
	h := sha256.New()
	var all []patterns.CustomPattern
	seen := map[string]string{}
	var wrong []error
	for _, name := range names {
		list, raw, err := ReadFile(name)
		if err != nil {
			wrong = append(wrong, err)
		}
		for _, p := range list {
			if other, ok := seen[p.ID]; ok {
				wrong = append(wrong, fmt.Errorf("%w: %s: id %q stands in %s too", ErrPattern, name, p.ID, other))
			}
			seen[p.ID] = name
		}
		all = append(all, list...)
		_, _ = h.Write(raw)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, "", err
	}
	return all, hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// ReadFile reads one file of patterns and returns its raw bytes too.
func ReadFile(name string) ([]patterns.CustomPattern, []byte, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrPattern, err)
	}
	list, err := Parse(bytes.NewReader(raw), filepath.Dir(name))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrPattern, name, err)
	}
	return list, raw, nil
}

// Parse reads patterns. Dictionaries, one word or phrase a line, lie in dir.
func Parse(r io.Reader, dir string) ([]patterns.CustomPattern, error) {
	var f file
	in, err := yaml.NewLoader(r, yaml.WithKnownFields(true))
	if err != nil {
		return nil, err
	}
	if err := in.Load(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var all []patterns.CustomPattern
	var wrong []error
	for i, e := range f.Patterns {
		p, err := e.pattern(dir)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("pattern %d (%s): %w", i+1, e.ID, err))
		}
		all = append(all, p)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return all, nil
}

func (e entry) pattern(dir string) (patterns.CustomPattern, error) {
	p := patterns.CustomPattern{
		ID: e.ID, Title: e.Title, Category: patterns.Category(e.Category), Distance: e.Distance, Individual: e.Individual,
		AtLeast: e.AtLeast, Class: e.Class, Examples: e.Examples, Counter: e.CounterExamples,
	}
	if !patterns.ValidID(e.ID) {
		return p, fmt.Errorf("id %q: want lower-case words joined by hyphens", e.ID)
	}
	if p.Category == "" {
		p.Category = patterns.Custom
	}
	var err error
	if p.Confidence, err = confidence(e.Confidence); err != nil {
		return p, err
	}
	if p.Identifier, err = identifier("identifier", e.Identifier); err != nil {
		return p, err
	}
	if p.Validator, err = identifier("validator", e.Validator); err != nil {
		return p, err
	}
	if e.Class != "" && (len(e.Class) != 2 || e.Class[0] != 'K' || e.Class[1] < '0' || e.Class[1] > '4') {
		return p, fmt.Errorf("class %q: want K0 to K4", e.Class)
	}
	if i := slices.IndexFunc(e.Words, func(w string) bool { return len(strings.Fields(w)) > 1 }); i >= 0 {
		return p, fmt.Errorf("words: %q is more than one word: put it under 'phrases:' instead", e.Words[i])
	}
	p.Terms = terms(nil, e.Words, patterns.Word)
	p.Terms = terms(p.Terms, e.Phrases, patterns.Phrase)
	p.Terms = terms(p.Terms, e.Exact, patterns.Exact)
	p.Terms = terms(p.Terms, e.Regex, patterns.Regexp)
	if e.Dictionary != "" {
		words, err := dictionary(dir, e.Dictionary)
		if err != nil {
			return p, err
		}
		p.Terms = terms(p.Terms, words, patterns.Phrase)
	}
	p.Near = terms(nil, e.Near, patterns.Phrase)
	p.Unless = terms(nil, e.NotNear, patterns.Phrase)
	return p, nil
}

// terms appends words; a phrase of one word is a word.
func terms(list []patterns.Term, words []string, mode patterns.Mode) []patterns.Term {
	for _, w := range words {
		m := mode
		if m == patterns.Phrase && !bytes.ContainsAny([]byte(w), " -.") {
			m = patterns.Word
		}
		list = append(list, patterns.Term{Text: w, Mode: m})
	}
	return list
}

func dictionary(dir, name string) ([]string, error) {
	if filepath.Base(name) != name {
		return nil, fmt.Errorf("dictionary %q: want a file beside the pattern file", name)
	}
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("dictionary: %w", err)
	}
	var words []string
	for line := range bytes.Lines(raw) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			words = append(words, string(line))
		}
	}
	return words, nil
}

func confidence(name string) (patterns.Confidence, error) {
	switch name {
	case "low":
		return patterns.Low, nil
	case "", "medium":
		return patterns.Medium, nil
	case "high":
		return patterns.High, nil
	}
	return 0, fmt.Errorf("confidence %q: want low, medium or high", name)
}

func identifier(key, name string) (patterns.Identifier, error) {
	if name == "" {
		return patterns.NoIdentifier, nil
	}
	id, ok := patterns.IdentifierNamed(name)
	if !ok {
		return id, fmt.Errorf("%s %q: no such identifier", key, name)
	}
	return id, nil
}

// Check reads the customer's patterns, builds them and tries their examples
// and counter-examples. All errors wrap ErrPattern; of each kind all are told.
func Check(dir string) error {
	custom, _, err := ReadDir(dir)
	if err != nil {
		return err
	}
	var wrong []error
	for i := range custom {
		if _, err := patterns.NewSet(patterns.Library{Custom: custom[i : i+1]}); err != nil {
			wrong = append(wrong, fmt.Errorf("%w: %w", ErrPattern, err))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	set, err := patterns.NewSet(patterns.Library{Custom: custom})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPattern, err)
	}
	full := set
	if slices.ContainsFunc(custom, func(c patterns.CustomPattern) bool { return c.Individual }) {
		// Only the built-in names know individuals.
		if full, err = Load(Options{PatternsDir: dir}); err != nil {
			return fmt.Errorf("%w: %w", ErrPattern, err)
		}
	}
	masker, err := patterns.NewMasker(make([]byte, patterns.MinKey)) // nothing is kept of the examples
	if err != nil {
		return err
	}
	for i := range custom {
		if err := custom[i].Check(full, masker); err != nil {
			wrong = append(wrong, fmt.Errorf("%w: %w", ErrPattern, err))
		}
	}
	return errors.Join(wrong...)
}
