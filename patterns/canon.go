package patterns

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"
)

// canonText is a text in canonical form: composed Latin letters; ASCII
// spaces, hyphens, quotes and digits; nothing invisible; å ä ö repaired where
// UTF-8 was read as Latin-1 or CP 850. When nothing had to change, text is
// the original itself.
type canonText struct {
	text  []byte
	edits []edit
}

// edit says that from canonical offset off on, the original lies delta bytes
// further.
type edit struct{ off, delta int }

// restore maps hits, sorted by Start, to the original text. Invisible
// characters right before an offset count as before it.
func (c *canonText) restore(hits []Hit) {
	next := 0 // first edit behind the start of the hit at hand
	delta := func(i int) int {
		if i == 0 {
			return 0
		}
		return c.edits[i-1].delta
	}
	for i := range hits {
		h := &hits[i]
		for next < len(c.edits) && c.edits[next].off <= h.Start {
			next++
		}
		end := next
		for end < len(c.edits) && c.edits[end].off <= h.End {
			end++
		}
		h.Start += delta(next)
		h.End += delta(end)
	}
}

// canonicalizer holds the buffers of canonicalize.
type canonicalizer struct {
	buffer []byte
	edits  []edit
}

// canonicalize returns the canonical form of b. The result is valid until the
// next call.
func (c *canonicalizer) canonicalize(b []byte) canonText {
	c.edits = c.edits[:0]
	out := c.buffer[:0]
	copied, delta := 0, 0
	for i := nextSpecial(b, 0); i < len(b); i = nextSpecial(b, i) {
		r := replacementAt(b, i, copied)
		if r.size == 0 {
			i += r.skip
			continue
		}
		out = append(out, b[copied:r.from]...)
		out = append(out, r.text...)
		i = r.from + r.size
		copied = i
		delta += r.size - len(r.text)
		c.edits = append(c.edits, edit{len(out), delta})
	}
	if copied == 0 {
		return canonText{text: b}
	}
	out = append(out, b[copied:]...)
	c.buffer = out
	return canonText{out, c.edits}
}

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// special reports whether a byte may begin something to replace. C3 begins å,
// ä and ö, which are canonical already.
func special(c byte) bool { return c >= 0xC0 && c != 0xC3 }

// special8 has the high bit set in each of eight bytes that is special.
func special8(b []byte) uint64 {
	x := binary.LittleEndian.Uint64(b)
	z := x ^ (0xC3 * lowBits)
	notC3 := ((z & ^uint64(highBits)) + 0x7F*lowBits) | z
	return x & (x << 1) & notC3
}

// nextSpecial returns the first index from i on of a special byte, or len(b).
func nextSpecial(b []byte, i int) int {
	for ; i+64 <= len(b); i += 64 {
		p := b[i : i+64 : i+64]
		y := special8(p) | special8(p[8:]) | special8(p[16:]) | special8(p[24:]) |
			special8(p[32:]) | special8(p[40:]) | special8(p[48:]) | special8(p[56:])
		if y&highBits != 0 {
			break
		}
	}
	for ; i < len(b); i++ {
		if special(b[i]) {
			return i
		}
	}
	return len(b)
}

// replacement says what to do at a special byte: skip bytes if size is 0,
// otherwise put text in the place of size bytes at from.
type replacement struct {
	from, size int
	text       string
	skip       int
}

func keep(n int) replacement { return replacement{skip: n} }

// replacementAt decides for the special byte b[i]; bytes before copied are
// used up.
func replacementAt(b []byte, i, copied int) replacement {
	rest := len(b) - i
	switch c := b[i]; {
	case c == 0xC2 && rest >= 2:
		return replaceC2(b, i, copied)
	case (c == 0xCC || c == 0xCD) && rest >= 2:
		if i > copied {
			if s := compose(b[i-1], b[i], b[i+1]); s != "" {
				return replacement{from: i - 1, size: 3, text: s}
			}
		}
		return keep(2)
	case c == 0xC5 && rest >= 2 && b[i+1] == 0xBF: // long s
		return replacement{from: i, size: 2, text: "s"}
	case c < 0xE0:
		return keep(2)
	case c == 0xE2 && rest >= 3:
		return replaceE2(b, i, copied)
	case c == 0xE3 && rest >= 3 && b[i+1] == 0x80 && b[i+2] == 0x80: // ideographic space
		return replacement{from: i, size: 3, text: " "}
	case c == 0xEF && rest >= 3:
		return replaceEF(b, i)
	case c < 0xF0:
		return keep(3)
	}
	return keep(4)
}

// misread reports whether the bytes before i are "Ã": the first byte of å, ä
// or ö, read as Latin-1.
func misread(b []byte, i, copied int) bool {
	return i-2 >= copied && b[i-2] == 0xC3 && b[i-1] == 0x83
}

func replaceC2(b []byte, i, copied int) replacement {
	d := b[i+1]
	switch {
	case misread(b, i, copied) && d >= 0xA0 && d <= 0xBF:
		return replacement{from: i - 2, size: 4, text: string(rune(d) + 0x40)}
	case d == 0xAD: // soft hyphen
		return replacement{from: i, size: 2}
	case d == 0xA0:
		return replacement{from: i, size: 2, text: " "}
	}
	return keep(2)
}

