package extract

import "strings"

// SheetHeader drops the codes in a sheet's header and footer: &L&C&R begin its
// thirds, &P is the page, &"Arial,Bold" a font, &12 its size.
func SheetHeader(s string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, "&")
		out.WriteString(before)
		if !found || after == "" {
			return strings.TrimSpace(out.String())
		}
		switch c := after[0]; {
		case c == '&':
			out.WriteByte('&')
			s = after[1:]
		case c == 'L' || c == 'C' || c == 'R':
			out.WriteByte('\n')
			s = after[1:]
		case c == '"':
			_, s, _ = strings.Cut(after[1:], `"`)
		case c == 'K':
			s = after[min(len(after), 7):]
		case c >= '0' && c <= '9':
			s = strings.TrimLeft(after, "0123456789")
		default:
			s = after[1:]
		}
	}
}
