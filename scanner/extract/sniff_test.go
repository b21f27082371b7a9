package extract_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
)

const (
	docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

func zipOf(t testing.TB, names ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		name, content, _ := strings.Cut(name, "=")
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func tarOf(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "a.txt", Size: 3, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("hej")); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func sniff(name, content string) string {
	r := strings.NewReader(content)
	return extract.Sniff(name, r, r.Size())
}

func TestSniff(t *testing.T) {
	mailHead := "From: a@b.se\r\nTo: c@d.se\r\nSubject: Hej\r\nDate: Mon, 6 Oct 2025 10:00:00 +0200\r\n\r\nHej\r\n"
	word := zipOf(t, "[Content_Types].xml", "_rels/.rels", "word/document.xml")
	for _, c := range []struct{ name, content, want string }{
		{"tom.txt", "", "text/plain"},
		{"a.txt", "Hej på dig, Åsa.\nDet är, som sagt, en text.\nSlut\n", "text/plain"},
		{"a.txt", "Hej p\xe5 dig, \xc5sa.\n", "text/plain"},
		{"a", "H\x00e\x00j\x00 \x00p\x00\xe5\x00 \x00d\x00i\x00g\x00", "text/plain"},
		{"a.pdf", "\r\nskräp före\n%PDF-1.4\n", "application/pdf"},
		{"a.bin", word, docx},
		{"cut.docx", word[:len(word)-100], docx},
		{"a.zip", zipOf(t, "a.txt", "b.txt"), "application/zip"},
		{"empty.zip", zipOf(t), "application/zip"},
		{"a.docx", zipOf(t, "[Content_Types].xml", "_rels/.rels", "word/styles.xml"), docx},
		{"a.zip", zipOf(t, "word/styles.xml"), "application/zip"},
		{"a.docx", zipOf(t, "/[Content_Types].xml", `\word\document.xml`), docx},
		{"a", zipOf(t, "[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"), xlsx},
		{"a.odt", zipOf(t, "mimetype=application/vnd.oasis.opendocument.text", "content.xml"), "application/vnd.oasis.opendocument.text"},
		{"a.fodt", `<?xml version="1.0"?><office:document xmlns:office="urn:x" office:mimetype="application/vnd.oasis.opendocument.text">`, "application/vnd.oasis.opendocument.text-flat-xml"},
		{"a.doc", `{\rtf1\ansi Hej}`, "application/rtf"},
		{"bild.dat", "\x01\x00\x00\x00\x6c\x00\x00\x00" + strings.Repeat("\x00", 32) + " EMF\x00\x00\x01\x00", "image/emf"},
		{"a.rtf", "{\\rtf1 Hej}" + strings.Repeat("\x00", 500), "application/rtf"},
		{"a.xml", "<?xml version=\"1.0\"?><a><b>Åsa Öberg</b></a>" + strings.Repeat("\x00", 900), "application/xml"},
		{"a.bin", "ABCD" + strings.Repeat("\x00", 40<<10), "application/octet-stream"},
		{"app.log", strings.Repeat("\x00", 40<<10) + "2025-01-01 12:30 start Åsa Sjöström\n" + strings.Repeat("\x00", 4096), "text/plain"},
		{"a", strings.Repeat("\x00", 40<<10), "application/octet-stream"},
		{"a.eml", "To: bo@exempel.se\r\nSubject: Hej\r\n\r\nHej\r\n", "message/rfc822"},
		{"a.txt", "To: Bo\r\nSubject: Hej\r\n\r\nHej\r\n", "text/plain"},
		{"möte.vtt", "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v Bo>Hej</v>\n", "text/vtt"},
		{"möte.srt", "\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\nHej\r\n", "application/x-subrip"},
		{"sida.aspx", "<%@ Page Language=\"C#\" %>\n<html><body>", "text/html"},
		{"a.xls", "<html><body><table>", "text/html"},
		{"a", "\ufeff\n<!-- x -->\n<!DOCTYPE html>\n<p>", "text/html"},
		{"a.xml", "<?xml version=\"1.0\"?>\n<elever><elev/></elever>", "application/xml"},
		{"a", "<span>Hej</span> <b>du</b>", "text/html"},
		{"a.xml", "<a>Hej</a>", "application/xml"},
		{"a.htm", "<min-knapp>Hej</min-knapp>", "text/html"},
		{"a.xml", "<?xml version='1.0'?><table><rad/></table>", "application/xml"},
		{"a", "<?xml version='1.0'?><!DOCTYPE html PUBLIC 'x'><html/>", "text/html"},
		{"a.svg", `<svg xmlns="http://www.w3.org/2000/svg"><text>x</text></svg>`, "image/svg+xml"},
		{"a.txt", "<Anna> hej\n<Bo> hejsan\n", "text/plain"},
		{"a", `{"namn": "Åsa"}`, "application/json"},
		{"a.json", "[\n  {\"a\": 1}\n]", "application/json"},
		{"a.jsonl", "{\"a\": 1}\n{\"a\": 2}\n", "application/x-ndjson"},
		{"refs.txt", "[1] Johansson, A. En bok.\n[2] Ek, B. En annan.\n", "text/plain"},
		{"a.eml", mailHead, "message/rfc822"},
		{"a", "From a@b.se Mon Oct  6 10:00:00 2025\n" + mailHead, "application/mbox"},
		{"brev.txt", "From: min chef\nHej!\n\nSubject: nej\n", "text/plain"},
		{"a.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "text/calendar"},
		{"a.vcf", "BEGIN:VCARD\r\nFN:Åsa\r\n", "text/vcard"},
		{"a.csv", "a\n", "text/csv"},
		{"lista.txt", "Namn;Personnummer\nÅsa;19850709-2388\nBo;x\n", "text/csv"},
		{"lista.txt", "Namn\tNr\nÅsa\t1\n", "text/csv"},
		{"a.sql", "-- dump\nINSERT INTO elev VALUES (1,'Åsa');\n", "application/sql"},
		{"dump", "-- PostgreSQL database dump\nCREATE TABLE elev (id int);\n", "application/sql"},
		{"a.py", "a = [1, 2, 3]\nb = [1, 2, 3]\nc = [1, 2, 3]\n", "text/plain"},
		{"a.md", "# Rubrik\n", "text/markdown"},
		{"a", tarOf(t), "application/x-tar"},
		{"a", "SQLite format 3\x00", "application/vnd.sqlite3"},
		{"a", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "application/gzip"},
		{"a", "7z\xbc\xaf\x27\x1c\x00\x04", "application/x-7z-compressed"},
		{"a", "Rar!\x1a\x07\x01\x00", "application/vnd.rar"},
		{"a", "\x28\xb5\x2f\xfd\x00", "application/zstd"},
		{"a", "\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"},
		{"a", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "image/heic"},
		{"a", "\x78\x9f\x3e\x22\x00", "application/ms-tnef"},
		{"a", "!BDN\x00", "application/vnd.ms-outlook-pst"},
		{"a", "\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "image/heic"},
		{"a", "\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif", "image/avif"},
		{"a.ps", "%!PS-Adobe-3.0\n(Hej) show\n", "application/postscript"},
		{"packat.exe", "MZ\x90\x00\x03\x00\x00\x00" + zipOf(t, "a.txt"), "application/zip"},
		{"a.dwg", "AC1027\x00\x00\x00\x00\x7d", "image/vnd.dwg"},
		{"a.txt", "AC1027 är en ritning", "text/plain"},
		{"a.asc", "-----BEGIN PGP MESSAGE-----\n\nabc=\n", "application/pgp-encrypted"},
		{"a.asc", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHej på dig\n", "text/plain"},
		{"a.gpg", "\x85\x02\x0c\x03\x01\x02\x03\x04\x05\x06\x07\x08\x01\x10\x00\x00\xff", "application/pgp-encrypted"},
		{"a.kdbx", "\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5\x01", "application/x-keepass"},
		{"a.evtx", "ElfFile\x00\x00", "application/x-ms-evtx"},
		{"a.iso", strings.Repeat("\x00", 32768) + "\x01CD001" + strings.Repeat("\x00", 3000), "application/x-iso9660-image"},
		{"a.lzma", "\x5d\x00\x00\x80\x00" + strings.Repeat("\xff", 8) + "\x00", "application/x-lzma"},
		{"a.txt", "]\x00\x00 nej", extract.Unknown},
		{"a.txt", "\x00\x01\x02\x03\x04\x05\x06binärt", extract.Unknown},
		{"a.doc", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 trasig", extract.CompoundFile},
	} {
		if got := sniff(c.name, c.content); got != c.want {
			t.Errorf("%s %.30q: %s, want %s", c.name, c.content, got, c.want)
		}
	}
}

// Documents of the corpus are what their endings say, but for those known to
// be something else.
func TestSniffCorpus(t *testing.T) {
	families := map[string]string{
		".pdf": "application/pdf", ".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
		".docx": docx, ".dotx": docx, ".xlsx": xlsx, ".xlsm": xlsx, ".rtf": "application/rtf", ".msg": "application/vnd.ms-outlook",
		".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation", ".eml": "message/rfc822",
		".pptm": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
		".odt":  "application/vnd.oasis.opendocument.text", ".ods": "application/vnd.oasis.opendocument.spreadsheet",
		".odp": "application/vnd.oasis.opendocument.presentation", ".html": "text/html",
		".xlsb": "application/vnd.ms-excel.sheet.binary.macroenabled.12", ".zip": "application/zip", ".7z": "application/x-7z-compressed",
		".fodt": "application/vnd.oasis.opendocument.text-flat-xml", ".fods": "application/vnd.oasis.opendocument.spreadsheet-flat-xml",
	}
	elsewhere := map[string]string{
		"testPPT_protected_passtika.pptx": extract.EncryptedOOXML, "protected_sha512.xlsx": extract.EncryptedOOXML,
		"testWordPerfect_50.doc": "application/vnd.wordperfect", "empty_file.ods": "text/plain", "stress025.docx": "application/zip",
		"clusterfuzz-testcase-minimized-POIFuzzer-6411649193738240.ppt": extract.EncryptedOOXML,
	}
	for _, folder := range []string{"documents", "more/*", "swedish", "hostile"} {
		files, _ := filepath.Glob(filepath.Join(extracttest.Corpus(t), folder, "*.*"))
		for _, file := range files {
			want := families[filepath.Ext(file)]
			if other := elsewhere[filepath.Base(file)]; other != "" {
				want = other
			}
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			got := extract.Sniff(info.Name(), f, info.Size())
			f.Close()
			if want != "" && got != want {
				t.Errorf("%s: %s, want %s", filepath.Base(file), got, want)
			}
			if want == got && extract.Mismatch(info.Name(), got) && elsewhere[info.Name()] == "" {
				t.Errorf("%s: %s is called a mismatch", filepath.Base(file), got)
			}
		}
	}
}

func TestMismatch(t *testing.T) {
	for _, c := range []struct {
		name, mediaType string
		want            bool
	}{
		{"semester.jpg", xlsx, true},
		{"a.txt", xlsx, true},
		{"a.txt", "application/zip", true},
		{"a.pdf", docx, true},
		{"film.mp4", docx, true},
		{"bild.png", "application/pdf", true},
		{"a.docx", "application/pdf", true},
		{"a.doc", "application/rtf", false},
		{"a.doc", docx, false},
		{"a.docx", extract.EncryptedOOXML, false},
		{"a.xls", "text/html", false},
		{"a.xls", "text/csv", false},
		{"a.jpg", "image/png", false},
		{"a.txt", "text/csv", false},
		{"a.log", "application/json", false},
		{"a.dat", xlsx, false},
		{"a.bak", "application/vnd.sqlite3", false},
		{"a.tmp", docx, false},
		{"utan", xlsx, false},
		{"a.docx", extract.Unknown, false},
		{"setup.exe", "application/zip", false},
		{"a.ZIP", "application/x-7z-compressed", false},
		{"a.odt", "application/vnd.oasis.opendocument.text", false},
		{"a.odg", "application/vnd.oasis.opendocument.presentation", false},
	} {
		if got := extract.Mismatch(c.name, c.mediaType); got != c.want {
			t.Errorf("%s as %s: %v", c.name, c.mediaType, got)
		}
	}
}

func TestSealed(t *testing.T) {
	for _, c := range []struct {
		content string
		want    error
	}{
		{"-----BEGIN PGP MESSAGE-----\n", extract.ErrEncrypted},
		{"age-encryption.org/v1\n-> X25519", extract.ErrEncrypted},
		{"\xeb\x58\x90-FVE-FS-\x00", extract.ErrEncrypted},
		{".pfile\x01", extract.ErrRights},
		{"\x76\xe8\x04\x60\xc4\x11\xe3\x86\x00", extract.ErrRights},
		{"\x30\x82\x01\xca\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x82\x01\xbb" + strings.Repeat("x", 20), extract.ErrCertificate},
		{"\x30\x82\x01\xca\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x82\x01\xbb" + strings.Repeat("x", 20), nil},
		{"Hej", nil},
	} {
		if got := extract.Sealed(sniff("a", c.content)); !errors.Is(got, c.want) {
			t.Errorf("%.20q: %v, want %v", c.content, got, c.want)
		}
	}
}

func TestDelimiter(t *testing.T) {
	for _, c := range []struct {
		sample string
		want   rune
	}{
		{"a;b;c\n1;2,5;3\n4;5,5;6\n", ';'},
		{"a,b,c\n1,2,3\n4,5,6\n", ','},
		{"a\tb\n1\t2\n", '\t'},
		{"namn|nr|ort\nA|1|x\nB|2|y\n", '|'},
		{"\"Ek, Bo\",1,2\n\"rad\nbrott\",3,4\nx,5,6\n", ','},
		{"Hej, Åsa\nJag, som sagt\n", 0},
		{"Ett brev.\nMed en mening, och en till.\nSlut.\n", 0},
		{"en rad", 0},
		{"", 0},
	} {
		got, ok := extract.Delimiter(c.sample)
		if got != c.want || ok != (c.want != 0) {
			t.Errorf("%q: %q, want %q", c.sample, got, c.want)
		}
	}
}

func FuzzSniff(f *testing.F) {
	f.Add("a.txt", "Hej på dig")
	f.Add("a", zipOf(f, "word/document.xml"))
	f.Add("a", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"+strings.Repeat("x", 600))
	f.Fuzz(func(t *testing.T, name, content string) {
		if got := sniff(name, content); got == "" {
			t.Error("no media type")
		}
	})
}

func BenchmarkSniff(b *testing.B) {
	letter := strings.Repeat("Handläggare: Åsa Sjöström, telefon 0532-17 00 00.\n", 2000)
	for b.Loop() {
		sniff("brev.txt", letter)
	}
}
