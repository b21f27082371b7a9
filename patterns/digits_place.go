package patterns

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// places finds addresses of networks, coordinates, file numbers.
func (s *digitPass) places(p, n int) {
	e := p + n
	switch c := s.at(e); {
	case n == 2 && c == '-' && s.digitsFrom(e+1, 6):
		s.migrationNumber(p)
	case n == 2 && c == '.':
		if !s.degrees(p) {
			s.ip4(p)
		}
	case n == 2 && c == ',':
		s.degrees(p)
	case n == 2 && (c == 0xC2 || c == ' '):
		s.degreesMinutes(p)
	case n <= 3 && c == '.':
		s.ip4(p)
	case n == 7 && (s.text[p] == '6' || s.text[p] == '7'):
		s.grid(p)
	case n == 4 && (c == '/' || c == ':' || c == '-'):
		s.bareCaseNumber(p)
	}
	if n <= 4 && s.colons(p, e) {
		s.hardware(p)
	}
}

// migrationNumber finds Migrationsverket's NN-NNNNNN, on a card with /n.
func (s *digitPass) migrationNumber(p int) {
	e := p + 9
	if s.at(e) == '/' && s.digitsFrom(e+1, 1) {
		e += 2
	}
	if s.edges(p, e) == edgeFree {
		s.emit(LMA, p, e, ShapeDashed|ShapeKeyword, number(s.text[p:p+2])*1e6+number(s.text[p+3:p+9]))
	}
}

// ip4 finds dotted quads.
func (s *digitPass) ip4(p int) {
	e, parts := p, 0
	var quad [4]byte
	for parts < 4 {
		n := runLength(s.text, e)
		if n == 0 || n > 3 || n > 1 && s.text[e] == '0' {
			return
		}
		v := number(s.text[e : e+n])
		if v > 255 {
			return
		}
		quad[parts] = byte(v)
		parts++
		e += n
		if parts < 4 {
			if s.at(e) != '.' || !digitAt(s.text, e+1) {
				return
			}
			e++
		}
	}
	if s.edges(p, e) != edgeFree && s.at(e) != '/' || quad[0] == 0 {
		return
	}
	shape := networkShape(netip.AddrFrom4(quad))
	if max(quad[0], quad[1], quad[2], quad[3]) < 32 && quad[0] < 10 || s.versionBefore(p) {
		shape |= ShapeKeyword // a section or a version
	}
	s.take(IP, p, e, shape, 0)
}

// versionBefore reports whether the word before p says that a version or a
// time of day follows.
func (s *digitPass) versionBefore(p int) bool {
	before := strings.ToLower(string(s.text[max(0, p-9):p]))
	for _, word := range [...]string{"version ", "ver. ", "ver ", "utgåva ", "kl. ", "kl ", "avsnitt ", "kapitel "} {
		if strings.HasSuffix(before, word) {
			return true
		}
	}
	return false
}

func networkShape(a netip.Addr) Shape {
	if a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return ShapeDashed | ShapePrivate
	}
	return ShapeDashed
}

// colons reports whether groups of hex digits around the run p..e are joined
// by three colons or hyphens, or by a double colon, as in MAC and IPv6
// addresses but not in times and dates.
func (s *digitPass) colons(p, e int) bool {
	sep := s.at(e)
	if asciiLetter(sep) {
		for e < len(s.text) && hexDigit(s.text[e]) && e-p < 4 {
			e++
		}
		sep = s.at(e)
	}
	if sep != ':' && sep != '-' {
		if sep = s.at(p - 1); sep != ':' && sep != '-' {
			return false
		}
	}
	count := 0
	for i := e; i < len(s.text) && i < e+16 && count < 3; i++ {
		if s.text[i] == sep {
			count++
			if s.at(i+1) == sep && sep == ':' {
				return true
			}
		} else if !hexDigit(s.text[i]) {
			break
		}
	}
	for i := p - 1; i >= 0 && i > p-16 && count < 3; i-- {
		if s.text[i] == sep {
			count++
			if s.at(i-1) == sep && sep == ':' {
				return true
			}
		} else if !hexDigit(s.text[i]) {
			break
		}
	}
	return count >= 3
}

