// Package demodata invents a municipality, Björkfors kommun, with a tenant and
// a file server full of documents: misplaced and innocent, of every supported
// format, each with the truth about it. The same seed gives the same bytes.
//
// There is no Björkfors kommun. The people are invented; their personnummer
// are from Skatteverket's published list of test numbers.
package demodata

import (
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"time"
)

// Document is one generated document.
type Document struct {
	Place    Place  // where it lies
	Path     string // below the place's drive or share: "Rehab/Rehabplan AL.docx"
	Content  []byte
	Modified time.Time
	Owner    Person
	Sharing  Sharing
	Truth    Truth
}

// Sharing is who reaches a document beyond the people of its site.
type Sharing string

// The ways a document is shared.
const (
	Inherited    Sharing = ""             // only the people of the site
	Anonymous    Sharing = "anonymous"    // a link that works for anyone
	Organisation Sharing = "organisation" // a link for the whole municipality
	Guest        Sharing = "guest"        // a named person outside
)

// Truth is what a scan with the municipality's Policy should find.
type Truth struct {
	Template   string   // which template it was written from
	Class      string   // "K0" to "K4"
	Outcome    string   // "allowed", "conditional" or "forbidden"
	Categories []string // codes of package patterns
	People     int      // distinct individuals with a personnummer
	Gap        string   // reason why it cannot be read; "" if it can
	OCR        bool     // its text is only a picture
}

// Sensitive tells whether the document holds what needs protection (K2 or more).
func (t Truth) Sensitive() bool { return t.Class >= "K2" }

// Misplaced tells whether the document must be a finding.
func (t Truth) Misplaced() bool { return t.Gap == "" && t.Outcome != "allowed" }

// today is when the invented municipality's documents end.
var today = time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)

// Generate invents n documents. Of n ≥ 120 every template, format and kind of
// trouble occurs.
func Generate(seed uint64, n int) ([]Document, error) {
	g, err := newGenerator(seed)
	if err != nil {
		return nil, err
	}
	documents := make([]Document, 0, n)
	for len(documents) < n {
		i := len(documents)
		d, err := g.document(i)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", i, err)
		}
		documents = append(documents, d)
	}
	return documents, nil
}

type generator struct {
	seed      uint64
	templates []template
	deck      []int // templates in the order they are dealt, by weight
	people    *people
	taken     map[string]bool // place and path
}

func newGenerator(seed uint64) (*generator, error) {
	templates, err := readTemplates()
	if err != nil {
		return nil, err
	}
	folk, err := readPeople()
	if err != nil {
		return nil, err
	}
	g := &generator{seed: seed, templates: templates, people: folk, taken: map[string]bool{}}
	// Every template is dealt once before any is dealt again.
	rng := rand.New(rand.NewPCG(seed, 0))
	g.deck = rng.Perm(len(templates))
	var again []int
	for i, t := range templates {
		for range t.weight {
			again = append(again, i)
		}
	}
	rng.Shuffle(len(again), func(a, b int) { again[a], again[b] = again[b], again[a] })
	g.deck = append(g.deck, again...)
	return g, nil
}

// document invents the i-th document; it depends only on the seed and i,
// except that a path that is taken gets a number.
func (g *generator) document(i int) (Document, error) {
	deal, round := i, 0
	if i >= len(g.templates) {
		again := len(g.deck) - len(g.templates)
		deal, round = len(g.templates)+(i-len(g.templates))%again, 1+(i-len(g.templates))/again
	}
	t := g.templates[g.deck[deal]]
	rng := rand.New(rand.NewPCG(g.seed, uint64(i)+1))
	w := &writer{rng: rng, people: g.people, known: map[string]Person{}}
	sheet, err := w.write(t)
	if err != nil {
		return Document{}, fmt.Errorf("%s: %w", t.name, err)
	}
	format := t.formats[(deal+round)%len(t.formats)]
	content, ending, err := render(rng, format, sheet)
	if err != nil {
		return Document{}, fmt.Errorf("%s as %s: %w", t.name, format, err)
	}
	place := g.place(rng, t)
	d := Document{
		Place: place, Content: content, Owner: g.people.adult(rng),
		Modified: today.Add(-time.Duration(rng.IntN(3*365*24*60)) * time.Minute),
		Path:     g.free(place, path.Join(sheet.Folder, sheet.Name+ending)),
	}
	d.Sharing = sharing(rng, place, t.class)
	d.Truth = Truth{
		Template: t.name, Class: t.class, Categories: t.about, People: w.counted(),
		Outcome: outcome(place, t, d.Sharing), OCR: format == "png", Gap: gapOf(format),
	}
	return d, nil
}

// place chooses where a document lies; one in eight has stayed on the file
// server.
func (g *generator) place(rng *rand.Rand, t template) Place {
	place := placeOf(pick(rng, t.places))
	if !place.Tenant() || rng.IntN(8) > 0 {
		return place
	}
	var shares []Place
	for _, p := range places {
		if !p.Tenant() && p.Controller == place.Controller {
			shares = append(shares, p)
		}
	}
	if len(shares) == 0 {
		return place
	}
	return pick(rng, shares)
}

// free returns the path, with a number if a document lies there already.
func (g *generator) free(p Place, name string) string {
	ending := path.Ext(name)
	stem := strings.TrimSuffix(name, ending)
	for n := 2; g.taken[p.Key+"/"+strings.ToLower(name)]; n++ {
		name = fmt.Sprintf("%s (%d)%s", stem, n, ending)
	}
	g.taken[p.Key+"/"+strings.ToLower(name)] = true
	return name
}

// sharing shares some documents of the tenant more widely than they should be;
// public ones most freely.
func sharing(rng *rand.Rand, p Place, class string) Sharing {
	if p.Service != tenant {
		return Inherited
	}
	roll := rng.IntN(100)
	switch {
	case class == "K0" && roll < 12, class == "K3" && roll < 6:
		return Anonymous
	case class != "K4" && roll < 20:
		return Organisation
	case class >= "K2" && class != "K4" && roll < 25:
		return Guest
	}
	return Inherited
}
