package picture

import (
	"bytes"
	"encoding/binary"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// heifExif finds the Exif block of a HEIF file by its list of items (ISO
// 23008-12, annex A), or, where that is broken, by how it begins.
func heifExif(in extract.Input) []byte {
	meta := topBox(in, "meta")
	if len(meta) < 4 {
		return embeddedExif(in)
	}
	meta = meta[4:] // version and flags
	id, ok := exifItem(box(meta, "iinf"))
	if !ok {
		return embeddedExif(in)
	}
	at, size, ok := itemPlace(box(meta, "iloc"), id)
	if !ok || size < 4 || size > exifSize {
		return embeddedExif(in)
	}
	block := make([]byte, size)
	if _, err := in.ReadAt(block, at); err != nil {
		return embeddedExif(in)
	}
	// The TIFF header stands so many bytes behind this number.
	if skip := int64(binary.BigEndian.Uint32(block)); skip <= size-4 {
		return block[4+skip:]
	}
	return nil
}

const maxMeta = 4 << 20 // bytes of the box that lists a file's items

// topBox returns the content of a file's first box of a kind.
func topBox(in extract.Input, kind string) []byte {
	head := make([]byte, 16)
	at := int64(0)
	for range 64 {
		n, _ := in.ReadAt(head, at)
		if n < 8 {
			return nil
		}
		size, from := int64(binary.BigEndian.Uint32(head)), int64(8)
		switch {
		case size == 1 && n == 16:
			size, from = int64(binary.BigEndian.Uint64(head[8:])&(1<<62-1)), 16 //nolint:gosec // 62 bits
		case size == 0:
			size = in.Size - at
		}
		if size < from {
			return nil
		}
		if string(head[4:8]) == kind {
			if size > maxMeta {
				return nil
			}
			content := make([]byte, size-from)
			n, _ := in.ReadAt(content, at+from)
			return content[:n]
		}
		at += size
	}
	return nil
}

// box returns the content of the first box of a kind among boxes.
func box(boxes []byte, kind string) []byte {
	for len(boxes) >= 8 {
		size := int64(binary.BigEndian.Uint32(boxes))
		if size < 8 || size > int64(len(boxes)) {
			return nil
		}
		if string(boxes[4:8]) == kind {
			return boxes[8:size]
		}
		boxes = boxes[size:]
	}
	return nil
}

// exifItem returns the number of the item that holds the Exif block.
func exifItem(list []byte) (id uint32, ok bool) {
	count := 2
	if len(list) > 0 && list[0] != 0 {
		count = 4
	}
	if len(list) < 4+count {
		return 0, false
	}
	for entries := list[4+count:]; len(entries) >= 8; {
		size := int64(binary.BigEndian.Uint32(entries))
		if size < 8 || size > int64(len(entries)) {
			return 0, false
		}
		e := entries[8:size]
		entries = entries[size:]
		switch {
		case len(e) >= 12 && e[0] == 2 && string(e[8:12]) == "Exif":
			return uint32(binary.BigEndian.Uint16(e[4:])), true
		case len(e) >= 14 && e[0] == 3 && string(e[10:14]) == "Exif":
			return binary.BigEndian.Uint32(e[4:]), true
		}
	}
	return 0, false
}

// itemPlace looks up where an item lies in the file (ISO 14496-12, 8.11.3).
// Only items in one piece are found.
func itemPlace(list []byte, id uint32) (at, size int64, ok bool) {
	r := fields{bytes.NewReader(list), true}
	version := r.next(1)
	r.next(3)
	sizes := r.next(2)
	offsetSize, lengthSize, baseSize, indexSize := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	numbers := 2
	if version >= 2 {
		numbers = 4
	}
	for n := r.next(numbers); n > 0 && r.ok; n-- {
		item := r.next(numbers)
		inFile := true
		if version >= 1 {
			inFile = r.next(2)&15 == 0
		}
		r.next(2) // in this file
		base := r.next(baseSize)
		pieces := r.next(2)
		for range pieces {
			if version >= 1 {
				r.next(indexSize)
			}
			offset, length := r.next(offsetSize), r.next(lengthSize)
			if uint32(item) == id { //nolint:gosec // at most four bytes
				return int64(base + offset), int64(length), r.ok && inFile && pieces == 1 && base+offset < 1<<62 && length < 1<<62 //nolint:gosec // just checked
			}
			if !r.ok {
				return 0, 0, false
			}
		}
	}
	return 0, 0, false
}

// fields reads numbers of some bytes each, until they end.
type fields struct {
	r  *bytes.Reader
	ok bool
}

func (f *fields) next(size int) uint64 {
	n := uint64(0)
	for range size {
		b, err := f.r.ReadByte()
		if err != nil {
			f.ok = false
			return 0
		}
		n = n<<8 | uint64(b)
	}
	return n
}
