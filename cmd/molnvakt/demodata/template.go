package demodata

import (
	"embed"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

//go:embed data/*.docs
var templateFiles embed.FS

// template is a document with variations; data/README.md explains the form.
type template struct {
	name    string
	places  []string
	folders []string
	title   string // of the file
	class   string
	about   []string
	formats []string
	weight  int
	lines   []string
}

func readTemplates() ([]template, error) {
	files, err := templateFiles.ReadDir("data")
	if err != nil {
		return nil, err
	}
	var all []template
	for _, file := range files {
		text, err := templateFiles.ReadFile("data/" + file.Name())
		if err != nil {
			return nil, err
		}
		for _, part := range strings.Split("\n"+string(text), "\n=== ")[1:] {
			t, err := readTemplate(part)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file.Name(), err)
			}
			all = append(all, t)
		}
	}
	return all, nil
}

func readTemplate(text string) (template, error) {
	head, body, found := strings.Cut(text, "\n---\n")
	if !found {
		return template{}, fmt.Errorf("%.20q: no --- after the header", text)
	}
	lines := strings.Split(head, "\n")
	t := template{name: lines[0], class: "K0", weight: 1, lines: strings.Split(strings.TrimSpace(body), "\n")}
	for _, line := range lines[1:] {
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "where":
			t.places = strings.Fields(value)
		case "folder":
			t.folders = strings.Split(value, " ~ ")
		case "name":
			t.title = value
		case "class":
			t.class = value
		case "about":
			t.about = strings.Fields(value)
		case "as":
			t.formats = strings.Fields(value)
		case "weight":
			t.weight, _ = strconv.Atoi(value)
		default:
			return t, fmt.Errorf("%s: unknown key %q", t.name, key)
		}
	}
	for _, p := range t.places {
		if !slices.ContainsFunc(places, func(known Place) bool { return known.Key == p }) {
			return t, fmt.Errorf("%s: unknown place %q", t.name, p)
		}
	}
	if len(t.places) == 0 || len(t.formats) == 0 || t.title == "" || t.weight < 1 {
		return t, fmt.Errorf("%s: where, as, name and weight are needed", t.name)
	}
	return t, nil
}

// sheet is a document before it has a format.
type sheet struct {
	Folder string
	Name   string // of the file, without ending
	Title  string
	Blocks []block
}

// block is a heading, a paragraph or a table.
type block struct {
	Heading bool
	Text    string
	Rows    [][]string // a table; the first row names the columns
}

// writer fills in one template.
type writer struct {
	rng    *rand.Rand
	people *people
	known  map[string]Person // p1, b2 …
	row    map[string]Person // p and b of this row
	seen   map[string]bool   // numbers written
	met    map[string]bool   // numbers of people chosen
}

// counted returns how many people's numbers were written.
func (w *writer) counted() int { return len(w.seen) }

func (w *writer) write(t template) (sheet, error) {
	w.seen, w.met = map[string]bool{}, map[string]bool{}
	var s sheet
	for _, line := range t.lines {
		if err := w.line(&s, line); err != nil {
			return s, err
		}
	}
	name, err := w.fill(t.title)
	if err != nil {
		return s, err
	}
	s.Name = strings.NewReplacer("/", "-", ":", "").Replace(name)
	if len(t.folders) > 0 {
		s.Folder, err = w.fill(pick(w.rng, t.folders))
	}
	if len(s.Blocks) > 0 && s.Blocks[0].Heading {
		s.Title = s.Blocks[0].Text
	}
	return s, err
}

func (w *writer) line(s *sheet, line string) error {
	switch {
	case strings.TrimSpace(line) == "":
		return nil
	case strings.HasPrefix(line, "|*"):
		span, cells, _ := strings.Cut(strings.TrimPrefix(line, "|*"), "|")
		low, high, _ := strings.Cut(strings.TrimSpace(span), "-")
		from, err1 := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || to < from {
			return fmt.Errorf("rows %q", span)
		}
		for range from + w.rng.IntN(to-from+1) {
			if err := w.cells(s, cells); err != nil {
				return err
			}
		}
		return nil
	case strings.HasPrefix(line, "|"):
		return w.cells(s, line[1:])
	}
	heading := strings.HasPrefix(line, "# ")
	text, err := w.fill(strings.TrimPrefix(line, "# "))
	if text != "" {
		s.Blocks = append(s.Blocks, block{Heading: heading, Text: text})
	}
	return err
}

