package patterns

// separatorAt reads what stands between a date and the last four digits of a
// personnummer: hyphen, plus, space, dot, slash, a hyphen with spaces, a line
// break. size 0: nothing of the kind.
func (s *digitPass) separatorAt(e int) (size int, shape Shape, plus bool) {
	i := e
	blank := func() {
		for i < len(s.text) && i-e < 6 && spaceByte(s.text[i]) {
			i++
		}
	}
	blank()
	spaced := i > e
	switch s.at(i) {
	case '-', '+':
		if i >= len(s.text) {
			return 0, 0, false
		}
		plus = s.text[i] == '+'
		i++
		blank()
		return i - e, ShapeDashed, plus
	case '.', '/':
		if spaced {
			return 0, 0, false
		}
		return 1, ShapeSpaced, false
	}
	if !spaced || i-e > 2 {
		return 0, 0, false
	}
	return i - e, ShapeSpaced, false
}

// personRun tries personnummer and their relatives at the run of n digits.
func (s *digitPass) personRun(p, n int) bool {
	switch n {
	case 2:
		return s.splitCentury(p) || s.groupedDate(p, 2)
	case 4:
		return s.isoDate(p) || s.groupedDate(p, 4)
	case 6, 8:
		return s.dateAndTail(p, n)
	case 10:
		return s.bareTen(p)
	case 12:
		return s.bareTwelve(p)
	}
	return false
}

// splitCentury finds "19 800102-2386".
func (s *digitPass) splitCentury(p int) bool {
	century := two(s.text[p:])
	if (century < 18 || century > 20) || s.at(p+2) != ' ' || !s.digitsFrom(p+3, 6) {
		return false
	}
	size, shape, _ := s.separatorAt(p + 9)
	if size == 0 || !s.digitsFrom(p+9+size, 4) {
		return false
	}
	var d [12]byte
	copy(d[:], s.text[p:p+2])
	copy(d[2:], s.text[p+3:p+9])
	copy(d[8:], s.text[p+9+size:])
	return s.twelve(d[:], p, p+13+size, shape)
}

// isoDate finds "1980-01-02-2386" and "1980-01-02 2386".
func (s *digitPass) isoDate(p int) bool {
	if s.at(p+4) != '-' || !s.digitsFrom(p+5, 2) || s.at(p+7) != '-' || !s.digitsFrom(p+8, 2) {
		return false
	}
	size, shape, _ := s.separatorAt(p + 10)
	if size == 0 || !s.digitsFrom(p+10+size, 4) {
		return false
	}
	var d [12]byte
	copy(d[:], s.text[p:p+4])
	copy(d[4:], s.text[p+5:p+7])
	copy(d[6:], s.text[p+8:p+10])
	copy(d[8:], s.text[p+10+size:])
	return s.twelve(d[:], p, p+14+size, shape|ShapeSpaced)
}

// groupedDate finds dates in groups: the boxes of forms, "80 01 02-2386" and
// "1980 01 02 2386", and "80-01-02-2386", "1980/01/02-2386", "80.01.02-2386".
// A short year needs the hyphen before the last four.
func (s *digitPass) groupedDate(p, n int) bool {
	e := p + n
	sep := s.at(e)
	if !indexByte(" -./", sep) || !s.digitsFrom(e+1, 2) || s.at(e+3) != sep || !s.digitsFrom(e+4, 2) {
		return false
	}
	size, shape, plus := s.separatorAt(e + 6)
	tail := e + 6 + size
	if size == 0 || n == 2 && shape != ShapeDashed || !s.digitsFrom(tail, 4) {
		return false
	}
	var d [12]byte
	copy(d[:], s.text[p:e])
	copy(d[n:], s.text[e+1:e+3])
	copy(d[n+2:], s.text[e+4:e+6])
	copy(d[n+4:], s.text[tail:tail+4])
	if n == 4 {
		return s.twelve(d[:], p, tail+4, ShapeSpaced)
	}
	return s.ten(d[:10], p, tail+4, ShapeSpaced, plus)
}

// dateAndTail finds a date of six or eight digits at p, a separator and four
// digits, or the letter and three digits of an interim number.
func (s *digitPass) dateAndTail(p, n int) bool {
	e := p + n
	behind := s.at(e)
	if n == 8 && (asciiUpper(behind) || behind == '-') && s.reserveLetters(p) {
		return true
	}
	size, shape, plus := s.separatorAt(e)
	if size == 0 && !asciiUpper(behind) {
		return n == 8 && s.eightDigits(p)
	}
	if s.interim(p, n, size) {
		return true
	}
	if size == 0 || !s.digitsFrom(e+size, 4) {
		return false
	}
	to := e + size + 4
	var d [12]byte
	copy(d[:], s.text[p:e])
	copy(d[n:], s.text[e+size:to])
	if n == 8 {
		return s.twelve(d[:], p, to, shape)
	}
	return s.ten(d[:10], p, to, shape, plus)
}

