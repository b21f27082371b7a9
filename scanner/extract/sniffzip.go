package extract

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/richardlehane/mscfb"
)

// sniffNames bounds how many entries of a container are looked at.
const sniffNames = 4096

// sniffZip tells what a zip holds by the names in its directory or, when that
// is missing, in its local headers.
func sniffZip(r io.ReaderAt, size int64) string {
	names := zipDirectory(r, size)
	if len(names) == 0 {
		names = zipLocals(r, size)
	}
	for i, name := range names {
		names[i] = strings.TrimLeft(strings.ReplaceAll(name, `\`, "/"), "/")
	}
	if t := zipDeclared(r, size, names); t != "" {
		return t
	}
	office := ""
	for _, name := range names {
		if t := zipParts[strings.ToLower(name)]; t != "" {
			return t
		}
		lower := strings.ToLower(name)
		for _, p := range []struct{ prefix, mediaType string }{
			{"word/document", docx}, {"xl/worksheets/", xlsx}, {"ppt/slides/", pptx}, {"visio/pages/", vsdx},
		} {
			if strings.HasPrefix(lower, p.prefix) && office == "" {
				office = p.mediaType
			}
		}
	}
	if office == "" && slices.Contains(names, "[Content_Types].xml") {
		office = partly(names)
	}
	if office != "" {
		return office
	}
	return "application/zip"
}

// partly tells what an Office document was that has lost its main part.
func partly(names []string) string {
	for _, p := range []struct{ folder, mediaType string }{{"word/", docx}, {"xl/", xlsx}, {"ppt/", pptx}, {"visio/", vsdx}} {
		if slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(strings.ToLower(name), p.folder) }) {
			return p.mediaType
		}
	}
	return ""
}

const (
	docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	pptx = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	vsdx = "application/vnd.ms-visio.drawing.main+xml"
)

var zipParts = map[string]string{
	"word/document.xml": docx, "xl/workbook.xml": xlsx, "ppt/presentation.xml": pptx, "visio/document.xml": vsdx,
	"xl/workbook.bin":             "application/vnd.ms-excel.sheet.binary.macroenabled.12",
	"fixeddocseq.fdseq":           "application/vnd.ms-xpsdocument",
	"fixeddocumentsequence.fdseq": "application/oxps",
}

// zipDeclared reads what ODF and EPUB say they are: in their first entry,
// "mimetype", or else in the manifest.
func zipDeclared(r io.ReaderAt, size int64, names []string) string {
	for _, name := range names {
		if name != "mimetype" && name != "META-INF/manifest.xml" {
			continue
		}
		z, err := OpenZip(context.Background(), Input{ReaderAt: r, Size: size, Limits: Limits{Inflate: 64 << 10, Entries: 1 << 16}})
		if err != nil {
			return ""
		}
		part := z.Part(name)
		if part == nil {
			continue
		}
		rc, err := part.Open()
		if err != nil {
			return ""
		}
		text, _ := io.ReadAll(io.LimitReader(rc, 32<<10)) // what can be read is enough
		if err := rc.Close(); err != nil {
			return ""
		}
		if t := declaredType.Find(text); t != nil {
			return string(t)
		}
	}
	return ""
}

var declaredType = regexp.MustCompile(`application/(vnd\.oasis\.opendocument\.[a-z-]+|vnd\.sun\.xml\.[a-z.]+|epub\+zip)`)

// zipDirectory returns the names in the central directory, or nothing.
func zipDirectory(r io.ReaderAt, size int64) (names []string) {
	tail := make([]byte, min(size, 22+1<<16))
	if n, _ := r.ReadAt(tail, size-int64(len(tail))); n < len(tail) {
		return nil
	}
	end := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if end < 0 || len(tail)-end < 22 {
		return nil
	}
	le := binary.LittleEndian
	length := int64(le.Uint32(tail[end+12:]))
	// Counting back from the end forgives bytes before the archive.
	at := size - int64(len(tail)) + int64(end) - length
	if length == 0xFFFFFFFF || le.Uint32(tail[end+16:]) == 0xFFFFFFFF { // zip64
		at = zip64Directory(r, size-int64(len(tail))+int64(end))
	}
	if at < 0 || at >= size {
		return nil
	}
	directory := make([]byte, min(size-at, 1<<20))
	n, _ := r.ReadAt(directory, at)
	directory = directory[:n]
	for len(directory) >= 46 && string(directory[:4]) == "PK\x01\x02" && len(names) < sniffNames {
		name := int(le.Uint16(directory[28:]))
		next := 46 + name + int(le.Uint16(directory[30:])) + int(le.Uint16(directory[32:]))
		if next > len(directory) {
			break
		}
		names = append(names, string(directory[46:46+name]))
		directory = directory[next:]
	}
	return names
}

func zip64Directory(r io.ReaderAt, end int64) int64 {
	var locator [20]byte
	if _, err := r.ReadAt(locator[:], end-20); err != nil || string(locator[:4]) != "PK\x06\x07" {
		return -1
	}
	var record [56]byte
	if _, err := r.ReadAt(record[:], int64(binary.LittleEndian.Uint64(locator[8:]))); err != nil || string(record[:4]) != "PK\x06\x06" {
		return -1
	}
	return int64(binary.LittleEndian.Uint64(record[48:]))
}

// zipLocals looks for local headers, as of an archive that was cut off.
func zipLocals(r io.ReaderAt, size int64) (names []string) {
	buf := make([]byte, 256<<10)
	const overlap = 30 + 512
	for at := int64(0); at < min(size, sniffScan) && len(names) < sniffNames; at += int64(len(buf) - overlap) {
		n, _ := r.ReadAt(buf, at)
		block := buf[:n]
		for {
			i := bytes.Index(block, []byte("PK\x03\x04"))
			if i < 0 || len(block)-i < 30 {
				break
			}
			block = block[i:]
			length := int(binary.LittleEndian.Uint16(block[26:]))
			if length > 0 && length <= 512 && 30+length <= len(block) {
				names = append(names, string(block[30:30+length]))
			}
			block = block[4:]
		}
		if n < len(buf) {
			break
		}
	}
	return names
}

var compoundMagic = []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")

// compoundStreams names, best first, what the streams of a compound file say.
var compoundStreams = []struct{ stream, mediaType string }{
	{"EncryptedPackage", EncryptedOOXML},
	{"__properties_version1.0", "application/vnd.ms-outlook"},
	{"__nameid_version1.0", "application/vnd.ms-outlook"},
	{"PowerPoint Document", "application/vnd.ms-powerpoint"},
	{"WordDocument", "application/msword"},
	{"Workbook", "application/vnd.ms-excel"},
	{"Book", "application/vnd.ms-excel"},
	{"VisioDocument", "application/vnd.visio"},
	{"Quill", "application/x-mspublisher"},
	{"PP40", "application/vnd.ms-powerpoint"},
	{"   114", "application/vnd.ms-project"},
}

func sniffCompound(r io.ReaderAt, size int64) string {
	found := map[string]bool{}
	if doc, err := mscfb.New(r); err == nil {
		for range sniffNames {
			e, err := doc.Next()
			if err != nil {
				break
			}
			if len(e.Path) == 0 {
				found[e.Name] = true
			}
		}
	}
	if t := compoundType(found); t != "" {
		return t
	}
	return compoundByName(r, size)
}

func compoundType(found map[string]bool) string {
	for _, s := range compoundStreams {
		for name := range found {
			if strings.EqualFold(name, s.stream) {
				return s.mediaType
			}
		}
	}
	return ""
}

// compoundByName looks for directory entries anywhere, as of a compound file
// that was cut off or has a broken table. The outermost streams come first.
func compoundByName(r io.ReaderAt, size int64) string {
	buf := make([]byte, 256<<10)
	found := map[string]bool{}
	for at := int64(512); at < min(size, sniffScan); at += int64(len(buf)) {
		n, _ := r.ReadAt(buf, at)
		for entry := buf[:n]; len(entry) >= 128; entry = entry[128:] {
			length := int(binary.LittleEndian.Uint16(entry[64:]))
			if length < 4 || length > 64 || length%2 != 0 || entry[66] == 0 || entry[66] > 5 {
				continue
			}
			units := make([]uint16, length/2-1)
			for i := range units {
				units[i] = binary.LittleEndian.Uint16(entry[2*i:])
			}
			found[string(utf16.Decode(units))] = true
			if len(found) > sniffNames {
				break
			}
		}
		if n < len(buf) {
			break
		}
	}
	if t := compoundType(found); t != "" {
		return t
	}
	return CompoundFile
}
