package ole

import (
	"bytes"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// macros writes the source of the Visual Basic modules: people keep names and
// passwords there.
func (d *document) macros() {
	for _, s := range d.file.streams {
		if d.done[s] || !strings.HasSuffix(strings.ToUpper(s.path), "VBA/") || s.size > 64<<20 {
			continue
		}
		d.done[s] = true
		d.known = true
		b := s.bytes()
		// A module's compiled form comes first; its source begins with an
		// attribute, which is too short to be compressed.
		i := bytes.Index(b, []byte("\x00Attribut"))
		if i < 3 || b[i-3] != 1 {
			continue
		}
		d.flow.In(extract.Part{Kind: extract.Code, Place: s.name})
		for line := range strings.Lines(decode(decompressMacro(b[i-3:]), 1252)) {
			if !strings.HasPrefix(line, "Attribute VB_") {
				d.flow.Write(strings.TrimRight(line, "\r\n"))
				d.flow.Line()
			}
		}
	}
}

// decompressMacro unpacks a module's source ([MS-OVBA] 2.4.1).
func decompressMacro(b []byte) []byte {
	var out []byte
	for b = b[1:]; len(b) >= 3 && len(out) < 16<<20; {
		head := le.Uint16(b)
		size := min(int(head&0xFFF)+3, len(b))
		chunk := b[2:size]
		b = b[size:]
		if head&0x8000 == 0 {
			out = append(out, chunk...)
			continue
		}
		out = decompressChunk(out, chunk)
	}
	return out
}

// decompressChunk appends 4096 bytes, told by literals and copies of what came
// before in the same chunk.
func decompressChunk(out, chunk []byte) []byte {
	start := len(out)
	for len(chunk) > 0 {
		flags := chunk[0]
		chunk = chunk[1:]
		for bit := range 8 {
			if len(chunk) == 0 {
				return out
			}
			if flags>>bit&1 == 0 {
				out = append(out, chunk[0])
				chunk = chunk[1:]
				continue
			}
			if len(chunk) < 2 {
				return out
			}
			lengthBits := 12
			for n := 16; n < len(out)-start; n *= 2 {
				lengthBits--
			}
			lengthBits = max(lengthBits, 4)
			token := int(le.Uint16(chunk))
			chunk = chunk[2:]
			length, back := token&(1<<lengthBits-1)+3, token>>lengthBits+1
			if back > len(out)-start {
				return out
			}
			for range length {
				out = append(out, out[len(out)-back])
			}
		}
	}
	return out
}