// eightDigits finds what keywords make of eight digits: a bankgiro number
// without hyphen, or a passport issued before 2022, unless they read as a
// date.
func (s *digitPass) eightDigits(p int) bool {
	year := four(s.text[p:])
	if s.edges(p, p+8) != edgeFree || year > 1800 && year < 2100 && validDate(year, two(s.text[p+4:]), two(s.text[p+6:])) {
		return false
	}
	d := s.text[p : p+8]
	if luhn(d) && d[0] != '0' {
		s.emit(Bankgiro, p, p+8, ShapeBare|ShapeChecked|ShapeKeyword, number(d))
	}
	s.emit(LMA, p, p+8, ShapeBare|ShapeKeyword, number(d))
	s.emit(Pass, p, p+8, ShapeBare|ShapeKeyword, number(d))
	return false
}

// twelve judges twelve digits written from..to.
func (s *digitPass) twelve(d []byte, from, to int, shape Shape) bool {
	edge := s.edgesOf(from, to, shape)
	if edge >= edgeNumber {
		return false
	}
	id := personTwelve(d, s.today)
	if id == NoIdentifier {
		if d[0] == '1' && d[1] == '6' && organisation(d[2:]) {
			s.take(Organisationsnummer, from, to, shape|ShapeChecked|ShapeTwelve, number(d[2:]))
			return true
		}
		return s.reserveDigits(d, from, to, shape)
	}
	v := number(d)
	shape |= ShapeTwelve | ShapeChecked | s.personFacts(d, v, edge)
	if shape.Has(ShapeBare) && four(d[8:])%100 < 60 && two(d[8:]) < 24 {
		shape |= ShapeTimestamp
	}
	s.take(id, from, to, shape, v)
	return true
}

// ten judges ten digits written from..to.
func (s *digitPass) ten(d []byte, from, to int, shape Shape, plus bool) bool {
	edge := s.edgesOf(from, to, shape)
	if edge >= edgeNumber {
		return false
	}
	id, year := personTen(d, plus, s.today)
	if id == NoIdentifier {
		if organisation(d) {
			if !shape.Has(ShapeDashed) {
				shape |= ShapeKeyword
			}
			s.take(Organisationsnummer, from, to, shape|ShapeChecked, number(d))
			return true
		}
		if cprNumber(d) {
			s.emit(CPR, from, to, shape|ShapeKeyword, number(d))
		}
		return false
	}
	v := uint64(year)/100*1e10 + number(d)
	var full [12]byte
	copy(full[2:], d)
	full[0], full[1] = byte('0'+year/1000), byte('0'+year/100%10)
	shape |= ShapeChecked | s.personFacts(full[:], v, edge)
	if shape.Has(ShapeBare) && d[0] == '0' && d[1] == '7' {
		shape |= ShapePhone
	}
	s.take(id, from, to, shape, v)
	return true
}

func (s *digitPass) edgesOf(from, to int, shape Shape) edge {
	switch {
	case shape.Has(ShapeDashed):
		return s.dashedEdges(from, to)
	case shape.Has(ShapeBare) && s.at(to) == '.' && s.digitsFrom(to+1, 1) && s.text[to+1] == '0':
		return s.leftEdge(from) // a spreadsheet's number: "198001022386.0"
	}
	return s.edges(from, to)
}

// lostZeros finds the numbers of those born in 2000 to 2009 where a
// spreadsheet took them for amounts: a cell of seven to nine digits that are
// ten with the zeros that stood before them. Only the column's head can make
// them count.
func (s *digitPass) lostZeros(p, n int) {
	cell := (p == 0 || indexByte("\t\n", s.text[p-1])) && indexByte("\t\n\r ", s.at(p+n)) && s.text[p] != '0'
	if !cell || s.text[p+n-4] == '0' && s.text[p+n-3] == '0' && s.text[p+n-2] == '0' {
		return
	}
	d := [10]byte{'0', '0', '0', '0', '0', '0', '0', '0', '0', '0'}
	copy(d[10-n:], s.text[p:p+n])
	id, year := personTen(d[:], false, s.today)
	if id == NoIdentifier || year < 2000 {
		return
	}
	v := uint64(year)/100*1e10 + number(d[:])
	shape := ShapeBare | ShapePadded | ShapeKeyword | ShapeChecked | ShapeRecent
	if s.tests.contains(v) {
		shape |= ShapeTest
	}
	s.emit(id, p, p+n, shape, v)
}

