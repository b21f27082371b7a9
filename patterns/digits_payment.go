package patterns

// card finds payment cards: bare, in groups of four, or 4-6-5 and 4-6-4.
func (s *digitPass) card(p, n int) bool {
	if n >= 13 && n <= 19 {
		if s.edges(p, p+n) == edgeFree && paymentCard(s.text[p:p+n]) {
			s.take(Betalkort, p, p+n, ShapeBare|ShapeChecked|ShapeKeyword, number(s.text[p:p+n]))
			return true
		}
		return false
	}
	sep := s.at(p + 4)
	if n != 4 || sep != ' ' && sep != '-' || s.text[p] < '2' || s.text[p] > '6' || !asciiDigit(s.at(p+7)) {
		return false
	}
	var d [19]byte
	k := copy(d[:], s.text[p:p+4])
	i := p + 4
	for k < len(d) && s.at(i) == sep && i < len(s.text) {
		g := runLength(s.text, i+1)
		if g < 3 || g > 6 || k+g > len(d) {
			break
		}
		copy(d[k:], s.text[i+1:i+1+g])
		k += g
		i += 1 + g
		if ok := s.cardGroups(p, i, d[:k]); ok {
			return true
		}
	}
	return false
}

func (s *digitPass) cardGroups(p, e int, d []byte) bool {
	switch {
	case len(d) == 16 && e-p == 19, len(d) == 19 && e-p == 23, len(d) == 15 && e-p == 17, len(d) == 14 && e-p == 16:
	default:
		return false
	}
	if s.edges(p, e) != edgeFree || digitAt(s.text, e+1) && s.at(e) == s.at(p+4) || !paymentCard(d) {
		return false
	}
	s.take(Betalkort, p, e, ShapeDashed|ShapeChecked, number(d))
	return true
}

// payments finds bankgiro, plusgiro and bank accounts.
func (s *digitPass) payments(p, n int) {
	e := p + n
	if s.at(e) == '-' && s.at(p-1) != '-' {
		switch {
		case (n == 3 || n == 4) && s.digitsFrom(e+1, 4) && s.edges(p, e+5) == edgeFree:
			s.bankgiro(p, e)
		case n <= 7 && s.digitsFrom(e+1, 1) && s.rightEdge(e+2) == edgeFree:
			s.plusgiro(p, e)
		}
	}
	if n == 4 && s.text[p] != '0' || n >= 11 && n <= 15 {
		s.account(p, n)
	}
}

func (s *digitPass) bankgiro(p, e int) {
	var d [8]byte
	k := copy(d[:], s.text[p:e])
	k += copy(d[k:], s.text[e+1:e+5])
	if d[0] != '0' && luhn(d[:k]) {
		s.emit(Bankgiro, p, e+5, ShapeDashed|ShapeChecked|ShapeKeyword, number(d[:k]))
	}
}

// plusgiro collects "12 34 56-7" backwards from the run that ends before the
// hyphen at e.
func (s *digitPass) plusgiro(p, e int) {
	var d [8]byte
	k := len(d) - 1
	d[k] = s.text[e+1]
	for i := e - 1; i >= p && k > 0; i-- {
		k--
		d[k] = s.text[i]
	}
	from := p
	for from >= 3 && from > e-10 && s.text[from-1] == ' ' && asciiDigit(s.text[from-2]) {
		g := 1
		for g < 3 && from-2-g >= 0 && asciiDigit(s.text[from-2-g]) {
			g++
		}
		if k < g {
			break
		}
		from -= 1 + g
		k -= g
		copy(d[k:], s.text[from:from+g])
	}
	if len(d)-k >= 2 && s.leftEdge(from) == edgeFree && d[k] != '0' && luhn(d[k:]) {
		s.emit(Plusgiro, from, e+2, ShapeDashed|ShapeChecked|ShapeKeyword, number(d[k:]))
	}
}

