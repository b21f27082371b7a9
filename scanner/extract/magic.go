package extract

import (
	"bytes"
	"encoding/binary"
	"io"
	"regexp"
)

// Media types of what is encrypted as a whole.
const (
	typePGP     = "application/pgp-encrypted"
	typeKeePass = "application/x-keepass"
	typeVault   = "application/x-encrypted" // age, OpenSSL, AES Crypt, Ansible Vault
	typeVolume  = "application/x-encrypted-volume"
	typeRPMSG   = "application/x-microsoft-rpmsg-message"
	typePfile   = "application/x-ms-pfile"
	typeCMS     = "application/x-pkcs7-encrypted" // enveloped or encrypted data (RFC 5652)
	typePFX     = "application/x-pkcs12"
)

// Sealed tells why nobody can read a document of this media type, whatever
// its reader: it is encrypted as a whole. It returns nil for all others.
func Sealed(mediaType string) error {
	switch mediaType {
	case typePGP, typeKeePass, typeVault, typeVolume, typePFX:
		return ErrEncrypted
	case typeCMS:
		return ErrCertificate
	case typeRPMSG, typePfile:
		return ErrRights
	}
	return nil
}

// magics are the first bytes by which formats name themselves. Those that
// nobody here reads are listed so that their gap says what they are.
var magics = []struct{ prefix, mediaType string }{
	{"7z\xBC\xAF\x27\x1C", "application/x-7z-compressed"},
	{"Rar!\x1A\x07", "application/vnd.rar"},
	{"\x1F\x8B\x08", "application/gzip"},
	{"\xFD7zXZ\x00", "application/x-xz"},
	{"\x28\xB5\x2F\xFD", "application/zstd"},
	{"\x1F\x9D", "application/x-compress"},
	{"\x04\x22\x4D\x18", "application/x-lz4"},
	{"MSWIM\x00\x00\x00", "application/x-ms-wim"},
	{"vhdxfile", "application/x-vhdx"},
	{"conectix", "application/x-vhd"},
	{"KDMV", "application/x-vmdk"},
	{"QFI\xFB", "application/x-qemu-disk"},
	{"SQLite format 3\x00", "application/vnd.sqlite3"},
	{"!BDN", "application/vnd.ms-outlook-pst"},
	{"\x78\x9F\x3E\x22", "application/ms-tnef"},
	{"\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D\xAE\xB1\x53\x78\xD0\x29\x96\xD3", "application/onenote"},
	{"\xA1\x2F\xFF\x43\xD9\xEF\x76\x4C\x9E\xE2\x10\xEA\x57\x22\x76\x5F", "application/onenote"}, // .onetoc2
	{"\xFF\xD8\xFF", "image/jpeg"},
	{"\x89PNG\r\n\x1A\n", "image/png"},
	{"GIF87a", "image/gif"},
	{"GIF89a", "image/gif"},
	{"II*\x00", "image/tiff"},
	{"MM\x00*", "image/tiff"},
	{"II+\x00", "image/tiff"},
	{"MM\x00+", "image/tiff"},
	{"070701", "application/x-cpio"},
	{"070702", "application/x-cpio"},
	{"070707", "application/x-cpio"},
	{"\xC7\x71", "application/x-cpio"},
	{"!<arch>\n", "application/x-archive"},
	{"xar!", "application/x-xar"},
	{"LZIP", "application/lzip"},
	{"\x89LZO\x00\r\n\x1A\n", "application/x-lzop"},
	{"WARC/1.", "application/warc"},
	{"MSCF\x00\x00\x00\x00", "application/vnd.ms-cab-compressed"}, // .onepkg too
	{"ID3\x02", "audio/mpeg"},
	{"ID3\x03", "audio/mpeg"},
	{"ID3\x04", "audio/mpeg"},
	{"\xE7\xAC\x2C\x00", "application/x-mspublisher-97"},
	{"\xD7\xCD\xC6\x9A\x00\x00", "image/wmf"},
	{"ITSF\x03\x00", "application/vnd.ms-htmlhelp"},
	{"PAR1", "application/vnd.apache.parquet"},
	{"\x37\x7F\x06\x82", "application/x-sqlite-wal"}, // what a database was told last
	{"\x37\x7F\x06\x83", "application/x-sqlite-wal"},
	{"\xC5\xD0\xD3\xC6", "application/postscript"}, // with a preview
	{"AutoCAD Binary DXF\r\n", "image/vnd.dxf"},
	{"\xFFWPC", "application/vnd.wordperfect"},
	{"\xDB\xA5-\x00", "application/msword"},                  // Word 2
	{"\xEC\xA5", "application/msword"},                       // Word 6 and later without a compound file
	{"\x09\x00\x04\x00", "application/vnd.ms-excel"},         // BIFF2
	{"\x09\x02\x06\x00", "application/vnd.ms-excel"},         // BIFF3
	{"\x09\x04\x06\x00", "application/vnd.ms-excel"},         // BIFF4
	{"\x09\x08\x08\x00\x00\x05", "application/vnd.ms-excel"}, // BIFF5
	{"\x09\x08\x10\x00\x00\x06", "application/vnd.ms-excel"}, // BIFF8
	{"\x00\x00\x1A\x00\x00\x10\x04\x00", "application/vnd.lotus-1-2-3"},
	{"\x00\x00\x1A\x00\x02\x10\x04\x00", "application/vnd.lotus-1-2-3"},
	{"\x01\xFE\x32\x00", "application/vnd.ms-works"},
	{"HWP Document File", "application/x-hwp"},
	{"\x06\x06\xED\xF5\xD8\x1D\x46\xE5", "application/x-adobe-indesign"},
	{"ElfFile\x00", "application/x-ms-evtx"},
	{"bplist00", "application/x-bplist"},
	{"\x89HDF\r\n\x1A\n", "application/x-hdf5"},
	{"MATLAB 5.0 MAT-file", "application/x-matlab-data"},
	{"$FL2@(#)", "application/x-spss-sav"},
	{"$FL3@(#)", "application/x-spss-sav"},
	{"<stata_dta>", "application/x-stata-dta"},
	{"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xC2\xEA\x81\x60", "application/x-sas-data"},
	{"\x00\x05\x16\x07\x00\x02\x00\x00", "application/applefile"},
	{"\x00\x05\x16\x00\x00\x02\x00\x00", "application/applefile"},
	{"\x00\x00\x00\x01Bud1", "application/x-apple-ds-store"},
	{"\x00\x01\x00\x00\x00", "font/ttf"},
	{"OTTO\x00", "font/otf"},
	{"ttcf\x00", "font/collection"},
	{"\x03\xD9\xA2\x9A\x67\xFB\x4B\xB5", typeKeePass},
	{"\x03\xD9\xA2\x9A\x65\xFB\x4B\xB5", typeKeePass},
	{"\x8C\x0D\x04", typePGP}, // RFC 9580, 5.3: a session key for a password
	{"age-encryption.org/v1\n", typeVault},
	{"Salted__", typeVault},
	{"AES\x02\x00", typeVault},
	{"LUKS\xBA\xBE", typeVolume},
	{"\xEB\x58\x90-FVE-FS-", typeVolume},
	{"\x76\xE8\x04\x60\xC4\x11\xE3\x86", typeRPMSG},
	{".pfile", typePfile},
}

