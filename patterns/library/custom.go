package library

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
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
				wrong = append(wrong, fmt.Errorf("%w: %s: id %q stands in %s too: give one of them another", ErrPattern, p.Source, p.ID, other))
			}
			seen[p.ID] = p.Source
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
	list, err := parse(name, raw)
	if err != nil {
		return nil, nil, err
	}
	return list, raw, nil
}

// parse reads the patterns of a file; dictionaries, one word or phrase a line,
// lie beside it. The error tells all that is wrong, each with its line.
func parse(name string, raw []byte) ([]patterns.CustomPattern, error) {
	var f file
	var tree yaml.Node
	wrong := loadErrors(name, yaml.Load(raw, &f, yaml.WithKnownFields()))
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	if err := yaml.Load(raw, &tree); err != nil || len(f.Patterns) == 0 {
		return nil, nil
	}
	var all []patterns.CustomPattern
	for i, e := range f.Patterns {
		node := patternNode(&tree, i)
		p, err := e.pattern(filepath.Dir(name))
		p.Source = fmt.Sprintf("%s:%d", name, node.Line)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%w: %s:%d: pattern %d (%s): %w", ErrPattern, name, keyLine(node, err.key), i+1, e.ID, err))
		}
		all = append(all, p)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return all, nil
}

// loadErrors names what the YAML itself has wrong.
func loadErrors(name string, err error) []error {
	var many *yaml.LoadErrors
	var one *yaml.LoadError
	switch {
	case err == nil || strings.HasSuffix(err.Error(), noDocuments):
		return nil // what stood there is commented out
	case errors.As(err, &many):
		var all []error
		for _, e := range many.Errors {
			all = append(all, fmt.Errorf("%w: %s:%d: %s", ErrPattern, name, e.Mark.Line, plainer(e.Message)))
		}
		return all
	case errors.As(err, &one):
		return []error{fmt.Errorf("%w: %s:%d: %s", ErrPattern, name, max(1, one.Mark.Line), plainer(one.Message))}
	}
	return []error{fmt.Errorf("%w: %s: %w", ErrPattern, name, err)}
}

// noDocuments is what the YAML library says of an empty file.
const noDocuments = "no documents in stream"

var (
	unknownKey = regexp.MustCompile(`^field (.+) not found in type library\.(\w+)$`)
	wrongType  = regexp.MustCompile("^cannot construct !!(\\w+)(?: `(.*)`)? into (.+)$")
)

// plainer puts what the YAML library says into words that one can act on.
func plainer(message string) string {
	if m := unknownKey.FindStringSubmatch(message); m != nil {
		of := reflect.TypeFor[entry]()
		if m[2] == "file" {
			of = reflect.TypeFor[file]()
		}
		var keys []string
		for i := range of.NumField() {
			keys = append(keys, of.Field(i).Tag.Get("yaml"))
		}
		return fmt.Sprintf("unknown key %q: want %s", m[1], strings.Join(keys, ", "))
	}
	m := wrongType.FindStringSubmatch(message)
	switch {
	case strings.HasPrefix(message, "found character that cannot start"):
		return message + "; indent with spaces, and quote what begins with a sign"
	case m == nil:
		return message
	case m[3] == "int":
		return fmt.Sprintf("%q: want a whole number", m[2])
	case m[3] == "bool":
		return fmt.Sprintf("%q: want true or false", m[2])
	case m[3] == "[]string":
		return fmt.Sprintf("want a list: write [%s]", m[2])
	case strings.HasPrefix(m[3], "[]"):
		return "want a list: each pattern begins with \"- id:\""
	}
	return fmt.Sprintf("want a text, got %s", m[1])
}

// patternNode returns where pattern i stands in the file.
func patternNode(tree *yaml.Node, i int) *yaml.Node {
	node := tree
	if node.Kind == yaml.DocumentNode && len(node.Content) > 0 {
		node = node.Content[0]
	}
	for k := 0; k+1 < len(node.Content); k += 2 {
		if list := node.Content[k+1]; node.Content[k].Value == "patterns" && i < len(list.Content) {
			return list.Content[i]
		}
	}
	return node
}

