package patterns

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// term is a Term made ready for confirming.
type term struct {
	Term
	size       int         // bytes, if every way of writing has as many; otherwise 0
	runes      []rune      // in lower case, except Exact; a single space for any white space
	expression *expression // of mode Regexp
	hit        Hit         // what it yields
	assigns    assignment  // what stands behind it, of secrets
}

// Limits of a term's place in a text, in bytes: the white space between two
// words of a phrase, and what is taken of a word on either side of a term.
const (
	maxGap  = 16
	maxWord = 64
	maxTerm = 100
)

// newTerm makes a term ready. Errors wrap ErrTerm.
func newTerm(t Term) (term, error) {
	switch {
	case t.Mode > Regexp:
		return term{}, fmt.Errorf("%w: mode %d", ErrTerm, t.Mode)
	case t.Mode == Regexp:
		x, err := newExpression(t.Text)
		return term{Term: t, expression: x}, err
	}
	text := normalizeTerm(t)
	if n := utf8.RuneCountInString(text); n < 2 || len(text) > maxTerm {
		return term{}, fmt.Errorf("%w: %q: %d letters", ErrTerm, t.Text, n)
	}
	if t.Mode != Phrase && t.Mode != Exact && strings.Contains(text, " ") {
		return term{}, fmt.Errorf("%w: %q has a space: use mode ph", ErrTerm, t.Text)
	}
	made := term{Term: t, runes: []rune(text)}
	made.size = made.fixedSize()
	return made, nil
}

// fixedSize returns the bytes of the term where the literal table has found
// it, or 0 if that must be looked up.
func (t *term) fixedSize() int {
	n := 0
	for _, r := range t.runes {
		if t.Mode == Exact || r == ' ' || t.Plain && plainLetter(r) != r || utf8.RuneLen(r) != utf8.RuneLen(unicode.ToUpper(r)) {
			return 0
		}
		n += utf8.RuneLen(r)
	}
	return n
}

// normalizeTerm brings a term into the form of canonical text.
func normalizeTerm(t Term) string {
	var c canonicalizer
	canon := c.canonicalize([]byte(t.Text))
	text := strings.Join(strings.Fields(string(canon.text)), " ")
	if t.Mode != Exact {
		text = strings.ToLower(text)
	}
	return text
}

// confirm decides whether the term, proposed by the literal table, stands
// with its last letter before end, and returns the range of the word or
// phrase.
func (t *term) confirm(b []byte, end int) (from, to int, ok bool) {
	if from = end - t.size; t.size == 0 {
		if from = t.matchBack(b, end); from < 0 {
			return 0, 0, false
		}
	}
	first, last := t.runes[0], t.runes[len(t.runes)-1]
	openLeft := t.Mode == Suffix || t.Mode == Inside
	if !openLeft && isWordRune(first) && (letterBefore(b, from) || digitBefore(b, from)) {
		return 0, 0, false
	}
	to = end
	switch {
	case t.Mode == Exact:
		if isWordRune(last) && (letterAt(b, end) || digitAt(b, end)) {
			return 0, 0, false
		}
		return from, to, true
	case t.Mode == Prefix || t.Mode == Inside:
		to = wordEnd(b, end)
	case unicode.IsLetter(last):
		if to, ok = inflectionEnd(b, end, last); !ok {
			return 0, 0, false
		}
	}
	if openLeft {
		from = wordStart(b, from)
	}
	return from, to, true
}

// matchBack returns where the term begins if it ends at end, or -1.
func (t *term) matchBack(b []byte, end int) int {
	i := end
	for k := len(t.runes) - 1; k >= 0; k-- {
		want := t.runes[k]
		if want == ' ' {
			n := i
			for n > 0 && i-n < maxGap && spaceByte(b[n-1]) {
				n--
			}
			if n == i {
				return -1
			}
			i = n
			continue
		}
		if i == 0 {
			return -1
		}
		r, n := rune(b[i-1]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeLastRune(b[max(0, i-utf8.UTFMax):i])
		}
		if r != want && !t.sameLetter(r, want) {
			return -1
		}
		i -= n
	}
	return i
}

