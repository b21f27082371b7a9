package mail

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// PST reads an Outlook data file ([MS-PST]): all messages, appointments,
// contacts, tasks and notes in it, also those that no folder lists any more.
// Its password, which only Outlook asks for, is not needed.
type PST struct{}

var _ extract.Extractor = PST{}

// NewPST returns the reader of Outlook data files.
func NewPST() PST { return PST{} }

// Name implements extract.Extractor.
func (PST) Name() string { return "pst" }

// Version implements extract.Extractor.
func (PST) Version() int { return 1 }

// Accepts implements extract.Extractor.
func (PST) Accepts(_, mediaType string) bool { return mediaType == "application/vnd.ms-outlook-pst" }

// Extract implements extract.Extractor.
func (PST) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	file, err := openPST(in)
	if err != nil {
		return err
	}
	s := &dataFile{pstFile: file, ctx: ctx, out: out}
	if err := file.eachNode(ctx, s.node); err != nil {
		return err
	}
	if file.cut {
		return fmt.Errorf("pst: parts are missing: %w", extract.ErrDamaged)
	}
	return nil
}

// dataFile is where reading an Outlook data file stands.
type dataFile struct {
	*pstFile
	ctx      context.Context // of the one call of Extract that this lives in
	out      extract.Sink
	messages int
}

// node reads one of the file's nodes, if it is a folder or an item.
func (s *dataFile) node(n pstNode) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	switch n.kind() {
	case pstFolder:
		m := s.message("")
		m.flow.Alone(extract.Part{Kind: extract.Heading}, s.item(m, n).text(displayNameID))
		return m.flow.Close()
	case pstMessage:
		if s.messages++; s.messages > s.in.Limits.Entries {
			return fmt.Errorf("pst: messages: %w", extract.ErrLimit)
		}
		m := s.message("message " + strconv.Itoa(s.messages))
		s.item(m, n).read(0)
		if m.failed != nil {
			return m.failed
		}
		if err := m.flow.Close(); err != nil {
			return err
		}
		if m.sealed != nil {
			return s.out.Gap(m.place, m.sealed)
		}
	}
	return nil
}

func (s *dataFile) message(place string) *message {
	return &message{ctx: s.ctx, in: s.in, out: s.out, flow: extract.NewFlow(s.ctx, s.out), place: place}
}

// pstItem is a message, recipient or attachment: properties, whose values lie
// in a heap.
type pstItem struct {
	*pstHeap
	s       *dataFile
	m       *message
	outlook *outlook // to which codes and addresses are known
	values  map[uint16]pstValue
}

type pstValue struct {
	kind uint16 // [MS-OXCDATA] 2.11.1
	raw  uint32 // the value itself or where it lies
}

// Kinds of properties.
const (
	pstNumber  = 0x0003
	pstBoolean = 0x000B
	pstObject  = 0x000D
	pstString8 = 0x001E
	pstString  = 0x001F
	pstBinary  = 0x0102
)

// item reads the properties of a node ([MS-PST] 2.3.3).
func (s *dataFile) item(m *message, n pstNode) pstItem {
	i := pstItem{pstHeap: s.heap(n), s: s, m: m, outlook: &outlook{m: m}, values: map[uint16]pstValue{}}
	root := i.root()
	if len(root) < 8 || root[0] != 0xB5 || root[1] != 2 || root[2] != 6 {
		s.cut = s.cut || root != nil
		return i
	}
	i.records(binary.LittleEndian.Uint32(root[4:]), int(root[3]))
	return i
}

// records reads a tree of properties ([MS-PST] 2.3.2).
func (i pstItem) records(id uint32, level int) {
	const perLevel, property = 6, 8
	b := i.piece(id)
	le := binary.LittleEndian
	if level > 0 && level < 8 {
		for ; len(b) >= perLevel && i.s.spend(); b = b[perLevel:] {
			i.records(le.Uint32(b[2:]), level-1)
		}
		return
	}
	for ; len(b) >= property; b = b[property:] {
		i.values[le.Uint16(b)] = pstValue{le.Uint16(b[2:]), le.Uint32(b[4:])}
	}
}

