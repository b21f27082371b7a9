package mail

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
)

// pstWriter writes Outlook data files: what [MS-PST] asks for, and no more
// than one page of each tree.
type pstWriter struct {
	wide   bool
	blocks []pstBlock
	nodes  []pstNode
}

type pstBlock struct {
	id   uint64
	data []byte
	at   int
}

func (w *pstWriter) number(v uint64) []byte {
	if w.wide {
		return binary.LittleEndian.AppendUint64(nil, v)
	}
	return binary.LittleEndian.AppendUint32(nil, uint32(v))
}

// block stores data; inner blocks are those of the file's own.
func (w *pstWriter) block(data []byte, inner bool) uint64 {
	id := uint64(len(w.blocks)+1) << 2
	if inner {
		id |= pstInternal
	}
	w.blocks = append(w.blocks, pstBlock{id: id, data: data})
	return id
}

// inside stores nodes in a node.
func (w *pstWriter) inside(nodes ...pstNode) uint64 {
	if len(nodes) == 0 {
		return 0
	}
	b := binary.LittleEndian.AppendUint16([]byte{2, 0}, uint16(len(nodes)))
	if w.wide {
		b = append(b, 0, 0, 0, 0)
	}
	for _, n := range nodes {
		b = append(b, w.number(n.id)...)
		b = append(b, w.number(n.data)...)
		b = append(b, w.number(n.sub)...)
	}
	return w.block(b, true)
}

// heapOf stores pieces, the first of which is the root.
func heapOf(client byte, pieces ...[]byte) []byte {
	le := binary.LittleEndian
	b := []byte{0, 0, 0xEC, client, 0x20, 0, 0, 0, 0, 0, 0, 0}
	ends := []byte{}
	for _, p := range pieces {
		ends = le.AppendUint16(ends, uint16(len(b)))
		b = append(b, p...)
	}
	ends = le.AppendUint16(ends, uint16(len(b)))
	le.PutUint16(b, uint16(len(b)))
	b = le.AppendUint16(b, uint16(len(pieces)))
	b = append(b, 0, 0)
	return append(b, ends...)
}

func piece(n int) uint32 { return uint32(n) << 5 }