func replaceE2(b []byte, i, copied int) replacement {
	d, e := b[i+1], b[i+2]
	one := func(s string) replacement { return replacement{from: i, size: 3, text: s} }
	switch {
	case d == 0x80:
		if s := misreadCapital(e); s != "" && misread(b, i, copied) {
			return replacement{from: i - 2, size: 5, text: s}
		}
		if s := misreadCP850(e); s != "" && betweenLetters(b, i, i+3) {
			return one(s)
		}
		switch {
		case e <= 0x8A, e == 0xAF:
			return one(" ")
		case e <= 0x8F, e >= 0xAA && e <= 0xAE: // zero width, direction marks
			return one("")
		case e <= 0x95:
			return one("-")
		case e >= 0x98 && e <= 0x9B:
			return one("'")
		case e >= 0x9C && e <= 0x9F:
			return one("\"")
		case e == 0xA8, e == 0xA9: // line and paragraph separators
			return one("\n")
		}
	case d == 0x81:
		switch {
		case e == 0x9F:
			return one(" ")
		case e >= 0xA0 && e <= 0xAF: // word joiner, isolates
			return one("")
		}
	case d == 0x84 && e == 0xAA: // Kelvin
		return one("K")
	case d == 0x84 && e == 0xAB: // Ångström
		return one("Å")
	case d == 0x88 && e == 0x92: // minus
		return one("-")
	}
	return keep(3)
}

// misreadCapital returns the capital that Windows-1252 shows as "Ã" and this
// character.
func misreadCapital(e byte) string {
	switch e {
	case 0x9E:
		return "Ä"
	case 0xA6:
		return "Å"
	case 0x93:
		return "Ö"
	}
	return ""
}

// misreadCP850 returns the letter that Windows-1252 shows as this character.
func misreadCP850(e byte) string {
	switch e {
	case 0xA0:
		return "å"
	case 0x9E:
		return "ä"
	case 0x9D:
		return "ö"
	}
	return ""
}

func betweenLetters(b []byte, from, to int) bool {
	small := func(c byte) bool { return c >= 'a' && c <= 'z' }
	return from > 0 && to < len(b) && small(b[from-1]) && small(b[to])
}

var ligatures = [...]string{"ff", "fi", "fl", "ffi", "ffl", "st", "st"}

func replaceEF(b []byte, i int) replacement {
	d, e := b[i+1], b[i+2]
	one := func(s string) replacement { return replacement{from: i, size: 3, text: s} }
	switch {
	case d == 0xBB && e == 0xBF, d == 0xB8 && e >= 0x80 && e <= 0x8F: // BOM, variation selectors
		return one("")
	case d == 0xBC && e >= 0x81 && e <= 0xBF: // fullwidth
		return one(string(rune(e - 0x60)))
	case d == 0xBD && e >= 0x80 && e <= 0x9E:
		return one(string(rune(e - 0x20)))
	case d == 0xAC && e >= 0x80 && e <= 0x86:
		return one(ligatures[e-0x80])
	}
	return keep(3)
}

// compositions gives, for each combining mark, pairs of a letter and what it
// becomes (Unicode canonical composition, Latin-1 and Latin Extended-A).
var compositions = map[[2]byte]string{
	{0xCC, 0x80}: "aàeèiìoòuùAÀEÈIÌOÒUÙ",
	{0xCC, 0x81}: "aáeéiíoóuúyýAÁEÉIÍOÓUÚYÝcćlĺnńrŕsśzźCĆLĹNŃRŔSŚZŹ",
	{0xCC, 0x82}: "aâeêiîoôuûAÂEÊIÎOÔUÛcĉgĝhĥjĵsŝwŵyŷ",
	{0xCC, 0x83}: "aãnñoõAÃNÑOÕiĩuũ",
	{0xCC, 0x84}: "aāeēiīoōuūAĀEĒIĪOŌUŪ",
	{0xCC, 0x86}: "aăeĕgğiĭoŏuŭAĂGĞ",
	{0xCC, 0x87}: "cċeėgġzżEĖZŻIİ",
	{0xCC, 0x88}: "aäeëiïoöuüyÿAÄEËIÏOÖUÜYŸ",
	{0xCC, 0x8A}: "aåAÅuůUŮ",
	{0xCC, 0x8B}: "oőuűOŐUŰ",
	{0xCC, 0x8C}: "cčdďeěnňrřsšzžCČDĎEĚNŇRŘSŠZŽ",
	{0xCC, 0xA7}: "cçCÇsşSŞtţTŢ",
	{0xCC, 0xA8}: "aąeęiįuųAĄEĘ",
}

// compose returns the letter with its mark, or "" if there is none.
func compose(letter, m0, m1 byte) string {
	pairs := compositions[[2]byte{m0, m1}]
	for i := 0; i < len(pairs); {
		base := pairs[i]
		_, n := utf8.DecodeRuneInString(pairs[i+1:])
		if base == letter {
			return pairs[i+1 : i+1+n]
		}
		i += 1 + n
	}
	return ""
}

// letterBefore reports whether a letter ends at i, letterAt whether one
// begins there.
func letterBefore(b []byte, i int) bool {
	if i <= 0 {
		return false
	}
	if c := b[i-1]; c < utf8.RuneSelf {
		return asciiLetter(c)
	}
	r, _ := utf8.DecodeLastRune(b[max(0, i-utf8.UTFMax):i])
	return unicode.IsLetter(r)
}

func letterAt(b []byte, i int) bool {
	if i >= len(b) {
		return false
	}
	if c := b[i]; c < utf8.RuneSelf {
		return asciiLetter(c)
	}
	r, _ := utf8.DecodeRune(b[i:])
	return unicode.IsLetter(r)
}

func asciiLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func asciiUpper(c byte) bool  { return c >= 'A' && c <= 'Z' }
func asciiDigit(c byte) bool  { return c-'0' <= 9 }