// account finds a clearing number, perhaps its check digit, and an account.
func (s *digitPass) account(p, n int) {
	if s.leftEdge(p) != edgeFree {
		return
	}
	if n >= 11 {
		if validAccount(s.text[p:p+n], false) && s.rightEdge(p+n) == edgeFree {
			s.emit(Bankkonto, p, p+n, ShapeBare|ShapeChecked|ShapeKeyword, number(s.text[p:p+n]))
		}
		return
	}
	var d [16]byte
	k := copy(d[:], s.text[p:p+4])
	i := p + 4
	fifth := false
	if d[0] == '8' && s.at(i) == '-' && s.digitsFrom(i+1, 1) {
		d[k] = s.text[i+1]
		k++
		i += 2
		fifth = true
	}
	best, length := 0, 0
	for i < len(s.text) && k < len(d) {
		gap := s.accountGap(i)
		g := runLength(s.text, i+gap)
		if gap == 0 || g == 0 || k+g > len(d) {
			break
		}
		copy(d[k:], s.text[i+gap:i+gap+g])
		k += g
		i += gap + g
		if validAccount(d[:k], fifth) && s.rightEdge(i) == edgeFree {
			best, length = i, k
		}
	}
	if best > 0 {
		s.emit(Bankkonto, p, best, ShapeDashed|ShapeChecked|ShapeKeyword|s.accountPerson(d[:length]), number(d[:length]))
	}
}

// dateAt reports whether an ISO date stands at p.
func (s *digitPass) dateAt(p int) bool {
	return s.at(p+4) == '-' && s.at(p+7) == '-' && s.digitsFrom(p+5, 2) && s.digitsFrom(p+8, 2)
}

// accountGap returns the size of what separates groups of an account: one
// space, hyphen or dot; a comma, a slash or a hyphen may have spaces.
func (s *digitPass) accountGap(i int) int {
	n := 0
	switch s.at(i) {
	case ' ':
		n = 1
		if c := s.at(i + 1); (c == '-' || c == '/') && s.at(i+2) == ' ' {
			n = 3
		}
	case ',', '/':
		n = 1
		if s.at(i+1) == ' ' {
			n = 2
		}
	case '-', '.':
		n = 1
	}
	return n
}

// accountPerson tells whether an account at Nordea is its owner's
// personnummer.
func (s *digitPass) accountPerson(d []byte) Shape {
	if c := four(d); (c == 3300 || c == 3782) && len(d) == 14 {
		if id, _ := personTen(d[4:], false, s.today); id != NoIdentifier {
			return ShapePerson
		}
	}
	return 0
}

// clearingRange is a row of Bankgirot's table of account numbers.
type clearingRange struct {
	from, to   int
	check      accountCheck
	short, max int // digits of the account
}

// accountCheck says over which digits a check digit is computed.
type accountCheck uint8

const (
	checkT1C1 accountCheck = iota // mod 11 over three clearing digits and account
	checkT1C2                     // mod 11 over four clearing digits and account
	checkT2C1                     // mod 10 over the account
	checkT2C2                     // mod 11 over the account
	checkT2C3                     // mod 10 over the account, not always
)