// personFacts gathers what twelve digits tell.
func (s *digitPass) personFacts(d []byte, v uint64, e edge) Shape {
	var shape Shape
	if d[0] == '2' {
		shape |= ShapeRecent
	}
	if e == edgeUnderscore {
		shape |= ShapeUnderscore
	}
	if s.tests.contains(v) {
		shape |= ShapeTest
	}
	return shape
}

func (s *digitPass) bareTen(p int) bool {
	if s.at(p-1) == '-' || s.at(p+10) == '-' {
		return false // inside a GUID or another number
	}
	found := s.ten(s.text[p:p+10], p, p+10, ShapeBare, false)
	if found && s.hits[len(s.hits)-1].Shape.Has(ShapePhone) {
		s.emit(Telefon, p, p+10, ShapeBare|ShapeMobile|ShapeKeyword, 0)
	}
	return found
}

func (s *digitPass) bareTwelve(p int) bool {
	if s.at(p-1) == '-' || s.at(p+12) == '-' {
		return false
	}
	return s.twelve(s.text[p:p+12], p, p+12, ShapeBare)
}

// interim finds a date, perhaps a separator, a letter and three digits, and
// Västerbotten's reserve number YYMMDD-RXNN.
func (s *digitPass) interim(p, n, size int) bool {
	i := p + n + size
	c := s.at(i)
	if !asciiUpper(c) || !s.digitsFrom(i+1, 3) || s.edges(p, i+4) >= edgeNumber {
		return false
	}
	var full [12]byte
	copy(full[12-n-4:], s.text[p:p+n])
	d := full[2:]
	copy(d[6:], s.text[i:i+4])
	if c == 'R' && n == 6 && size > 0 && (d[7] == '6' || d[7] == '9' || d[7] == '2') && validDate(2000, two(d[2:]), two(d[4:])) {
		s.emit(Reservnummer, p, i+4, ShapeKeyword|ShapeDashed, 0)
		if !interimCheck(d) { // otherwise the words near it decide
			s.taken = i + 4
			return true
		}
	}
	if !isInterimLetter(c) {
		return false
	}
	d[6] = '1'
	year := centuryOf(d, s.at(p+n) == '+', s.today)
	if n == 8 {
		year = four(full[:])
	}
	if year < earliestBirth || year > int(s.today)/10000 || personKind(year, d) == NoIdentifier {
		return false
	}
	shape := ShapeChecked
	switch {
	case size > 0:
		shape |= ShapeDashed
	default:
		shape |= ShapeBare
	}
	if n == 8 {
		shape |= ShapeTwelve
	}
	s.take(Interimsnummer, p, i+4, shape, 0)
	return true
}

// interimCheck reports whether the check digit is right with the letter as 1.
func interimCheck(d []byte) bool {
	e := [10]byte(d)
	e[6] = '1'
	return luhn(e[:])
}

func isInterimLetter(c byte) bool {
	for i := range len(interimLetters) {
		if interimLetters[i] == c {
			return true
		}
	}
	return false
}

// reserveDigits judges twelve digits as a reserve number without letters:
// Stockholm's 99yyyyNNNNNC (check digit over the last eight) and Inera
// Carelink's with days 32 to 59.
func (s *digitPass) reserveDigits(d []byte, from, to int, shape Shape) bool {
	year := four(d)
	if d[0] == '9' && d[1] == '9' {
		year = four(d[2:])
		if year < earliestBirth || year > int(s.today)/10000 || !luhn(d[4:]) {
			return false
		}
		s.take(Reservnummer, from, to, shape|ShapeChecked|ShapeKeyword, 0)
		return true
	}
	month, day := two(d[4:]), two(d[6:])
	if year < earliestBirth || year > int(s.today)/10000 || month < 1 || month > 12 || day < 32 || day > 59 || !luhn(d[2:]) {
		return false
	}
	s.take(Reservnummer, from, to, shape|ShapeChecked|ShapeKeyword, 0)
	return true
}

