package patterns

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// tablesMagic begins saved tables; the number is raised when the form
// changes.
const tablesMagic = "molnvakt tables 2\n"

// WriteTables saves the tables, which are most of the work of Build, for
// Builder.Tables of another process.
func (e *Engine) WriteTables(w io.Writer) error {
	literals, _, _ := literalsOfTerms(e.terms)
	sum := literalsSum(literals)
	body := e.literals.appendTo(append([]byte(tablesMagic), sum[:]...))
	check := sha256.Sum256(body)
	if _, err := w.Write(append(body, check[:]...)); err != nil {
		return fmt.Errorf("write tables: %w", err)
	}
	return nil
}

// Tables offers tables that WriteTables saved. Build uses them if they are
// whole and made for the same terms, and makes its own otherwise. They are
// not kept or changed.
func (b *Builder) Tables(saved []byte) { b.tables = saved }

// table returns the saved table if it fits, or a new one.
func (b *Builder) table(literals []literal) *literalTable {
	if t := savedTable(b.tables, literals); t != nil {
		return t
	}
	return newLiteralTable(literals)
}

func savedTable(saved []byte, literals []literal) *literalTable {
	const sums = 2 * sha256.Size
	if len(saved) < len(tablesMagic)+sums || string(saved[:len(tablesMagic)]) != tablesMagic {
		return nil
	}
	body, check := saved[:len(saved)-sha256.Size], saved[len(saved)-sha256.Size:]
	made := literalsSum(literals)
	rest := body[len(tablesMagic):]
	if !bytes.Equal(rest[:sha256.Size], made[:]) {
		return nil
	}
	if sum := sha256.Sum256(body); !bytes.Equal(check, sum[:]) {
		return nil
	}
	return readTable(rest[sha256.Size:])
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
	b = binary.LittleEndian.AppendUint32(b, t.stride)
	b = binary.LittleEndian.AppendUint32(b, uint32(t.reach))
	b = appendList(b, t.idsFrom)
	b = appendList(b, t.ids)
	return appendList(b, t.next)
}

func appendList[T uint32 | int32](b []byte, list []T) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(list)))
	for _, v := range list {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// readTable reads what appendTo appended; its caller has checked that it is
// whole. It returns nil when the table leads out of itself.
func readTable(b []byte) *literalTable {
	t := &literalTable{}
	b = b[copy(t.class[:], b):]
	t.stride = binary.LittleEndian.Uint32(b)
	t.reach = int(binary.LittleEndian.Uint32(b[4:]))
	t.idsFrom, b = readList[uint32](b[8:])
	t.ids, b = readList[int32](b)
	t.next, _ = readList[uint32](b)
	if !t.sound() {
		return nil
	}
	return t
}

// sound reports whether every look-up stays inside the table.
func (t *literalTable) sound() bool {
	lists := uint32(len(t.idsFrom))
	if t.stride == 0 || lists < 2 || len(t.next) == 0 || len(t.next)%int(t.stride) != 0 {
		return false
	}
	for _, c := range t.class {
		if uint32(c) >= t.stride-1 {
			return false
		}
	}
	last := uint32(len(t.next)) - t.stride
	for i, s := range t.next {
		if uint32(i)%t.stride == t.stride-1 {
			if s >= lists-1 {
				return false
			}
		} else if s&^accepts > last {
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

// list cuts a list off: its bytes, and the rest.
func list(b []byte) (body, rest []byte) {
	n := 4 * int(binary.LittleEndian.Uint32(b))
	return b[4 : 4+n], b[4+n:]
}

func readList[T uint32 | int32](b []byte) ([]T, []byte) {
	body, rest := list(b)
	all := make([]T, len(body)/4)
	fillList(all, body)
	return all, rest
}

func fillList[T uint32 | int32](into []T, body []byte) {
	for i := range len(body) / 4 {
		into[i] = T(binary.LittleEndian.Uint32(body[4*i:]))
	}
}
