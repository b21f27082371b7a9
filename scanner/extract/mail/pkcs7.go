package mail

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

func isPKCS7(mediaType string) bool {
	return mediaType == "application/pkcs7-mime" || mediaType == "application/x-pkcs7-mime"
}

// pkcs7 opens what is only signed and names what is encrypted (RFC 8551).
func (m *message) pkcs7(p *part, whole bool) {
	raw, err := io.ReadAll(io.LimitReader(p.content(m.in), m.in.Limits.Text+1))
	if err != nil {
		m.flow.Gap("", extract.Damaged(err))
		return
	}
	content := signedContent(raw)
	if content == nil {
		m.locked(whole, fmt.Errorf("mail: S/MIME: %w", extract.ErrCertificate))
		return
	}
	m.flow.File(extract.File{Name: "signed.eml", Role: extract.Attachment, MediaType: "message/rfc822", Content: bytes.NewReader(content)})
}

// openSigned hands on what a signed file holds. A signature that lies beside
// its file holds nothing to read.
func openSigned(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if in.Size > in.Limits.Inflate {
		return fmt.Errorf("mail: signed file: %w", extract.ErrLimit)
	}
	raw, err := io.ReadAll(in.Reader())
	if err != nil {
		return extract.Damaged(err)
	}
	content := signedContent(raw)
	if content == nil {
		return fmt.Errorf("mail: signature without content: %w", extract.ErrUnsupported)
	}
	name := strings.TrimSuffix(in.Name, path.Ext(in.Name))
	return out.File(extract.File{Name: name, Role: extract.Entry, Content: bytes.NewReader(content)})
}

// The object identifiers of CMS (RFC 5652), encoded.
var (
	oidSignedData = []byte{0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02}
	oidData       = []byte{0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01}
)

// signedContent returns what a SignedData signs, or nil if it is none.
func signedContent(raw []byte) []byte {
	info := childrenBER(firstBER(raw))
	if len(info) < 2 || !bytes.Equal(info[0].value, oidSignedData) {
		return nil
	}
	for _, field := range childrenBER(firstOf(childrenBER(info[1]))) {
		inner := childrenBER(field)
		if len(inner) == 2 && bytes.Equal(inner[0].value, oidData) {
			return octets(firstOf(childrenBER(inner[1])), 0)
		}
	}
	return nil
}

// ber is one element of BER (X.690), which mail programs write instead of the
// stricter DER.
type ber struct {
	tag   byte
	value []byte
}

func (b ber) constructed() bool { return b.tag&0x20 != 0 }

func firstOf(list []ber) ber {
	if len(list) == 0 {
		return ber{}
	}
	return list[0]
}

func firstBER(raw []byte) ber { return firstOf(childrenBER(ber{0x20, raw})) }

func childrenBER(parent ber) (list []ber) {
	if !parent.constructed() {
		return nil
	}
	for rest := parent.value; len(rest) > 0 && len(list) < 1<<16; {
		element, size := readBER(rest, 0)
		if size == 0 || element.tag == 0 {
			break
		}
		list = append(list, element)
		rest = rest[size:]
	}
	return list
}

// readBER reads one element and how many bytes it takes; 0 if there is none.
func readBER(raw []byte, depth int) (ber, int) {
	if len(raw) < 2 || raw[0]&0x1F == 0x1F || depth > 16 {
		return ber{}, 0
	}
	length, head := int(raw[1]), 2
	switch {
	case length == 0x80:
		return indefiniteBER(raw, depth)
	case length > 0x80:
		n := length & 0x7F
		if n > 4 || 2+n > len(raw) {
			return ber{}, 0
		}
		length = 0
		for _, b := range raw[2 : 2+n] {
			length = length<<8 | int(b)
		}
		head += n
	}
	end := min(head+length, len(raw)) // what is cut off is better than nothing
	return ber{raw[0], raw[head:end]}, end
}

func indefiniteBER(raw []byte, depth int) (ber, int) {
	at := 2
	for at+2 <= len(raw) && (raw[at] != 0 || raw[at+1] != 0) {
		_, size := readBER(raw[at:], depth+1)
		if size == 0 {
			return ber{}, 0
		}
		at += size
	}
	return ber{raw[0], raw[2:min(at, len(raw))]}, min(at+2, len(raw))
}

// octets joins an octet string that may be in pieces.
func octets(b ber, depth int) []byte {
	if !b.constructed() || depth > 4 {
		return b.value
	}
	var all []byte
	for _, piece := range childrenBER(b) {
		all = append(all, octets(piece, depth+1)...)
	}
	return all
}
