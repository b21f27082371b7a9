package patterns

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// digitPass finds identifiers made of digits: it looks once at the start of
// every run of digits and tries the shapes that begin so.
type digitPass struct {
	today civilDate
	tests testNumbers
	text  []byte
	hits  []Hit
	// taken is the end of the last certain identifier: runs inside it are
	// not looked at again.
	taken int
}

// scan finds the identifiers of canonical text; the hits are ordered by
// where their last run of digits begins.
func (s *digitPass) scan(text []byte, hits []Hit) []Hit {
	s.text, s.hits, s.taken = text, hits, 0
	var carry uint64
	for base := 0; base < len(text); base += 64 {
		var mask uint64
		if base+64 <= len(text) {
			mask = digitMask(text[base : base+64 : base+64])
		} else {
			mask = digitMaskTail(text[base:])
		}
		starts := mask &^ (mask<<1 | carry)
		carry = mask >> 63
		for starts != 0 {
			bit := bits.TrailingZeros64(starts)
			starts &= starts - 1
			length := bits.TrailingZeros64(^(mask >> bit))
			if bit+length >= 64 {
				length = runLength(text, base+bit)
			}
			if p := base + bit; p >= s.taken && !s.hopeless(p, length) {
				s.run(p, length)
			}
		}
	}
	return s.hits
}

// digitMask has bit i set where byte i of 64 is an ASCII digit. Eight bytes
// at a time; the multiplication gathers eight high bits into one byte.
func digitMask(p []byte) uint64 {
	p = p[:64]
	d0, d1, d2, d3 := digits8(p), digits8(p[8:]), digits8(p[16:]), digits8(p[24:])
	d4, d5, d6, d7 := digits8(p[32:]), digits8(p[40:]), digits8(p[48:]), digits8(p[56:])
	if d0|d1|d2|d3|d4|d5|d6|d7 == 0 {
		return 0
	}
	low := gather8(d0) | gather8(d1)<<8 | gather8(d2)<<16 | gather8(d3)<<24
	return low | gather8(d4)<<32 | gather8(d5)<<40 | gather8(d6)<<48 | gather8(d7)<<56
}

// digits8 has the high bit set in each of eight bytes that is a digit.
func digits8(p []byte) uint64 {
	y := binary.LittleEndian.Uint64(p) ^ ('0' * lowBits)
	tooLarge := (y & ^uint64(highBits)) + 0x76*lowBits
	return ^(tooLarge | y) & highBits
}

func gather8(high uint64) uint64 { return (high >> 7) * 0x0102040810204080 >> 56 }

func digitMaskTail(p []byte) uint64 {
	var mask uint64
	for i, c := range p {
		if asciiDigit(c) {
			mask |= 1 << i
		}
	}
	return mask
}

// runLength counts the digits at p.
func runLength(b []byte, p int) int {
	n := p
	for n < len(b) && asciiDigit(b[n]) {
		n++
	}
	return n - p
}

// at returns the byte at i, or a space outside the text.
func (s *digitPass) at(i int) byte {
	if i < 0 || i >= len(s.text) {
		return ' '
	}
	return s.text[i]
}

// digitsFrom reports whether exactly n digits stand at p.
func (s *digitPass) digitsFrom(p, n int) bool {
	return p >= 0 && p+n <= len(s.text) && runLength(s.text[:min(len(s.text), p+n+1)], p) == n
}

// edge says how an identifier is joined to what stands beside it.
type edge uint8

const (
	edgeFree       edge = iota // white space, punctuation
	edgeUnderscore             // _
	edgeNumber                 // part of a longer number: 1.23, 12-34
	edgeWord                   // part of a word
)

func (s *digitPass) leftEdge(p int) edge {
	if p == 0 {
		return edgeFree
	}
	switch c := s.text[p-1]; {
	case c >= utf8.RuneSelf:
		if letterBefore(s.text, p) {
			return edgeWord
		}
	case asciiLetter(c), asciiDigit(c):
		return edgeWord
	case c == '_':
		return edgeUnderscore
	case c == '-' || c == '.' || c == '+' || c == '/':
		if p >= 2 && asciiDigit(s.text[p-2]) || c == '+' {
			return edgeNumber
		}
	}
	return edgeFree
}

func (s *digitPass) rightEdge(e int) edge {
	if e >= len(s.text) {
		return edgeFree
	}
	switch c := s.text[e]; {
	case c >= utf8.RuneSelf:
		if letterAt(s.text, e) {
			return edgeWord
		}
	case asciiLetter(c), asciiDigit(c):
		return edgeWord
	case c == '_':
		return edgeUnderscore
	case c == '-' || c == '.' || c == '+' || c == '/':
		if e+1 < len(s.text) && asciiDigit(s.text[e+1]) {
			return edgeNumber
		}
	}
	return edgeFree
}

// dashedEdges is edges for a number written with its separator: a slash may
// stand between two of them.
func (s *digitPass) dashedEdges(p, e int) edge {
	left, right := s.leftEdge(p), s.rightEdge(e)
	if left == edgeNumber && s.text[p-1] == '/' {
		left = edgeFree
	}
	if right == edgeNumber && s.text[e] == '/' {
		right = edgeFree
	}
	return max(left, right)
}