// keyLine returns the line of a key of a pattern, or that of the pattern.
func keyLine(node *yaml.Node, key string) int {
	for k := 0; k+1 < len(node.Content); k += 2 {
		if node.Content[k].Value == key {
			return node.Content[k].Line
		}
	}
	return node.Line
}

// entryError is what is wrong with the value of a key.
type entryError struct {
	key string
	err error
}

func (e *entryError) Error() string { return e.err.Error() }
func (e *entryError) Unwrap() error { return e.err }

func wrongEntry(key, format string, args ...any) *entryError {
	return &entryError{key, fmt.Errorf(format, args...)}
}

func (e entry) pattern(dir string) (patterns.CustomPattern, *entryError) {
	p := patterns.CustomPattern{
		ID: e.ID, Title: e.Title, Category: patterns.Category(e.Category), Distance: e.Distance, Individual: e.Individual,
		AtLeast: e.AtLeast, Class: e.Class, Examples: e.Examples, Counter: e.CounterExamples,
	}
	if p.Category == "" {
		p.Category = patterns.Custom
	}
	if wrong := e.check(); wrong != nil {
		return p, wrong
	}
	var err error
	if p.Confidence, err = confidence(e.Confidence); err != nil {
		return p, &entryError{"confidence", err}
	}
	if p.Identifier, err = identifier("identifier", e.Identifier); err != nil {
		return p, &entryError{"identifier", err}
	}
	if p.Validator, err = identifier("validator", e.Validator); err != nil {
		return p, &entryError{"validator", err}
	}
	p.Terms = terms(nil, e.Words, patterns.Word)
	p.Terms = terms(p.Terms, e.Phrases, patterns.Phrase)
	p.Terms = terms(p.Terms, e.Exact, patterns.Exact)
	p.Terms = terms(p.Terms, e.Regex, patterns.Regexp)
	if e.Dictionary != "" {
		words, err := dictionary(dir, e.Dictionary)
		if err != nil {
			return p, &entryError{"dictionary", err}
		}
		p.Terms = terms(p.Terms, words, patterns.Phrase)
	}
	p.Near = terms(nil, e.Near, patterns.Phrase)
	p.Unless = terms(nil, e.NotNear, patterns.Phrase)
	return p, nil
}

// check finds what can never work.
func (e entry) check() *entryError {
	if !patterns.ValidID(e.ID) {
		return wrongEntry("id", "id %q: want lower-case words joined by hyphens", e.ID)
	}
	if e.Category != "" && !slices.Contains(patterns.Categories(), patterns.Category(e.Category)) {
		var names []string
		for _, c := range patterns.Categories() {
			names = append(names, string(c))
		}
		return wrongEntry("category", "category %q: want one of %s", e.Category, strings.Join(names, ", "))
	}
	if e.Class != "" && (len(e.Class) != 2 || e.Class[0] != 'K' || e.Class[1] < '0' || e.Class[1] > '4') {
		return wrongEntry("class", "class %q: want K0 to K4", e.Class)
	}
	if i := slices.IndexFunc(e.Words, func(w string) bool { return len(strings.Fields(w)) > 1 }); i >= 0 {
		return wrongEntry("words", "words: %q is more than one word: put it under 'phrases:' instead", e.Words[i])
	}
	switch {
	case e.Distance < 0:
		return wrongEntry("distance", "distance %d: want a number above 0", e.Distance)
	case e.Distance > 0 && len(e.Near)+len(e.NotNear) == 0 && !e.Individual:
		return wrongEntry("distance", "distance: near, not_near or individual is missing")
	case e.AtLeast < 0:
		return wrongEntry("at_least", "at_least %d: want a number above 0", e.AtLeast)
	}
	return nil
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
		var names []string
		for i := patterns.NoIdentifier + 1; i.String() != ""; i++ {
			names = append(names, i.String())
		}
		return id, fmt.Errorf("%s %q: no such identifier; want one of %s", key, name, strings.Join(names, ", "))
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
			wrong = append(wrong, fmt.Errorf("%w: %s: %w", ErrPattern, custom[i].Source, err))
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
			wrong = append(wrong, fmt.Errorf("%w: %s: %w", ErrPattern, custom[i].Source, err))
		}
	}
	return errors.Join(wrong...)
}
