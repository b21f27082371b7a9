package patterns

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"unsafe"
)

// TablesForm names the form of saved tables, for the name of their file; it is
// raised when the form changes.
const TablesForm = "v5"

// tablesMagic begins saved tables. Its length keeps what follows aligned to
// four bytes.
const tablesMagic = "molnvakt tables " + TablesForm + ".\n"

// castagnoli checks that tables are whole; who could forge them could as well
// forge the program.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// WriteTables saves the tables, which are most of the work of Build, for
// Builder.Tables of another process.
func (e *Engine) WriteTables(w io.Writer) error {
	literals, _, _ := literalsOfTerms(e.terms)
	sum := literalsSum(literals)
	body := e.literals.appendTo(append([]byte(tablesMagic), sum[:]...))
	body = binary.LittleEndian.AppendUint32(body, crc32.Checksum(body, castagnoli))
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("write tables: %w", err)
	}
	return nil
}

// Tables offers tables that WriteTables saved. Build uses them if they are
// whole and made for the same terms, and makes its own otherwise. The Engine
// looks things up in them, so they must not change: a file may be mapped, and
// then the processes of one machine share its memory.
func (b *Builder) Tables(saved []byte) { b.tables = saved }

// table returns the saved table if it fits, or a new one, and cuts the
// literals, but for those with an id from keep on, as it needs.
func (b *Builder) table(literals []literal, keep int32) (*literalTable, error) {
	if t := savedTable(b.tables, literals); t != nil {
		cut(literals, keep, int(t.longest))
		return t, nil
	}
	for _, n := range [...]int{maxTerm, 12, 8, 6, 5, 4, 3} {
		cut(literals, keep, n)
		if t := newLiteralTable(literals); t != nil {
			t.longest = uint32(n)
			return t, nil
		}
	}
	return nil, fmt.Errorf("%w: too many terms, or too many texts of expressions", ErrTerm)
}

func savedTable(saved []byte, literals []literal) *literalTable {
	const head = len(tablesMagic) + sha256.Size
	if len(saved) < head+crc32.Size || string(saved[:len(tablesMagic)]) != tablesMagic {
		return nil
	}
	made := literalsSum(literals)
	if !bytes.Equal(saved[len(tablesMagic):head], made[:]) {
		return nil
	}
	body, check := saved[:len(saved)-crc32.Size], saved[len(saved)-crc32.Size:]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(check) {
		return nil
	}
	return readTable(body[head:])
}

// literalsSum tells sets of literals apart.
func literalsSum(literals []literal) [sha256.Size]byte {
	h := sha256.New()
	for _, l := range literals {
		_, _ = fmt.Fprintf(h, "%s\x00%t %t %d\n", string(l.runes), l.plain, l.anywhere, l.id)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func (t *literalTable) appendTo(b []byte) []byte {
	b = append(b, t.class[:]...)
	b = binary.LittleEndian.AppendUint32(b, t.bias)
	b = binary.LittleEndian.AppendUint32(b, t.longest)
	b = binary.LittleEndian.AppendUint32(b, uint32(t.reach))
	b = appendList(b, t.idsFrom)
	b = appendList(b, t.ids)
	return appendList(b, t.next)
}

// listed is what lists are made of.
type listed interface{ uint16 | uint32 | int32 }

func appendList[T listed](b []byte, list []T) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(list)))
	for _, v := range list {
		if unsafe.Sizeof(v) == 2 {
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		} else {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
	}
	return b
}

// readTable reads what appendTo appended, in place where it can. It returns
// nil when the table leads out of itself.
func readTable(b []byte) *literalTable {
	t := &literalTable{}
	if len(b) < len(t.class)+12 {
		return nil
	}
	b = b[copy(t.class[:], b):]
	t.setBias(binary.LittleEndian.Uint32(b))
	t.longest = binary.LittleEndian.Uint32(b[4:])
	t.reach = int(binary.LittleEndian.Uint32(b[8:]))
	t.idsFrom, b = readList[uint32](b[12:])
	t.ids, b = readList[int32](b)
	t.next, _ = readList[uint16](b)
	if !t.sound() {
		return nil
	}
	return t
}

// sound reports whether every look-up stays inside the table.
func (t *literalTable) sound() bool {
	rows := uint32(len(t.next) / columns)
	if rows == 0 || len(t.next)%columns != 0 || t.bias > accepts || t.bias+rows > 2*accepts || int(t.bias+rows-accepts) != len(t.idsFrom)-1 {
		return false
	}
	for _, c := range t.class {
		if c >= columns {
			return false
		}
	}
	for _, to := range t.next {
		if uint32(to)-t.bias >= rows {
			return false
		}
	}
	for i, from := range t.idsFrom {
		if int(from) > len(t.ids) || i > 0 && from < t.idsFrom[i-1] {
			return false
		}
	}
	return true
}

// readList cuts a list off. It shares the memory of b if that is laid out as
// this machine lays out numbers; the list is nil if b is too short for it.
func readList[T listed](b []byte) (all []T, rest []byte) {
	if len(b) < 4 {
		return nil, nil
	}
	size := int(unsafe.Sizeof(T(0)))
	n := int(binary.LittleEndian.Uint32(b))
	if b = b[4:]; n > len(b)/size {
		return nil, nil
	}
	body, rest := b[:size*n], b[size*n:]
	first := unsafe.Pointer(unsafe.SliceData(body))
	if uintptr(first)%4 == 0 && binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return unsafe.Slice((*T)(first), n), rest
	}
	all = make([]T, n)
	for i := range all {
		if size == 2 {
			all[i] = T(binary.LittleEndian.Uint16(body[2*i:]))
		} else {
			all[i] = T(binary.LittleEndian.Uint32(body[4*i:]))
		}
	}
	return all, rest
}
