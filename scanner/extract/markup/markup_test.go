package markup_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/markup"
)

func TestHTML(t *testing.T) { extracttest.Run(t, markup.NewHTML(), "testdata/html") }

func FuzzHTML(f *testing.F) { extracttest.Fuzz(f, markup.NewHTML(), "testdata/html") }

func TestXML(t *testing.T) { extracttest.Run(t, markup.NewXML(), "testdata/xml") }

func FuzzXML(f *testing.F) { extracttest.Fuzz(f, markup.NewXML(), "testdata/xml") }

func TestJSON(t *testing.T) { extracttest.Run(t, markup.NewJSON(), "testdata/json") }

func FuzzJSON(f *testing.F) { extracttest.Fuzz(f, markup.NewJSON(), "testdata/json") }

func TestSwedishLetter(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(extracttest.Corpus(t), "swedish", "brev.html"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := extracttest.Read(t.Context(), markup.NewHTML(), extracttest.Input("brev.html", content))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Göran Öberg", "Åmåls kommun"} {
		if !strings.Contains(r.PlainText(), want) {
			t.Errorf("%q is missing in:\n%s", want, r)
		}
	}
}

func BenchmarkHTML(b *testing.B) {
	row := "<tr><td>Åsa Öberg</td><td>19850709-2388</td><td><b>Skolgatan</b> 12, 662&nbsp;31 Åmål</td></tr>\n"
	in := extracttest.Input("lista.html", []byte("<!doctype html><table>"+strings.Repeat(row, 20_000)+"</table>"))
	extracttest.Bench(b, markup.NewHTML(), in)
}

func BenchmarkXML(b *testing.B) {
	row := "<elev id='1'><namn>Åsa Öberg</namn><pnr>19850709-2388</pnr><adress>Skolgatan 12</adress></elev>\n"
	extracttest.Bench(b, markup.NewXML(), extracttest.Input("a.xml", []byte("<elever>"+strings.Repeat(row, 20_000)+"</elever>")))
}

func BenchmarkJSON(b *testing.B) {
	row := `{"namn": "Åsa Öberg", "pnr": "19850709-2388", "adress": "Skolgatan 12"}` + "\n"
	extracttest.Bench(b, markup.NewJSON(), extracttest.Input("a.json", []byte(strings.Repeat(row, 20_000))))
}

// A value of many megabytes costs no memory to speak of and loses nothing.
func TestGiantValue(t *testing.T) {
	value := strings.Repeat("åäö 19850709-2388 ", 1<<18)
	in := extracttest.Input("a.json", []byte(`{"namn": "Åsa", "text": "`+value+`", "slut": "ja"}`))
	r, err := extracttest.Read(t.Context(), markup.NewJSON(), in)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(r.PlainText(), "\n", " ")
	if got := strings.Count(text, "19850709-2388"); got < 1<<18-32 || !strings.Contains(text, "slut: ja") {
		t.Errorf("%d numbers came out", got)
	}
}

// Text without tags beyond what a tag may measure is read all the same.
func TestPageWithoutTags(t *testing.T) {
	in := extracttest.Input("a.html", []byte("<html><p>början</p><pre>"+strings.Repeat("åäö 19850709-2388\n", 1<<16)+"</pre>slut"))
	in.Limits.Token = 64 << 10
	r, err := extracttest.Read(t.Context(), markup.NewHTML(), in)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(r.PlainText(), "åäö 19850709-2388"); got != 1<<16 || !strings.Contains(r.PlainText(), "slut") {
		t.Errorf("%d numbers came out of %d", got, 1<<16)
	}
}

// Elements that never end and tables in tables cost neither time nor memory.
func TestHostilePages(t *testing.T) {
	for _, unit := range []string{"<table><tr><td>", "<div hidden>", "<div>", "<b ", "<!--", "<td>", "<tr>", "<td colspan=9999>", "<h1>", "<p a='", "<textarea>", "<![CDATA["} {
		in := extracttest.Input("a.html", []byte("<html>"+strings.Repeat(unit, 30_000)))
		start := time.Now()
		if _, err := extracttest.Read(t.Context(), markup.NewHTML(), in); err != nil && !extracttest.Named(err) {
			t.Errorf("%s: %v", unit, err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s took %v", unit, took)
		}
	}
}

// A file of some megabytes in a value comes out as a file, and whole.
func TestLargeFileInValue(t *testing.T) {
	content := "%PDF-1.4\n" + strings.Repeat("19850709-2388\n", 1<<18)
	value := base64.StdEncoding.EncodeToString([]byte(content))
	for _, c := range []struct {
		reader        extract.Extractor
		name, content string
	}{
		{markup.NewJSON(), "a.json", `{"namn": "Åsa", "fil": "` + strings.ReplaceAll(value, "/", `\/`) + `"}`},
		{markup.NewXML(), "a.xml", `<?xml version="1.0"?><a><namn>Åsa</namn><fil>` + value + `</fil></a>`},
	} {
		r, err := extracttest.Read(t.Context(), c.reader, extracttest.Input(c.name, []byte(c.content)))
		if err != nil || len(r.Files) != 1 || string(r.Files[0].Bytes) != content || !strings.Contains(r.PlainText(), "Åsa") || len(r.PlainText()) > 100 {
			t.Errorf("%s: error %v, %d files, %d bytes of text", c.name, err, len(r.Files), len(r.PlainText()))
		}
	}
}

// A drawing whose letters are shapes is not silent about them.
func TestDrawnLetters(t *testing.T) {
	svg := `<svg xmlns="http://www.w3.org/2000/svg"><defs>` + strings.Repeat(`<symbol id="glyph0-1"><path d="M 1 1"/></symbol>`, 12) + `</defs></svg>`
	r, err := extracttest.Read(t.Context(), markup.NewXML(), extracttest.Input("a.svg", []byte(svg)))
	if err != nil || len(r.Gaps) != 1 || !strings.Contains(r.Gaps[0], extract.ErrUnsupported.Error()) {
		t.Errorf("error %v, gaps %q", err, r.Gaps)
	}
}