// known makes the item's numbers known to what MSG and PST have in common.
func (i pstItem) known() properties {
	p := properties{o: i.outlook, fixed: map[uint16]uint32{}}
	for id, v := range i.values {
		if v.kind == pstNumber || v.kind == pstBoolean {
			p.fixed[id] = v.raw
		}
	}
	return p
}

// text returns a string property, or "".
func (i pstItem) text(id uint16) string {
	v, limit := i.values[id], i.s.in.Limits.Text+1
	text := ""
	switch v.kind {
	case pstString:
		text = decodeUTF16(i.value(v.raw, 2*limit))
	case pstString8:
		text = i.known().decode(i.value(v.raw, limit))
	}
	if id == subjectID && len(text) >= 2 && text[0] == 1 { // how long its "Re: " is
		_, size := utf8.DecodeRuneInString(text[1:])
		text = text[1+size:]
	}
	return strings.ReplaceAll(text, "\x00", "")
}

func (i pstItem) first(ids ...uint16) string {
	for _, id := range ids {
		if s := strings.TrimSpace(i.text(id)); s != "" {
			return s
		}
	}
	return ""
}

// read reads an item that lies in so many others.
func (i pstItem) read(depth int) {
	m := i.m
	m.flow.Alone(m.at(extract.Title), i.text(subjectID))
	i.outlook.address("From", i.first(senderNameID), i.first(senderSMTPID, senderMailID))
	if name := i.first(representingNameID); name != i.first(senderNameID) {
		i.outlook.address("Sender", name, i.first(representingSMTPID, representingMailID))
	}
	if table, ok := i.node(pstRecipients); ok {
		i.recipients(table)
	}
	i.body()
	i.rest()
	m.flow.Flush()
	for _, n := range i.inside {
		if n.kind() == pstAttachment && m.failed == nil && m.flow.Err() == nil {
			i.s.item(m, n).attachment(depth)
		}
	}
}

// body writes the item's text; the formatted forms only where they say more.
func (i pstItem) body() {
	text := i.text(bodyID)
	i.m.plain(text)
	page := ""
	switch v := i.values[htmlID]; v.kind {
	case pstBinary:
		page = i.outlook.page(i.known(), i.value(v.raw, i.s.in.Limits.Text+1))
	case pstString, pstString8:
		page = i.text(htmlID)
	}
	switch {
	case page != "":
		i.m.html(page)
	case strings.TrimSpace(text) == "":
		i.rich()
	}
}

// rich hands on a body that there is only as RTF.
func (i pstItem) rich() {
	v := i.values[rtfID]
	if v.kind != pstBinary || v.raw == 0 {
		return
	}
	rtf, err := unpackRTF(i.value(v.raw, i.s.in.Limits.Text+1), i.s.in.Limits.Text)
	if err != nil {
		i.m.flow.Gap(i.m.place, err)
	}
	if len(rtf) > 0 {
		i.m.flow.File(extract.File{Name: "body.rtf", Place: i.m.place, Role: extract.Embedded, MediaType: "application/rtf", Content: bytes.NewReader(rtf)})
	}
}

