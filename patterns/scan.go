package patterns

import (
	"errors"
	"sync"
	"time"
)

// Mode says how a Term matches. Case does not matter except to Exact. Words
// are found in every Swedish inflection that only adds an ending.
type Mode uint8

// The modes, with the codes of the lexicon files.
const (
	Word   Mode = iota // "w": a whole word and its inflections
	Prefix             // "p": a word that begins so
	Suffix             // "s": a word that ends so, and its inflections
	Inside             // "ps": a word that contains it
	Exact              // "x": exactly so, case and all
	Phrase             // "ph": words in a row; the last inflects
	Regexp             // "re": RE2, at most MaxRegexpMatch bytes
)

var modeCodes = [...]string{"w", "p", "s", "ps", "x", "ph", "re"}

// String returns the code of the lexicon files.
func (m Mode) String() string {
	if int(m) < len(modeCodes) {
		return modeCodes[m]
	}
	return "?"
}

// ParseMode reads a code of the lexicon files.
func ParseMode(code string) (Mode, bool) {
	for i, c := range modeCodes {
		if c == code {
			return Mode(i), true
		}
	}
	return 0, false
}

// Term is a word, phrase or regular expression to look for.
type Term struct {
	Text string
	Mode Mode
	// Plain also finds the term with å ä ö written a a o, as in file names
	// and old exports.
	Plain bool
	// Bare finds it only without an ending, which would make another word of
	// "hon" or "bet".
	Bare bool
}

// TermID names a term of an Engine, in the order of adding, from 0.
type TermID int32

// MaxRegexpMatch is the longest match of a Regexp term, in bytes; what is
// longer is cut there.
const MaxRegexpMatch = 1024

// ErrTerm is wrapped by the errors of Builder.Term.
var ErrTerm = errors.New("unusable term")

// HitKind says what was hit.
type HitKind uint8

// The kinds of hits.
const (
	TermHit HitKind = iota
	IdentifierHit
	SecretHit
	ContextHit // a word that raises or lowers identifiers near it
)

// Hit is something found in a text. Its raw value stays in the text; Value
// reads it.
type Hit struct {
	// Start and End are byte offsets in the original text. A term covers the
	// whole word in which it stands.
	Start, End int
	Kind       HitKind
	Identifier Identifier // of IdentifierHit and SecretHit
	Context    Context    // of ContextHit
	Shape      Shape
	Term       TermID // of TermHit
	id         int32  // of what was found, in the engine
	number     uint64 // digits in normal form, where they fit
}

// Engine finds terms, identifiers and secrets in one pass. It is immutable
// and safe for concurrent use; each goroutine scans with its own Scanner.
type Engine struct {
	today    civilDate
	tests    testNumbers
	terms    []term  // the Builder's, then the engine's own
	checks   []check // by term
	literals *literalTable
	lists    []literalList
	rests    []maskedBytes // of terms, behind what the table holds of them
	required []requiredOf
	sweeps   []int32   // expressions that require no text
	pool     sync.Pool // of *Scanner, for Parse
}

// Builder collects what an Engine shall find.
type Builder struct {
	terms  []term
	today  time.Time
	tables []byte
}

// NewBuilder returns a Builder for an Engine that finds all identifiers and
// secrets, and the terms that are added.
func NewBuilder() *Builder { return &Builder{} }

// Today sets the day that dates are compared with (default: the day of
// Build). Nobody is born after it.
func (b *Builder) Today(t time.Time) { b.today = t }

// Term adds a term. Errors wrap ErrTerm.
func (b *Builder) Term(t Term) (TermID, error) {
	made, err := newTerm(t)
	if err != nil {
		return 0, err
	}
	id := TermID(len(b.terms))
	made.hit = Hit{Kind: TermHit, Term: id}
	b.terms = append(b.terms, made)
	return id, nil
}
