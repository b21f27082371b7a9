package pdf_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/pdf"
)

// paper draws a PDF of one A4 page, 595 × 842 points.
type paper struct {
	content strings.Builder
	inForm  bool // of another page, as programs that stamp put it
	tail    strings.Builder
}

// picture shows a grey picture with its lower left corner there.
func (p *paper) picture(x, y, w, h int) *paper {
	fmt.Fprintf(&p.content, "q %d 0 0 %d %d %d cm /P Do Q\n", w, h, x, y)
	return p
}

// line writes a line of text; mode 3 makes it invisible.
func (p *paper) line(x, y, mode int, text string) *paper {
	fmt.Fprintf(&p.content, "BT /F 9 Tf %d Tr 1 0 0 1 %d %d Tm (%s) Tj ET\n", mode, x, y, text)
	return p
}

// upward writes a line of text up the page.
func (p *paper) upward(x, y int, text string) *paper {
	fmt.Fprintf(&p.content, "BT /F 9 Tf 0 1 -1 0 %d %d Tm (%s) Tj ET\n", x, y, text)
	return p
}

// lines fills the page with text.
func (p *paper) lines(n, mode int) *paper {
	for i := range n {
		p.line(70, 780-i*700/n, mode, fmt.Sprintf("Rad %d av ett brev till en handl\\344ggare", i))
	}
	return p
}

// form makes what was drawn so far a form, and goes on beside it.
func (p *paper) form() *paper {
	p.inForm = true
	p.tail.WriteString(p.content.String())
	p.content.Reset()
	p.content.WriteString("q 1 0 0 1 0 0 cm /X Do Q\n")
	return p
}

func (p *paper) bytes() []byte {
	var pixels bytes.Buffer
	z := zlib.NewWriter(&pixels)
	_, _ = z.Write(bytes.Repeat([]byte{200}, 100*100))
	_ = z.Close()
	const resources = "/Resources << /Font << /F 4 0 R >> /XObject << /P 5 0 R /X 6 0 R >> >>"
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 7 0 R " + resources + " >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		fmt.Sprintf("<< /Type /XObject /Subtype /Image /Width 100 /Height 100 /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream", pixels.Len(), pixels.String()),
		fmt.Sprintf("<< /Type /XObject /Subtype /Form /BBox [0 0 595 842] %s /Length %d >>\nstream\n%s\nendstream", strings.Replace(resources, "/X 6 0 R", "", 1), p.tail.Len(), p.tail.String()),
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", p.content.Len(), p.content.String()),
	}
	return written(objects)
}

// TestScans: a page whose text is only in its picture is a scan, whatever was
// stamped on it later; a page of text is none, whatever lies behind it.
func TestScans(t *testing.T) {
	r := reader(t, pdf.PDFium)
	registered := "Inkom 2026-03-01 Socialf\\366rvaltningen Dnr SN 2026/1234"
	signed := "Signerat av Anna Test 2026-03-01 12:00:00 UTC med BankID, transaktion 09222115557, dokumentets nyckel 1f6a2c, sida 1 av 3"
	for name, c := range map[string]struct {
		page *paper
		scan bool
	}{
		"a scan":                           {new(paper).picture(0, 0, 595, 842), true},
		"of strips":                        {new(paper).picture(0, 0, 595, 200).picture(0, 200, 595, 200).picture(0, 400, 595, 200), true},
		"stamped":                          {new(paper).picture(0, 0, 595, 842).line(300, 820, 0, registered), true},
		"with its number on every page":    {new(paper).picture(0, 0, 595, 842).line(500, 20, 0, "TINGSR 000123"), true},
		"smaller than its page":            {new(paper).line(40, 815, 0, registered).line(40, 800, 0, signed).picture(60, 60, 475, 680), true},
		"signed at head and foot":          {new(paper).picture(0, 0, 595, 842).line(30, 830, 0, signed).line(30, 22, 0, signed).line(30, 12, 0, signed), true},
		"signed up its margin":             {new(paper).picture(20, 0, 575, 842).upward(12, 60, signed).upward(12, 560, signed), true},
		"in a form, stamped":               {new(paper).picture(0, 0, 595, 842).form().line(300, 820, 0, registered), true},
		"in a form, signed":                {new(paper).picture(0, 0, 595, 842).form().line(30, 22, 0, signed).line(30, 12, 0, signed), true},
		"an identity card under a heading": {new(paper).line(60, 780, 0, "Kopia av legitimation, bilaga 2 till ans\\366kan").picture(60, 500, 243, 153), true},

		"a letter":                         {new(paper).lines(30, 0), false},
		"a letter with a logotype":         {new(paper).picture(40, 780, 80, 30).line(70, 700, 0, registered), false},
		"a letter with a picture":          {new(paper).lines(30, 0).picture(60, 100, 300, 200), false},
		"a letter on a picture":            {new(paper).picture(0, 0, 595, 842).lines(30, 0), false},
		"a scan with recognised text":      {new(paper).picture(0, 0, 595, 842).lines(35, 3), false},
		"a short scan with recognised one": {new(paper).picture(0, 0, 595, 842).lines(12, 3), false},
		"a letter in a form":               {new(paper).lines(3, 0).form().line(300, 820, 0, "Dnr 1"), false},
	} {
		t.Run(name, func(t *testing.T) {
			in := extracttest.Input("input.pdf", c.page.bytes())
			rec, err := extracttest.Read(t.Context(), r, in)
			if err != nil {
				t.Fatal(err)
			}
			scan := len(rec.Files) == 1 && rec.Files[0].Role == extract.Scan
			if scan != c.scan {
				t.Errorf("scan: %t; %d characters, %d pictures", scan, len(rec.PlainText()), len(rec.Files))
			}
		})
	}
}