// rest writes the strings that are left: names, telephones and remarks of
// contacts, places of appointments, categories, fields of forms.
func (i pstItem) rest() {
	ids := make([]uint16, 0, len(i.values))
	for id, v := range i.values {
		if (v.kind == pstString || v.kind == pstString8) && !technical[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		if text := strings.TrimSpace(i.text(id)); text != "" && !i.m.said.holds(text) {
			i.m.said.add(text)
			i.m.flow.Alone(i.m.at(extract.Property), text)
		}
	}
}

// recipients reads a table ([MS-PST] 2.3.4): rows of fixed length, each with
// bits that tell which of its cells there are.
func (i pstItem) recipients(n pstNode) {
	table := i.s.heap(n)
	root, le := table.root(), binary.LittleEndian
	if len(root) < 22 || root[0] != 0x7C {
		i.s.cut = true
		return
	}
	bits, size, columns, rows := int(le.Uint16(root[6:])), int(le.Uint16(root[8:])), root[22:], le.Uint32(root[14:])
	if size == 0 || bits > size {
		return
	}
	pieces := [][]byte{table.piece(rows)}
	if matrix, ok := table.node(rows); ok {
		pieces = nil
		for _, id := range i.s.pieces(matrix.data, pstHeapBlocks) {
			pieces = append(pieces, i.s.block(id))
		}
	}
	for _, b := range pieces {
		for ; len(b) >= size; b = b[size:] {
			row := pstItem{pstHeap: table, s: i.s, m: i.m, outlook: i.outlook, values: map[uint16]pstValue{}}
			for c := columns; len(c) >= 8; c = c[8:] {
				at, length, bit := int(le.Uint16(c[4:])), int(c[6]), int(c[7])
				if there := bits + bit/8; there < size && b[there]>>(7-bit%8)&1 == 1 && length == 4 && at+4 <= size {
					row.values[le.Uint16(c[2:])] = pstValue{le.Uint16(c), le.Uint32(b[at:])}
				}
			}
			role := map[uint32]string{2: "Cc", 3: "Bcc"}[row.values[recipientTypeID].raw&0xF]
			if role == "" {
				role = "To"
			}
			i.outlook.address(role, row.first(displayNameID), row.first(smtpID, mailID))
		}
	}
}

// attachment hands on an attachment, or reads the item that it is.
func (i pstItem) attachment(depth int) {
	m, data := i.m, i.values[attachDataID]
	name := i.first(attachLongNameID, attachNameID, displayNameID)
	switch {
	case data.kind == pstObject:
		i.object(data, name, depth)
	case data.kind != pstBinary || data.raw == 0:
		m.flow.Gap(m.place, fmt.Errorf("pst: attachment without content: %w", extract.ErrUnsupported))
	case strings.EqualFold(name, "message.rpmsg"):
		m.locked(true, fmt.Errorf("pst: rights management: %w", extract.ErrRights))
	case isPKCS7(i.text(attachMIMEID)) || strings.EqualFold(name, "smime.p7m"):
		(&outlook{m: m}).signed(i.value(data.raw, i.s.in.Limits.Text+1))
	default:
		m.attached++
		if name == "" {
			name = "attachment " + strconv.Itoa(m.attached)
		}
		m.flow.File(extract.File{Name: name, Place: m.place, Role: extract.Attachment, MediaType: i.text(attachMIMEID), Content: i.open(data.raw)})
	}
}

// object reads a message in the message, or hands on what is none
// ([MS-PST] 2.3.3.5).
func (i pstItem) object(data pstValue, name string, depth int) {
	m := i.m
	where := i.piece(data.raw)
	if len(where) < 8 {
		m.flow.Gap(m.place, fmt.Errorf("pst: attachment without content: %w", extract.ErrDamaged))
		return
	}
	n, ok := i.node(binary.LittleEndian.Uint32(where))
	const embeddedMessage = 5
	switch {
	case !ok:
		m.flow.Gap(m.place, fmt.Errorf("pst: attachment without content: %w", extract.ErrDamaged))
	case i.values[attachMethodID].raw != embeddedMessage:
		m.flow.File(extract.File{Name: name, Place: m.place, Role: extract.Embedded, Content: i.s.open(n.data)})
	case depth+1 >= i.s.in.Limits.Depth:
		m.limit(m.place, fmt.Errorf("pst: messages in messages: %w", extract.ErrLimit))
	default:
		i.s.item(m, n).read(depth + 1)
	}
}

const attachMethodID = 0x3705