// clearingRanges is Bankgirot's "Bankernas kontonummer" (2019), with later
// banks as of 2024; sorted.
var clearingRanges = [...]clearingRange{
	{1100, 1199, checkT1C1, 7, 7}, {1200, 1399, checkT1C1, 7, 7}, {1400, 2099, checkT1C1, 7, 7},
	{2300, 2399, checkT1C2, 7, 7}, {2400, 2499, checkT1C1, 7, 7}, {3000, 3299, checkT1C1, 7, 7},
	{3300, 3300, checkT2C1, 10, 10}, {3301, 3399, checkT1C1, 7, 7}, {3400, 3409, checkT1C1, 7, 7},
	{3410, 3781, checkT1C1, 7, 7}, {3782, 3782, checkT2C1, 10, 10}, {3783, 3999, checkT1C1, 7, 7},
	{4000, 4999, checkT1C2, 7, 7}, {5000, 5999, checkT1C1, 7, 7}, {6000, 6999, checkT2C2, 8, 9},
	{7000, 7999, checkT1C1, 7, 7}, {8000, 8999, checkT2C3, 10, 11}, {9020, 9029, checkT1C2, 7, 7},
	{9040, 9049, checkT1C2, 7, 7}, {9060, 9069, checkT1C1, 7, 7}, {9070, 9079, checkT1C1, 7, 7},
	{9100, 9109, checkT1C2, 7, 7}, {9120, 9124, checkT1C1, 7, 7}, {9130, 9149, checkT1C1, 7, 7},
	{9150, 9169, checkT1C2, 7, 7}, {9170, 9179, checkT1C1, 7, 7}, {9180, 9189, checkT2C1, 10, 10},
	{9190, 9199, checkT1C2, 7, 7}, {9230, 9239, checkT1C1, 7, 7}, {9250, 9259, checkT1C1, 7, 7},
	{9260, 9269, checkT1C2, 7, 7}, {9270, 9279, checkT1C1, 7, 7}, {9280, 9289, checkT1C1, 7, 7},
	{9300, 9349, checkT2C1, 10, 10}, {9390, 9399, checkT1C2, 7, 7}, {9400, 9449, checkT1C1, 7, 7},
	{9460, 9469, checkT1C1, 7, 7}, {9470, 9479, checkT1C2, 7, 7}, {9500, 9549, checkT2C3, 2, 8},
	{9550, 9569, checkT1C2, 7, 7}, {9570, 9579, checkT2C1, 10, 10}, {9580, 9589, checkT1C1, 7, 7},
	{9590, 9599, checkT1C2, 7, 7}, {9630, 9639, checkT1C1, 7, 7}, {9640, 9649, checkT1C2, 7, 7},
	{9650, 9659, checkT1C2, 7, 7}, {9660, 9669, checkT1C2, 7, 7}, {9670, 9679, checkT1C2, 7, 7},
	{9680, 9689, checkT1C1, 7, 7}, {9700, 9709, checkT1C2, 7, 7}, {9710, 9719, checkT1C2, 7, 7},
	{9750, 9759, checkT1C2, 7, 7}, {9780, 9789, checkT1C2, 7, 7}, {9880, 9889, checkT1C2, 7, 7},
	{9890, 9899, checkT2C1, 10, 10}, {9960, 9969, checkT2C3, 2, 8},
}

// validAccount validates clearing number and account written together; fifth
// says that the fifth digit is the check digit of a Swedbank clearing number.
func validAccount(d []byte, fifth bool) bool {
	clearing := four(d)
	row, ok := clearingOf(clearing)
	if !ok {
		return false
	}
	account := d[4:]
	if fifth {
		if !luhn(d[:5]) {
			return false
		}
		account = d[5:]
		return len(account) >= 6 && len(account) <= 10 && luhn(account)
	}
	if len(account) < row.short || len(account) > row.max {
		return false
	}
	switch row.check {
	case checkT1C1:
		return mod11(d[1:])
	case checkT1C2:
		return mod11(d)
	case checkT2C1, checkT2C3:
		if row.max == 11 && len(account) == 11 {
			return luhn(d[:5]) && luhn(d[5:])
		}
		return luhn(account)
	case checkT2C2:
		return mod11(account)
	}
	return false
}

func clearingOf(clearing int) (clearingRange, bool) {
	lo, hi := 0, len(clearingRanges)
	for lo < hi {
		mid := (lo + hi) / 2
		if clearingRanges[mid].to < clearing {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(clearingRanges) && clearingRanges[lo].from <= clearing {
		return clearingRanges[lo], true
	}
	return clearingRange{}, false
}
