package pdf

import (
	"bytes"
	"strings"

	"github.com/klippa-app/go-pdfium/requests"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// xfa writes what was filled into a form of the XML Forms Architecture, whose
// pages are often empty but for "please wait": the packet "datasets" has the
// values (XFA 3.3, chapter 4).
func (d *document) xfa() error {
	count, err := d.FPDF_GetXFAPacketCount(&requests.FPDF_GetXFAPacketCount{Document: d.ref})
	if !d.check(err) {
		return nil
	}
	for i := range min(count.Count, 100) {
		name, err := d.FPDF_GetXFAPacketName(&requests.FPDF_GetXFAPacketName{Document: d.ref, Index: i})
		if !d.check(err) || name.Name != "datasets" {
			continue
		}
		packet, err := d.FPDF_GetXFAPacketContent(&requests.FPDF_GetXFAPacketContent{Document: d.ref, Index: i})
		if !d.check(err) {
			continue
		}
		text := xfaText(packet.Content)
		d.seen.add(text)
		if err := extract.Pieces(d.ctx, extract.Part{Kind: extract.FormField}, text, d.out); err != nil {
			return err
		}
	}
	return nil
}

// xfaText writes a line for every element that holds text: "name: value". A
// packet that is cut off gives what stands before the cut.
func xfaText(packet []byte) string {
	var b strings.Builder
	x := extract.NewXML(bytes.NewReader(packet), extract.DefaultLimits())
	name := ""
	for {
		kind, err := x.Next()
		if err != nil { // the end, or damage: the packet is one part of many
			return b.String()
		}
		switch kind {
		case extract.XMLStart:
			name = x.Name
		case extract.XMLText:
			if text := strings.TrimSpace(string(x.Text())); text != "" {
				b.WriteString(labelled(name, text))
				b.WriteByte('\n')
			}
		}
	}
}
