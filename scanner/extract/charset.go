package extract

import (
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// TextReader returns the text of r as UTF-8 whatever its charset, which it
// finds out by reading all of r once before. What the document itself
// declares ("iso-8859-1"; "" if nothing) is believed unless the bytes are
// plainly Unicode. A byte order mark is dropped; bytes that are no text become
// U+FFFD. It does not read lines or change their ends.
func TextReader(r io.ReaderAt, size int64, declared string) (io.Reader, error) {
	var c census
	buf := make([]byte, min(max(size, 0), 64<<10))
	for at := int64(0); at < size; {
		n, err := r.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		c.add(buf[:n])
		at += int64(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return transform.NewReader(io.NewSectionReader(r, 0, size), c.encoding(declared).NewDecoder()), nil
}

// DecodeText is TextReader for a text that is in memory.
func DecodeText(b []byte, declared string) string {
	var c census
	c.add(b)
	s, _ := c.encoding(declared).NewDecoder().Bytes(b) // these decoders replace, they do not fail
	return string(s)
}

// Charset returns the encoding that a mail or web page names ("iso-8859-1",
// "windows-1252", "latin1"), or nil if nobody knows it. ISO 8859-1 is taken
// for its superset Windows-1252, as browsers do (WHATWG Encoding Standard).
func Charset(label string) encoding.Encoding {
	if e, err := htmlindex.Get(label); err == nil {
		return orLenient(e)
	}
	for _, index := range []*ianaindex.Index{ianaindex.MIME, ianaindex.IANA} {
		if e, err := index.Encoding(label); err == nil && e != nil {
			return orLenient(e)
		}
	}
	return nil
}

// orLenient reads what claims to be UTF-8 and is not quite, instead of losing
// the letters that are not.
func orLenient(e encoding.Encoding) encoding.Encoding {
	if e == unicode.UTF8 {
		return lenientUTF8{}
	}
	return e
}

// Codepage returns the encoding of a Windows code page number, as RTF, MSG
// and OLE property sets name it. Unknown ones are Windows-1252, by far the
// most common in Sweden.
func Codepage(number int) encoding.Encoding {
	if e, ok := map[int]encoding.Encoding{
		437: charmap.CodePage437, 850: charmap.CodePage850, 852: charmap.CodePage852, 855: charmap.CodePage855,
		858: charmap.CodePage858, 860: charmap.CodePage860, 863: charmap.CodePage863, 865: charmap.CodePage865,
		866: charmap.CodePage866, 874: charmap.Windows874,
		932: japanese.ShiftJIS, 936: simplifiedchinese.GBK, 949: korean.EUCKR, 950: traditionalchinese.Big5,
		1200: unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), 1201: unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
		1250: charmap.Windows1250, 1251: charmap.Windows1251, 1253: charmap.Windows1253, 1254: charmap.Windows1254,
		1255: charmap.Windows1255, 1256: charmap.Windows1256, 1257: charmap.Windows1257, 1258: charmap.Windows1258,
		10000: charmap.Macintosh, 10007: charmap.MacintoshCyrillic, 0x8000: charmap.Macintosh,
		20866: charmap.KOI8R, 21866: charmap.KOI8U, 50220: japanese.ISO2022JP, 50221: japanese.ISO2022JP, 51932: japanese.EUCJP,
		28592: charmap.ISO8859_2, 28595: charmap.ISO8859_5, 28597: charmap.ISO8859_7, 28605: charmap.ISO8859_15,
		54936: simplifiedchinese.GB18030, 65001: lenientUTF8{},
	}[number]; ok {
		return e
	}
	return charmap.Windows1252
}

// census counts in a text what tells its charset: byte order marks, zero
// bytes, valid UTF-8, and each high byte by the company it keeps.
type census struct {
	total   int64
	head    []byte // the first 4 bytes
	nul     [2]int64
	control int64
	multi   int64 // valid UTF-8 sequences of more than one byte
	invalid int64 // bytes that are not UTF-8
	high    [128][companies][companies]int64
	rest    []byte // an unfinished UTF-8 sequence
	last    byte
	pending bool    // last is a high byte whose right neighbour is to come
	before  company // and this its left one
}

// company is what stands beside a byte.
type company uint8

const (
	outside company = iota // space, punctuation, ends
	lower
	upper
	digit
	other // another high byte
	companies
)

func classOf(b byte) company {
	switch {
	case b >= 'a' && b <= 'z':
		return lower
	case b >= 'A' && b <= 'Z':
		return upper
	case b >= '0' && b <= '9':
		return digit
	case b >= 0x80:
		return other
	}
	return outside
}

// plain are the bytes that tell nothing.
var plain = func() (t [256]bool) {
	for x := range t {
		t[x] = x >= ' ' && x < 0x80 || x == '\t' || x == '\n' || x == '\r'
	}
	return t
}()

// add counts the next bytes of the text.
func (c *census) add(b []byte) {
	if len(b) == 0 {
		return
	}
	if len(c.head) < 4 {
		c.head = append(c.head, b[:min(4-len(c.head), len(b))]...)
	}
	c.addUTF8(b)
	c.neighbour(classOf(b[0]))
	for i, x := range b {
		switch {
		case plain[x]:
		case x < 0x80:
			c.addControl(x, c.total+int64(i))
		default:
			c.before = classOf(c.last)
			if i > 0 {
				c.before = classOf(b[i-1])
			}
			c.pending, c.last = true, x
			if i+1 < len(b) {
				c.neighbour(classOf(b[i+1]))
			}
		}
	}
	c.total += int64(len(b))
	c.last = b[len(b)-1]
}

// neighbour counts the high byte that waits for its right neighbour.
func (c *census) neighbour(after company) {
	if c.pending {
		c.high[c.last-0x80][c.before][after]++
		c.pending = false
	}
}

func (c *census) addControl(x byte, at int64) {
	switch x {
	case 0:
		c.nul[at&1]++
	case '\f', '\v', 0x1a, 0x1b:
	default:
		c.control++
	}
}

func (c *census) addUTF8(b []byte) {
	if len(c.rest) > 0 {
		b = append(c.rest, b...)
		c.rest = nil
	}
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		if !utf8.FullRune(b[i:]) {
			c.rest = append([]byte(nil), b[i:]...)
			return
		}
		i += c.countRune(b[i:])
	}
}

func (c *census) countRune(b []byte) int {
	r, n := utf8.DecodeRune(b)
	switch {
	case r == utf8.RuneError && n == 1:
		c.invalid++
	case n > 1:
		c.multi++
	}
	return n
}

// encoding says what the text is written in.
func (c *census) encoding(declared string) encoding.Encoding {
	if e := c.marked(); e != nil {
		return e
	}
	if e := c.wide(); e != nil {
		return e
	}
	if c.invalid == 0 && c.multi > 0 {
		return lenientUTF8{}
	}
	if declared != "" {
		if e := Charset(declared); e != nil {
			return e
		}
	}
	// Some wrong bytes among many right ones are a text that others have
	// written to, or a cut-off end. Where they are few, it is UTF-8.
	if c.invalid == 0 || c.multi > 2*c.invalid {
		return lenientUTF8{}
	}
	return c.eightBit()
}

func (c *census) marked() encoding.Encoding {
	h := append(append([]byte(nil), c.head...), 1, 1, 1, 1)
	switch {
	case h[0] == 0xFF && h[1] == 0xFE && h[2] == 0 && h[3] == 0:
		return utf32.UTF32(utf32.LittleEndian, utf32.UseBOM)
	case h[0] == 0 && h[1] == 0 && h[2] == 0xFE && h[3] == 0xFF:
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM)
	case h[0] == 0xFF && h[1] == 0xFE, h[0] == 0xFE && h[1] == 0xFF:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case h[0] == 0xEF && h[1] == 0xBB && h[2] == 0xBF:
		return lenientUTF8{}
	}
	return nil
}

