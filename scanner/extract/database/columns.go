package database

import "strings"

// columnsOf returns the names of a table's columns as CREATE TABLE gives
// them, and which of them is SQLite's row number, or -1.
func columnsOf(sql string) (names []string, rowid int) {
	rowid = -1
	open := strings.IndexByte(sql, '(')
	if open < 0 {
		return nil, rowid
	}
	for _, definition := range split(sql[open+1:]) {
		name, rest := identifier(definition)
		if name == "" || constraint(definition) {
			continue
		}
		if upper := strings.ToUpper(strings.Join(strings.Fields(rest), " ")); strings.HasPrefix(upper, "INTEGER") && strings.Contains(upper, "PRIMARY KEY") {
			rowid = len(names)
		}
		names = append(names, clean(name))
	}
	return names, rowid
}

// constraint says whether a definition is one of the table, not of a column.
func constraint(definition string) bool {
	words := strings.FieldsFunc(definition, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '(' })
	if len(words) == 0 {
		return true
	}
	switch strings.ToUpper(words[0]) {
	case "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "CONSTRAINT", "KEY", "INDEX", "FULLTEXT", "SPATIAL":
		return true
	}
	return false
}

// split divides a list at the commas that stand neither in brackets nor in
// quotes, up to the bracket that ends the list.
func split(list string) (items []string) {
	depth, start := 0, 0
	for i := 0; i < len(list); i++ {
		switch c := list[i]; c {
		case '\'', '"', '`':
			if end := strings.IndexByte(list[i+1:], c); end >= 0 {
				i += 1 + end
			}
		case '-':
			if strings.HasPrefix(list[i:], "--") {
				end := strings.IndexByte(list[i:], '\n')
				if end < 0 {
					return append(items, list[start:i])
				}
				list = list[:i] + strings.Repeat(" ", end) + list[i+end:]
			}
		case '(':
			depth++
		case ')':
			if depth == 0 {
				return append(items, list[start:i])
			}
			depth--
		case ',':
			if depth == 0 {
				items = append(items, list[start:i])
				start = i + 1
			}
		}
	}
	return append(items, list[start:])
}

// identifier reads a name, in whatever quotes, and returns what follows.
func identifier(s string) (name, rest string) {
	s = strings.TrimLeft(s, " \t\r\n")
	if s == "" {
		return "", ""
	}
	closing := map[byte]byte{'"': '"', '`': '`', '[': ']', '\'': '\''}[s[0]]
	if closing != 0 {
		end := strings.IndexByte(s[1:], closing)
		if end < 0 {
			return s[1:], ""
		}
		return s[1 : 1+end], s[end+2:]
	}
	end := strings.IndexAny(s, " \t\r\n(,;")
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}

// tableName reads a name that may stand in a schema: public.elev, [dbo].[elev].
func tableName(s string) (name, rest string) {
	s = strings.TrimLeft(s, " \t\r\n")
	for {
		name, rest = identifier(s)
		if strings.HasPrefix(rest, ".") {
			s = rest[1:]
			continue
		}
		if i := strings.LastIndexByte(name, '.'); i >= 0 && !strings.HasSuffix(name, ".") {
			name = name[i+1:]
		}
		if strings.HasSuffix(name, ".") && rest != "" { // schema."table"
			s = rest
			continue
		}
		return strings.Trim(name, "\"`[]'"), rest
	}
}