func wide(s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// object stores properties: strings, numbers, bytes.
func (w *pstWriter) object(properties map[uint16]any) uint64 {
	le := binary.LittleEndian
	var records []byte
	pieces := [][]byte{{0xB5, 2, 6, 0, byte(piece(2)), 0, 0, 0}, nil}
	for id := range uint16(0x7FFF) {
		kind, raw := uint16(pstNumber), uint32(0)
		var value []byte
		switch v := properties[id].(type) {
		case nil:
			continue
		case int:
			raw = uint32(v)
		case string:
			if kind, value = pstString, wide(v); !w.wide {
				latin := []byte{}
				for _, r := range v {
					latin = append(latin, byte(r))
				}
				kind, value = pstString8, latin
			}
		case []byte:
			kind, value = pstBinary, v
		case pstNode:
			kind, value = pstObject, le.AppendUint32(le.AppendUint32(nil, uint32(v.id)), 0)
		case uint32: // bytes that lie in a node
			kind, raw = pstBinary, v
		}
		if value != nil {
			pieces = append(pieces, value)
			raw = piece(len(pieces))
		}
		records = le.AppendUint32(le.AppendUint16(le.AppendUint16(records, id), kind), raw)
	}
	pieces[1] = records
	return w.block(heapOf(0xBC, pieces...), false)
}

// recipients stores a table of names and addresses.
func (w *pstWriter) recipients(list ...[2]string) uint64 {
	le := binary.LittleEndian
	const size = 4 + 4 + 4 + 4 + 1 // row's number, role, name, address, bits
	root := []byte{0x7C, 4}
	for _, n := range []uint16{16, 16, 16, size} {
		root = le.AppendUint16(root, n)
	}
	root = append(root, 0, 0, 0, 0)
	root = le.AppendUint32(root, piece(2))
	root = append(root, 0, 0, 0, 0)
	for i, id := range []uint16{0x67F2, recipientTypeID, displayNameID, smtpID} {
		kind := uint16(pstNumber)
		if i >= 2 {
			kind = pstString
		}
		root = le.AppendUint16(le.AppendUint16(root, kind), id)
		root = append(le.AppendUint16(root, uint16(4*i)), 4, byte(i))
	}
	pieces := [][]byte{root, nil}
	for i, r := range list {
		pieces = append(pieces, wide(r[0]), wide(r[1]))
		for _, v := range []uint32{uint32(i), uint32(i + 1), piece(len(pieces) - 1), piece(len(pieces))} {
			pieces[1] = le.AppendUint32(pieces[1], v)
		}
		bits := byte(0xF0)
		if r[1] == "" {
			bits = 0xE0
		}
		pieces[1] = append(pieces[1], bits)
	}
	return w.block(heapOf(0x7C, pieces...), false)
}

func (w *pstWriter) bytes() []byte {
	le := binary.LittleEndian
	b := make([]byte, 1024)
	copy(b, "!BDN\x00\x00\x00\x00SM")
	var encode [256]byte
	for coded, plain := range pstPermuted {
		encode[plain] = byte(coded)
	}
	var blocks, nodes []byte
	for i := range w.blocks {
		block := &w.blocks[i]
		for len(b)%64 != 0 {
			b = append(b, 0)
		}
		block.at = len(b)
		for _, c := range block.data {
			if block.id&pstInternal == 0 {
				c = encode[c]
			}
			b = append(b, c)
		}
		blocks = append(append(blocks, w.number(block.id)...), w.number(uint64(block.at))...)
		blocks = le.AppendUint16(le.AppendUint16(blocks, uint16(len(block.data))), 2)
		if w.wide {
			blocks = append(blocks, 0, 0, 0, 0)
		}
	}
	for _, n := range w.nodes {
		nodes = append(append(append(nodes, w.number(n.id)...), w.number(n.data)...), w.number(n.sub)...)
		nodes = le.AppendUint32(nodes, uint32(n.parent))
		if w.wide {
			nodes = append(nodes, 0, 0, 0, 0)
		}
	}
	page := func(entries []byte, count int, kind byte) int {
		for len(b)%512 != 0 {
			b = append(b, 0)
		}
		at, tail, end := len(b), 496, 500
		if w.wide {
			tail, end = 488, 496
		}
		b = append(b, make([]byte, 512)...)
		if copy(b[at:at+tail], entries) < len(entries) {
			panic("too much for one page")
		}
		b[at+tail], b[at+tail+2] = byte(count), byte(len(entries)/count)
		b[at+end], b[at+end+1] = kind, kind
		return at
	}
	blocksAt, nodesAt := page(blocks, len(w.blocks), 0x80), page(nodes, len(w.nodes), 0x81)
	if w.wide {
		le.PutUint16(b[10:], 23)
		le.PutUint64(b[224:], uint64(nodesAt))
		le.PutUint64(b[240:], uint64(blocksAt))
		b[513] = 1
	} else {
		le.PutUint16(b[10:], 15)
		le.PutUint32(b[188:], uint32(nodesAt))
		le.PutUint32(b[196:], uint32(blocksAt))
		b[461] = 1
	}
	return b
}

// mailbox is a folder with a message, to which a file and a message are
// attached, and a contact.
func mailbox(isWide bool) []byte {
	w := &pstWriter{wide: isWide}
	folder := w.object(map[uint16]any{displayNameID: "Rehabärenden"})
	const dataNode = 0x3F
	file := pstNode{id: 0x20 | pstAttachment, data: w.object(map[uint16]any{attachLongNameID: "intyg.txt", attachDataID: []byte("Läkarintyg för 19850709-2388")})}
	long := w.block(bytes.Repeat([]byte("sida "), 400), false)
	parts := binary.LittleEndian.AppendUint16([]byte{1, 1}, 2)
	parts = append(append(append(parts, 0, 0, 0, 0), w.number(long)...), w.number(long)...)
	large := pstNode{id: 0x40 | pstAttachment, data: w.object(map[uint16]any{attachNameID: "bilaga.txt", attachDataID: uint32(dataNode)})}
	large.sub = w.inside(pstNode{id: dataNode, data: w.block(parts, true)})
	inner := pstNode{id: 0x2000 | pstMessage, data: w.object(map[uint16]any{subjectID: "Vidarebefordrat", bodyID: "Han är sjukskriven."})}
	nested := pstNode{id: 0x60 | pstAttachment, sub: w.inside(inner), data: w.object(map[uint16]any{attachMethodID: 5, attachDataID: inner})}
	recipients := pstNode{id: pstRecipients, data: w.recipients([2]string{"Bo Test", "bo@example.se"}, [2]string{"Rehabgruppen", ""})}
	letter := w.object(map[uint16]any{
		subjectID: "\x01\x05Re: Uppföljning", senderNameID: "Åsa Öberg", senderSMTPID: "asa@example.se",
		bodyID: "Mötet gäller 19850709-2388.\r\nHälsningar", htmlID: []byte("<p>Mötet gäller 19850709-2388. Hälsningar</p><p>Signatur</p>"),
		messageClassID: "IPM.Note", messageCodepageID: 1252,
	})
	contact := w.object(map[uint16]any{displayNameID: "Cecilia Prov", 0x3A1C: "070-174 06 05", rtfID: rtfOf("{\\rtf1 Anteckning}"), messageCodepageID: 1252})
	w.nodes = []pstNode{
		{id: 0x120 | pstFolder, data: folder},
		{id: 0x200 | pstMessage, data: letter, sub: w.inside(file, large, nested, recipients), parent: 0x122},
		{id: 0x220 | pstMessage, data: contact, parent: 0x122},
	}
	return w.bytes()
}

// rtfOf is RTF as Outlook stores it, not compressed.
func rtfOf(text string) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(le.AppendUint32(nil, uint32(len(text)+12)), uint32(len(text)))
	return append(append(append(b, "MELA"...), 0, 0, 0, 0), text...)
}