// cells adds a row to the table that the document ends with, or begins one.
func (w *writer) cells(s *sheet, text string) error {
	w.row = map[string]Person{}
	var cells []string
	for _, cell := range strings.Split(text, "|") {
		filled, err := w.fill(strings.TrimSpace(cell))
		if err != nil {
			return err
		}
		cells = append(cells, filled)
	}
	last := len(s.Blocks) - 1
	if last < 0 || s.Blocks[last].Rows == nil {
		s.Blocks = append(s.Blocks, block{})
		last++
	}
	s.Blocks[last].Rows = append(s.Blocks[last].Rows, cells)
	return nil
}

// fill chooses alternatives [a~b~c], then puts words in the places {p1.namn}.
func (w *writer) fill(text string) (string, error) {
	for {
		open := strings.LastIndex(text, "[")
		if open < 0 {
			break
		}
		length := strings.Index(text[open:], "]")
		if length < 0 {
			return "", fmt.Errorf("[ without ] in %q", text)
		}
		choice := pick(w.rng, strings.Split(text[open+1:open+length], "~"))
		text = text[:open] + choice + text[open+length+1:]
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		out.WriteString(before)
		if !found {
			return strings.TrimSpace(out.String()), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", fmt.Errorf("{ without } in %q", text)
		}
		word, err := w.word(name)
		if err != nil {
			return "", err
		}
		out.WriteString(word)
		text = after
	}
}

// word returns what a name in braces stands for.
func (w *writer) word(name string) (string, error) {
	if who, what, found := strings.Cut(name, "."); found {
		return w.about(w.person(who), what)
	}
	kind, argument, _ := strings.Cut(name, ":")
	switch kind {
	case "datum":
		return today.AddDate(0, 0, -w.rng.IntN(900)).Format("2006-01-02"), nil
	case "år":
		return strconv.Itoa(2023 + w.rng.IntN(4)), nil
	case "månad":
		return pick(w.rng, strings.Fields("januari februari mars april maj juni augusti september oktober november december")), nil
	case "n", "kr":
		low, high, _ := strings.Cut(argument, "-")
		from, err1 := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || to < from {
			return "", fmt.Errorf("range in {%s}", name)
		}
		n := from + w.rng.IntN(to-from+1)
		if kind == "kr" && n >= 1000 {
			return fmt.Sprintf("%d %03d", n/1000, n%1000), nil
		}
		return strconv.Itoa(n), nil
	case "dnr":
		return fmt.Sprintf("%s %d/%04d", argument, 2023+w.rng.IntN(4), 1+w.rng.IntN(1900)), nil
	case "klass":
		return fmt.Sprintf("%d%c", 1+w.rng.IntN(9), 'A'+rune(w.rng.IntN(3))), nil
	case "gata":
		return fmt.Sprintf("%s %d", pick(w.rng, streets), 1+w.rng.IntN(90)), nil
	case "kl":
		return fmt.Sprintf("%02d.%02d", 7+w.rng.IntN(10), 15*w.rng.IntN(4)), nil
	}
	return "", fmt.Errorf("unknown name {%s}", name)
}

// person returns who p1, b2 … is in this document, p or b in this row. Of
// distinct names no two are the same person.
func (w *writer) person(who string) Person {
	of := w.known
	if len(who) == 1 {
		of = w.row
	}
	if p, known := of[who]; known {
		return p
	}
	choose := w.people.adult
	if who[0] == 'b' {
		choose = w.people.child
	}
	p := choose(w.rng)
	for tries := 0; w.met[p.Number] && tries < 200; tries++ {
		p = choose(w.rng)
	}
	w.met[p.Number] = true
	of[who] = p
	return p
}

func (w *writer) about(p Person, what string) (string, error) {
	switch what {
	case "namn":
		return p.Name(), nil
	case "omvänt":
		return p.Last + ", " + p.First, nil
	case "förnamn":
		return p.First, nil
	case "efternamn":
		return p.Last, nil
	case "init":
		return string([]rune(p.First)[0]) + string([]rune(p.Last)[0]), nil
	case "pnr":
		w.seen[p.Number] = true
		return p.Number[2:8] + "-" + p.Number[8:], nil
	case "pnr12":
		w.seen[p.Number] = true
		return p.Number[:8] + "-" + p.Number[8:], nil
	case "pnrbar":
		w.seen[p.Number] = true
		return p.Number, nil
	case "född":
		return p.Born(), nil
	case "adress":
		return p.Address + ", " + p.Postal, nil
	case "tel":
		return p.Phone, nil
	case "mejl":
		return Mail(p), nil
	}
	return "", fmt.Errorf("nothing is known of a person's %q", what)
}