// edges returns the worse of both sides.
func (s *digitPass) edges(p, e int) edge { return max(s.leftEdge(p), s.rightEdge(e)) }

func (s *digitPass) emit(id Identifier, from, to int, shape Shape, number uint64) {
	s.hits = append(s.hits, Hit{Start: from, End: to, Kind: IdentifierHit, Identifier: id, Shape: shape, number: number})
}

// take emits and skips the runs inside.
func (s *digitPass) take(id Identifier, from, to int, shape Shape, number uint64) {
	s.emit(id, from, to, shape, number)
	s.taken = to
}

// run tries the shapes that begin with, or end in, the run of n digits at p.
// What stands right behind it rules most shapes out.
func (s *digitPass) run(p, n int) {
	e := p + n
	behind := s.at(e)
	switch left := s.leftEdge(p); {
	case left == edgeWord:
		s.afterLetters(p, n)
		return
	case n > 19, left == edgeNumber && s.text[p-1] != '+' && s.text[p-1] != '/':
		return
	}
	if p >= 2 && s.text[p-1] == ' ' && (n <= 4 && s.afterWord(p, n) || n == 5 && s.postBox(p, e)) {
		return
	}
	if n >= 7 && n <= 9 {
		s.lostZeros(p, n)
		s.licence(p, n)
	}
	if !s.promises(p, n, behind) {
		return
	}
	date := n == 4 && s.dateAt(p)
	if next := s.at(p + isoDateLength); date && s.text[p] != '0' && !spaceByte(next) && !indexByte("-+./", next) {
		s.taken = p + isoDateLength
		return
	}
	if n <= 4 && s.text[p] == '0' && s.phone(p, n) || s.personRun(p, n) {
		return
	}
	if date {
		s.taken = p + isoDateLength
		return
	}
	if n == 6 && (s.nordicSix(p) || behind == '-' && s.recoveryKey(p)) || n == 11 && s.bareNordic(p, n) || s.card(p, n) {
		return
	}
	s.payments(p, n)
	s.places(p, n)
	if n > 4 && s.text[p] == '0' || s.at(p-1) == '+' {
		s.phone(p, n)
	}
}

// isoDateLength is that of "2006-01-02".
const isoDateLength = 10

// hopeless reports whether a run of n digits at p is certainly nothing, as
// most numbers in tables are, by the bytes beside it alone. It only says what
// run would find out, but without branches that no processor foresees.
func (s *digitPass) hopeless(p, n int) bool {
	before := hopelessBefore[s.at(p-1)]
	if before == insideWord {
		return n != 2 && n != 3 // those may be a plate's
	}
	if n > 4 && s.text[p] == '0' || n >= maxHopeless {
		return false
	}
	return before&hopelessBehind[s.at(p+n)]>>n&1 != 0
}

// insideWord marks the bytes before a run that belong to a word.
const insideWord = 1 << 15

// maxHopeless is the length from which runs are always looked at.
const maxHopeless = 7

// hopelessBefore and hopelessBehind hold, for each byte beside a run of
// digits, a bit for every length of the run that can be nothing there.
var hopelessBefore, hopelessBehind = func() (before, behind [256]uint16) {
	const all, upTo4, upTo5 = 1<<maxHopeless - 1, 1<<5 - 1, 1<<6 - 1
	for b := range 256 {
		c := byte(b)
		switch {
		case asciiLetter(c) && !asciiUpper(c):
			before[c] = insideWord
		case c >= utf8.RuneSelf || asciiLetter(c) || asciiDigit(c) || indexByte("_-.+/", c):
		case c == ' ': // a word may stand before it
			before[c] = all &^ upTo5
		default:
			before[c] = all
		}
		if !joins(c) {
			behind[c] |= upTo4
		}
		if c != '-' {
			behind[c] |= 1 << 5
		}
		if !joinsSix(c) {
			behind[c] |= 1 << 6
		}
	}
	return before, behind
}()

// promises reports whether a run of n digits at p can be part of an identifier
// by what stands right behind it. Most numbers in tables are nothing.
func (s *digitPass) promises(p, n int, behind byte) bool {
	if n <= 4 {
		return joins(behind)
	}
	if s.text[p] == '0' || s.at(p-1) == '+' { // a telephone number
		return true
	}
	switch n {
	case 5:
		return behind == '-'
	case 6:
		return joinsSix(behind)
	case 7:
		return behind == '-' || s.text[p] == '6' || s.text[p] == '7'
	case 9:
		return false
	}
	return true
}

// joins reports whether a byte behind a short run of digits can be part of an
// identifier.
func joins(c byte) bool {
	switch c {
	case ' ', '-', '.', ':', '/', ',', '(', ')', '\t', '\n', 0xC2: // the last begins a degree sign
		return true
	}
	return asciiLetter(c)
}

// joinsSix reports whether a byte behind six digits can be part of an
// identifier.
func joinsSix(c byte) bool { return spaceByte(c) || asciiUpper(c) || indexByte("-+./", c) }

// number returns the value of digits, at most 19 of them.
func number(d []byte) uint64 {
	var v uint64
	for _, c := range d {
		v = v*10 + uint64(c-'0')
	}
	return v
}