func TestPST(t *testing.T) {
	for name, isWide := range map[string]bool{"unicode": true, "ansi": false} {
		path := filepath.Join("testdata", "pst", name, "input.pst")
		content := mailbox(isWide)
		if os.Getenv("MOLNVAKT_WRITE_PST") != "" {
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, content, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, content) { //nolint:gosec // the test's own
			t.Errorf("%s is not what is written here: MOLNVAKT_WRITE_PST=1 writes it (%v)", path, err)
		}
	}
	extracttest.Run(t, NewPST(), "testdata/pst")
}

func FuzzPST(f *testing.F) { extracttest.Fuzz(f, NewPST(), "testdata/pst") }

// TestPSTOfOthers: what cannot be read is named.
func TestPSTOfOthers(t *testing.T) {
	for name, c := range map[string]struct {
		at    int
		value byte
		want  error
	}{
		"cached copy of an account": {10, 36, extract.ErrUnsupported},
		"encoded in another way":    {513, 2, extract.ErrUnsupported},
		"protected by an employer":  {513, 0x10, extract.ErrRights},
	} {
		content := mailbox(true)
		content[c.at] = c.value
		if _, err := extracttest.Read(t.Context(), NewPST(), extracttest.Input("a.pst", content)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPSTWithoutRoots: where the trees begin is lost, as in a file whose end
// is; what their leaves hold is read.
func TestPSTWithoutRoots(t *testing.T) {
	for _, isWide := range []bool{true, false} {
		content := mailbox(isWide)
		copy(content[180:256], make([]byte, 76))
		rec, err := extracttest.Read(t.Context(), NewPST(), extracttest.Input("a.pst", content))
		if !errors.Is(err, extract.ErrDamaged) || !strings.Contains(rec.String(), "Mötet gäller 19850709-2388.") || len(rec.Files) < 3 {
			t.Errorf("%v\n%s", err, rec)
		}
	}
}

// TestPSTInCircles: a tree that leads back to itself comes to an end.
func TestPSTInCircles(t *testing.T) {
	content := mailbox(true)
	at := binary.LittleEndian.Uint64(content[224:])
	page := content[at : at+512]
	page[488], page[490], page[491] = 20, 24, 1
	for i := range 20 {
		binary.LittleEndian.PutUint64(page[i*24+16:], at)
	}
	rec, err := extracttest.Read(t.Context(), NewPST(), extracttest.Input("a.pst", content))
	if !errors.Is(err, extract.ErrDamaged) || strings.Contains(rec.String(), "Uppföljning") {
		t.Errorf("%v\n%s", err, rec)
	}
}