// magic recognises what says in its first bytes what it is.
func magic(head []byte) string {
	for _, m := range magics {
		if len(head) >= len(m.prefix) && string(head[:len(m.prefix)]) == m.prefix {
			return m.mediaType
		}
	}
	le := binary.LittleEndian
	switch {
	case len(head) > 10 && string(head[:3]) == "BZh" && head[3] >= '1' && head[3] <= '9' &&
		(string(head[4:10]) == "\x31\x41\x59\x26\x53\x59" || string(head[4:10]) == "\x17\x72\x45\x38\x50\x90"):
		return "application/x-bzip2"
	case len(head) > 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return "image/webp"
	case len(head) > 30 && string(head[:2]) == "BM" && le.Uint32(head[6:]) == 0 && le.Uint32(head[14:]) <= 124:
		return "image/bmp"
	case len(head) > 12 && string(head[4:8]) == "ftyp" && heifBrands[string(head[8:12])]:
		return pictureBrand(head)
	case len(head) > 8 && le.Uint32(head)&0xFFFFFFF0 == 0x184D2A50: // a skippable frame first
		return "application/zstd"
	case len(head) > 44 && le.Uint32(head) == 1 && string(head[40:44]) == " EMF":
		return "image/emf"
	case drawingVersion.Match(head):
		return "image/vnd.dwg"
	case len(head) > 6 && string(head[2:5]) == "-lh" && head[6] == '-':
		return "application/x-lzh"
	case len(head) > 13 && head[0] == 0x5D && head[1] == 0 && head[2] == 0 && lzmaSize(le.Uint64(head[5:])):
		return "application/x-lzma"
	case isPGP(head):
		return typePGP
	case len(head) > 8 && head[0] == 0x30 && string(head[4:8]) == "\x02\x01\x03\x30":
		return typePFX
	}
	return cms(head)
}