func hexDigit(c byte) bool { return asciiDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// hardware finds MAC and IPv6 addresses that contain the run at p.
func (s *digitPass) hardware(p int) {
	from, colons := p, 0
	for from > 0 && p-from < 40 && (hexDigit(s.text[from-1]) || s.text[from-1] == ':' || s.text[from-1] == '-') {
		from--
	}
	for from < p && s.text[from] == '-' {
		from++
	}
	if from < s.taken || s.leftEdge(from) != edgeFree {
		return
	}
	e := from
	for e < len(s.text) && e-from < 40 && (hexDigit(s.text[e]) || s.text[e] == ':' || s.text[e] == '-' && e-from < 17) {
		if s.text[e] == ':' {
			colons++
		}
		e++
	}
	if e-from >= 17 && s.mac(from) {
		return
	}
	if colons < 2 {
		return
	}
	text := bytes.TrimRight(s.text[from:e], ":-")
	if len(text) < 8 || colons < 7 && !bytes.Contains(text, []byte("::")) || bytes.Contains(text, []byte("-")) {
		return
	}
	if a, err := netip.ParseAddr(string(text)); err == nil && s.rightEdge(from+len(text)) == edgeFree {
		s.take(IP, from, from+len(text), networkShape(a), 0)
	}
}

func (s *digitPass) mac(from int) bool {
	sep := s.at(from + 2)
	if sep != ':' && sep != '-' {
		return false
	}
	for i := 0; i < 17; i++ {
		c := s.text[from+i]
		if i%3 == 2 {
			if c != sep {
				return false
			}
		} else if !asciiDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	if c := s.at(from + 17); s.rightEdge(from+17) == edgeWord || c == sep {
		return false
	}
	s.take(MAC, from, from+17, ShapeDashed, 0)
	return true
}

// grid finds SWEREF 99 TM and RT 90 pairs: seven digits north, six or seven
// east, in metres.
func (s *digitPass) grid(p int) {
	north, e := s.metres(p, 7)
	gap := s.pairGap(e)
	if gap == 0 {
		return
	}
	q := e + gap
	n := runLength(s.text, q)
	if n != 6 && n != 7 {
		return
	}
	east, to := s.metres(q, n)
	sweref := n == 6 && north >= 6100000 && north <= 7710000 && east >= 250000 && east <= 920000
	rt90 := n == 7 && north >= 6100000 && north <= 7700000 && east >= 1200000 && east <= 1900000
	if (sweref || rt90) && s.leftEdge(p) == edgeFree && s.rightEdge(to) != edgeWord {
		s.take(Koordinat, p, to, ShapeDashed, 0)
	}
}

// metres reads n digits and skips decimals.
func (s *digitPass) metres(p, n int) (value uint64, end int) {
	value = number(s.text[p : p+n])
	end = p + n
	if c := s.at(end); (c == '.' || c == ',') && digitAt(s.text, end+1) {
		if k := runLength(s.text, end+1); k <= 4 {
			end += 1 + k
		}
	}
	return value, end
}

// pairGap returns the size of what separates two coordinates.
func (s *digitPass) pairGap(e int) int {
	i := e
	for i < len(s.text) && i-e < 10 && (spaceByte(s.text[i]) || indexByte(",;:=/NEOYXnelong.\xc2\xb0\xc3\x96", s.text[i])) {
		i++
	}
	if i == e || !digitAt(s.text, i) {
		return 0
	}
	return i - e
}

// degrees finds WGS 84 pairs within Sweden with at least four decimals. With
// decimal commas, more than white space must stand between the two: they may
// be prices.
func (s *digitPass) degrees(p int) bool {
	from, point := p, s.at(p+2)
	if s.at(p-1) == 'N' {
		from--
	}
	decimals := runLength(s.text, p+3)
	if decimals < 4 || s.leftEdge(from) != edgeFree {
		return false
	}
	north := two(s.text[p:])
	e := p + 3 + decimals
	gap := s.pairGap(e)
	q := e + gap
	if gap == 0 || north < 55 || north > 69 || !s.digitsFrom(q, 2) || s.at(q+2) != point {
		return false
	}
	if point == ',' && len(bytes.TrimLeft(s.text[e:q], " \t\n")) == 0 {
		return false
	}
	more := runLength(s.text, q+3)
	east := two(s.text[q:])
	to := q + 3 + more
	if more < 4 || east < 10 || east > 24 || s.rightEdge(to) == edgeWord {
		return false
	}
	s.take(Koordinat, from, to, ShapeDashed, 0)
	return true
}

// degreesMinutes finds WGS 84 pairs within Sweden in degrees, minutes and
// seconds, or minutes with at least two decimals: 59°19'46"N 18°04'07"E. What
// is less exact than that points at no house.
func (s *digitPass) degreesMinutes(p int) bool {
	from := p
	if i := p - 1; s.at(i) == 'N' || s.at(i) == ' ' && s.at(i-1) == 'N' && i > 0 {
		if from = i; s.at(i) == ' ' {
			from--
		}
	}
	e, ok := s.arc(p, 55, 69)
	if !ok || s.leftEdge(from) != edgeFree {
		return false
	}
	q := e
	for q < len(s.text) && q-e < 12 && (spaceByte(s.text[q]) || indexByte(",;/NEOLatong.:", s.text[q])) {
		q++
	}
	to, ok := s.arc(q, 10, 24)
	if !ok {
		return false
	}
	if s.at(to) == ' ' && indexByte("EO", s.at(to+1)) && s.rightEdge(to+2) == edgeFree {
		to += 2
	} else if indexByte("EO", s.at(to)) && s.rightEdge(to+1) == edgeFree {
		to++
	}
	s.take(Koordinat, from, to, ShapeDashed, 0)
	return true
}

// arc reads an angle of least to most degrees and returns where it ends.
func (s *digitPass) arc(p, least, most int) (end int, ok bool) {
	if !s.digitsFrom(p, 2) || two(s.text[p:]) < least || two(s.text[p:]) > most {
		return 0, false
	}
	i, ok := s.arcSign(p+2, "°", "º")
	if !ok {
		return 0, false
	}
	i, decimals, ok := s.sixty(i)
	if !ok {
		return 0, false
	}
	if i, ok = s.arcSign(i, "'", "′", "’", "´"); !ok {
		return 0, false
	}
	seconds, _, ok := s.sixty(i)
	if !ok {
		return i, decimals >= 2
	}
	if end, ok := s.arcSign(seconds, "\"", "″", "”", "''", "′′", "’’"); ok {
		return end, true
	}
	return i, decimals >= 2
}

// arcSign skips one of the signs, and one space on either side of it.
func (s *digitPass) arcSign(i int, signs ...string) (end int, ok bool) {
	if s.at(i) == ' ' {
		i++
	}
	for _, sign := range signs {
		if bytes.HasPrefix(s.text[min(i, len(s.text)):], []byte(sign)) {
			if i += len(sign); s.at(i) == ' ' && digitAt(s.text, i+1) {
				i++
			}
			return i, true
		}
	}
	return i, false
}

// sixty reads one or two digits below sixty and their decimals.
func (s *digitPass) sixty(i int) (end, decimals int, ok bool) {
	n := runLength(s.text, min(i, len(s.text)))
	if n < 1 || n > 2 || number(s.text[i:i+n]) >= 60 {
		return i, 0, false
	}
	i += n
	if c := s.at(i); (c == '.' || c == ',') && digitAt(s.text, i+1) {
		decimals = runLength(s.text, i+1)
		i += 1 + decimals
	}
	return i, decimals, true
}

// bareCaseNumber finds "2023/123" and the like, which need a word before.
func (s *digitPass) bareCaseNumber(p int) {
	if s.at(p-1) == '-' && asciiUpper(s.at(p-2)) { // "KS-2014/742"
		from := p - 1
		for from > 0 && p-from < 7 && asciiUpper(s.text[from-1]) {
			from--
		}
		if s.leftEdge(from) != edgeWord && s.caseNumber(from, p) {
			return
		}
	}
	year := four(s.text[p:])
	e := p + 5
	n := runLength(s.text, min(e, len(s.text)))
	if year < 1970 || year > int(s.today)/10000 || n == 0 || n > 6 {
		return
	}
	e += n
	if s.edges(p, e) == edgeFree {
		s.emit(Diarienummer, p, e, ShapeBare|ShapeKeyword, 0)
	}
}

// property finds "Skoby Berga 1:2": at least a trakt, best a municipality
// first. The block ends at e, where a colon stands.
func (s *digitPass) property(p, e int) bool {
	n := runLength(s.text, e+1)
	to := e + 1 + n
	if n > 4 || s.rightEdge(to) != edgeFree || s.at(to) == ':' {
		return false
	}
	from, shape := s.propertyStart(p - 1)
	if from < 0 {
		return false
	}
	s.emit(Fastighetsbeteckning, from, to, shape, 0)
	return false
}

// propertyStart returns where the name of a property begins that ends at
// end: at the municipality among the capitalised words before, otherwise two
// words back. -1: there is no capitalised word.
func (s *digitPass) propertyStart(end int) (int, Shape) {
	const most = 4
	from, chosen := end, -1
	for words := 1; words <= most; words++ {
		start := nameStart(s.text, from)
		if start == from || endsWith(s.text[start:from], "fastighet") || endsWith(s.text[start:from], "fastigheten") {
			break
		}
		if words > 1 && isMunicipality(string(s.text[start:from])) {
			return start, ShapeDashed
		}
		if words <= 2 {
			chosen = start
		}
		if start == 0 || s.text[start-1] != ' ' {
			break
		}
		from = start - 1
	}
	return chosen, ShapeDashed | ShapeKeyword
}

// nameStart returns where the capitalised word that ends at end begins, or
// end if there is none.
func nameStart(b []byte, end int) int {
	start := end
	for start > 0 && end-start < 40 && (letterBefore(b, start) || b[start-1] == '-') {
		_, n := utf8.DecodeLastRune(b[max(0, start-utf8.UTFMax):start])
		start -= n
	}
	r, n := utf8.DecodeRune(b[start:])
	if start == end || !unicode.IsUpper(r) || start+n >= end {
		return end
	}
	return start
}

// address finds a street and number before p..e, and the postcode and town
// that may follow.
func (s *digitPass) address(p, e int) bool {
	if !indexByte("nadtg\xa9", s.text[p-2]) {
		return false // no ending of a street's name
	}
	start := nameOrWordStart(s.text, p-1)
	if p-1-start < 3 {
		return false
	}
	kind := streetEnding(s.text[start : p-1])
	if kind == notStreet {
		return false
	}
	from := streetStart(s.text, start)
	if from < 0 {
		return false
	}
	if c := s.at(e); asciiLetter(c) && !letterAt(s.text, e+1) {
		e++
	} else if c == ' ' && asciiUpper(s.at(e+1)) && !letterAt(s.text, e+2) && !digitAt(s.text, e+2) && s.at(e+2) != '.' {
		e += 2
	}
	if s.rightEdge(e) == edgeWord {
		return false
	}
	if to := s.postcode(e); to > 0 {
		s.emit(Postadress, from, to, ShapeComplete, 0)
		return false
	}
	if kind == surelyStreet {
		s.emit(Postadress, from, e, ShapeKeyword, 0)
	}
	return false
}

// postBox finds "Box 123, 123 45 Storstad" before p..e; without a postcode a
// box is that of any office.
func (s *digitPass) postBox(p, e int) bool {
	if p < 4 || s.text[p-2] != 'x' && s.text[p-2] != 'X' || !endsWith(s.text[p-4:p-1], "box") || s.leftEdge(p-4) != edgeFree || s.rightEdge(e) == edgeWord {
		return false
	}
	to := s.postcode(e)
	if to == 0 {
		return false
	}
	s.take(Postadress, p-4, to, ShapeComplete, 0)
	return true
}

// nameOrWordStart returns the start of the word that ends at end.
func nameOrWordStart(b []byte, end int) int {
	start := end
	for start > 0 && end-start < 40 && letterBefore(b, start) {
		_, n := utf8.DecodeLastRune(b[max(0, start-utf8.UTFMax):start])
		start -= n
	}
	return start
}

// streetStart returns where a street's name begins whose last word starts at
// start: that word itself, or the capitalised one before. -1: no capital.
func streetStart(b []byte, start int) int {
	r, _ := utf8.DecodeRune(b[start:])
	if unicode.IsUpper(r) {
		return start
	}
	if start < 2 || b[start-1] != ' ' {
		return -1
	}
	if before := nameStart(b, start-1); before < start-1 {
		return before
	}
	return -1
}

type streetKind uint8

const (
	notStreet streetKind = iota
	maybeStreet
	surelyStreet
)

// streetEnding knows how names of streets end; case does not matter.
func streetEnding(word []byte) streetKind {
	for _, ending := range [...]string{"gatan", "vägen", "gränd", "gränden", "stigen", "allén", "gata", "torget"} {
		if endsWith(word, ending) {
			return surelyStreet
		}
	}
	for _, ending := range [...]string{"väg", "stig", "torg", "plan", "planen", "backen", "allé", "leden", "platsen", "parken", "kajen", "ringen", "slingan", "gången", "höjden", "tunet", "terrassen", "kroken", "liden", "åsen", "gården", "rundan", "bågen", "spåret", "svängen", "hamnen"} {
		if endsWith(word, ending) {
			return maybeStreet
		}
	}
	return notStreet
}

// endsWith ignores the case of ASCII letters.
func endsWith(word []byte, ending string) bool {
	if len(word) < len(ending) {
		return false
	}
	tail := word[len(word)-len(ending):]
	for i := len(ending) - 1; i >= 0; i-- {
		c := tail[i]
		if asciiUpper(c) {
			c |= 0x20
		}
		if c != ending[i] {
			return false
		}
	}
	return true
}

// postcode reads ", lgh 1102, 123 45 Storstad" from e on and returns where
// the town ends, or 0.
func (s *digitPass) postcode(e int) int {
	i := e
	skip := func() {
		for i < len(s.text) && i-e < 40 && (spaceByte(s.text[i]) || s.text[i] == ',' || s.text[i] == ';' || s.text[i] == '|') {
			i++
		}
	}
	skip()
	if i+4 < len(s.text) && strings.EqualFold(string(s.text[i:i+3]), "lgh") {
		i += 3
		skip()
		i += runLength(s.text, i)
		skip()
	}
	if s.at(i) == 'S' && s.at(i+1) == 'E' && (s.at(i+2) == '-' || s.at(i+2) == ' ') {
		i += 3
	}
	if i == e || i >= len(s.text) || s.text[i] == '0' {
		return 0
	}
	switch {
	case s.digitsFrom(i, 3) && s.at(i+3) == ' ' && s.digitsFrom(i+4, 2):
		i += 6
	case s.digitsFrom(i, 5):
		i += 5
	default:
		return 0
	}
	skip()
	town := wordEnd(s.text, i)
	if r, _ := utf8.DecodeRune(s.text[min(i, len(s.text)-1):]); town == i || !unicode.IsUpper(r) {
		return 0
	}
	return town
}

// phone finds telephone numbers: 070-123 45 67, 08-12 34 56, +46 (0)70 …,
// and bare ones.
func (s *digitPass) phone(p, n int) bool {
	e := p + n
	switch {
	case s.at(p-1) == '+' && n >= 2:
		return s.leftEdge(p-1) < edgeNumber && s.phoneGroups(p-1, e, n, 9, 14)
	case s.text[p] != '0' || n < 2 || s.leftEdge(p) != edgeFree || n == 2 && s.text[p+1] != '8':
	case n >= 11 && n <= 13 && s.text[p+1] == '0' && s.text[p+2] == '4' && s.text[p+3] == '6': // "0046701740605"
		if s.rightEdge(e) == edgeFree {
			s.emitPhone(p, e, ShapeBare|ShapeMobile)
			return true
		}
	case n >= 8 && n <= 10 && s.text[p+1] != '0':
		if s.rightEdge(e) == edgeFree {
			s.emitPhone(p, e, ShapeBare|ShapeKeyword)
			return true
		}
	case n <= 4 && s.text[p+1] != '0', n == 4:
		return s.phoneGroups(p, e, n, 8, 14)
	}
	return false
}

// phoneGroups reads further groups of digits.
func (s *digitPass) phoneGroups(from, e, digits, least, most int) bool {
	groups := 1
	for groups < 7 {
		gap := s.phoneGap(e)
		k := 0
		if gap > 0 {
			k = runLength(s.text, e+gap)
		}
		if k < 2 || k > 8 || digits+k > most {
			break
		}
		digits += k
		e += gap + k
		groups++
	}
	if digits < least || groups == 1 && s.text[from] != '+' || s.rightEdge(e) >= edgeNumber {
		return false
	}
	if s.text[from] == '0' && digits > 10 && s.text[from+1] != '0' {
		return false
	}
	s.emitPhone(from, e, ShapeDashed)
	return true
}

// phoneGap returns the size of what separates groups: a space, hyphen, slash,
// or "(0)" with spaces.
func (s *digitPass) phoneGap(e int) int {
	i := e
	if s.at(i) == ')' { // "(08) 508 00 000"
		i++
	}
	if s.at(i) == ' ' {
		i++
	}
	if s.at(i) == '(' && s.at(i+1) == '0' && s.at(i+2) == ')' {
		i += 3
		if s.at(i) == ' ' {
			i++
		}
		return i - e
	}
	if c := s.at(i); c == '-' || c == '/' {
		i++
		if s.at(i) == ' ' {
			i++
		}
	}
	return i - e
}

func (s *digitPass) emitPhone(from, to int, shape Shape) {
	if from < s.taken {
		return
	}
	d := s.text[from:to]
	if d[0] == '0' && len(d) > 2 && d[1] == '7' && indexByte("02369", d[2]) || d[0] == '+' && len(d) > 4 && string(d[1:3]) == "46" {
		shape |= ShapeMobile
	}
	s.emit(Telefon, from, to, shape, 0)
	if !shape.Has(ShapeKeyword) {
		s.taken = to
	}
}
