package rtf

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode"
	"unicode/utf16"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// control reads what follows a backslash: a word with its number, or a
// symbol.
func (p *parser) control() error {
	c, err := p.r.ReadByte()
	if err != nil {
		return nil // parse meets the end itself
	}
	if c|0x20 < 'a' || c|0x20 > 'z' {
		p.symbol(c)
		return nil
	}
	word, number, has, err := p.word(c)
	if err != nil {
		return err
	}
	if p.skip > 0 && word != "bin" { // a word stands for one byte
		p.skip--
		return nil
	}
	return p.act(word, number, has)
}

// word reads the letters and the number of a control word, and the blank that
// may end it.
func (p *parser) word(first byte) (word string, number int, has bool, err error) {
	letters, digits := []byte{first}, []byte(nil)
	for {
		c, err := p.r.ReadByte()
		if err != nil {
			break
		}
		isLetter := c|0x20 >= 'a' && c|0x20 <= 'z'
		isDigit := c >= '0' && c <= '9' || c == '-' && len(digits) == 0
		switch {
		case isLetter && len(digits) == 0 && len(letters) < 40:
			letters = append(letters, c)
			continue
		case isDigit && len(digits) < 12:
			digits = append(digits, c)
			continue
		case c == ' ':
		default:
			if err := p.r.UnreadByte(); err != nil {
				return "", 0, false, err
			}
		}
		break
	}
	number, err = strconv.Atoi(string(digits))
	return string(letters), number, err == nil, nil
}

// symbol acts on a backslash before what is no letter.
func (p *parser) symbol(c byte) {
	switch c {
	case '\'':
		b, err := p.r.Peek(2)
		if err != nil {
			return
		}
		v, err := strconv.ParseUint(string(b), 16, 8)
		if err != nil {
			return
		}
		_, _ = p.r.Discard(2) // it was peeked at
		p.char(byte(v))
	case '*':
		p.starred = true
	case '~':
		p.special("\u00A0")
	case '_':
		p.special("-")
	case '\r', '\n':
		p.paragraph()
	case '\\', '{', '}':
		p.char(c)
	}
}

// special writes what a symbol stands for.
func (p *parser) special(s string) {
	if p.skip > 0 {
		p.skip--
		return
	}
	p.decode()
	p.write(s)
}

// act does what a control word says.
func (p *parser) act(word string, number int, has bool) error {
	starred := p.starred
	p.starred = false
	if p.begins(word) {
		return nil
	}
	if starred && !known[word] {
		p.decode()
		p.now.dest = toNowhere
		return nil
	}
	if p.charset(word, number, has) || p.look(word, number, has) {
		return nil
	}
	switch word {
	case "u":
		p.unicode(number)
	case "par", "sect", "page":
		p.paragraph()
	case "line", "lbr", "softline":
		p.special("\n")
	case "tab":
		p.special("\t")
	case "cell":
		p.cell()
	case "row":
		p.endRow()
	case "nestcell":
		p.special("\t")
	case "nestrow":
		p.special("\n")
	case "emdash":
		p.special("—")
	case "endash":
		p.special("–")
	case "lquote":
		p.special("‘")
	case "rquote":
		p.special("’")
	case "ldblquote":
		p.special("“")
	case "rdblquote":
		p.special("”")
	case "bullet":
		p.special("•")
	case "emspace", "enspace", "qmspace":
		p.special(" ")
	case "bin":
		return p.bin(number)
	case "pngblip":
		p.ending = ".png"
	case "jpegblip":
		p.ending = ".jpg"
	case "emfblip":
		p.ending = ".emf"
	case "wmetafile":
		p.ending = ".wmf"
	}
	return nil
}

// known are the starred words whose text is read though no destination of its
// own begins.
var known = map[string]bool{"shppict": true, "shpinst": true, "ud": true, "formfield": true, "userprops": true, "sp": true, "upr": true, "revised": true, "deleted": true, "do": true, "oldcprops": true, "xe": true}

// begins changes to the destination that a word begins, if it does.
func (p *parser) begins(word string) bool {
	kind, dest := storyKind(word), purpose(word)
	if kind == "" && dest == toText {
		return false
	}
	p.decode()
	if p.now.dest == toNowhere { // nothing counts in what is passed over
		return true
	}
	p.now.dest = dest
	switch {
	case kind != "":
		p.now.to = &target{part: extract.Part{Kind: kind}}
		p.now.inTable, p.now.paragraph, p.now.hidden, p.now.deleted = false, "", false, false
	case dest == toProperty:
		p.now.name = word
	case dest == toPicture || dest == toObject:
		p.binary = &hexBuffer{most: min(p.in.Limits.Inflate, 128<<20)}
		p.ending = ""
	}
	return true
}