// cms recognises signed and encrypted content by its object identifier, which
// stands behind the length.
func cms(head []byte) string {
	if len(head) < 32 || head[0] != 0x30 {
		return ""
	}
	_, kind, ok := bytes.Cut(head[:20], []byte("\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07"))
	switch {
	case !ok || len(kind) == 0:
		return ""
	case kind[0] == 2:
		return "application/pkcs7-mime" // signed only
	case kind[0] == 3, kind[0] == 6:
		return typeCMS
	}
	return ""
}

var heifBrands = map[string]bool{"heic": true, "heix": true, "hevc": true, "heim": true, "heis": true, "mif1": true, "msf1": true}

// pictureBrand tells what is in a file of pictures whose first brand leaves
// that open, by the brands it lists as compatible (ISO 14496-12, 4.3).
func pictureBrand(head []byte) string {
	size := min(int64(binary.BigEndian.Uint32(head)), int64(len(head)))
	avif := false
	for at := int64(8); at+4 <= size; at += 4 {
		switch string(head[at : at+4]) {
		case "heic", "heix":
			return "image/heic"
		case "avif", "avis":
			avif = true
		}
	}
	if avif {
		return "image/avif"
	}
	return "image/heic"
}

// drawingVersion begins the drawings of AutoCAD, with a byte that no text has.
var drawingVersion = regexp.MustCompile(`^AC10\d\d\x00`)

// lzmaSize: the old LZMA format has no magic, but its sizes are unknown or
// sensible.
func lzmaSize(n uint64) bool { return n == 1<<64-1 || n < 1<<40 }

// isPGP recognises a session key encrypted for somebody's public key, with
// which an encrypted message begins (RFC 9580, 5.1): tag, length, version,
// whose key, algorithm.
func isPGP(head []byte) bool {
	if len(head) < 16 {
		return false
	}
	var body []byte
	switch head[0] {
	case 0x84, 0xC1:
		body = head[2:]
		if head[0] == 0xC1 && head[1] >= 192 {
			body = head[3:]
		}
	case 0x85:
		body = head[3:]
	default:
		return false
	}
	algorithm := body[9]
	return body[0] == 3 && (algorithm >= 1 && algorithm <= 3 || algorithm == 16 || algorithm == 18 || algorithm == 25)
}

// armoured recognises encrypted content that is written as text. A text that
// is only signed is a text.
func armoured(start []byte) string {
	for _, a := range []struct{ line, mediaType string }{
		{"-----BEGIN PGP MESSAGE-----", typePGP},
		{"-----BEGIN AGE ENCRYPTED FILE-----", typeVault},
		{"$ANSIBLE_VAULT;", typeVault},
	} {
		if bytes.HasPrefix(start, []byte(a.line)) {
			return a.mediaType
		}
	}
	return ""
}

// isDisc looks where the image of a disc says what it is (ECMA-119, 8.4).
func isDisc(r io.ReaderAt, size int64) bool {
	const at = 32769
	if size < at+2048 {
		return false
	}
	var id [5]byte
	_, err := r.ReadAt(id[:], at)
	return err == nil && string(id[:]) == "CD001"
}
