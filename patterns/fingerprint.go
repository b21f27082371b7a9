package patterns

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Fingerprint describes a known document or form so that copies and near
// copies are recognised: keyed hashes of runs of four words, of which a sample
// is kept (winnowing, Schleimer, Wilkerson and Aiken 2003). Any eight words in
// a row that a copy shares are noticed. Without the key it tells nothing of
// the text.
type Fingerprint struct {
	Name  string          `json:"name"`
	Kind  FingerprintKind `json:"kind"`
	Words int             `json:"words"` // of the document
	// Shingles are the kept hashes, in order.
	Shingles Shingles `json:"shingles"`
	// Key tells with which key it was made.
	Key string `json:"key"`
}

// FingerprintKind says what a fingerprint is of.
type FingerprintKind string

// The kinds of fingerprints.
const (
	KnownDocument FingerprintKind = "document" // a classified document: its copies matter
	KnownForm     FingerprintKind = "form"     // a blank form: filled-in ones matter
)

// Shingles are hashes, sorted. In text they are base64.
type Shingles []uint64

// MarshalText implements encoding.TextMarshaler.
func (s Shingles) MarshalText() ([]byte, error) {
	var b []byte
	for _, h := range s {
		b = binary.BigEndian.AppendUint64(b, h)
	}
	return base64.RawStdEncoding.AppendEncode(nil, b), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Shingles) UnmarshalText(text []byte) error {
	b, err := base64.RawStdEncoding.AppendDecode(nil, text)
	if err != nil || len(b)%8 != 0 {
		return fmt.Errorf("%w: damaged shingles", ErrFingerprint)
	}
	*s = make(Shingles, len(b)/8)
	for i := range *s {
		(*s)[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	return nil
}

// ErrFingerprint is wrapped by the errors of fingerprints.
var ErrFingerprint = errors.New("fingerprint")

// Sizes: words in a shingle, shingles in a window of which one is kept, kept
// of one document, and the fewest words worth a fingerprint.
const (
	shingleWords    = 4
	shingleWindow   = 4
	maxShingles     = 4000
	minPrintedWords = 20
)

// Fingerprinter takes the fingerprint of one text at a time, written in
// pieces.
type Fingerprinter struct {
	shingler shingler
	seen     map[uint64]struct{}
	key      string
}

// NewFingerprinter returns a Fingerprinter.
func NewFingerprinter(m *Masker) *Fingerprinter {
	f := &Fingerprinter{seen: map[uint64]struct{}{}, key: fingerprintKey(m)}
	f.shingler = newShingler(m)
	return f
}

// fingerprintKey names the key without telling it.
func fingerprintKey(m *Masker) string { return m.Fingerprint("key of fingerprints", NewRaw("")) }

// Write adds a piece of text, such as a paragraph or a cell; a word does not
// go on in the next piece.
func (f *Fingerprinter) Write(text []byte) {
	f.shingler.write(text, func(h uint64) { f.seen[h] = struct{}{} })
}

// Sum returns the fingerprint of what was written, and begins anew. It fails
// when there are too few words to tell a copy by.
func (f *Fingerprinter) Sum(name string, kind FingerprintKind) (Fingerprint, error) {
	p := Fingerprint{Name: name, Kind: kind, Words: f.shingler.words, Key: f.key}
	for h := range f.seen {
		p.Shingles = append(p.Shingles, h)
	}
	clear(f.seen)
	f.shingler.reset()
	if p.Words < minPrintedWords {
		return Fingerprint{}, fmt.Errorf("%w: %d words, want at least %d", ErrFingerprint, p.Words, minPrintedWords)
	}
	slices.Sort(p.Shingles)
	// The smallest hashes are a fair sample.
	p.Shingles = p.Shingles[:min(len(p.Shingles), maxShingles)]
	return p, nil
}

// FingerprintSet holds fingerprints to compare documents with. It is
// immutable and safe for concurrent use.
type FingerprintSet struct {
	prints  []Fingerprint
	holders map[uint64][]int32
	masker  *Masker
}

// NewFingerprintSet returns a set; it fails when a fingerprint was made with
// another key.
func NewFingerprintSet(prints []Fingerprint, m *Masker) (*FingerprintSet, error) {
	s := &FingerprintSet{prints: prints, holders: map[uint64][]int32{}, masker: m}
	key := fingerprintKey(m)
	for i, p := range prints {
		if p.Key != key {
			return nil, fmt.Errorf("%w: %q was made with another key", ErrFingerprint, p.Name)
		}
		for _, h := range p.Shingles {
			s.holders[h] = append(s.holders[h], int32(i))
		}
	}
	return s, nil
}

// FingerprintMatch says how much of a known document stands in a text.
type FingerprintMatch struct {
	Name       string
	Kind       FingerprintKind
	Share      float64 // of the known document that was met, 0 to 1
	Confidence Confidence
	// Added is how many words the text has besides: a filled-in form has
	// some.
	Added int
}

// Matcher compares one document at a time with a set.
type Matcher struct {
	set      *FingerprintSet
	shingler shingler
	met      map[uint64]struct{}
	counts   []int
}

// NewMatcher returns a Matcher for one goroutine.
func (s *FingerprintSet) NewMatcher() *Matcher {
	return &Matcher{set: s, shingler: newShingler(s.masker), met: map[uint64]struct{}{}, counts: make([]int, len(s.prints))}
}

// Write adds a piece of the document's text.
func (m *Matcher) Write(text []byte) {
	if len(m.set.prints) == 0 {
		return
	}
	m.shingler.write(text, func(h uint64) {
		holders := m.set.holders[h]
		if holders == nil {
			return
		}
		if _, again := m.met[h]; again {
			return
		}
		m.met[h] = struct{}{}
		for _, i := range holders {
			m.counts[i]++
		}
	})
}

// The least shares of a known document that make a match.
const (
	shareLow    = 0.25
	shareMedium = 0.45
	shareHigh   = 0.75
)

// Matches returns the known documents that were met, most first, and begins
// anew.
func (m *Matcher) Matches() []FingerprintMatch {
	var matches []FingerprintMatch
	for i, n := range m.counts {
		p := &m.set.prints[i]
		share := float64(n) / float64(max(1, len(p.Shingles)))
		if share < shareLow {
			continue
		}
		c := Low
		switch {
		case share >= shareHigh:
			c = High
		case share >= shareMedium:
			c = Medium
		}
		matches = append(matches, FingerprintMatch{p.Name, p.Kind, share, c, max(0, m.shingler.words-int(share*float64(p.Words)))})
	}
	slices.SortStableFunc(matches, func(a, b FingerprintMatch) int {
		switch {
		case a.Share > b.Share:
			return -1
		case a.Share < b.Share:
			return 1
		}
		return 0
	})
	clear(m.met)
	clear(m.counts)
	m.shingler.reset()
	return matches
}

// shingler turns a text into the kept hashes of its shingles.
type shingler struct {
	key    sipKey
	canon  canonicalizer
	word   []byte
	recent [shingleWords]uint64
	window [shingleWindow]uint64
	words  int
	last   uint64 // the hash kept last
}

func newShingler(m *Masker) shingler {
	return shingler{key: newSIPKey(m.Subkey("fingerprint of a document"))}
}

func (s *shingler) reset() {
	s.words, s.last = 0, 0
}

// write calls keep for every hash to be kept.
func (s *shingler) write(text []byte, keep func(uint64)) {
	canon := s.canon.canonicalize(text)
	s.word = s.word[:0]
	for i := 0; i < len(canon.text); {
		r, n := rune(canon.text[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(canon.text[i:])
		}
		i += n
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			s.word = utf8.AppendRune(s.word, unicode.ToLower(r))
			continue
		}
		s.endWord(keep)
	}
	s.endWord(keep)
}

func (s *shingler) endWord(keep func(uint64)) {
	if len(s.word) == 0 {
		return
	}
	copy(s.recent[:], s.recent[1:])
	s.recent[shingleWords-1] = s.key.sum(s.word)
	s.word = s.word[:0]
	s.words++
	if s.words < shingleWords {
		return
	}
	var h uint64
	for _, w := range s.recent {
		h = mix64(h ^ w)
	}
	copy(s.window[:], s.window[1:])
	s.window[shingleWindow-1] = h
	if s.words < shingleWords+shingleWindow-1 {
		return
	}
	if least := slices.Min(s.window[:]); least != s.last {
		s.last = least
		keep(least)
	}
}