// storyKind is the kind of the text that stands beside the document's own.
func storyKind(word string) extract.Kind {
	switch word {
	case "header", "headerl", "headerr", "headerf":
		return extract.Header
	case "footer", "footerl", "footerr", "footerf":
		return extract.Footer
	case "footnote":
		return extract.Note
	case "annotation":
		return extract.Comment
	case "shptxt", "dptxbxtext":
		return extract.TextBox
	}
	return ""
}

// purpose is the destination that a word begins, toText for all others.
func purpose(word string) destination {
	switch word {
	case "fonttbl":
		return toFonts
	case "stylesheet":
		return toStyles
	case "title", "subject", "author", "manager", "company", "operator", "category", "keywords", "comment", "doccomm",
		"atnauthor", "ffdeftext", "ffl", "propname", "staticval", "docvar", "sn", "sv":
		return toProperty
	case "fldinst":
		return toInstruction
	case "pict":
		return toPicture
	case "objdata":
		return toObject
	case "nonshppict", "colortbl", "themedata", "colorschememapping", "latentstyles", "datastore", "rsidtbl", "listtable",
		"listoverridetable", "generator", "xmlnstbl", "filetbl", "revtbl", "pgptbl", "blipuid", "bkmkstart", "bkmkend", "datafield",
		"panose", "falt", "mmathPr", "fontemb", "fontfile", "pgdsctbl", "passwordhash", "listpicture", "creatim", "revtim", "printim",
		"htmltag", "mhtmltag", "objclass", "objname", "picprop", "atnid", "atnref", "atntime", "atndate", "atnicn", "wgrffmtfilter":
		return toNowhere
	}
	return toText
}

// charset acts on the words about how bytes become letters.
func (p *parser) charset(word string, number int, has bool) bool {
	set := func(codepage int) {
		p.decode()
		p.codepage, p.now.codepage = codepage, codepage
	}
	switch word {
	case "ansicpg":
		if has && number > 0 {
			set(number)
		}
	case "mac":
		set(10000)
	case "pc":
		set(437)
	case "pca":
		set(850)
	case "f", "af":
		p.useFont(word, number)
	case "fcharset":
		if p.now.dest == toFonts {
			p.fonts[p.font] = charsets[number]
		}
	case "cpg":
		if p.now.dest == toFonts {
			p.fonts[p.font] = number
		}
	case "uc":
		p.now.unicodeSkip = max(0, min(number, 10))
	default:
		return false
	}
	return true
}

func (p *parser) useFont(word string, number int) {
	if p.now.dest == toFonts {
		p.font = number
		return
	}
	if word != "f" {
		return
	}
	p.decode()
	p.now.codepage = p.codepage
	if codepage := p.fonts[number]; codepage != 0 {
		p.now.codepage = codepage
	}
}

// charsets are the code pages of font charsets; 0: the document's own.
var charsets = map[int]int{0: 1252, 77: 10000, 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255, 178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250, 254: 437, 255: 850}

// look acts on the words about how text looks, as far as that says what it is.
func (p *parser) look(word string, number int, has bool) bool {
	off := has && number == 0
	switch word {
	case "plain":
		p.decode()
		p.now.codepage, p.now.hidden, p.now.deleted = p.codepage, false, false
	case "v":
		p.decode()
		p.now.hidden = !off
	case "deleted":
		p.decode()
		p.now.deleted = !off
	case "pard":
		p.now.inTable, p.now.paragraph = false, ""
	case "intbl":
		p.now.inTable = true
	case "s":
		if p.now.dest == toStyles {
			p.style = number
		} else {
			p.now.paragraph = p.headings[number]
		}
	case "outlinelevel":
		if p.now.dest == toText && number < 9 && p.now.paragraph == "" {
			p.now.paragraph = extract.Heading
		}
	default:
		return false
	}
	return true
}

// unicode writes a letter by its number; what stands for it in 8 bits is
// passed over.
func (p *parser) unicode(number int) {
	p.decode()
	p.skip = p.now.unicodeSkip
	r := rune(uint16(number))
	switch {
	case number > 0xFFFF && number <= unicode.MaxRune:
		r = rune(number)
	case utf16.IsSurrogate(r) && p.high == 0:
		p.high = r
		return
	case p.high != 0:
		r = utf16.DecodeRune(p.high, r)
		p.high = 0
	case r >= 0xF000 && r <= 0xF0FF: // a symbol font's
		if r -= 0xF000; r < ' ' || r >= 0x7F && r < 0xA0 {
			r = '•'
		}
	}
	p.write(string(r))
}

// bin reads bytes that stand as they are.
func (p *parser) bin(n int) error {
	if n <= 0 {
		return nil
	}
	r := io.LimitReader(p.r, int64(n))
	if p.binary == nil || p.now.dest != toPicture && p.now.dest != toObject {
		r = io.LimitReader(r, int64(n))
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
		return nil
	}
	b := make([]byte, 32<<10)
	for {
		n, err := r.Read(b)
		for _, c := range b[:n] {
			p.binary.raw(c)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("rtf: %w", err)
		}
		if err := p.ctx.Err(); err != nil {
			return err
		}
	}
}
