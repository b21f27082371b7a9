package patterns

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// Library is the data a Set is built of; package library holds the built-in
// one.
type Library struct {
	Lexicons []Lexicon
	Cues     []Cue
	Kinds    []KindRule
	Names    Names
	Gist     *Gist           // nil: only rules judge
	Custom   []CustomPattern // the customer's own
	Version  string          // of the data; part of Set.Version
	// Tables are what Engine.WriteTables of a Set of the same library saved,
	// to be built faster; nil: none. They must not change while the Set lives.
	Tables []byte
}

// judgement is raised whenever the code of this package judges differently.
const judgement = "4"

// Set is everything that documents are looked at for. It is immutable and
// safe for concurrent use; each goroutine reads with its own Reader.
type Set struct {
	engine  *Engine
	terms   []meaning // by TermID
	kinds   *kindIndex
	names   *nameFinder
	gist    *Gist
	custom  []CustomPattern
	lost    lostLetters
	version string
}

// meaning is what a term of the engine stands for.
type meaning struct {
	text     string
	category Category // of a lexicon
	slot     int      // of the category
	weight   int
	group    CueGroup // of a cue
	regexp   bool     // its text is an expression
	exact    int      // length that a cue must have, in bytes; 0: any
	custom   int      // 1 + index of the customer's pattern
	near     bool     // a word that the pattern wants near, not the pattern itself
	unless   bool     // a word that the pattern does not want near
}

// NewSet builds a Set. Errors name the lexicon and term, or the customer's
// pattern, and wrap ErrTerm.
func NewSet(lib Library) (*Set, error) {
	s := &Set{kinds: newKindIndex(lib.Kinds), names: newNameFinder(lib.Names), gist: lib.Gist, custom: lib.Custom}
	b := NewBuilder()
	b.Tables(lib.Tables)
	add := func(t Term, m meaning) error {
		if _, err := b.Term(t); err != nil {
			return fmt.Errorf("term %q: %w", t.Text, err)
		}
		m.text, m.regexp = t.Text, t.Mode == Regexp
		s.terms = append(s.terms, m)
		return nil
	}
	for _, lex := range lib.Lexicons {
		slot, ok := slotOf(lex.Category)
		if !ok {
			return nil, fmt.Errorf("lexicon %q: no such category", lex.Category)
		}
		for _, t := range lex.Terms {
			if err := add(t.Term, meaning{category: lex.Category, slot: slot, weight: t.Weight}); err != nil {
				return nil, fmt.Errorf("lexicon %s: %w", lex.Category, err)
			}
		}
	}
	for _, c := range lib.Cues {
		m := meaning{group: c.Group, weight: c.Weight}
		if c.Group.exact() {
			m.exact = len(c.Text)
		}
		if err := add(c.term(), m); err != nil {
			return nil, fmt.Errorf("cue: %w", err)
		}
	}
	for i := range lib.Custom {
		if err := lib.Custom[i].register(i, add); err != nil {
			return nil, fmt.Errorf("pattern %s: %w", lib.Custom[i].ID, err)
		}
	}
	var err error
	if s.engine, err = b.Build(); err != nil {
		return nil, err
	}
	s.version = lib.SetVersion()
	return s, nil
}

// exact reports whether words of the group count only as they are written:
// an ending would make another word of "hon" or "bet".
func (g CueGroup) exact() bool {
	return g != CueOfficial && g != CueRoutine && g != CueFictive && g != CueTemplate && g != CuePublic && g != CueTrouble
}

// term is what the engine looks for.
func (c *Cue) term() Term {
	t := c.Term
	t.Bare = c.Group.exact()
	return t
}

// Engine returns the engine that finds the Set's terms; it makes and opens
// exact indexes.
func (s *Set) Engine() *Engine { return s.engine }

// Version changes whenever documents may be judged differently: it is a hash
// of the data and of this package's judgement.
func (s *Set) Version() string { return s.version }

// SetVersion returns the Version of the Set that the library makes, without
// making it.
func (lib *Library) SetVersion() string {
	h := sha256.New()
	_, _ = io.WriteString(h, judgement+"\x00"+lib.Version)
	for _, lex := range lib.Lexicons {
		for _, t := range lex.Terms {
			_, _ = fmt.Fprintf(h, "%s\x00%s\x00%d\n", lex.Category, t.Text, t.Weight)
		}
	}
	for _, c := range lib.Cues {
		_, _ = fmt.Fprintf(h, "%s\x00%s\x00%d\n", c.Group, c.Text, c.Weight)
	}
	for _, k := range lib.Kinds {
		_, _ = fmt.Fprintf(h, "%s\x00%d\x00%s\n", k.Kind, k.Weight, k.Expr)
	}
	if lib.Gist != nil {
		_, _ = h.Write(lib.Gist.sum[:])
	}
	for _, c := range lib.Custom {
		_, _ = fmt.Fprintf(h, "%+v\n", c)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// NewReader returns a Reader for one goroutine.
func (s *Set) NewReader(m *Masker) Reader {
	return &reader{set: s, masker: m, scanner: s.engine.NewScanner()}
}

// slots are the categories that words may stand for.
var slots = [...]Category{
	Health, SocialServices, SchoolHealth, HR, Union, Ethnicity, Religion, Politics, SexualLife, Genetics,
	Offences, ProtectedIdentity, Asylum, Guardianship, NationalSecurity, Security, Procurement, Secrets,
}

func slotOf(c Category) (int, bool) {
	for i, s := range slots {
		if s == c {
			return i, true
		}
	}
	return 0, false
}
