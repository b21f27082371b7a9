package picture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"runtime/debug"
	"strings"

	"github.com/gen2brain/heic"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

const (
	// heifLargest is the area, in pixels, that a child's gigabyte holds in the
	// several copies that decoding makes: docs/bench/extraction.md.
	heifLargest = 30e6
	// heifFile is how many bytes a file may have. Telephones write two bits a
	// pixel.
	heifFile = 64 << 20
	// heifGarbage is the collector's percentage while a picture is decoded:
	// the decoder's memory grows by copying.
	heifGarbage = 20
)

// isHEIF tells whether a file begins as HEIF and its like (AVIF) do.
func isHEIF(in extract.Input) bool {
	head := make([]byte, 8)
	_, err := in.ReadAt(head, 0)
	return err == nil && string(head[4:]) == "ftyp"
}

// decodeHEIF returns the main picture of the file in shades of grey, upright:
// the file itself says how it is turned. libheif decodes it, as WebAssembly:
// a broken picture breaks only the memory of its instance, which is made for
// one picture. The first picture of a process waits until it is compiled.
func decodeHEIF(in extract.Input) (*image.Gray, error) {
	switch w, h := heifSize(in); {
	case w == 0 || h == 0:
		return nil, fmt.Errorf("heif: no size: %w", extract.ErrDamaged)
	case tiny(w, h):
		return nil, errTiny
	case float64(w)*float64(h) > heifLargest:
		return nil, fmt.Errorf("heif: %d × %d pixels: %w", w, h, extract.ErrLimit)
	case in.Size > heifFile:
		return nil, fmt.Errorf("heif: %d bytes: %w", in.Size, extract.ErrLimit)
	case heic.Dynamic() == nil:
		// The module prefers the machine's libheif, which nothing contains.
		return nil, fmt.Errorf("heif: built without the tag nodynamic: %w", extract.ErrUnsupported)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(heifGarbage))
	m, err := heic.Decode(in.Reader())
	switch {
	case err == nil:
		return grey(m), nil
	case strings.HasPrefix(err.Error(), "unsupported"): // has no value of its own
		return nil, fmt.Errorf("heif: colours: %w", extract.ErrUnsupported)
	case strings.HasPrefix(err.Error(), "read: "):
		return nil, extract.Damaged(errors.Unwrap(err))
	}
	return nil, fmt.Errorf("heif: not decoded: %w", extract.ErrDamaged) // the decoder's words may quote the picture
}

// heifSize is the largest size that a file claims for any of its pictures
// (ISO 23008-12, 6.5.3); 0 for none.
func heifSize(in extract.Input) (width, height int) {
	meta := topBox(in, "meta")
	if len(meta) < 4 {
		return 0, 0
	}
	const number, size = 4, 8 + 12
	var largest uint64
	for properties := box(box(meta[4:], "iprp"), "ipco"); len(properties) >= 8; {
		n := int64(binary.BigEndian.Uint32(properties))
		if n < 8 || n > int64(len(properties)) {
			break
		}
		if string(properties[4:8]) == "ispe" && n >= size {
			w, h := binary.BigEndian.Uint32(properties[8+number:]), binary.BigEndian.Uint32(properties[8+2*number:])
			if area := uint64(w) * uint64(h); area >= largest {
				largest, width, height = area, int(w), int(h)
			}
		}
		properties = properties[n:]
	}
	return width, height
}
