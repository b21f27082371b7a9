package mail

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// pstFile is the lowest layer of an Outlook data file: two trees of pages,
// one of nodes and one of the blocks that hold what nodes consist of
// ([MS-PST] 2.2). What is broken is left out, and noted.
type pstFile struct {
	in     extract.Input
	wide   bool // numbers of eight bytes
	coded  bool // blocks are permuted
	nodes  int64
	blocks int64
	budget int  // pages and blocks that may still be read
	cut    bool // something is missing

	// found is where blocks lie, and left the nodes there are, in a file whose
	// trees have lost their roots; nil: they have not.
	found map[uint64]pstPlace
	left  map[uint64]pstNode
}

// pstPlace is where a block lies.
type pstPlace struct {
	at   int64
	size int
}

const (
	pstPageSize   = 512
	pstBlockSize  = 64 << 10 // no block is larger
	pstHeapBlocks = 4096     // that one heap is read from
	pstInternal   = 2        // the bit of a block's number that says so
)

// openPST reads the header ([MS-PST] 2.2.2.6).
func openPST(in extract.Input) (*pstFile, error) {
	head := make([]byte, 564)
	if n, _ := in.ReadAt(head, 0); n < 514 {
		return nil, fmt.Errorf("pst: header: %w", extract.ErrDamaged)
	}
	f := &pstFile{in: in, budget: int(min(32*in.Size/pstPageSize+10_000, 1<<27))}
	le := binary.LittleEndian
	method := head[461]
	switch version := le.Uint16(head[10:]); {
	case version == 14 || version == 15:
		f.nodes, f.blocks = int64(le.Uint32(head[188:])), int64(le.Uint32(head[196:]))
	case version >= 23 && version < 36:
		f.wide, method = true, head[513]
		f.nodes, f.blocks = int64(le.Uint64(head[224:])), int64(le.Uint64(head[240:])) //nolint:gosec // reading there fails
	default:
		return nil, fmt.Errorf("pst: version %d: %w", version, extract.ErrUnsupported)
	}
	switch method {
	case 0:
	case 1:
		f.coded = true
	case 0x10:
		return nil, fmt.Errorf("pst: Windows Information Protection: %w", extract.ErrRights)
	default:
		return nil, fmt.Errorf("pst: encoding %d: %w", method, extract.ErrUnsupported)
	}
	return f, nil
}

// number reads a number of the file's width.
func (f *pstFile) number(b []byte) uint64 {
	if f.wide {
		return binary.LittleEndian.Uint64(b)
	}
	return uint64(binary.LittleEndian.Uint32(b))
}

func (f *pstFile) width() int {
	if f.wide {
		return 8
	}
	return 4
}

// spend counts what is read: a file that leads in circles comes to an end.
func (f *pstFile) spend() bool {
	f.budget--
	if f.budget < 0 {
		f.cut = true
	}
	return f.budget >= 0
}

// pstPage is a page of a tree: entries of one size.
type pstPage struct {
	entries [][]byte
	level   int // 0: a leaf
}

// page reads a page of a tree ([MS-PST] 2.2.2.7.7.1).
func (f *pstFile) page(at int64) (p pstPage, ok bool) {
	b := make([]byte, pstPageSize)
	if !f.spend() || at <= 0 || at > f.in.Size {
		f.cut = true
		return p, false
	}
	if n, _ := f.in.ReadAt(b, at); n < pstPageSize {
		f.cut = true
		return p, false
	}
	p, ok = f.entries(b)
	f.cut = f.cut || !ok
	return p, ok
}

// entries takes a page apart.
func (f *pstFile) entries(b []byte) (p pstPage, ok bool) {
	tail := 496
	if f.wide {
		tail = 488
	}
	count, size := int(b[tail]), int(b[tail+2])
	p.level = int(b[tail+3])
	if size < 2*f.width() || count*size > tail || p.level > 16 {
		return p, false
	}
	for i := range count {
		p.entries = append(p.entries, b[i*size:(i+1)*size])
	}
	return p, true
}

// pstNode is an entry of the tree of nodes, or of the nodes in a node.
type pstNode struct{ id, data, sub, parent uint64 }

// kind is what a node is ([MS-PST] 2.2.2.1).
func (n pstNode) kind() uint64 { return n.id & 0x1F }

// Kinds of nodes, and the number of a table in a message.
const (
	pstFolder     = 0x02
	pstMessage    = 0x04
	pstAttachment = 0x05
	pstRecipients = 0x692
)

