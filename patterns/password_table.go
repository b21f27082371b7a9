package patterns

import (
	"bytes"
	"strings"
)

// Tables of passwords in plain text: a line of heads, one of them such as
// "Lösenord", and lines with as many cells below it.

// tableSigns separate the cells of such lines. A colon separates fields and
// their values, too: it wants three cells.
var tableSigns = [...]struct {
	sign  string
	cells int
}{{"\t", 2}, {";", 2}, {"|", 2}, {"  ", 2}, {":", 3}}

// Limits of a table: bytes of a head, what a head may hold besides the word of
// access, rows that are read, and rows that are needed.
const (
	maxTableHead     = 40
	maxHeadBesides   = 14
	maxPasswordRows  = 500
	leastPasswordRow = 2
)

// passwordTables counts the passwords of tables in running text.
func (t *thingTally) passwordTables(s *scene) {
	slot, _ := slotOf(Secrets)
	done := 0
	for _, m := range s.terms {
		if m.slot != slot || m.start < done || s.b.part(m.start).kind == kindCode || s.b.row(m.start) != nil {
			continue
		}
		line := s.b.line(m.start)
		from, to := s.b.span(line)
		for _, x := range tableSigns {
			column, cells := passwordColumn(s.text[from:to], x.sign, m.start-from)
			if column < 0 || cells < x.cells {
				continue
			}
			if n, end := s.passwordsBelow(line, x.sign, column, cells); n > 0 {
				t.secrets += n
				if t.place[slot] == "" {
					t.place[slot] = s.place(m.start)
				}
				done = end
				break
			}
		}
	}
}

// passwordColumn returns in which cell of a line of heads the offset stands,
// -1 if it is no head of passwords, and how many cells there are.
func passwordColumn(line []byte, sign string, at int) (column, cells int) {
	column, pos := -1, 0
	for cell := range tableCells(line, sign) {
		start := bytes.Index(line[pos:], cell) + pos
		pos = start + len(cell)
		if len(cell) == 0 || len(cell) > maxTableHead {
			return -1, 0
		}
		if at >= start && at < pos && asksPassword(cell) {
			column = cells
		}
		cells++
	}
	return column, cells
}

// asksPassword reports whether a head is a word for passwords and little else.
func asksPassword(head []byte) bool {
	lower := strings.ToLower(string(head))
	for _, word := range [...]string{"lösenord", "losenord", "lösen", "password", "passord", "passwd", "pwd"} {
		if strings.Contains(lower, word) {
			return len(lower) <= len(word)+maxHeadBesides
		}
	}
	return false
}

// tableCells yields the cells of a line, without the space around them.
func tableCells(line []byte, sign string) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		line = bytes.Trim(line, " \r|")
		for {
			cell, rest, more := bytes.Cut(line, []byte(sign))
			if !yield(bytes.TrimSpace(cell)) || !more {
				return
			}
			if line = rest; sign == "  " {
				line = bytes.TrimLeft(rest, " ")
			}
		}
	}
}

// passwordsBelow counts the cells of a column in the lines below a line of
// heads, and returns where the table ends; 0 if it holds no passwords.
func (s *scene) passwordsBelow(line int, sign string, column, heads int) (n, end int) {
	rows, like, sure := 0, 0, 0
	for next := line + 1; next < len(s.b.lines) && rows < maxPasswordRows; next++ {
		from, to := s.b.span(next)
		cells, cell := 0, []byte(nil)
		for c := range tableCells(s.text[from:to], sign) {
			if cells == column {
				cell = c
			}
			cells++
		}
		if cells < 2 || cells > heads+1 || cells <= column {
			break
		}
		end = to
		if ruler(s.text[from:to]) || len(cell) == 0 {
			continue
		}
		rows++
		switch c := PasswordLike(string(cell)); {
		case c >= Medium:
			sure++
			like++
		case c > 0:
			like++
		}
	}
	if rows < leastPasswordRow || sure == 0 || like*2 < rows {
		return 0, 0
	}
	return like, end
}

// ruler reports whether a line only rules off the heads: "-----|-----".
func ruler(line []byte) bool { return len(bytes.Trim(line, "-=|+: \t\r")) == 0 }
