package inspect

import (
	"path"
	"slices"
	"strings"
)

// endings says which media types fit the endings that people hide or confuse.
// Formats that look alike (text in all its forms) are left out: a wrong ending
// there says nothing.
var endings = map[string][]string{
	".pdf":  {"application/pdf"},
	".docx": ooxml, ".docm": ooxml, ".dotx": ooxml, ".xlsx": ooxml, ".xlsm": ooxml, ".xlsb": ooxml,
	".pptx": ooxml, ".pptm": ooxml, ".ppsx": ooxml, ".vsdx": ooxml,
	".odt": odf, ".ods": odf, ".odp": odf, ".odg": odf,
	".doc": office, ".xls": office, ".ppt": office, ".dot": office, ".pps": office,
	".msg": {"application/vnd.ms-outlook", "application/x-ole-storage"},
	".rtf": {"application/rtf", "text/rtf"},
	".jpg": image, ".jpeg": image, ".png": image, ".gif": image, ".bmp": image,
	".tif": image, ".tiff": image, ".webp": image, ".heic": image,
	".zip": {"application/zip", "application/java-archive", "application/epub+zip", "application/vnd."},
	".7z":  {"application/x-7z-compressed"},
	".rar": {"application/x-rar", "application/vnd.rar", "application/x-rar-compressed"},
	".gz":  {"application/gzip", "application/x-gzip"},
	".mp3": media, ".mp4": media, ".mov": media, ".wav": media, ".avi": media,
	".exe": binary, ".dll": binary, ".bin": binary,
}

var (
	ooxml  = []string{"application/vnd.openxmlformats-officedocument", "application/vnd.ms-", "application/zip", "application/x-ole-storage", "application/encrypted"}
	odf    = []string{"application/vnd.oasis.opendocument", "application/zip"}
	office = []string{"application/msword", "application/vnd.ms-", "application/x-ole-storage", "application/rtf", "text/", "application/xml", "application/vnd.openxmlformats-officedocument", "multipart/", "message/"}
	image  = []string{"image/"}
	media  = []string{"audio/", "video/", "application/octet-stream", "application/ogg"}
	binary = []string{"application/octet-stream", "application/x-", "application/vnd.microsoft.portable-executable"}
)

// documents are the media types worth a word when they hide behind an ending
// that promises something else.
var documents = slices.Concat(ooxml[:2], odf[:1], image, []string{
	"application/pdf", "application/msword", "application/rtf", "text/rtf",
	"application/zip", "application/x-7z-compressed", "application/x-rar", "application/vnd.rar",
	"message/rfc822",
})

// mismatch tells whether a name's ending promises something else than the
// content is: a spreadsheet called .jpg is a sign. Content of no known format
// is damage or unsupported, not a mismatch.
func mismatch(name, mediaType string) bool {
	fitting, known := endings[strings.ToLower(path.Ext(name))]
	return known && !startsWithAny(mediaType, fitting) && startsWithAny(mediaType, documents)
}

func startsWithAny(s string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}
