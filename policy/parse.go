package policy

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the built-in policy
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

//go:embed default.yaml
var defaultText []byte

// DefaultText returns the built-in policy.yaml, commented for the officer who
// makes it the municipality's own.
func DefaultText() []byte { return slices.Clone(defaultText) }

// Default returns the built-in policy: K0 to K4, a handful of well-known
// services, no decisions on file.
func Default() *Policy { return builtIn() }

var builtIn = sync.OnceValue(func() *Policy {
	p, err := Parse("default.yaml", defaultText)
	if err != nil {
		panic(err) // proven by a test: the text is part of the program
	}
	return p
})

// Problem is one thing that is wrong with a policy.
type Problem struct {
	Line int // 1-based; 0 when it concerns the whole file
	Text string
}

// ParseError lists everything that is wrong with a policy, in the order of
// its lines.
type ParseError struct {
	Name     string // of the file
	Problems []Problem
}

// Error returns one line for each problem: "policy.yaml:12: …".
func (e *ParseError) Error() string {
	var lines []string
	for _, p := range e.Problems {
		if p.Line > 0 {
			lines = append(lines, fmt.Sprintf("%s:%d: %s", e.Name, p.Line, p.Text))
		} else {
			lines = append(lines, fmt.Sprintf("%s: %s", e.Name, p.Text))
		}
	}
	return strings.Join(lines, "\n")
}

// Parse reads policy.yaml. Name is the file's, for errors. The error is a
// *ParseError that lists all problems: unknown keys, names that nothing bears,
// dates that are none, rules that could never fit.
func Parse(name string, text []byte) (*Policy, error) {
	if !utf8.Valid(text) {
		return nil, &ParseError{Name: name, Problems: []Problem{{notUTF8(text), "a character is not UTF-8; save the file as UTF-8"}}}
	}
	var f file
	var tree yaml.Node
	problems := loadProblems(yaml.Load(text, &f, yaml.WithKnownFields()))
	if err := yaml.Load(text, &tree); err == nil {
		p, more := build(&f, &tree)
		problems = append(problems, more...)
		if len(problems) == 0 {
			p.version = versionOf(text)
			return p, nil
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
	return nil, &ParseError{Name: name, Problems: problems}
}

// notUTF8 returns the first line that is not UTF-8.
func notUTF8(text []byte) int {
	n := 0
	for line := range bytes.Lines(text) {
		if n++; !utf8.Valid(line) {
			break
		}
	}
	return n
}

// judging changes when this program would judge the same policy differently,
// so that documents are judged again.
const judging = "judging 1\n"

func versionOf(text []byte) string {
	sum := sha256.Sum256(append([]byte(judging), text...))
	return hex.EncodeToString(sum[:8])
}

func loadProblems(err error) []Problem {
	if err == nil {
		return nil
	}
	var many *yaml.LoadErrors
	if errors.As(err, &many) {
		var all []Problem
		for _, one := range many.Errors {
			all = append(all, Problem{one.Mark.Line, plainer(one.Message)})
		}
		return all
	}
	var one *yaml.LoadError
	if errors.As(err, &one) {
		return []Problem{{one.Mark.Line, plainer(one.Message)}}
	}
	return []Problem{{0, err.Error()}}
}

var (
	unknownField = regexp.MustCompile(`^field (.+) not found in type policy\.(\w+)$`)
	wrongType    = regexp.MustCompile("^cannot construct !!(\\w+)(?: `(.*)`)? into (.+)$")
)

// plainer puts what the YAML library says into words an officer can act on.
func plainer(message string) string {
	message = strings.TrimPrefix(message, "yaml: ")
	if m := unknownField.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("unknown key %q%s", m[1], didYouMean(m[1], keysOf(reflect.TypeFor[file](), m[2])))
	}
	if m := wrongType.FindStringSubmatch(message); m != nil {
		text := fmt.Sprintf("%s expected%s", kindWords(m[3]), quoted(m[2]))
		if strings.HasPrefix(m[3], "[]") && m[2] != "" {
			text += fmt.Sprintf("; write it as [%s]", m[2])
		}
		return text
	}
	switch {
	case strings.Contains(message, "tab character"):
		return message + "; indent with spaces"
	case strings.HasPrefix(message, "did not find expected"):
		return message + "; a bracket, a quote or a comma is missing here or above"
	case strings.HasPrefix(message, "control characters"):
		return message + "; this is no text file"
	}
	if message == "no documents in stream" {
		return "the file is empty"
	}
	return message
}

func quoted(value string) string {
	if value == "" {
		return ""
	}
	return fmt.Sprintf(", got %q", value)
}

func kindWords(goType string) string {
	switch {
	case goType == "int":
		return "a whole number"
	case goType == "bool":
		return "true or false"
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case strings.HasPrefix(goType, "map["), strings.HasPrefix(goType, "policy."):
		return "a group of keys"
	}
	return "a text"
}

// keysOf returns the YAML keys of the struct type called name below t.
func keysOf(t reflect.Type, name string) []string {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for i := range t.NumField() {
		if t.Name() == name {
			keys = append(keys, t.Field(i).Tag.Get("yaml"))
		} else if below := keysOf(t.Field(i).Type, name); below != nil {
			return below
		}
	}
	return keys
}

// didYouMean returns "; did you mean …?" if one of the names is near.
func didYouMean(got string, names []string) string {
	best, distance := "", 1+len([]rune(got))/3
	for _, name := range slices.Sorted(slices.Values(names)) {
		if d := editDistance(strings.ToLower(got), strings.ToLower(name)); d <= distance && (best == "" || d < distance) {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

func editDistance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range to {
			change := diagonal
			if x != y {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