// wide recognises UTF-16 without a mark: Latin text has its zero bytes on one
// side.
func (c *census) wide() encoding.Encoding {
	pairs := c.total / 2
	even, odd := c.nul[0], c.nul[1]
	switch {
	case pairs == 0:
		return nil
	case odd > pairs/3 && even*10 <= odd:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case even > pairs/3 && odd*10 <= even:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	}
	return nil
}

// eightBit chooses among the 8-bit charsets of Swedish text by the company
// that the letters keep which they would turn the bytes into.
func (c *census) eightBit() encoding.Encoding {
	c.neighbour(outside)
	best, bestScore := charmap.Windows1252, c.score(charmap.Windows1252)
	for _, candidate := range []*charmap.Charmap{charmap.ISO8859_15, charmap.CodePage850, charmap.Macintosh} {
		if s := c.score(candidate); s > bestScore {
			best, bestScore = candidate, s
		}
	}
	return best
}

func (c *census) score(m *charmap.Charmap) (sum int64) {
	for i := range c.high {
		r := m.DecodeByte(byte(i + 0x80))
		for before := range companies {
			for after := range companies {
				if n := c.high[i][before][after]; n > 0 {
					sum += n * plausible(r, before, after)
				}
			}
		}
	}
	return sum
}

// plausible says how well r fits between what stands before and after it.
func plausible(r rune, before, after company) int64 {
	touches := func(x company) bool { return before == x || after == x }
	inWord := touches(lower) || touches(upper)
	switch r {
	case 'å', 'ä', 'ö':
		if before == upper && after != lower {
			return -2
		}
		if inWord {
			return 10
		}
		return 1
	case 'Å', 'Ä', 'Ö':
		if before == lower {
			return -6
		}
		if inWord {
			return 8
		}
		return 1
	case 'é', 'è', 'ü', 'É', 'á', 'à', 'ø', 'æ', 'ë', 'ï', 'ñ', 'ó', 'ç', 'Ü', 'Ø', 'Æ', 'í', 'ô', 'ê', 'â':
		if inWord {
			return 2
		}
		return -2
	case '–', '—', '’', '‘', '”', '“', '„', '…', '•', '§', '°', '½', '¼', '´', '·', '«', '»', '€', '£', '×', '±', '²', '³', '\u00a0', '©', '®', '™', 'µ', '¨':
		if before == lower && after == lower && r != '’' && r != '´' {
			return -4
		}
		return 2
	case '─', '│', '┌', '┐', '└', '┘', '├', '┤', '┬', '┴', '┼', '═', '║', '╔', '╗', '╚', '╝', '╠', '╣', '╦', '╩', '╬', '█', '░', '▒', '▓':
		// Frames stand in rows and columns, never in words.
		if inWord {
			return -6
		}
		return 1
	case '\ufffd':
		return -10
	}
	if r >= 0x80 && r < 0xa0 {
		return -10 // C1 controls are no text
	}
	if inWord {
		return -3
	}
	return -1
}

