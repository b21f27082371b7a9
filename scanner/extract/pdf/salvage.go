package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// maxSalvage bounds the documents that are searched for lost pages, in bytes.
const maxSalvage = 64 << 20

var (
	objectStart = regexp.MustCompile(`(\d{1,7})\s+(\d{1,5})\s+obj\b`)
	pageType    = regexp.MustCompile(`/Type\s*/Page[^s]`)
)

// salvage gives a document that lost its end (a copy that broke off) a new
// one: a catalogue of the pages that are still there. PDFium finds all other
// objects by itself. Pages inside object streams stay lost.
func salvage(in extract.Input) (extract.Input, bool) {
	if in.Size > maxSalvage {
		return in, false
	}
	b := make([]byte, in.Size)
	n, err := in.ReadAt(b, 0)
	if b = b[:n]; err != nil && !errors.Is(err, io.EOF) || bytes.Contains(b, []byte("/Encrypt")) {
		return in, false
	}
	kids, count := new(bytes.Buffer), 0
	starts := objectStart.FindAllSubmatchIndex(b, -1)
	for i, s := range starts {
		end := len(b)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		if pageType.Match(b[s[1]:min(end, s[1]+4096)]) {
			fmt.Fprintf(kids, "%s %s R ", b[s[2]:s[3]], b[s[4]:s[5]])
			count++
		}
	}
	if count == 0 {
		return in, false
	}
	const catalogue, tree = 9_999_998, 9_999_997
	var end bytes.Buffer
	fmt.Fprintf(&end, "\nendstream\nendobj\n%d 0 obj\n<< /Type /Pages /Count %d /Kids [%s] >>\nendobj\n", tree, count, kids)
	fmt.Fprintf(&end, "%d 0 obj\n<< /Type /Catalog /Pages %d 0 R >>\nendobj\ntrailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n0\n%%%%EOF\n",
		catalogue, tree, catalogue+1, catalogue)
	whole := slices.Concat(b, end.Bytes())
	in.ReaderAt, in.Size = bytes.NewReader(whole), int64(len(whole))
	return in, true
}
