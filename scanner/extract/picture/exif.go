package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// exif is what stands beside the pixels: Exif 2.32 (CIPA DC-008).
type exif struct {
	orientation         int
	latitude, longitude float64
	located             bool
	notes               []note
}

type note struct{ name, value string }

// text writes a line for each fact, the position in decimal degrees (WGS 84).
func (e exif) text() string {
	var b strings.Builder
	if e.located {
		fmt.Fprintf(&b, "GPS: %.6f, %.6f\n", e.latitude, e.longitude)
	}
	for _, n := range e.notes {
		fmt.Fprintf(&b, "%s: %s\n", n.name, n.value)
	}
	return b.String()
}

const exifSize = 1 << 20 // an APP1 segment has 64 KiB; PNG and WebP may have more

// readExif finds the Exif block by the picture's format. A picture without
// one, or with a broken one, has no facts.
func readExif(in extract.Input) exif {
	var block []byte
	switch in.MediaType {
	case "image/jpeg":
		block = jpegExif(in)
	case "image/png":
		block = chunk(in, 8, "eXIf", true)
	case "image/webp":
		block = bytes.TrimPrefix(chunk(in, 12, "EXIF", false), []byte("Exif\x00\x00"))
	case "image/heic", "image/heif", "image/avif":
		block = heifExif(in)
	case "image/tiff":
		block = make([]byte, min(in.Size, 16<<20))
		n, _ := in.ReadAt(block, 0)
		block = block[:n]
	}
	var e exif
	if t, ok := openTIFF(block); ok {
		e.directory(t, t.first, 0)
	}
	return e
}

// jpegExif walks the segments before the picture.
func jpegExif(in extract.Input) []byte {
	at := int64(2)
	head := make([]byte, 4)
	for range 64 {
		if _, err := in.ReadAt(head, at); err != nil || head[0] != 0xff || head[1] == 0xda {
			return nil
		}
		size := int64(binary.BigEndian.Uint16(head[2:]))
		if size < 2 {
			return nil
		}
		if head[1] == 0xe1 {
			b := make([]byte, size-2)
			if _, err := in.ReadAt(b, at+4); err == nil && bytes.HasPrefix(b, []byte("Exif\x00\x00")) {
				return b[6:]
			}
		}
		at += 2 + size
	}
	return nil
}

// chunk finds a chunk of PNG (length, name) or RIFF (name, length).
func chunk(in extract.Input, at int64, name string, png bool) []byte {
	head := make([]byte, 8)
	for range 4096 {
		if _, err := in.ReadAt(head, at); err != nil {
			return nil
		}
		kind, size, next := string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:])), int64(0)
		if png {
			kind, size = string(head[4:]), int64(binary.BigEndian.Uint32(head[:4]))
			next = at + 12 + size
		} else {
			next = at + 8 + size + size&1
		}
		if kind == name && size <= exifSize {
			b := make([]byte, size)
			n, err := in.ReadAt(b, at+8)
			if err != nil && !errors.Is(err, io.EOF) {
				return nil
			}
			return b[:n]
		}
		at = next
	}
	return nil
}

// embeddedExif finds the block by its own beginning, wherever the boxes of the
// file put it.
func embeddedExif(in extract.Input) []byte {
	const piece, overlap = 1 << 20, 16
	buf := make([]byte, piece)
	for at := int64(0); at < min(in.Size, 64<<20); at += piece - overlap {
		n, err := in.ReadAt(buf, at)
		for _, mark := range []string{"Exif\x00\x00II*\x00", "Exif\x00\x00MM\x00*"} {
			if i := bytes.Index(buf[:n], []byte(mark)); i >= 0 {
				block := make([]byte, maxValue)
				n, _ := in.ReadAt(block, at+int64(i)+6)
				return block[:n]
			}
		}
		if err != nil {
			break
		}
	}
	return nil
}

// directories is a block of directories of tagged values (TIFF 6.0, section 2).
type directories struct {
	b     []byte
	order binary.ByteOrder
	first uint32
}

func openTIFF(b []byte) (directories, bool) {
	if len(b) < 8 {
		return directories{}, false
	}
	t := directories{b: b}
	switch string(b[:2]) {
	case "II":
		t.order = binary.LittleEndian
	case "MM":
		t.order = binary.BigEndian
	default:
		return directories{}, false
	}
	t.first = t.order.Uint32(b[4:])
	return t, true
}

// entry is one tagged value.
type entry struct {
	tag, kind uint16
	count     uint32
	value     []byte
}

const (
	maxEntries = 512      // of one directory
	maxValue   = 64 << 10 // bytes of one value
)