// binary says that the bytes are no text in any charset.
func (c *census) binary() bool {
	if c.marked() != nil || c.wide() != nil {
		return false
	}
	return (c.nul[0]+c.nul[1])*200 > c.total || c.control*20 > c.total
}

// lenientUTF8 reads UTF-8 and takes what is not for Windows-1252. It drops a
// byte order mark at the start.
type lenientUTF8 struct{}

func (lenientUTF8) NewDecoder() *encoding.Decoder {
	return &encoding.Decoder{Transformer: &lenientDecoder{}}
}

func (lenientUTF8) NewEncoder() *encoding.Encoder { return unicode.UTF8.NewEncoder() }

type lenientDecoder struct{ started bool }

func (d *lenientDecoder) Reset() { d.started = false }

func (d *lenientDecoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	if !d.started {
		if len(src) < 3 && !atEOF {
			return 0, 0, transform.ErrShortSrc
		}
		if len(src) >= 3 && src[0] == 0xEF && src[1] == 0xBB && src[2] == 0xBF {
			nSrc = 3
		}
		d.started = true
	}
	if n := wholeRunes(src[nSrc:min(len(src), nSrc+len(dst))]); utf8.Valid(src[nSrc : nSrc+n]) {
		copy(dst, src[nSrc:nSrc+n])
		nDst, nSrc = n, nSrc+n
	}
	for nSrc < len(src) {
		b := src[nSrc:]
		if b[0] < utf8.RuneSelf {
			if nDst == len(dst) {
				return nDst, nSrc, transform.ErrShortDst
			}
			dst[nDst] = b[0]
			nDst, nSrc = nDst+1, nSrc+1
			continue
		}
		if !utf8.FullRune(b) && !atEOF {
			return nDst, nSrc, transform.ErrShortSrc
		}
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			r = charmap.Windows1252.DecodeByte(b[0])
		}
		if nDst+utf8.RuneLen(r) > len(dst) {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], r)
		nSrc += n
	}
	return nDst, nSrc, nil
}

// wholeRunes is the length of b without a rune that is cut off at its end.
func wholeRunes(b []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-i:]) {
				return len(b) - i
			}
			break
		}
	}
	return len(b)
}
