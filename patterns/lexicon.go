package patterns

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Lexicon is the words of one category.
type Lexicon struct {
	Category Category
	Terms    []LexiconTerm
	// Examples are texts that hold the category, Counter such as do not; a
	// test tries them.
	Examples, Counter []string
}

// LexiconTerm is a word of a lexicon. Weight 3 is nearly conclusive when an
// individual stands near, 2 supports, 1 counts only together with others.
type LexiconTerm struct {
	Term
	Weight int
}

// ParseLexicon reads lines of term, weight, mode and an optional note,
// separated by tabs. Lines of "+" or "-" and a text are examples and
// counter-examples; lines that begin with "# " are comments.
func ParseLexicon(c Category, r io.Reader) (Lexicon, error) {
	lex := Lexicon{Category: c}
	err := eachLine(r, 2, func(f []string) error {
		switch {
		case f[0] == "+":
			lex.Examples = append(lex.Examples, f[1])
			return nil
		case f[0] == "-":
			lex.Counter = append(lex.Counter, f[1])
			return nil
		case len(f) < 3:
			return fmt.Errorf("%d fields, want 3", len(f))
		}
		t, err := parseTerm(f)
		if err != nil {
			return err
		}
		lex.Terms = append(lex.Terms, t)
		return nil
	})
	return lex, err
}

// CueGroup is what a cue tells about the text around it.
type CueGroup string

// The groups of cues.
const (
	CueRole       CueGroup = "role"       // one person of a story: eleven, mamman
	CuePronoun    CueGroup = "pronoun"    // hon, hans
	CueObserve    CueGroup = "observe"    // what somebody did or said: uppger, ramlade
	CueEvent      CueGroup = "event"      // when it happened: igår, vid hembesök
	CueModal      CueGroup = "modal"      // what shall be done: ska, ansvarar
	CueGeneric    CueGroup = "generic"    // people at large: elever, den enskilde
	CueStatistics CueGroup = "statistics" // antal, andel
	CueOfficial   CueGroup = "official"   // somebody at work: handläggare, rektor
	CueSpeech     CueGroup = "speech"     // somebody in public: säger, föreläser
	CueRoutine    CueGroup = "routine"    // how things are done: rutin, riktlinje
	CuePublic     CueGroup = "public"     // news, advertisements, programmes
	CueTemplate   CueGroup = "template"   // blank forms: ÅÅMMDD-XXXX
	CueFictive    CueGroup = "fictive"    // invented people
	CueTrouble    CueGroup = "trouble"    // somebody is unwell, in need, at odds or in danger
)

// Cue is a word that tells a story about one person from a text about many.
type Cue struct {
	Term
	Weight int
	Group  CueGroup
}

// ParseCues reads lines of term, weight, mode and group, separated by tabs.
func ParseCues(r io.Reader) ([]Cue, error) {
	var cues []Cue
	err := eachLine(r, 4, func(f []string) error {
		t, err := parseTerm(f)
		if err != nil {
			return err
		}
		cues = append(cues, Cue{t.Term, t.Weight, CueGroup(f[3])})
		return nil
	})
	return cues, err
}

func parseTerm(f []string) (LexiconTerm, error) {
	weight, err := strconv.Atoi(f[1])
	if err != nil || weight < 1 || weight > 3 {
		return LexiconTerm{}, fmt.Errorf("weight %q: want 1, 2 or 3", f[1])
	}
	mode, ok := ParseMode(f[2])
	if !ok {
		return LexiconTerm{}, fmt.Errorf("mode %q: want w, p, s, ps, x, ph or re", f[2])
	}
	t := Term{Text: f[0], Mode: mode}
	t.Plain = mode != Regexp && mode != Exact && len([]rune(f[0])) >= 6
	return LexiconTerm{t, weight}, nil
}

// eachLine calls visit with the tab-separated fields of each line that is not
// empty and no comment. Errors name the line.
func eachLine(r io.Reader, fields int, visit func([]string) error) error {
	in := bufio.NewScanner(r)
	for n := 1; in.Scan(); n++ {
		line := strings.TrimRight(in.Text(), " \t\r")
		if line == "" || line == "#" || strings.HasPrefix(line, "# ") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) < fields {
			return fmt.Errorf("line %d: %d fields, want %d", n, len(f), fields)
		}
		if err := visit(f); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return in.Err()
}
