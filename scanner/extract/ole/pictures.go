package ole

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// pictures hands over the photographs and drawings in b, which is a stream
// that holds them among other things ([MS-ODRAW] 2.2.23). They are found by
// the heads of their records, so that a broken neighbour hides none.
func (d *document) pictures(b []byte, path string) {
	count := 0
	for i := 0; i+25 < len(b) && d.flow.Err() == nil; {
		j := bytes.IndexByte(b[i:len(b)-25], 0xF0)
		if j < 0 {
			return
		}
		i += j + 1
		if i < 4 {
			continue
		}
		record := b[i-4:]
		ending, skip := pictureKind(le.Uint16(record), le.Uint16(record[2:]))
		size := int64(le.Uint32(record[4:]))
		if ending == "" || size <= int64(skip) || 8+size > int64(len(record)) {
			continue
		}
		count++
		if count > d.in.Limits.Entries {
			d.flow.Gap("pictures", extract.ErrLimit)
			return
		}
		var content io.Reader = bytes.NewReader(record[8+skip : 8+size])
		if ending == "bmp" {
			content = io.MultiReader(bytes.NewReader(bitmapHeader(record[8+skip:8+size])), content)
		}
		role := extract.Picture
		if ending == "emf" || ending == "wmf" { // drawings, with their text in them
			role = extract.Embedded
			content = d.unpacked(record[8+skip-2], content)
		}
		d.flow.File(extract.File{Name: fmt.Sprintf("image%d.%s", count, ending), Role: role, Content: content})
		i += 4 + int(size) - 1
	}
}

// unpacked inflates a drawing if it says that it is deflated.
func (d *document) unpacked(compression byte, r io.Reader) io.Reader {
	if compression != 0 {
		return r
	}
	z, err := zlib.NewReader(r)
	if err != nil {
		return bytes.NewReader(nil)
	}
	return &bounded{z, d.in.Limits.Inflate}
}

// pictureKind tells by the head of a record which picture it holds, and how
// many bytes after the head it begins.
func pictureKind(instance, kind uint16) (ending string, skip int) {
	if instance&0xF != 0 {
		return "", 0
	}
	instance >>= 4
	one, two := uint16(0), uint16(0) // instances with one and two identifiers
	head := 1                        // bytes after the identifiers
	switch kind {
	case 0xF01A:
		ending, one, two, head = "emf", 0x3D4, 0x3D5, 34
	case 0xF01B:
		ending, one, two, head = "wmf", 0x216, 0x217, 34
	case 0xF01D, 0xF02A:
		ending, one, two = "jpg", 0x46A, 0x46B
		if instance == 0x6E2 || instance == 0x6E3 {
			one, two = 0x6E2, 0x6E3
		}
	case 0xF01E:
		ending, one, two = "png", 0x6E0, 0x6E1
	case 0xF01F:
		ending, one, two = "bmp", 0x7A8, 0x7A9
	case 0xF029:
		ending, one, two = "tiff", 0x6E4, 0x6E5
	default:
		return "", 0
	}
	switch instance {
	case one:
		return ending, 16 + head
	case two:
		return ending, 32 + head
	}
	return "", 0
}

// bitmapHeader is what a device-independent bitmap lacks to be a file.
func bitmapHeader(b []byte) []byte {
	head := append([]byte("BM"), make([]byte, 12)...)
	le.PutUint32(head[2:], uint32(len(b)+14))
	pixels := uint32(14)
	if len(b) >= 40 {
		pixels += le.Uint32(b)
		if bits := le.Uint16(b[14:]); bits <= 8 {
			colors := le.Uint32(b[32:])
			if colors == 0 {
				colors = 1 << bits
			}
			pixels += 4 * colors
		}
	}
	le.PutUint32(head[10:], pixels)
	return head
}