// entries returns the values of the directory at an offset.
func (t directories) entries(at uint32) []entry {
	if uint64(at)+2 > uint64(len(t.b)) {
		return nil
	}
	n := min(int(t.order.Uint16(t.b[at:])), maxEntries)
	var list []entry
	for i := range n {
		p := uint64(at) + 2 + uint64(i)*12
		if p+12 > uint64(len(t.b)) {
			break
		}
		e := entry{tag: t.order.Uint16(t.b[p:]), kind: t.order.Uint16(t.b[p+2:]), count: t.order.Uint32(t.b[p+4:])}
		size := uint64(e.count) * typeSize(e.kind)
		switch {
		case size <= 4:
			e.value = t.b[p+8 : p+8+size]
		default:
			from := uint64(t.order.Uint32(t.b[p+8:]))
			if size > maxValue || from+size > uint64(len(t.b)) {
				continue
			}
			e.value = t.b[from : from+size]
		}
		list = append(list, e)
	}
	return list
}

func typeSize(kind uint16) uint64 {
	switch kind {
	case 3, 8:
		return 2
	case 4, 9, 11:
		return 4
	case 5, 10, 12:
		return 8
	}
	return 1
}

// Tags of Exif and of the directories it points to.
const (
	tagDescription  = 0x010e
	tagOrientation  = 0x0112
	tagArtist       = 0x013b
	tagCopyright    = 0x8298
	tagExifPointer  = 0x8769
	tagGPSPointer   = 0x8825
	tagUserComment  = 0x9286
	tagXPTitle      = 0x9c9b
	tagXPComment    = 0x9c9c
	tagXPAuthor     = 0x9c9d
	tagXPKeywords   = 0x9c9e
	tagXPSubject    = 0x9c9f
	tagOwner        = 0xa430
	tagLatitudeRef  = 1
	tagLatitude     = 2
	tagLongitudeRef = 3
	tagLongitude    = 4
)

func (e *exif) directory(t directories, at uint32, depth int) {
	for _, v := range t.entries(at) {
		switch v.tag {
		case tagOrientation:
			if len(v.value) >= 2 {
				e.orientation = int(t.order.Uint16(v.value))
			}
		case tagExifPointer:
			if len(v.value) == 4 && depth == 0 {
				e.directory(t, t.order.Uint32(v.value), depth+1)
			}
		case tagGPSPointer:
			if len(v.value) == 4 && depth == 0 {
				e.position(t, t.order.Uint32(v.value))
			}
		case tagDescription:
			e.note("Description", latin(v.value))
		case tagArtist:
			e.note("Artist", latin(v.value))
		case tagOwner:
			e.note("Owner", latin(v.value))
		case tagCopyright:
			e.note("Copyright", latin(v.value))
		case tagUserComment:
			if len(v.value) > 8 {
				e.note("Comment", comment(v.value[:8], v.value[8:], t.order))
			}
		case tagXPTitle, tagXPComment, tagXPAuthor, tagXPKeywords, tagXPSubject:
			e.note("Comment", wide(v.value, binary.LittleEndian))
		}
	}
}

func (e *exif) note(name, value string) {
	if value = strings.TrimSpace(strings.Trim(value, "\x00")); value != "" {
		e.notes = append(e.notes, note{name, value})
	}
}

// position reads degrees, minutes and seconds.
func (e *exif) position(t directories, at uint32) {
	var lat, long float64
	var south, west, hasLat, hasLong bool
	for _, v := range t.entries(at) {
		switch v.tag {
		case tagLatitudeRef:
			south = strings.HasPrefix(string(v.value), "S")
		case tagLongitudeRef:
			west = strings.HasPrefix(string(v.value), "W")
		case tagLatitude:
			lat, hasLat = degrees(t, v.value)
		case tagLongitude:
			long, hasLong = degrees(t, v.value)
		}
	}
	if !hasLat || !hasLong || math.Abs(lat) > 90 || math.Abs(long) > 180 || lat == 0 && long == 0 {
		return
	}
	if south {
		lat = -lat
	}
	if west {
		long = -long
	}
	e.latitude, e.longitude, e.located = lat, long, true
}

func degrees(t directories, b []byte) (float64, bool) {
	if len(b) < 24 {
		return 0, false
	}
	sum := 0.0
	for i, part := range []float64{1, 60, 3600} {
		n, d := t.order.Uint32(b[i*8:]), t.order.Uint32(b[i*8+4:])
		if d == 0 {
			if n == 0 {
				continue
			}
			return 0, false
		}
		sum += float64(n) / float64(d) / part
	}
	return sum, true
}

// latin is what should be ASCII and often is UTF-8 or Latin-1.
func latin(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

func wide(b []byte, order binary.ByteOrder) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = order.Uint16(b[i*2:])
	}
	return string(utf16.Decode(u))
}

func comment(code, text []byte, order binary.ByteOrder) string {
	if bytes.HasPrefix(code, []byte("UNICODE")) {
		return wide(text, order)
	}
	return latin(text)
}