// reserveLetters finds yyyymmdd and four characters with letters: Västra
// Götaland (GggC, checked), Värmland (SxNC) and Skåne (any).
func (s *digitPass) reserveLetters(p int) bool {
	i := p + 8
	if s.at(i) == '-' {
		i++
	}
	if i+4 <= len(s.text) && s.nationalReserve(p, i) {
		return true
	}
	if i+4 > len(s.text) || !validDate(four(s.text[p:]), two(s.text[p+4:]), two(s.text[p+6:])) {
		return false
	}
	year := four(s.text[p:])
	tail := s.text[i : i+4]
	letters := 0
	for _, c := range tail {
		switch {
		case asciiUpper(c):
			letters++
		case !asciiDigit(c):
			return false
		}
	}
	if letters == 0 || year < earliestBirth || year > int(s.today)/10000 || s.edges(p, i+4) >= edgeNumber {
		return false
	}
	shape := ShapeTwelve | ShapeKeyword
	switch {
	case s.interim(p, 8, i-p-8):
		return true
	case vastraGotaland(s.text[p:p+8], tail):
		shape = ShapeTwelve | ShapeChecked
	case tail[0] == 'S' && indexByte("FUXPL", tail[1]) && asciiDigit(tail[2]) && asciiUpper(tail[3]) && tail[3] != 'V':
		shape = ShapeTwelve | ShapeDashed
	}
	s.take(Reservnummer, p, i+4, shape, 0)
	return true
}

// nationalReserve finds XXYYMMDDNNGC: XX tells the century, NN are two
// letters, without those that look like digits.
func (s *digitPass) nationalReserve(p, i int) bool {
	tail := s.text[i : i+4]
	letter := func(c byte) bool { return asciiUpper(c) && !indexByte("IOQVW", c) }
	xx := two(s.text[p:])
	if i != p+8 || xx != 0 && (xx < 21 || xx > 78) || !letter(tail[0]) || !letter(tail[1]) ||
		!asciiDigit(tail[2]) && !asciiUpper(tail[2]) || !asciiDigit(tail[3]) && !asciiUpper(tail[3]) || s.edges(p, i+4) != edgeFree {
		return false
	}
	month, day := two(s.text[p+4:]), two(s.text[p+6:])
	if !validDate(2000, month, day) && (xx != 0 || month < 20 || day < 40 || day > 59) {
		return false
	}
	s.take(Reservnummer, p, i+4, ShapeTwelve|ShapeKeyword, 0)
	return true
}

func indexByte(set string, c byte) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}

// vastraGotaland checks GggC: K counts as 5, M as 7, X as 8 in the check
// digit over the last ten.
func vastraGotaland(date, tail []byte) bool {
	if !asciiDigit(tail[1]) || !asciiDigit(tail[2]) || !asciiDigit(tail[3]) {
		return false
	}
	var d [10]byte
	copy(d[:], date[2:])
	copy(d[6:], tail)
	switch tail[0] {
	case 'K':
		d[6] = '5'
	case 'M':
		d[6] = '7'
	case 'X':
		d[6] = '8'
	default:
		return false
	}
	return luhn(d[:])
}

// nordicSix finds Finnish HETU and Norwegian fødselsnummer written 6 + 5.
func (s *digitPass) nordicSix(p int) bool {
	e := p + 6
	sign := s.at(e)
	switch {
	case sign == ' ' && s.digitsFrom(e+1, 5):
		var d [11]byte
		copy(d[:], s.text[p:e])
		copy(d[6:], s.text[e+1:])
		if s.edges(p, e+6) < edgeNumber && fodselsnummer(d[:]) {
			s.take(Fodselsnummer, p, e+6, ShapeSpaced|ShapeChecked, number(d[:]))
			return true
		}
	case finnishSign(sign) && s.digitsFrom(e+1, 3) && e+5 <= len(s.text):
		if s.edges(p, e+5) < edgeNumber && hetu(s.text[p:e], s.text[e+1:e+5]) {
			s.take(HETU, p, e+5, ShapeDashed|ShapeChecked, 0)
			return true
		}
	}
	return false
}

// recoveryKey finds BitLocker's eight groups of six digits, each divisible by
// eleven.
func (s *digitPass) recoveryKey(p int) bool {
	const groups = 8
	for g := range groups {
		at := p + 7*g
		if !s.digitsFrom(at, 6) || number(s.text[at:at+6])%11 != 0 || g < groups-1 && s.at(at+6) != '-' {
			return false
		}
	}
	end := p + 7*groups - 1
	s.hits = append(s.hits, Hit{Start: p, End: end, Kind: SecretHit, Identifier: Token, Shape: ShapeComplete})
	s.taken = end
	return true
}

// finnishSign knows the century signs, old and new.
func finnishSign(c byte) bool {
	return c == '-' || c == '+' || c >= 'A' && c <= 'F' || c >= 'U' && c <= 'Y'
}

// bareNordic finds eleven digits that are a Norwegian number.
func (s *digitPass) bareNordic(p, n int) bool {
	if n != 11 || s.edges(p, p+11) != edgeFree || !fodselsnummer(s.text[p:p+11]) {
		return false
	}
	s.take(Fodselsnummer, p, p+11, ShapeBare|ShapeChecked|ShapeKeyword, number(s.text[p:p+11]))
	return true
}