// eachNode visits the nodes of the file in the order of their numbers.
func (f *pstFile) eachNode(ctx context.Context, visit func(pstNode) error) error {
	if f.rooted(f.nodes) && f.rooted(f.blocks) {
		return f.walk(f.nodes, -1, visit)
	}
	if err := f.salvage(ctx); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(f.left)) {
		if err := visit(f.left[id]); err != nil {
			return err
		}
	}
	return nil
}

func (f *pstFile) rooted(at int64) bool {
	_, ok := f.page(at)
	return ok
}

// salvage finds the leaves of both trees in a file that is cut off, by what
// stands at their ends ([MS-PST] 2.2.2.7.1).
func (f *pstFile) salvage(ctx context.Context) error {
	const blocks, nodes = 0x80, 0x81
	f.found, f.left, f.cut = map[uint64]pstPlace{}, map[uint64]pstNode{}, true
	w, end := f.width(), 500
	if f.wide {
		end = 496
	}
	b := make([]byte, pstPageSize)
	for at := int64(pstPageSize); at+pstPageSize <= f.in.Size; at += pstPageSize {
		if err := ctx.Err(); err != nil {
			return err
		}
		if n, _ := f.in.ReadAt(b, at); n < pstPageSize || b[end] != b[end+1] || b[end] != blocks && b[end] != nodes {
			continue
		}
		p, ok := f.entries(b)
		if !ok || p.level != 0 || len(f.found)+len(f.left) > pstSalvaged {
			continue
		}
		for _, e := range p.entries {
			switch {
			case b[end] == blocks && len(e) >= 2*w+2:
				f.found[f.number(e)&^1] = pstPlace{int64(f.number(e[w:])), int(binary.LittleEndian.Uint16(e[2*w:]))} //nolint:gosec // reading there fails
			case b[end] == nodes && len(e) >= 3*w+4:
				n := f.node(e)
				f.left[n.id] = n
			}
		}
	}
	return nil
}

// pstSalvaged bounds what is remembered of a file that is cut off.
const pstSalvaged = 2_000_000

// node reads an entry of a leaf of the tree of nodes.
func (f *pstFile) node(e []byte) pstNode {
	w := f.width()
	return pstNode{f.number(e) & 0xFFFFFFFF, f.number(e[w:]), f.number(e[2*w:]), uint64(binary.LittleEndian.Uint32(e[3*w:]))}
}

