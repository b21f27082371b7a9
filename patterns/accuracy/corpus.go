package accuracy

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/molnvakt/molnvakt/patterns"
)

// The parts of the corpus: one to tune on, one that is only measured.
const (
	tune = iota
	measured
)

// Document is a labelled Document of the corpus; README.md explains the keys.
type Document struct {
	Name        string         `yaml:"name"`
	Path        string         `yaml:"path"`
	Expect      string         `yaml:"expect"`
	Class       string         `yaml:"class"`
	Categories  []string       `yaml:"categories"`
	Allow       []string       `yaml:"allow"`
	Identifiers map[string]int `yaml:"identifiers"`
	People      int            `yaml:"people"`
	Kind        string         `yaml:"kind"`
	Carrier     string         `yaml:"carrier"`
	Title       string         `yaml:"title"`
	text        string
	// Writer is who wrote it, by the file's name.
	Writer string `yaml:"-"`
}

// Sensitive reports whether the document is labelled as sensitive.
func (d Document) Sensitive() bool { return d.Expect == "sensitive" }

// part splits the corpus by a hash of the name: nobody chooses.
func (d Document) part() int {
	h := fnv.New32a()
	_, _ = io.WriteString(h, d.Name)
	return int(h.Sum32() % 2)
}

// ReadCorpus reads the *.docs files of a folder; numbersFile lists the official
// test numbers that placeholders ask for. Errors name the file and document.
func ReadCorpus(dir, numbersFile string) ([]Document, error) {
	numbers, err := readNumbers(numbersFile)
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.docs"))
	if err != nil {
		return nil, err
	}
	var docs []Document
	seen := map[string]string{}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for i, chunk := range separator.Split(string(raw), -1) {
			if strings.TrimSpace(chunk) == "" {
				continue
			}
			d, err := parseDocument(chunk, numbers)
			if err != nil {
				return nil, fmt.Errorf("%s: document %d: %w", name, i, err)
			}
			if other, ok := seen[d.Name]; ok {
				return nil, fmt.Errorf("%s: %s stands in %s too", name, d.Name, other)
			}
			seen[d.Name] = name
			d.Writer = writerOf(name)
			docs = append(docs, d)
		}
	}
	return docs, nil
}

// writerOf returns who wrote a file: "other" of "innocent_other_a.docs".
func writerOf(file string) string {
	words := strings.Split(strings.TrimSuffix(filepath.Base(file), ".docs"), "_")
	words = words[:len(words)-1]
	if len(words) > 0 && (words[0] == "innocent" || words[0] == "sensitive") {
		words = words[1:]
	}
	return strings.Join(words, "_")
}

var separator = regexp.MustCompile(`(?m)^={5,}\n`)

func parseDocument(chunk string, numbers *testNumbers) (Document, error) {
	var d Document
	head, text, ok := strings.Cut(chunk, "\n---\n")
	if !ok {
		return d, fmt.Errorf("no line --- after the header:\n%.80s", chunk)
	}
	in, err := yaml.NewLoader(bytes.NewReader([]byte(head)), yaml.WithKnownFields(true))
	if err != nil {
		return d, err
	}
	if err := in.Load(&d); err != nil {
		return d, fmt.Errorf("%w\n%s", err, head)
	}
	if d.Name == "" || d.Expect != "sensitive" && d.Expect != "innocent" {
		return d, errors.New("wants a name, and expect: sensitive or innocent")
	}
	if d.Path == "" {
		d.Path = d.Name
	}
	d.text, err = numbers.fill(d.Name, text)
	return d, err
}

// Read lets a Reader read the document as its carrier would come from an
// extractor.
func (d Document) Read(r patterns.Reader, o patterns.Options) (patterns.Content, []patterns.Step) {
	o.CountTestNumbers = true
	r.Begin(patterns.Subject{Name: d.Name, Path: d.Path}, o)
	if d.Title != "" {
		r.Text("title", "", d.Title)
	}
	text := strings.Trim(d.text, "\n")
	switch d.Carrier {
	case "table":
		for i, line := range strings.Split(text, "\n") {
			delim := ";"
			if strings.Contains(line, "\t") {
				delim = "\t"
			}
			r.Row("body", "Blad1", i+1, false, strings.Split(line, delim))
		}
	case "code":
		r.Text("code", "", text)
	case "ocr":
		r.Text("recognised", "page 1", text)
	case "mail":
		readMail(r, text)
	default:
		readText(r, text)
	}
	return r.Finish()
}

