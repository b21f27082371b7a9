package ole

import (
	"bytes"
	"compress/zlib"
	"crypto/rc4"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Records of a presentation ([MS-PPT] 2.13.24).
const (
	pptDocument        = 0x03E8
	pptSlide           = 0x03EE
	pptSlideInfo       = 0x03F9
	pptNotes           = 0x03F0
	pptNotesAtom       = 0x03F1
	pptSlidePersist    = 0x03F3
	pptMaster          = 0x03F8
	pptHandout         = 0x0FC9
	pptSlideList       = 0x0FF0
	pptUserEdit        = 0x0FF5
	pptPersistTable    = 0x1772
	pptTextHeader      = 0x0F9F
	pptTextChars       = 0x0FA0
	pptTextBytes       = 0x0FA8
	pptString          = 0x0FBA
	pptHeadersFooters  = 0x0FD9
	pptLink            = 0x0FD7
	pptComment         = 0x2EE0
	pptCryptSession    = 0x2F14
	pptObject          = 0x1011
	pptTagData         = 0x138B
	pptClientTextBox   = 0xF00D
	pptShape           = 0xF004
	pptPlaceholderAtom = 0x0BC3
)

// presentation reads the text of a presentation of PowerPoint 97 to 2003.
type presentation struct {
	d        *document
	b        []byte
	slides   map[int64]int  // slide number by where the slide lies
	numbers  map[uint32]int // slide number by the slide's id
	live     bool           // slides are known: others are left from before
	document int64          // where the document of today lies
	seen     map[uint64]bool
	seed     maphash.Seed
	deleted  []deletedText // left from earlier saves
	held     int           // bytes of it
	lost     bool          // something points to where there is nothing
	// decrypted: a password opened it.
	decrypted bool
}

type deletedText struct {
	part extract.Part
	text string
	key  uint64
}

// pptScope is where text at some place in the tree of records goes.
type pptScope struct {
	part   extract.Part
	master bool
	inList bool // the outline: all slides' texts one after the other
	title  bool
	depth  int
}

func (d *document) powerPoint(b, currentUser []byte) error {
	p := &presentation{d: d, b: b, slides: map[int64]int{}, numbers: map[uint32]int{}, seen: map[uint64]bool{}, seed: maphash.MakeSeed()}
	if len(currentUser) >= 16 && le.Uint32(currentUser[12:]) == 0xF3D1C4DF {
		if err := p.decrypt(currentUser); err != nil {
			return err
		}
	}
	p.findSlides(currentUser)
	err := p.walk(0, int64(len(b)), pptScope{part: extract.Part{Kind: extract.Body}})
	for _, t := range p.deleted {
		if !p.seen[t.key] {
			p.seen[t.key] = true
			d.flow.Alone(t.part, t.text)
		}
	}
	d.flow.Flush()
	if p.lost && err == nil {
		d.flow.Gap("", fmt.Errorf("powerpoint: broken records: %w", extract.ErrDamaged))
	}
	return err
}

// findSlides follows the last save to where the slides of today lie: a file
// keeps those of earlier saves ([MS-PPT] 2.1.2).
func (p *presentation) findSlides(currentUser []byte) {
	if len(currentUser) < 20 {
		return
	}
	persist := map[uint32]int64{}
	document := uint32(0)
	p.eachEdit(currentUser, func(edit []byte) {
		if document == 0 {
			document = le.Uint32(edit[8+16:])
		}
		p.persistTable(int64(le.Uint32(edit[8+12:])), func(id uint32, at int64) {
			if _, later := persist[id]; !later {
				persist[id] = at
			}
		})
	})
	at, ok := persist[document]
	p.document = at
	if !ok || at+8 > int64(len(p.b)) {
		return
	}
	number := 0
	p.each(at+8, min(int64(len(p.b)), at+8+int64(le.Uint32(p.b[at+4:]))), func(kind, instance uint16, from, to int64) {
		if kind != pptSlideList || instance != 0 {
			return
		}
		p.each(from, to, func(kind, _ uint16, from, to int64) {
			if kind == pptSlidePersist && to-from >= 16 {
				number++
				at, ok := persist[le.Uint32(p.b[from:])]
				if ok {
					p.slides[at] = number
				}
				if !ok || at+8 > int64(len(p.b)) || le.Uint16(p.b[at+2:]) != pptSlide {
					p.lost = true
				}
				p.numbers[le.Uint32(p.b[from+12:])] = number
			}
		})
	})
	p.live = len(p.slides) > 0
}

// eachEdit visits the saves of a file, the last one first.
func (p *presentation) eachEdit(currentUser []byte, visit func(edit []byte)) {
	if len(currentUser) < 20 {
		return
	}
	seen := map[int64]bool{}
	for at := int64(le.Uint32(currentUser[16:])); at > 0 && at+36 <= int64(len(p.b)) && !seen[at]; {
		seen[at] = true
		edit := p.b[at:]
		if le.Uint16(edit[2:]) != pptUserEdit {
			return
		}
		visit(edit)
		at = int64(le.Uint32(edit[8+8:]))
	}
}

// decrypt finds the password and decrypts the objects in place: all but the
// records that say where they lie, each with the key of its number
// ([MS-OFFCRYPTO] 2.3.5.4, [MS-PPT] 2.3.7).
func (p *presentation) decrypt(currentUser []byte) error {
	encrypted := fmt.Errorf("powerpoint: %w", extract.ErrEncrypted)
	type object struct {
		id uint32
		at int64
	}
	var objects []object
	session := uint32(0)
	p.eachEdit(currentUser, func(edit []byte) {
		if le.Uint32(edit[4:]) >= 32 && len(edit) >= 40 && session == 0 {
			session = le.Uint32(edit[36:])
		}
		p.persistTable(int64(le.Uint32(edit[8+12:])), func(id uint32, at int64) { objects = append(objects, object{id, at}) })
	})
	var cipher *blockCipher
	for _, o := range objects {
		if o.id != session || o.at < 0 || o.at+8 > int64(len(p.b)) || le.Uint16(p.b[o.at+2:]) != pptCryptSession {
			continue
		}
		header := p.b[o.at+8 : min(int64(len(p.b)), o.at+8+int64(le.Uint32(p.b[o.at+4:])))]
		var err error
		if cipher, err = p.d.cryptoAPICipher(header, 0, encrypted); err != nil {
			return err
		}
		break
	}
	if cipher == nil {
		return encrypted
	}
	p.b = append([]byte(nil), p.b...)
	done := map[int64]bool{}
	for _, o := range objects {
		if o.id == session || done[o.at] || o.at < 0 || o.at+8 > int64(len(p.b)) {
			continue
		}
		done[o.at] = true
		stream, err := rc4.NewCipher(cipher.key(o.id))
		if err != nil {
			return encrypted
		}
		stream.XORKeyStream(p.b[o.at:o.at+8], p.b[o.at:o.at+8])
		content := p.b[o.at+8 : min(int64(len(p.b)), o.at+8+int64(le.Uint32(p.b[o.at+4:])))]
		stream.XORKeyStream(content, content)
	}
	p.decrypted, p.d.lockedPictures = true, true
	return nil
}

// persistTable visits the objects of one save.
func (p *presentation) persistTable(at int64, visit func(id uint32, at int64)) {
	if at+8 > int64(len(p.b)) || le.Uint16(p.b[at+2:]) != pptPersistTable {
		return
	}
	b := p.b[at+8 : min(int64(len(p.b)), at+8+int64(le.Uint32(p.b[at+4:])))]
	for len(b) >= 4 {
		first, count := le.Uint32(b)&0xFFFFF, int(le.Uint32(b)>>20)
		b = b[4:]
		for i := range count {
			if len(b) < 4 {
				return
			}
			visit(first+uint32(i), int64(le.Uint32(b)))
			b = b[4:]
		}
	}
}

// each calls visit for the records in [from,to), by where their content lies.
func (p *presentation) each(from, to int64, visit func(kind, instance uint16, from, to int64)) {
	for from+8 <= to {
		size := int64(le.Uint32(p.b[from+4:]))
		end := from + 8 + size
		if end > to {
			end, p.lost = to, true
		}
		visit(le.Uint16(p.b[from+2:]), le.Uint16(p.b[from:])>>4, from+8, end)
		from = end
	}
}

// walk reads the records in [from,to).
func (p *presentation) walk(from, to int64, s pptScope) error {
	if s.depth > 100 {
		return nil
	}
	var failed error
	number := 0
	p.each(from, to, func(kind, _ uint16, from, to int64) {
		if failed != nil {
			return
		}
		switch kind {
		case pptSlidePersist:
			if s.inList {
				number++
				s.part.Place = fmt.Sprintf("slide %d", number)
			}
		case pptTextHeader:
			s.title = to > from && (p.b[from] == 0 || p.b[from] == 6)
		case pptTextChars, pptTextBytes, pptString:
			p.text(kind, p.b[from:to], s)
		default:
			failed = p.record(kind, from, to, s)
		}
		if failed == nil {
			failed = p.d.flow.Err()
		}
	})
	return failed
}

// record acts on a record that is no text.
func (p *presentation) record(kind uint16, from, to int64, s pptScope) error {
	version := le.Uint16(p.b[from-8:]) & 0xF
	inner := s
	inner.depth++
	switch kind {
	case pptCryptSession:
		if p.decrypted {
			return nil
		}
		return fmt.Errorf("powerpoint: %w", extract.ErrEncrypted)
	case pptObject:
		p.object(from, to, s)
		return nil
	case pptDocument:
		if p.live && from-8 != p.document {
			inner.part.Kind = extract.Deleted
		}
	case pptSlide:
		inner.part = p.slidePart(from, to)
	case pptNotes:
		inner.part = extract.Part{Kind: extract.Note, Place: p.notesPlace(from, to)}
	case pptMaster, pptHandout:
		inner.part, inner.master = extract.Part{Kind: extract.Header}, true
	case pptSlideList:
		inner.inList = le.Uint16(p.b[from-8:])>>4 == 0
		inner.master = le.Uint16(p.b[from-8:])>>4 == 1
	case pptHeadersFooters:
		inner.part.Kind = extract.Footer
	case pptLink:
		inner.part.Kind = extract.Hidden
	case pptComment:
		inner.part.Kind = extract.Comment
	case pptShape:
		if s.master && p.holds(from, to, pptPlaceholderAtom, 3) {
			return nil // the prompt of a placeholder: "Click to edit"
		}
	default:
		if version != 0xF && kind != pptTagData && kind != pptClientTextBox {
			return nil
		}
	}
	return p.walk(from, to, inner)
}

// slidePart tells a slide by where it lies.
func (p *presentation) slidePart(from, to int64) extract.Part {
	part := extract.Part{Kind: extract.Body}
	if number, ok := p.slides[from-8]; ok {
		part.Place = fmt.Sprintf("slide %d", number)
	} else if p.live {
		part.Kind = extract.Deleted
	}
	p.each(from, to, func(kind, _ uint16, from, to int64) {
		if kind == pptSlideInfo && to-from >= 12 && p.b[from+10]&4 != 0 && part.Kind == extract.Body {
			part.Kind = extract.Hidden
		}
	})
	return part
}

func (p *presentation) notesPlace(from, to int64) string {
	place := ""
	p.each(from, to, func(kind, _ uint16, from, to int64) {
		if kind == pptNotesAtom && to-from >= 4 {
			if number := p.numbers[le.Uint32(p.b[from:])]; number > 0 {
				place = fmt.Sprintf("slide %d", number)
			}
		}
	})
	return place
}

// holds says whether a record of this kind lies in [from,to), so deep.
func (p *presentation) holds(from, to int64, wanted uint16, depth int) bool {
	found := false
	p.each(from, to, func(kind, _ uint16, from, to int64) {
		if kind == wanted || depth > 0 && le.Uint16(p.b[from-8:])&0xF == 0xF && p.holds(from, to, wanted, depth-1) {
			found = true
		}
	})
	return found
}

// text writes a text, once: outline and slides repeat each other, and so do
// earlier saves.
func (p *presentation) text(kind uint16, b []byte, s pptScope) {
	text := ""
	if kind == pptTextBytes {
		text = decode(b, 28591)
	} else {
		text = utf16String(b)
	}
	text = strings.TrimSpace(strings.NewReplacer("\r", "\n", "\v", "\n", "\x00", "").Replace(text))
	if text == "" || text == "*" || kind == pptString && strings.HasPrefix(text, "___PPT") {
		return
	}
	if s.master && s.inList {
		return
	}
	anywhere, here := maphash.String(p.seed, text), maphash.String(p.seed, s.part.Place+"\x00"+string(s.part.Kind)+text)
	if s.part.Kind == extract.Deleted { // until all that is there today is known
		if p.held += len(text); p.held < 4<<20 {
			p.deleted = append(p.deleted, deletedText{s.part, text, anywhere})
		}
		return
	}
	if p.seen[here] || p.seen[anywhere] && kind == pptString {
		return
	}
	if len(p.seen) < 1_000_000 {
		p.seen[here], p.seen[anywhere] = true, true
	}
	part := s.part
	if kind == pptString && part.Kind == extract.Body {
		part.Kind = extract.Property
	} else if s.title && part.Kind == extract.Body {
		part.Kind = extract.Heading
	}
	p.d.flow.Alone(part, text)
}

// object hands over an embedded object, which is a compound file of its own.
func (p *presentation) object(from, to int64, s pptScope) {
	var content io.Reader = bytes.NewReader(p.b[from:to])
	if le.Uint16(p.b[from-8:])>>4 == 1 && to-from > 4 {
		z, err := zlib.NewReader(bytes.NewReader(p.b[from+4 : to]))
		if err != nil {
			p.d.flow.Gap("embedded object", fmt.Errorf("powerpoint: object: %w", extract.ErrDamaged))
			return
		}
		defer z.Close() //nolint:errcheck // only read
		content = &bounded{z, p.d.in.Limits.Inflate}
	}
	p.d.flow.File(extract.File{Name: "object.ole", Place: s.part.Place, Role: extract.Embedded, Content: content})
}

// bounded names the errors of what is inflated.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n, fmt.Errorf("ole: inflated size: %w", extract.ErrLimit)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("ole: inflate: %w", extract.ErrDamaged)
	}
	return n, err
}