func (f *pstFile) walk(at int64, level int, visit func(pstNode) error) error {
	p, ok := f.page(at)
	if !ok || level >= 0 && p.level != level {
		f.cut = true
		return nil
	}
	w := f.width()
	for _, e := range p.entries {
		var err error
		switch {
		case p.level > 0 && len(e) >= 3*w:
			err = f.walk(int64(f.number(e[2*w:])), p.level-1, visit) //nolint:gosec // reading there fails
		case p.level == 0 && len(e) >= 3*w+4:
			err = visit(f.node(e))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// find looks up where a block lies.
func (f *pstFile) find(id uint64) (at int64, size int, ok bool) {
	if f.found != nil {
		p, ok := f.found[id&^1]
		return p.at, p.size, ok
	}
	w := f.width()
	at = f.blocks
	for level := -1; ; level-- {
		p, readable := f.page(at)
		if !readable || level >= 0 && p.level != level {
			return 0, 0, false
		}
		level = p.level
		var hit []byte
		for _, e := range p.entries {
			if f.number(e)&^1 > id&^1 {
				break
			}
			hit = e
		}
		switch {
		case hit == nil || p.level > 0 && len(hit) < 3*w || len(hit) < 2*w+2:
			return 0, 0, false
		case p.level > 0:
			at = int64(f.number(hit[2*w:])) //nolint:gosec // reading there fails
			continue
		case f.number(hit)&^1 != id&^1:
			return 0, 0, false
		}
		return int64(f.number(hit[w:])), int(binary.LittleEndian.Uint16(hit[2*w:])), true //nolint:gosec // reading there fails
	}
}

// block reads a block; nil if it is not there.
func (f *pstFile) block(id uint64) []byte {
	if id == 0 || !f.spend() {
		return nil
	}
	at, size, ok := f.find(id)
	if !ok || at <= 0 || at > f.in.Size {
		f.cut = true
		return nil
	}
	b := make([]byte, size)
	n, _ := f.in.ReadAt(b, at)
	f.cut = f.cut || n < size
	b = b[:n]
	if f.coded && id&pstInternal == 0 {
		for i, c := range b {
			b[i] = pstPermuted[c]
		}
	}
	return b
}

// pieces returns the numbers of the blocks that a node's data consists of
// ([MS-PST] 2.2.2.8.3.2), at most so many.
func (f *pstFile) pieces(id uint64, most int) []uint64 {
	if id&pstInternal == 0 {
		return []uint64{id}
	}
	return f.listed(id, 2, most)
}

func (f *pstFile) listed(id uint64, deepest int, most int) (list []uint64) {
	b := f.block(id)
	if len(b) < 8 || b[0] != 1 || int(b[1]) > deepest || b[1] == 0 {
		f.cut = true
		return nil
	}
	w := f.width()
	for e := b[8:min(len(b), 8+w*int(binary.LittleEndian.Uint16(b[2:])))]; len(e) >= w && len(list) < most; e = e[w:] {
		if b[1] == 1 {
			list = append(list, f.number(e))
		} else {
			list = append(list, f.listed(f.number(e), 1, most-len(list))...)
		}
	}
	return list
}

// inside returns the nodes in a node ([MS-PST] 2.2.2.8.3.3).
func (f *pstFile) inside(id uint64) []pstNode { return f.insideOf(id, 1) }

func (f *pstFile) insideOf(id uint64, deepest int) (list []pstNode) {
	if id == 0 {
		return nil
	}
	b := f.block(id)
	if len(b) < 8 || b[0] != 2 || int(b[1]) > deepest {
		f.cut = true
		return nil
	}
	w, head := f.width(), 4
	if f.wide {
		head = 8
	}
	size := 3 * w
	if b[1] == 1 {
		size = 2 * w
	}
	for e := b[head:min(len(b), head+size*int(binary.LittleEndian.Uint16(b[2:])))]; len(e) >= size && len(list) < f.in.Limits.Entries; e = e[size:] {
		if b[1] == 1 {
			list = append(list, f.insideOf(f.number(e[w:]), 0)...)
		} else {
			list = append(list, pstNode{id: f.number(e) & 0xFFFFFFFF, data: f.number(e[w:]), sub: f.number(e[2*w:])})
		}
	}
	return list
}

// open streams a node's data.
func (f *pstFile) open(id uint64) io.Reader {
	return &pstReader{f: f, left: f.pieces(id, 1<<20)}
}

type pstReader struct {
	f    *pstFile
	left []uint64
	now  []byte
}

// Read implements io.Reader.
func (r *pstReader) Read(p []byte) (int, error) {
	for len(r.now) == 0 {
		if len(r.left) == 0 {
			return 0, io.EOF
		}
		r.now, r.left = r.f.block(r.left[0]), r.left[1:]
	}
	n := copy(p, r.now)
	r.now = r.now[n:]
	return n, nil
}

// pstHeap is a node's data as pieces with numbers ([MS-PST] 2.3.1).
type pstHeap struct {
	f      *pstFile
	blocks [][]byte
	inside []pstNode
}

func (f *pstFile) heap(n pstNode) *pstHeap {
	h := &pstHeap{f: f, inside: f.inside(n.sub)}
	for _, id := range f.pieces(n.data, pstHeapBlocks) {
		h.blocks = append(h.blocks, f.block(id))
	}
	if len(h.blocks) == 0 || len(h.blocks[0]) < 12 || h.blocks[0][2] != 0xEC {
		h.f.cut = true
		h.blocks = nil
	}
	return h
}

// root is the piece that the heap is about.
func (h *pstHeap) root() []byte {
	if len(h.blocks) == 0 {
		return nil
	}
	return h.piece(binary.LittleEndian.Uint32(h.blocks[0][4:]))
}

// piece returns the piece of a number.
func (h *pstHeap) piece(id uint32) []byte {
	block, index := int(id>>16), int(id>>5&0x7FF)
	if id&0x1F != 0 || index == 0 || block >= len(h.blocks) || len(h.blocks[block]) < 2 {
		return nil
	}
	b := h.blocks[block]
	le := binary.LittleEndian
	list := int(le.Uint16(b))
	at := list + 4 + 2*(index-1)
	if at+4 > len(b) || index > int(le.Uint16(b[list:])) {
		return nil
	}
	from, to := int(le.Uint16(b[at:])), int(le.Uint16(b[at+2:]))
	if from > to || to > len(b) {
		return nil
	}
	return b[from:to]
}

// value returns what a property refers to: a piece, or a node in this one. It
// is cut at most bytes.
func (h *pstHeap) value(id uint32, most int64) []byte {
	if id&0x1F == 0 {
		return h.piece(id)
	}
	b, _ := io.ReadAll(io.LimitReader(h.open(id), most)) // it does not fail
	return b
}

// open is value as a stream.
func (h *pstHeap) open(id uint32) io.Reader {
	if id&0x1F == 0 {
		return &pstReader{f: h.f, now: h.piece(id)}
	}
	if n, ok := h.node(id); ok {
		return h.f.open(n.data)
	}
	h.f.cut = true
	return &pstReader{f: h.f}
}

// node finds a node in this one.
func (h *pstHeap) node(id uint32) (pstNode, bool) {
	for _, n := range h.inside {
		if n.id == uint64(id) {
			return n, true
		}
	}
	return pstNode{}, false
}

// pstPermuted undoes the encoding of blocks ([MS-PST] 5.1).
var pstPermuted = [256]byte{
	0x47, 0xf1, 0xb4, 0xe6, 0x0b, 0x6a, 0x72, 0x48, 0x85, 0x4e, 0x9e, 0xeb, 0xe2, 0xf8, 0x94, 0x53,
	0xe0, 0xbb, 0xa0, 0x02, 0xe8, 0x5a, 0x09, 0xab, 0xdb, 0xe3, 0xba, 0xc6, 0x7c, 0xc3, 0x10, 0xdd,
	0x39, 0x05, 0x96, 0x30, 0xf5, 0x37, 0x60, 0x82, 0x8c, 0xc9, 0x13, 0x4a, 0x6b, 0x1d, 0xf3, 0xfb,
	0x8f, 0x26, 0x97, 0xca, 0x91, 0x17, 0x01, 0xc4, 0x32, 0x2d, 0x6e, 0x31, 0x95, 0xff, 0xd9, 0x23,
	0xd1, 0x00, 0x5e, 0x79, 0xdc, 0x44, 0x3b, 0x1a, 0x28, 0xc5, 0x61, 0x57, 0x20, 0x90, 0x3d, 0x83,
	0xb9, 0x43, 0xbe, 0x67, 0xd2, 0x46, 0x42, 0x76, 0xc0, 0x6d, 0x5b, 0x7e, 0xb2, 0x0f, 0x16, 0x29,
	0x3c, 0xa9, 0x03, 0x54, 0x0d, 0xda, 0x5d, 0xdf, 0xf6, 0xb7, 0xc7, 0x62, 0xcd, 0x8d, 0x06, 0xd3,
	0x69, 0x5c, 0x86, 0xd6, 0x14, 0xf7, 0xa5, 0x66, 0x75, 0xac, 0xb1, 0xe9, 0x45, 0x21, 0x70, 0x0c,
	0x87, 0x9f, 0x74, 0xa4, 0x22, 0x4c, 0x6f, 0xbf, 0x1f, 0x56, 0xaa, 0x2e, 0xb3, 0x78, 0x33, 0x50,
	0xb0, 0xa3, 0x92, 0xbc, 0xcf, 0x19, 0x1c, 0xa7, 0x63, 0xcb, 0x1e, 0x4d, 0x3e, 0x4b, 0x1b, 0x9b,
	0x4f, 0xe7, 0xf0, 0xee, 0xad, 0x3a, 0xb5, 0x59, 0x04, 0xea, 0x40, 0x55, 0x25, 0x51, 0xe5, 0x7a,
	0x89, 0x38, 0x68, 0x52, 0x7b, 0xfc, 0x27, 0xae, 0xd7, 0xbd, 0xfa, 0x07, 0xf4, 0xcc, 0x8e, 0x5f,
	0xef, 0x35, 0x9c, 0x84, 0x2b, 0x15, 0xd5, 0x77, 0x34, 0x49, 0xb6, 0x12, 0x0a, 0x7f, 0x71, 0x88,
	0xfd, 0x9d, 0x18, 0x41, 0x7d, 0x93, 0xd8, 0x58, 0x2c, 0xce, 0xfe, 0x24, 0xaf, 0xde, 0xb8, 0x36,
	0xc8, 0xa1, 0x80, 0xa6, 0x99, 0x98, 0xa8, 0x2f, 0x0e, 0x81, 0x65, 0x73, 0xe4, 0xc2, 0xa2, 0x8a,
	0xd4, 0xe1, 0x11, 0xd0, 0x08, 0x8b, 0x2a, 0xf2, 0xed, 0x9a, 0x64, 0x3f, 0xc1, 0x6c, 0xf9, 0xec,
}
