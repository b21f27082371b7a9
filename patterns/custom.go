package patterns

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sort"
)

// CustomPattern is a pattern of the customer's own: words, phrases, regular
// expressions or an identifier, wanted near other words or not near them.
type CustomPattern struct {
	ID         string
	Title      string
	Category   Category // Custom unless it adds to a built-in one
	Terms      []Term   // any of them is a candidate
	Identifier Identifier
	// Validator names an identifier that a candidate must be: "personnummer",
	// "iban"; NoIdentifier: none.
	Validator    Identifier
	Near, Unless []Term // any of Near must stand within Distance, none of Unless may
	Distance     int    // bytes; 0: DefaultDistance
	Individual   bool   // an individual must stand near too
	AtLeast      int    // distinct candidates needed; 0: 1
	Confidence   Confidence
	Class        string // for the policy: "K3"; "" as the category says
	Examples     []string
	Counter      []string
	Source       string // where it is written, "egna.yaml:12", for errors; may be empty
}

// DefaultDistance is how near CustomPattern.Near means, in bytes.
const DefaultDistance = 300

// register adds the terms of the pattern to the engine's.
func (c *CustomPattern) register(i int, add func(Term, meaning) error) error {
	if len(c.Terms) == 0 && c.Identifier == NoIdentifier {
		return fmt.Errorf("%w: neither words nor an identifier: write words, phrases, exact, regex, dictionary or identifier", ErrTerm)
	}
	m := meaning{custom: i + 1}
	for _, t := range c.Terms {
		if err := add(t, m); err != nil {
			return err
		}
	}
	for _, t := range c.Near {
		if err := add(t, meaning{custom: i + 1, near: true}); err != nil {
			return err
		}
	}
	for _, t := range c.Unless {
		if err := add(t, meaning{custom: i + 1, unless: true}); err != nil {
			return err
		}
	}
	return nil
}

// customTally counts what the customer's patterns found.
type customTally struct {
	patterns []CustomPattern
	found    []customFound
}

type customFound struct {
	values map[string]bool // fingerprints
	people map[string]bool
	count  int
}

func (t *customTally) reset(patterns []CustomPattern) {
	t.patterns = patterns
	t.found = make([]customFound, len(patterns))
}

// read weighs the candidates of each pattern by what stands near them.
func (t *customTally) read(r *reader, s *scene, people []individual) {
	for i := range t.patterns {
		c := &t.patterns[i]
		var candidates, near, unless []customMark
		for _, m := range s.custom {
			switch {
			case m.meaning.custom != i+1:
			case m.meaning.near:
				near = append(near, m)
			case m.meaning.unless:
				unless = append(unless, m)
			default:
				candidates = append(candidates, m)
			}
		}
		for k := range s.found {
			if f := &s.found[k]; c.Identifier != NoIdentifier && f.Identifier == c.Identifier {
				candidates = append(candidates, customMark{start: f.Start, end: f.End})
			}
		}
		for _, m := range candidates {
			t.weigh(r, s, i, m, near, unless, people)
		}
	}
}

func (t *customTally) weigh(r *reader, s *scene, i int, m customMark, near, unless []customMark, people []individual) {
	c, f := &t.patterns[i], &t.found[i]
	distance := c.Distance
	if distance == 0 {
		distance = DefaultDistance
	}
	step := Step{Pattern: c.ID, Category: c.Category, Place: s.place(m.start), Masked: maskWords(string(s.text[m.start:m.end]))}
	person, hasPerson := closest(people, m, distance)
	switch {
	case c.Validator != NoIdentifier && !s.valid(c.Validator, m):
		step.Because = append(step.Because, "validator-refused:"+c.Validator.String())
	case len(c.Near) > 0 && !anyWithin(near, m, distance):
		step.Because = append(step.Because, "nothing-wanted-near")
	case anyWithin(unless, m, distance):
		step.Because = append(step.Because, "unwanted-near")
	case c.Individual && !hasPerson:
		step.Because = append(step.Because, "no-individual-near")
	default:
		step.Counted, step.Confidence = true, c.Confidence
		step.Because = c.met(hasPerson)
	}
	r.explain(step)
	if !step.Counted {
		return
	}
	if f.values == nil {
		f.values, f.people = map[string]bool{}, map[string]bool{}
	}
	print := r.masker.Fingerprint(c.ID, NewRaw(string(s.text[m.start:m.end])))
	remember(f.values, print)
	if hasPerson {
		remember(f.people, person.key)
	}
	f.count++
	r.evidence.add(Evidence{
		Pattern: c.ID, Category: c.Category, Confidence: c.Confidence, Place: step.Place, Masked: step.Masked,
	}, 0, func() string { return print })
}

// met tells what a candidate that counted has met.
func (c *CustomPattern) met(person bool) []string {
	met := []string{"own-pattern"}
	if c.Validator != NoIdentifier {
		met = append(met, "validator:"+c.Validator.String())
	}
	if len(c.Near) > 0 {
		met = append(met, "wanted-near")
	}
	if c.Individual && person {
		met = append(met, "individual-near")
	}
	return met
}

// valid reports whether the candidate is, or holds, an identifier that counts.
func (s *scene) valid(id Identifier, m customMark) bool {
	i := sort.Search(len(s.found), func(i int) bool { return s.found[i].End > m.start })
	for ; i < len(s.found) && s.found[i].Start < m.end; i++ {
		if s.found[i].Identifier == id {
			return true
		}
	}
	return false
}

func anyWithin(marks []customMark, m customMark, distance int) bool {
	return slices.ContainsFunc(marks, func(o customMark) bool { return o.start-m.end <= distance && m.start-o.end <= distance })
}

func closest(people []individual, m customMark, distance int) (individual, bool) {
	best, found := individual{}, false
	for _, p := range people {
		if p.bond < byName || p.official || p.start-m.end > distance || m.start-p.end > distance {
			continue
		}
		if !found || p.bond > best.bond {
			best, found = p, true
		}
	}
	return best, found
}

// conclude returns what the patterns found.
func (t *customTally) conclude() []CategoryFound {
	var out []CategoryFound
	for i, f := range t.found {
		c := &t.patterns[i]
		if f.count == 0 || len(f.values) < max(1, c.AtLeast) {
			continue
		}
		out = append(out, CategoryFound{Category: c.Category, Confidence: c.Confidence, People: len(f.people), Count: f.count, Pattern: c.ID, Class: c.Class})
	}
	return out
}

// Check tries the pattern's own examples and counter-examples with the Set
// it is part of; the error names those that fail, without their text.
func (c *CustomPattern) Check(s *Set, m *Masker) error {
	hit := func(text string) bool {
		r := s.NewReader(m)
		r.Begin(Subject{Name: "example"}, Options{CountTestNumbers: true})
		r.Text("body", "", text)
		content, _ := r.Finish()
		return slices.ContainsFunc(content.Categories, func(f CategoryFound) bool { return f.Pattern == c.ID })
	}
	var wrong []error
	for i, e := range c.Examples {
		if !hit(e) {
			wrong = append(wrong, fmt.Errorf("pattern %s: example %d is not found", c.ID, i+1))
		}
	}
	for i, e := range c.Counter {
		if hit(e) {
			wrong = append(wrong, fmt.Errorf("pattern %s: counter-example %d is found", c.ID, i+1))
		}
	}
	return errors.Join(wrong...)
}

// reCustomID is what an ID of a CustomPattern may be.
var reCustomID = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)*$`)

// ValidID reports whether an ID is lower-case words joined by hyphens.
func ValidID(id string) bool { return reCustomID.MatchString(id) }
