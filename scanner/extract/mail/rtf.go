package mail

import (
	"encoding/binary"
	"fmt"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// rtfDictionary is what compressed RTF may refer to before its beginning
// ([MS-OXRTFCP], 2.1.2.1).
const rtfDictionary = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0` +
	"\r\n" + `\par \pard\plain\f0\fs20\b\i\u\tab\tx`

// unpackRTF decompresses RTF as Outlook keeps it ([MS-OXRTFCP]). What was read
// before an error is good.
func unpackRTF(packed []byte, limit int64) ([]byte, error) {
	if len(packed) < 16 {
		return nil, fmt.Errorf("rtf: header: %w", extract.ErrDamaged)
	}
	size := int64(binary.LittleEndian.Uint32(packed[4:]))
	body := packed[16:]
	switch string(packed[8:12]) {
	case "MELA":
		return body[:min(size, int64(len(body)))], nil
	case "LZFu":
	default:
		return nil, fmt.Errorf("rtf: compression: %w", extract.ErrDamaged)
	}
	if size > limit {
		return nil, fmt.Errorf("rtf: %w", extract.ErrLimit)
	}
	return unpackLZFu(body, int(size))
}

func unpackLZFu(body []byte, size int) ([]byte, error) {
	var window [4096]byte
	at := copy(window[:], rtfDictionary)
	out := make([]byte, 0, min(size, 1<<20))
	put := func(c byte) {
		out = append(out, c)
		window[at%len(window)] = c
		at++
	}
	for len(body) > 0 && len(out) < size {
		flags := body[0]
		body = body[1:]
		for bit := 0; bit < 8 && len(body) > 0; bit++ {
			if flags>>bit&1 == 0 {
				put(body[0])
				body = body[1:]
				continue
			}
			if len(body) < 2 {
				return out, fmt.Errorf("rtf: ends too early: %w", extract.ErrDamaged)
			}
			reference := int(body[0])<<8 | int(body[1])
			body = body[2:]
			offset, length := reference>>4, reference&15+2
			if offset == at%len(window) {
				return out, nil // the mark of the end
			}
			for i := range length {
				put(window[(offset+i)%len(window)])
			}
		}
	}
	if len(out) < size {
		return out, fmt.Errorf("rtf: ends too early: %w", extract.ErrDamaged)
	}
	return out[:size], nil
}
