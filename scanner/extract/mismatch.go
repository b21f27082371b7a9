package extract

import (
	"path"
	"strings"
)

// Mismatch says that the ending of the name promises something else than the
// content is, in a way that no program does by itself: a spreadsheet named
// .jpg, a zip named .txt. Endings that promise nothing (.dat, .bak, none) and
// habits of known programs (HTML named .xls, RTF named .doc, one kind of
// picture or archive for another) are no mismatch.
func Mismatch(name, mediaType string) bool {
	promised, known := endings[strings.ToLower(path.Ext(strings.ReplaceAll(name, `\`, "/")))]
	if !known {
		return false
	}
	is := familyOf(mediaType)
	if is == "" || is == promised {
		return false
	}
	for _, f := range tolerated[promised] {
		if f == is {
			return false
		}
	}
	return true
}

// family is a group of formats that stand in for each other without harm.
type family string

const (
	word     family = "word"
	sheet    family = "sheet"
	slides   family = "slides"
	drawing  family = "drawing"
	pdf      family = "pdf"
	picture  family = "picture"
	archive  family = "archive"
	mail     family = "mail"
	notes    family = "notes"
	markup   family = "markup"
	text     family = "text"
	database family = "database"
	compound family = "compound"
	program  family = "program" // programs, sound, film: never a document
)

// tolerated lists what else is found, innocently, under a promised family.
var tolerated = map[family][]family{
	word:     {markup, text, compound, mail},
	sheet:    {markup, text, compound},
	slides:   {compound, markup, drawing},
	drawing:  {compound, markup, picture, slides}, // Impress saves as .odg, too
	pdf:      {},
	picture:  {markup}, // SVG
	archive:  {text},   // an empty or renamed log; never richer than promised
	mail:     {text, compound, markup, archive},
	notes:    {compound},
	markup:   {text, mail, archive}, // MHT as HTML
	text:     {markup, mail},
	database: {compound, text},
	program:  {text, markup, picture, compound, archive, database},
}

var endings = map[string]family{
	".doc": word, ".docx": word, ".docm": word, ".dot": word, ".dotx": word, ".dotm": word, ".odt": word, ".ott": word, ".fodt": word, ".sxw": word, ".rtf": word,
	".xls": sheet, ".xlsx": sheet, ".xlsm": sheet, ".xlsb": sheet, ".xlt": sheet, ".xltx": sheet, ".xltm": sheet, ".ods": sheet, ".ots": sheet, ".fods": sheet, ".sxc": sheet,
	".ppt": slides, ".pptx": slides, ".pptm": slides, ".pps": slides, ".ppsx": slides, ".pot": slides, ".potx": slides, ".odp": slides, ".fodp": slides, ".sxi": slides,
	".vsd": drawing, ".vsdx": drawing, ".vsdm": drawing, ".odg": drawing,
	".pdf": pdf,
	".jpg": picture, ".jpeg": picture, ".png": picture, ".gif": picture, ".bmp": picture, ".tif": picture, ".tiff": picture, ".webp": picture, ".heic": picture, ".heif": picture, ".avif": picture,
	".zip": archive, ".7z": archive, ".rar": archive, ".tar": archive, ".gz": archive, ".tgz": archive, ".bz2": archive, ".xz": archive, ".zst": archive, ".lz4": archive, ".z": archive, ".iso": archive,
	".msg": mail, ".eml": mail, ".pst": mail, ".ost": mail, ".mbox": mail,
	".one":  notes,
	".html": markup, ".htm": markup, ".xml": markup, ".svg": markup, ".json": text, ".ics": text, ".vcf": text,
	".txt": text, ".csv": text, ".tsv": text, ".log": text, ".md": text, ".sql": text, ".ini": text,
	".sqlite": database, ".sqlite3": database, ".dbf": database,
	".exe": program, ".dll": program, ".sys": program, ".mp3": program, ".mp4": program, ".avi": program, ".mov": program, ".wav": program, ".wmv": program, ".ttf": program,
}

var families = map[string]family{
	"application/msword": word, docx: word, "application/rtf": word, "application/vnd.wordperfect": word,
	"application/vnd.ms-excel": sheet, xlsx: sheet, "application/vnd.ms-excel.sheet.binary.macroenabled.12": sheet,
	"application/vnd.ms-powerpoint": slides, pptx: slides,
	"application/vnd.visio": drawing, vsdx: drawing,
	"application/pdf": pdf,
	"application/zip": archive, "application/x-7z-compressed": archive, "application/vnd.rar": archive,
	"application/x-tar": archive, "application/gzip": archive, "application/x-bzip2": archive, "application/x-xz": archive, "application/zstd": archive,
	"application/x-lz4": archive, "application/x-compress": archive, "application/x-iso9660-image": archive,
	"message/rfc822": mail, "application/mbox": mail, "application/vnd.ms-outlook": mail, "application/vnd.ms-outlook-pst": mail, "application/ms-tnef": mail,
	"application/onenote": notes,
	"text/html":           markup, "application/xml": markup, "image/svg+xml": markup,
	"text/plain": text, "text/csv": text, "text/tab-separated-values": text, "text/markdown": text, "application/sql": text,
	"application/json": text, "application/x-ndjson": text, "text/calendar": text, "text/vcard": text,
	"application/vnd.sqlite3": database, "application/vnd.dbf": database,
	CompoundFile: compound, EncryptedOOXML: compound,
}

// familyOf returns "" for what is not known well enough to accuse anybody.
func familyOf(mediaType string) family {
	if f, ok := families[mediaType]; ok {
		return f
	}
	if kind, ok := strings.CutPrefix(mediaType, "application/vnd.oasis.opendocument."); ok {
		switch {
		case strings.HasPrefix(kind, "text"):
			return word
		case strings.HasPrefix(kind, "spreadsheet"):
			return sheet
		case strings.HasPrefix(kind, "presentation"):
			return slides
		}
		return drawing
	}
	switch kind, _ := strings.CutPrefix(mediaType, "application/vnd.sun.xml."); {
	case strings.HasPrefix(kind, "writer"):
		return word
	case strings.HasPrefix(kind, "calc"):
		return sheet
	case strings.HasPrefix(kind, "impress"):
		return slides
	}
	if strings.HasPrefix(mediaType, "image/") {
		return picture
	}
	return ""
}
