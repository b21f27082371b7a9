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
	made.size = made.fixedSize(len(made.runes))
	return made, nil
}

// fixedSize returns the bytes of the term's first known runes where the
// literal table has found them, or 0 if that must be looked up.
func (t *term) fixedSize(known int) int {
	n := 0
	for _, r := range t.runes[:known] {
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
	case unicode.IsLetter(last) && t.Bare:
		if letterAt(b, end) {
			return 0, 0, false
		}
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
	size    uint8 // of those in bytes, if every way of writing has as many
	rest    uint8 // bytes of the runes behind them; of Exact, of all
	masked  bool  // rest is among Engine.rests
	simple  bool  // the table tells where the term begins
	letter  bool  // its last rune is a letter
	doubles bool  // its last rune may double before an ending
	open    bool  // it may begin inside a word
	bare    bool  // it has no endings
	mode    Mode
	kind    HitKind
	context Context
	assigns assignment
	runes   uint8  // of the term
	rests   uint32 // where its rest begins
	term    TermID
}

// maskedBytes are eight bytes of a term, and which of their bits do not
// matter.
type maskedBytes struct{ want, ignore uint64 }

// cutRest notes what the table does not hold of the term, and adds its bytes
// to all if those of either case differ in a single bit. The table ignores
// case: of a term of mode Exact it holds nothing for sure.
func (c *check) cutRest(t *term, all []maskedBytes) []maskedBytes {
	if t.expression != nil {
		return all
	}
	rest := t.runes[c.known:]
	if t.Mode == Exact && len(rest) == 0 && t.plainASCII() {
		rest = t.runes
	}
	var want, ignore []byte
	for _, r := range rest {
		c.rest += uint8(utf8.RuneLen(r))
		c.masked = c.masked || len(want) == 0
		if r >= utf8.RuneSelf && (r < 'à' || r > 'þ') {
			c.masked = false
			return all
		}
		want = utf8.AppendRune(want, r)
		ignore = append(ignore, make([]byte, len(want)-len(ignore))...)
		if unicode.IsLetter(r) && t.Mode != Exact {
			ignore[len(want)-1] = 0x20
		}
	}
	c.rests = uint32(len(all))
	for len(want)%8 != 0 {
		want, ignore = append(want, 0), append(ignore, 0xFF)
	}
	for ; len(want) > 0; want, ignore = want[8:], ignore[8:] {
		all = append(all, maskedBytes{binary.LittleEndian.Uint64(want), binary.LittleEndian.Uint64(ignore)})
	}
	return all
}

// plainASCII reports whether each rune of the term is a byte, and the same
// everywhere.
func (t *term) plainASCII() bool {
	return !slices.ContainsFunc(t.runes, func(r rune) bool { return r >= utf8.RuneSelf || r == ' ' })
}

// restEnd returns the end of the term whose known runes end at an offset, or
// -1.
func (e *Engine) restEnd(id int32, c *check, b []byte, end int) int {
	if !c.masked {
		return e.terms[id].matchOn(b, end, int(c.known))
	}
	i := end
	for _, m := range e.rests[c.rests:][:(c.rest+7)/8] {
		if differ := (loadEight(b, i) ^ m.want) &^ m.ignore; differ != 0 {
			shift := bits.TrailingZeros64(differ) &^ 7
			i += shift / 8
			if i < len(b) && variant(byte(m.want>>shift), b[i], b[i-1]) {
				return e.terms[id].matchOn(b, end, int(c.known))
			}
			return -1
		}
		i += 8
	}
	if end += int(c.rest); end > len(b) {
		return -1
	}
	return end
}

// variant reports whether a byte that a term does not want may still be
// another way to write it: more or other white space, or å ä ö without their
// marks.
func variant(want, is, before byte) bool {
	return spaceByte(is) && (want == ' ' || spaceByte(before)) || want >= utf8.RuneSelf && asciiLetter(is)
}

// loadEight returns the eight bytes at i, zeros behind the text.
func loadEight(b []byte, i int) uint64 {
	if i+8 <= len(b) {
		return binary.LittleEndian.Uint64(b[i:])
	}
	var rest [8]byte
	if i < len(b) {
		copy(rest[:], b[i:])
	}
	return binary.LittleEndian.Uint64(rest[:])
}

func (t *term) check(known int, table *literalTable) check {
	c := check{mode: t.Mode, kind: t.hit.Kind, context: t.hit.Context, assigns: t.assigns, term: t.hit.Term}
	if t.expression != nil {
		return c
	}
	first, last := t.runes[0], t.runes[len(t.runes)-1]
	c.runes, c.known = uint8(len(t.runes)), uint8(known)
	c.size = uint8(t.fixedSize(known))
	c.letter = unicode.IsLetter(last)
	c.doubles = last == 'm' || last == 'n'
	c.bare = t.Bare
	c.open = t.Mode == Suffix || t.Mode == Inside
	c.simple = !c.open && t.Mode != Exact && isWordRune(first) && !slices.Contains(t.runes[:known], ' ') && !table.shares(t.runes[:known])
	return c
}

// confirmed decides whether a term, whose known runes end before end, stands
// there, as term.confirm does.
func (e *Engine) confirmed(id int32, c *check, b []byte, end int) (from, to int, ok bool) {
	known := end
	switch {
	case c.known < c.runes:
		if end = e.restEnd(id, c, b, end); end < 0 {
			return 0, 0, false
		}
	case c.masked && !e.written(c, b, end-int(c.rest)):
		return 0, 0, false
	}
	if c.simple {
		return c.whole(b, known, end)
	}
	return e.terms[id].confirm(b, end)
}

// written reports whether a term of mode Exact stands at an offset.
func (e *Engine) written(c *check, b []byte, at int) bool {
	for i, m := range e.rests[c.rests:][:(c.rest+7)/8] {
		if (loadEight(b, at+8*i)^m.want)&^m.ignore != 0 {
			return false
		}
	}
	return true
}

// whole does the work of term.confirm without the term itself, the known part
// of which ends before known: the table has found that where no ASCII letter
// or digit stands before.
func (c *check) whole(b []byte, known, end int) (from, to int, ok bool) {
	from = known - int(c.size)
	if c.size == 0 {
		for range c.known {
			from--
			for b[from]&0xC0 == 0x80 {
				from--
			}
		}
	}
	if from > 0 && b[from-1] >= utf8.RuneSelf && letterBefore(b, from) {
		return 0, 0, false
	}
	if c.mode == Prefix {
		return from, wordEnd(b, end), true
	}
	to = end
	if c.letter {
		if to < len(b) && asciiLetter(b[to]) {
			if c.bare {
				return 0, 0, false
			}
			if to, ok = asciiEnding(b, end, c.doubles); !ok {
				return 0, 0, false
			}
		}
		if to < len(b) && b[to] >= utf8.RuneSelf && letterAt(b, to) {
			return 0, 0, false
		}
	}
	return from, to, true
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
