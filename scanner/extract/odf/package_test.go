package odf_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/odf"
)

// text makes an OpenDocument text of parts: name, content, name, content …
func text(t *testing.T, parts ...string) extract.Input {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		p, err := w.CreateHeader(&zip.FileHeader{Name: parts[i], Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write([]byte(parts[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return extracttest.Input("a.odt", b.Bytes())
}

const mimetype = "application/vnd.oasis.opendocument.text"

// Programs that write XML by library make up prefixes.
func TestPrefixesOfOnesOwn(t *testing.T) {
	r, err := extracttest.Read(t.Context(), odf.Extractor{}, text(t, "mimetype", mimetype, "content.xml", `<?xml version="1.0"?>
<ns0:document-content xmlns:ns0="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:ns2="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"><ns0:body><ns0:text>
<h>Beslut</h><p>Åsa<tab/>Öberg</p><p><ns2:frame><ns2:text-box><p>i rutan</p></ns2:text-box></ns2:frame></p></ns0:text></ns0:body></ns0:document-content>`))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.String(); !strings.Contains(got, "== heading\nBeslut") || !strings.Contains(got, "Åsa\tÖberg") || !strings.Contains(got, "== textbox\ni rutan") {
		t.Errorf("got:\n%s", got)
	}
}

func TestMissingPartIsNoticed(t *testing.T) {
	const manifest = `<m:manifest xmlns:m="m"><m:file-entry m:full-path="content.xml"/><m:file-entry m:full-path="styles.xml"/></m:manifest>`
	parts := []string{"mimetype", mimetype, "META-INF/manifest.xml", manifest, "content.xml", "<a/>", "styles.xml", "<a/>"}
	for length, gaps := range map[int]int{len(parts): 0, len(parts) - 2: 1, len(parts) - 4: 1, 2: 1} {
		r, _ := extracttest.Read(t.Context(), odf.Extractor{}, text(t, parts[:length]...))
		if len(r.Gaps) != gaps || gaps > 0 && !strings.Contains(r.Gaps[0], extract.ErrDamaged.Error()) {
			t.Errorf("%d parts: gaps %q", length/2, r.Gaps)
		}
	}
}