func readMail(r patterns.Reader, text string) {
	head, body, _ := strings.Cut(text, "\n\n")
	for line := range strings.SplitSeq(head, "\n") {
		key, value, ok := strings.Cut(line, ":")
		switch strings.ToLower(key) {
		case "subject", "ämne":
			r.Text("title", "", strings.TrimSpace(value))
		case "from", "to", "cc", "från", "till":
			r.Text("address", "", line)
		default:
			_ = ok
			r.Text("body", "", line+"\n")
		}
	}
	r.Text("body", "", body)
}

// readText hands out paragraphs between headings.
func readText(r patterns.Reader, text string) {
	var para []string
	flush := func() {
		if len(para) > 0 {
			r.Text("body", "", strings.Join(para, "\n")+"\n")
			para = nil
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if h, ok := strings.CutPrefix(line, "# "); ok {
			flush()
			r.Text("heading", "", h)
			continue
		}
		para = append(para, line)
	}
	flush()
}

// testNumbers hands out Skatteverket's test numbers.
type testNumbers struct {
	all, coordination []string
	byYear            map[string][]string
}

func readNumbers(file string) (*testNumbers, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	n := &testNumbers{byYear: map[string][]string{}}
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		switch {
		case len(line) != 12:
		case line[6] >= '6':
			n.coordination = append(n.coordination, line)
		default:
			n.all = append(n.all, line)
			n.byYear[line[:4]] = append(n.byYear[line[:4]], line)
		}
	}
	return n, nil
}

var placeholder = regexp.MustCompile(`\{([ps])(\d+)(?:@(\d{4}))?(?::([a-z0-9-]+))?\}`)

// fill writes the numbers that a document's placeholders ask for; the same
// person of a document always gets the same number, different people get
// different ones.
func (n *testNumbers) fill(name, text string) (string, error) {
	given, taken := map[string]string{}, map[string]bool{}
	var err error
	// The birth year may stand at any of a person's placeholders.
	years := map[string]string{}
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if m[3] != "" {
			years[m[1]+m[2]] = m[3]
		}
	}
	out := placeholder.ReplaceAllStringFunc(text, func(p string) string {
		m := placeholder.FindStringSubmatch(p)
		who := m[1] + m[2]
		if given[who] == "" {
			given[who] = n.choose(name+who, m[1] == "s", years[who], taken)
			taken[given[who]] = true
		}
		form, e := written(given[who], m[4])
		if e != nil || given[who] == "" {
			err = fmt.Errorf("placeholder %s: %w", p, errors.Join(e, errors.New("no number")))
		}
		return form
	})
	return out, err
}

func (n *testNumbers) choose(seed string, coordination bool, year string, taken map[string]bool) string {
	if coordination {
		return pick(n.coordination, seed, taken)
	}
	// The list knows few of the young: then one of an earlier year.
	for y, err := strconv.Atoi(year); err == nil && y > 1900; y-- {
		if number := pick(n.byYear[strconv.Itoa(y)], seed, taken); number != "" {
			return number
		}
	}
	return pick(n.all, seed, taken)
}

// pick returns the number of the pool that the seed hits, or the next that is
// not taken; "" if all are.
func pick(pool []string, seed string, taken map[string]bool) string {
	h := fnv.New32a()
	_, _ = io.WriteString(h, seed)
	for i := range pool {
		if v := pool[(int(h.Sum32()%uint32(len(pool)))+i)%len(pool)]; !taken[v] {
			return v
		}
	}
	return ""
}

// written writes a number in one of the forms.
func written(number, form string) (string, error) {
	if number == "" {
		return "", nil
	}
	switch form {
	case "":
		return number[2:8] + "-" + number[8:], nil
	case "12":
		return number, nil
	case "12-":
		return number[:8] + "-" + number[8:], nil
	case "10":
		return number[2:], nil
	case "space":
		return number[2:8] + " " + number[8:], nil
	case "born":
		return number[:4] + "-" + number[4:6] + "-" + number[6:8], nil
	}
	return "", fmt.Errorf("form %q", form)
}
