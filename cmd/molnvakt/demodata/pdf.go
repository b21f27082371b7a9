package demodata

import (
	"bytes"
	"compress/zlib"
	"crypto/md5" //nolint:gosec // the standard security handler of PDF 1.4 is built on it
	"crypto/rc4" //nolint:gosec // likewise
	"fmt"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// Lines and characters on a page of ten point Helvetica.
const (
	pdfLines = 54
	pdfWidth = 92
)

// pdf writes the sheet as a PDF with real text. With a password it cannot be
// opened without (ISO 32000-1, 7.6: standard handler, revision 3, RC4).
func pdf(s sheet, password string) []byte {
	var pages [][]pdfLine
	for i, line := range pdfLayout(s) {
		if i%pdfLines == 0 {
			pages = append(pages, nil)
		}
		pages[len(pages)-1] = append(pages[len(pages)-1], line)
	}
	lock := pdfLock(password)
	w := &pdfWriter{lock: lock}
	var kids []string
	for i := range pages {
		kids = append(kids, fmt.Sprintf("%d 0 R", 5+2*i))
	}
	w.object("<< /Type /Catalog /Pages 2 0 R >>")
	w.object(fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", strings.Join(kids, " "), len(pages)))
	w.object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	w.object("<< /Producer " + w.secret(4, "Ordbehandlaren 7") + " >>")
	for i, page := range pages {
		w.object(fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>", 6+2*i))
		w.stream(pdfContent(page))
	}
	return w.end()
}

// pdfLine is a line of cells at their places.
type pdfLine struct {
	size  int
	cells []string
}

func pdfLayout(s sheet) []pdfLine {
	var lines []pdfLine
	for _, block := range s.Blocks {
		for _, row := range block.Rows {
			lines = append(lines, pdfLine{9, row})
		}
		size := 10
		if block.Heading {
			size = 15
		}
		for _, l := range wrap(block.Text, pdfWidth*10/size) {
			lines = append(lines, pdfLine{size, []string{l}})
		}
		lines = append(lines, pdfLine{10, nil})
	}
	return lines
}

func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

func pdfContent(lines []pdfLine) []byte {
	var b bytes.Buffer
	y := 790
	for _, l := range lines {
		for i, cell := range l.cells {
			x := 50 + i*500/max(len(l.cells), 1)
			fmt.Fprintf(&b, "BT /F1 %d Tf %d %d Td (%s) Tj ET\n", l.size, x, y, pdfText(cell))
		}
		y -= 14
	}
	return b.Bytes()
}

func pdfText(text string) string {
	var b strings.Builder
	for _, r := range text {
		c, known := charmap.Windows1252.EncodeRune(r)
		if !known {
			c = '?'
		}
		if c == '(' || c == ')' || c == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// pdfWriter writes objects one after the other and remembers where.
type pdfWriter struct {
	out     bytes.Buffer
	offsets []int
	lock    *pdfKey
}

func (w *pdfWriter) object(body string) {
	if w.out.Len() == 0 {
		w.out.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	}
	w.offsets = append(w.offsets, w.out.Len())
	fmt.Fprintf(&w.out, "%d 0 obj\n%s\nendobj\n", len(w.offsets), body)
}

func (w *pdfWriter) stream(content []byte) {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(content) // into memory: cannot fail
	_ = z.Close()
	sealed := w.lock.seal(len(w.offsets)+1, packed.Bytes())
	w.object(fmt.Sprintf("<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream", len(sealed), sealed))
}

func (w *pdfWriter) secret(object int, text string) string {
	return fmt.Sprintf("<%x>", w.lock.seal(object, []byte(text)))
}

func (w *pdfWriter) end() []byte {
	trailer := fmt.Sprintf("/Size %d /Root 1 0 R /Info 4 0 R", len(w.offsets)+1)
	if w.lock != nil {
		trailer += fmt.Sprintf(" /ID [<%x> <%x>] /Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <%x> /U <%x> >>", pdfID, pdfID, w.lock.owner, w.lock.user)
	}
	start := w.out.Len()
	fmt.Fprintf(&w.out, "xref\n0 %d\n0000000000 65535 f \n", len(w.offsets)+1)
	for _, at := range w.offsets {
		fmt.Fprintf(&w.out, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&w.out, "trailer\n<< %s >>\nstartxref\n%d\n%%%%EOF\n", trailer, start)
	return w.out.Bytes()
}

// pdfKey is the key of an encrypted document. A nil key leaves all open.
type pdfKey struct{ key, owner, user []byte }

const (
	pdfID  = "bjorkfors-kommun"
	pdfPad = "\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A"
)

// pdfLock computes the key by ISO 32000-1, algorithms 2, 3 and 5.
func pdfLock(password string) *pdfKey {
	if password == "" {
		return nil
	}
	padded := []byte((password + pdfPad)[:32])
	k := &pdfKey{}
	k.owner = rounds(digest(padded, 51), padded)
	permissions := []byte{0xd4, 0xff, 0xff, 0xff} // -44, little end first
	k.key = digest(append(append(append(append([]byte{}, padded...), k.owner...), permissions...), pdfID...), 51)
	check := md5.Sum([]byte(pdfPad + pdfID)) //nolint:gosec // see the import
	k.user = append(rounds(k.key, check[:]), make([]byte, 16)...)
	return k
}

func digest(of []byte, times int) []byte {
	for range times {
		sum := md5.Sum(of) //nolint:gosec // see the import
		of = sum[:]
	}
	return of
}

// rounds encrypts twenty times, each time with the key mixed differently.
func rounds(key, text []byte) []byte {
	out := append([]byte{}, text...)
	for i := range byte(20) {
		mixed := make([]byte, len(key))
		for j := range key {
			mixed[j] = key[j] ^ i
		}
		cipher(mixed, out)
	}
	return out
}

func cipher(key, text []byte) {
	c, err := rc4.NewCipher(key) //nolint:gosec // see the import
	if err != nil {
		panic(err) // the key has 16 bytes
	}
	c.XORKeyStream(text, text)
}

func (k *pdfKey) seal(object int, text []byte) []byte {
	out := append([]byte{}, text...)
	if k == nil {
		return out
	}
	sum := md5.Sum(append(append([]byte{}, k.key...), byte(object), byte(object>>8), byte(object>>16), 0, 0)) //nolint:gosec // see the import
	cipher(sum[:], out)
	return out
}