func (t *term) sameLetter(r, want rune) bool {
	if t.Mode == Exact {
		return r == want
	}
	if r == want || r == unicode.ToUpper(want) {
		return true
	}
	plain := plainLetter(want)
	return t.Plain && (r == plain || r == unicode.ToUpper(plain))
}

// plainLetter returns what is left of å, ä, ö and é in plain ASCII.
func plainLetter(r rune) rune {
	switch r {
	case 'å', 'ä':
		return 'a'
	case 'ö':
		return 'o'
	case 'é':
		return 'e'
	}
	return r
}

func spaceByte(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func digitBefore(b []byte, i int) bool { return i > 0 && asciiDigit(b[i-1]) }
func digitAt(b []byte, i int) bool     { return i < len(b) && asciiDigit(b[i]) }

// wordStart and wordEnd extend a range to the letters of its word.
func wordStart(b []byte, i int) int {
	for limit := i - maxWord; i > 0; {
		_, n := utf8.DecodeLastRune(b[max(0, i-utf8.UTFMax):i])
		if !letterBefore(b, i) || i-n < limit {
			break
		}
		i -= n
	}
	return i
}

func wordEnd(b []byte, i int) int {
	for limit := i + maxWord; i < len(b); {
		_, n := utf8.DecodeRune(b[i:])
		if !letterAt(b, i) || i+n > limit {
			break
		}
		i += n
	}
	return i
}

// inflectionEnd returns the end of the word if what follows the term is a
// Swedish ending. A final m or n may double before it: rum, rummet.
func inflectionEnd(b []byte, end int, last rune) (int, bool) {
	i, ok := asciiEnding(b, end, last == 'm' || last == 'n')
	return i, ok && !letterAt(b, i)
}

// asciiEnding is inflectionEnd as far as letters beyond ASCII do not matter.
func asciiEnding(b []byte, end int, doubles bool) (int, bool) {
	tail, n := lowerLetters(b, end)
	if n > maxEnding+1 {
		return 0, false
	}
	return end + n, endingSet.has(tail) || n > 1 && doubles && byte(tail) == b[end-1]|0x20 && endingSet.has(tail>>8)
}

// lowerLetters returns the ASCII letters at i, at most eight of them, in lower
// case, the first in the lowest byte, and how many there are.
func lowerLetters(b []byte, i int) (letters uint64, n int) {
	var w uint64
	if i+8 <= len(b) {
		w = binary.LittleEndian.Uint64(b[i:])
	} else {
		var rest [8]byte
		copy(rest[:], b[i:])
		w = binary.LittleEndian.Uint64(rest[:])
	}
	low := (w | 0x20*lowBits) &^ highBits
	fromA, behindZ := low+(0x80-'a')*lowBits, low+(0x80-'z'-1)*lowBits
	n = bits.TrailingZeros64(^(fromA&^behindZ&^w)&highBits) / 8
	return low & (1<<(8*n) - 1), n
}

// check is what confirming needs to know of a term in most cases: it is
// small, so that those of all terms stay near the processor.
type check struct {
	known   uint8 // runes that the table has found
	runes   uint8 // of the term
	size    uint8 // of the term in bytes, if every way of writing has as many
	simple  bool  // the table tells everything but what stands around the term
	letter  bool  // its last rune is a letter
	doubles bool  // its last rune may double before an ending
	open    bool  // it may begin inside a word
	mode    Mode
	kind    HitKind
	context Context
	assigns assignment
	term    TermID
}

func (t *term) check() check {
	c := check{mode: t.Mode, kind: t.hit.Kind, context: t.hit.Context, assigns: t.assigns, term: t.hit.Term}
	if t.expression != nil {
		return c
	}
	first, last := t.runes[0], t.runes[len(t.runes)-1]
	c.runes, c.size = uint8(len(t.runes)), uint8(t.size)
	c.letter = unicode.IsLetter(last)
	c.doubles = last == 'm' || last == 'n'
	c.open = t.Mode == Suffix || t.Mode == Inside
	c.simple = !c.open && t.Mode != Exact && isWordRune(first) && !slices.Contains(t.runes, ' ')
	return c
}

// confirmed decides whether a term, whose known runes end before end, stands
// there, as term.confirm does.
func (e *Engine) confirmed(id int32, c *check, b []byte, end int) (from, to int, ok bool) {
	if c.known < c.runes {
		if end = e.terms[id].matchOn(b, end, int(c.known)); end < 0 {
			return 0, 0, false
		}
	}
	if c.simple {
		if from, to, ok, sure := c.whole(b, end); sure {
			return from, to, ok
		}
	}
	return e.terms[id].confirm(b, end)
}

// whole decides most cases without the term itself: the table has found it
// where no ASCII letter or digit stands before. sure is false when confirm
// must decide.
func (c *check) whole(b []byte, end int) (from, to int, ok, sure bool) {
	from, to = end-int(c.size), end
	if c.size == 0 {
		for range c.runes {
			from--
			for b[from]&0xC0 == 0x80 {
				from--
			}
		}
	}
	if from > 0 && b[from-1] >= utf8.RuneSelf {
		return 0, 0, false, false
	}
	switch {
	case c.mode == Prefix:
		for to < len(b) && asciiLetter(b[to]) && to-end < maxWord {
			to++
		}
	case c.letter && to < len(b) && asciiLetter(b[to]):
		if to, ok = asciiEnding(b, end, c.doubles); !ok {
			return 0, 0, false, true
		}
	}
	return from, to, true, to == len(b) || b[to] < utf8.RuneSelf
}

// matchOn returns the end of the term if its first known runes end at i, or
// -1.
func (t *term) matchOn(b []byte, i, known int) int {
	for _, want := range t.runes[known:] {
		if want == ' ' {
			n := i
			for n < len(b) && n-i < maxGap && spaceByte(b[n]) {
				n++
			}
			if n == i {
				return -1
			}
			i = n
			continue
		}
		if i == len(b) {
			return -1
		}
		r, n := rune(b[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(b[i:])
		}
		if r != want && !t.sameLetter(r, want) {
			return -1
		}
		i += n
	}
	return i
}

const maxEnding = 5

// endings are those of Swedish nouns, adjectives and verbs that do not change
// the stem.
var endings = [...]string{
	"", "s", "en", "ens", "et", "ets", "n", "ns", "t", "ts",
	"ar", "ars", "arna", "arnas", "er", "ers", "erna", "ernas",
	"or", "ors", "orna", "ornas", "na", "nas", "a", "as", "e", "es",
	"ad", "ade", "ades", "at", "ats", "des", "de", "an", "ans", "r", "rs",
}

// letterSet is a small set of words of at most eight lower-case letters, as
// lowerLetters returns them: a table with open addressing.
type letterSet [128]uint64

// endingSet holds the endings; the empty one is in every set.
var endingSet = func() *letterSet {
	set := &letterSet{}
	for _, e := range endings {
		letters, _ := lowerLetters([]byte(e), 0)
		i := letterHash(letters)
		for set[i] != 0 {
			i = (i + 1) % len(set)
		}
		set[i] = letters
	}
	return set
}()

func letterHash(letters uint64) int { return int(letters * 0x9e3779b97f4a7c15 >> 57) }

func (s *letterSet) has(letters uint64) bool {
	for i := letterHash(letters); ; i = (i + 1) % len(s) {
		if s[i] == letters || s[i] == 0 {
			return s[i] == letters || letters == 0
		}
	}
}
