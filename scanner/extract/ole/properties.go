package ole

import (
	"strings"
	"time"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// properties reads the property sets of the document at path ([MS-OLEPS]).
func (d *document) properties(path string) {
	for _, name := range []string{"\x05SummaryInformation", "\x05DocumentSummaryInformation"} {
		s := d.file.find(path, name)
		if s == nil || s.size > 16<<20 {
			continue
		}
		d.done[s] = true
		b := s.bytes()
		for i := range 2 {
			if at := 28 + 20*i; len(b) >= at+20 {
				if offset := int64(le.Uint32(b[at+16:])); offset < int64(len(b)) && uint32(i) < le.Uint32(b[24:]) {
					d.propertySet(b[offset:], strings.HasPrefix(name, "\x05S"), i == 1)
				}
			}
		}
	}
}

// propertySet writes the texts of one set; title first, as "name: value".
func (d *document) propertySet(b []byte, summary, custom bool) {
	if len(b) < 8 {
		return
	}
	count := min(int(le.Uint32(b[4:])), 1000, (len(b)-8)/8)
	at := func(i int) []byte {
		if offset := int64(le.Uint32(b[8+8*i+4:])); offset < int64(len(b)) {
			return b[offset:]
		}
		return nil
	}
	codepage := 1252
	names := map[uint32]string{}
	for i := range count {
		switch id := le.Uint32(b[8+8*i:]); {
		case id == 1 && len(at(i)) >= 6:
			codepage = int(le.Uint16(at(i)[4:]))
		case id == 0 && custom:
			names = dictionary(at(i), codepage)
		}
	}
	for i := range count {
		id := le.Uint32(b[8+8*i:])
		value := strings.TrimSpace(strings.Trim(propertyText(at(i), codepage), "\x00"))
		if id < 2 || value == "" {
			continue
		}
		name := names[id]
		if !custom {
			name = propertyName(summary, id)
		}
		switch name {
		case "-":
		case "title":
			d.flow.Alone(extract.Part{Kind: extract.Title}, value)
		case "":
			d.flow.Alone(extract.Part{Kind: extract.Property}, value)
		default:
			d.flow.Alone(extract.Part{Kind: extract.Property}, name+": "+value)
		}
	}
}

// propertyName is the name of a well-known property, "-" for the dull ones.
func propertyName(summary bool, id uint32) string {
	if summary {
		return map[uint32]string{2: "title", 3: "subject", 4: "creator", 5: "keywords", 6: "description", 7: "-", 8: "lastModifiedBy", 9: "-", 18: "-"}[id]
	}
	return map[uint32]string{2: "category", 3: "-", 14: "manager", 15: "company", 27: "status", 28: "-", 29: "-"}[id]
}

// dictionary reads the names of custom properties.
func dictionary(b []byte, codepage int) map[uint32]string {
	names := map[uint32]string{}
	if len(b) < 4 {
		return names
	}
	count := le.Uint32(b)
	b = b[4:]
	for range min(count, 1000) {
		if len(b) < 8 {
			break
		}
		id, n := le.Uint32(b), int64(le.Uint32(b[4:]))
		size := n
		if codepage == 1200 {
			size = (2*n + 3) &^ 3
		}
		b = b[8:]
		if size > int64(len(b)) {
			break
		}
		names[id] = strings.Trim(eightOrWide(b[:size], codepage), "\x00")
		b = b[size:]
	}
	return names
}

func eightOrWide(b []byte, codepage int) string {
	if codepage == 1200 {
		return utf16String(b)
	}
	return decode(b, codepage)
}

// propertyText is the value of a property if it is a text or a date.
func propertyText(b []byte, codepage int) string {
	if len(b) < 8 {
		return ""
	}
	n := int64(le.Uint32(b[4:]))
	switch le.Uint16(b) {
	case 30: // VT_LPSTR
		if n <= int64(len(b)-8) {
			return eightOrWide(b[8:8+n], codepage)
		}
	case 31: // VT_LPWSTR
		if 2*n <= int64(len(b)-8) {
			return utf16String(b[8 : 8+2*n])
		}
	case 64: // VT_FILETIME
		if len(b) >= 12 && codepage == 0 {
			return time.Unix(int64(le.Uint64(b[4:])/1e7)-11644473600, 0).UTC().Format("2006-01-02")
		}
	}
	return ""
}
