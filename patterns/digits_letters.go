package patterns

import "bytes"

// afterLetters tries what begins with letters right before the run of n
// digits at p: IBAN, VAT, passport, plate, codes.
func (s *digitPass) afterLetters(p, n int) {
	k := 0
	for k < 4 && asciiUpper(s.at(p-1-k)) {
		k++
	}
	from := p - k
	if k == 0 && (n == 2 || n == 3) {
		s.smallPlate(p-3, p, p, n)
	}
	if k == 0 || k == 4 || s.leftEdge(from) == edgeWord {
		return
	}
	switch k {
	case 1:
		s.afterOneLetter(from, p, n)
	case 2:
		s.afterTwoLetters(from, p, n)
	case 3:
		if !s.plate(from, p, n) && n == 2 && s.edges(from, p+2) == edgeFree {
			s.emit(KVA, from, p+2, ShapeKeyword, 0)
		}
	}
	if n == 4 {
		s.caseNumber(from, p)
	}
}

// afterOneLetter finds diagnosis codes and substances: F43.8A, F438A, N06AB04.
func (s *digitPass) afterOneLetter(from, p, n int) {
	e := p + n
	if n == 2 && s.text[from] == 'N' && (s.at(e) == '.' || s.at(e) == ',') && s.degrees(p) {
		return
	}
	alnum := func(i int) bool { return asciiUpper(s.at(i)) || asciiDigit(s.at(i)) }
	switch {
	case n == 2 && s.at(e) == '.' && asciiDigit(s.at(e+1)):
		e += 2
		if alnum(e) {
			e++
		}
		if s.edges(from, e) == edgeFree {
			s.emit(ICD10, from, e, ShapeDashed, 0)
			s.taken = e
		}
	case n == 2 && asciiUpper(s.at(e)) && asciiUpper(s.at(e+1)) && s.digitsFrom(e+2, 2):
		if indexByte("ABCDGHJLMNPRSV", s.text[from]) && s.edges(from, e+4) == edgeFree {
			s.take(ATC, from, e+4, ShapeDashed, 0)
		}
	case n == 2 || n == 3:
		if asciiUpper(s.at(e)) {
			e++
		}
		if s.edges(from, e) == edgeFree {
			s.emit(ICD10, from, e, ShapeBare|ShapeKeyword, 0)
		}
	}
}

func (s *digitPass) afterTwoLetters(from, p, n int) {
	e := p + n
	if s.iban(from) {
		return
	}
	swedish := s.text[from] == 'S' && s.text[from+1] == 'E'
	switch {
	case swedish && n == 12:
		s.vat(from, p)
	case swedish && n == 10 && s.at(e) == '-':
		s.hsa(from, p)
	case n == 7 && s.edges(from, e) == edgeFree:
		s.emit(Pass, from, e, ShapeKeyword, 0)
	case n == 3 && s.edges(from, e) == edgeFree:
		s.emit(KVA, from, e, ShapeKeyword, 0)
	}
}

// vat finds SE, an organisationsnummer or personnummer, and 01.
func (s *digitPass) vat(from, p int) {
	d := s.text[p : p+12]
	if d[10] != '0' || d[11] == '0' || !luhn(d[:10]) || s.edges(from, p+12) != edgeFree {
		return
	}
	shape := ShapeChecked
	if id, _ := personTen(d[:10], false, s.today); id != NoIdentifier {
		shape |= ShapePerson
	}
	s.take(Momsnummer, from, p+12, shape, number(d))
}

// hsa finds SE, an organisationsnummer, a hyphen and a local part
// (Inera, HSA-id).
func (s *digitPass) hsa(from, p int) {
	e := p + 11
	for e < len(s.text) && e < p+11+20 && (asciiUpper(s.text[e]) || asciiDigit(s.text[e])) {
		e++
	}
	if e > p+11 && organisation(s.text[p:p+10]) && s.edges(from, e) == edgeFree {
		s.take(HSAID, from, e, ShapeChecked, 0)
	}
}

// plate finds ABC123, ABC 123, ABC12A; I, Q and V are not used, nor O last
// (Transportstyrelsen).
func (s *digitPass) plate(from, p, n int) bool {
	for i := from; i < from+3; i++ {
		if c := s.text[i]; c == 'I' || c == 'Q' || c == 'V' {
			return false
		}
	}
	last := s.at(p + 2)
	switch {
	case n == 3:
	case n == 2 && asciiUpper(last) && last != 'I' && last != 'Q' && last != 'V' && last != 'O':
	default:
		return false
	}
	if s.edges(from, p+3) != edgeFree || notPlate(string(s.text[from:from+3])) {
		return false
	}
	s.emit(Registreringsnummer, from, p+3, ShapeKeyword, 0)
	return true
}

// smallPlate finds plates in lower case, of three letters at from and n digits
// at p, before which end cue words: "regnr abc123", "Regnr: abc 123".
func (s *digitPass) smallPlate(from, end, p, n int) {
	if from < 0 || s.leftEdge(from) != edgeFree {
		return
	}
	var upper [3]byte
	for i := range upper {
		c := s.text[from+i]
		if c < 'a' || c > 'z' || c == 'i' || c == 'q' || c == 'v' {
			return
		}
		upper[i] = c &^ 0x20
	}
	to := p + 3
	if n == 2 && !indexByte("abcdefghjklmnprstuwxyz", s.at(p+2)) || s.rightEdge(to) != edgeFree || notPlate(string(upper[:])) || !s.plateCue(from, end < p) {
		return
	}
	s.emit(Registreringsnummer, from, to, ShapeKeyword, 0)
}

// plateCue reports whether a word for plates stands before from: directly if
// close, otherwise on the same line.
func (s *digitPass) plateCue(from int, close bool) bool {
	before := s.text[max(0, from-reachClose):from]
	before = before[bytes.LastIndexByte(before, '\n')+1:]
	if close {
		before = bytes.TrimRight(before, " .:=\t")
		for _, word := range [...]string{"regnr", "reg.nr", "reg nr", "reg-nr", "registreringsnummer", "registreringsnr", "regnummer", "skylten"} {
			if endsWith(before, word) {
				return true
			}
		}
		return false
	}
	lower := bytes.ToLower(before)
	for _, word := range [...]string{"reg", "bil", "fordon", "skylt", "park", "moped", "släp"} {
		if bytes.Contains(lower, []byte(word)) {
			return true
		}
	}
	return false
}

// licence finds the reference number of a driving licence, field 4d: eight or
// nine digits that are no date, where a word for it stands near or a cell
// holds nothing else. The number of the licence itself, field 5, is the
// holder's personnummer (TSFS 2012:60).
func (s *digitPass) licence(p, n int) {
	e := p + n
	cell := (p == 0 || indexByte("\t\n", s.text[p-1])) && indexByte("\t\n\r ", s.at(e))
	if n < 8 || s.edges(p, e) != edgeFree || n == 8 && s.bareDate(p) {
		return
	}
	before := s.text[max(0, p-reachClose-8):p]
	if cell || bytes.Contains(before, []byte("rkort")) || bytes.Contains(before, []byte("RKORT")) || bytes.Contains(before, []byte("icence")) {
		s.emit(Korkort, p, e, ShapeBare|ShapeKeyword, number(s.text[p:e]))
	}
}

// bareDate reports whether eight digits are a date of this century or the last.
func (s *digitPass) bareDate(p int) bool {
	year, month, day := four(s.text[p:]), two(s.text[p+4:]), two(s.text[p+6:])
	return year >= 1900 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31
}

// notPlate knows triples of letters that mean something else before digits.
func notPlate(triple string) bool {
	switch triple {
	case "SEK", "EUR", "USD", "NOK", "DKK", "GBP", "JAS", "ASC", "SOU", "SFS", "OSL", "LAS", "LSS", "LSU", "FBL", "PUL", "PBL",
		"MSB", "SKR", "SMS", "PDF", "RFC", "USB", "UTC", "GMT", "MAX", "SAP", "SAS", "BTS", "KTH", "ROT", "RUT", "TBE", "DNR", "REF", "TEL", "FAX", "ART", "BOX", "LGH", "HUS", "SAL", "RUM", "KAP", "NUM", "SUM", "DEC", "FEB", "MAR", "APR", "MAJ", "JUN", "JUL", "AUG", "SEP", "OKT", "TOT", "KTS", "KFS", "HSL", "PSL", "BBR", "EKS", "CEN", "DEN", "BMW":
		return true
	}
	return false
}

// iban finds an IBAN of any country, in groups or not, from the letters on.
func (s *digitPass) iban(from int) bool {
	n := ibanLength(s.text[from], s.text[from+1])
	if n == 0 || !asciiDigit(s.at(from+2)) || !asciiDigit(s.at(from+3)) {
		return false
	}
	var d [34]byte
	k, i := 0, from
	for i < len(s.text) && k < n {
		c := s.text[i]
		switch {
		case asciiDigit(c), asciiUpper(c):
			d[k] = c
			k++
		case (c == ' ' || c == '-') && k >= 4 && s.text[i-1] != ' ' && s.text[i-1] != '-':
		default:
			return false
		}
		i++
	}
	if k < n || s.rightEdge(i) != edgeFree || !mod97(d[:n]) {
		return false
	}
	s.take(IBAN, from, i, ShapeChecked, 0)
	return true
}

// ibanLengths is the IBAN registry (SWIFT): country and total length.
const ibanLengths = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28" +
	"EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27" +
	"JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15" +
	"OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30"

// ibanLength returns the length for a country, or 0.
func ibanLength(a, b byte) int {
	for i := 0; i+4 <= len(ibanLengths); i += 4 {
		if ibanLengths[i] == a && ibanLengths[i+1] == b {
			return int(ibanLengths[i+2]-'0')*10 + int(ibanLengths[i+3]-'0')
		}
	}
	return 0
}

// afterWord tries what begins with a word before the run: "ABC 123",
// "KS 2018/14", "Storgatan 5", "Skoby Berga 1:2".
func (s *digitPass) afterWord(p, n int) bool {
	last := s.at(p - 2)
	e := p + n
	if (n == 2 || n == 3) && last >= 'a' && last <= 'z' {
		s.smallPlate(p-4, p-1, p, n)
	}
	if asciiUpper(last) {
		k := 1
		for k < 5 && asciiUpper(s.at(p-2-k)) {
			k++
		}
		from := p - 1 - k
		if s.leftEdge(from) == edgeWord {
			return false
		}
		if k == 3 && n <= 3 && s.plate(from, p, n) {
			return false
		}
		if n == 4 {
			return s.caseNumber(from, p)
		}
		return false
	}
	if s.at(e) == ':' && digitAt(s.text, e+1) {
		return s.property(p, e)
	}
	return n <= 3 && (s.block(p, e) || s.address(p, e)) || s.postBox(p, e)
}

// block finds a property named by its block: "fastigheten Norrström 2".
func (s *digitPass) block(p, e int) bool {
	if !s.behindBlock(p) {
		return false
	}
	start := nameStart(s.text, p-1)
	if start == p-1 || start < 4 || s.text[start-1] != ' ' || s.edges(p, e) != edgeFree {
		return false
	}
	word := s.text[nameOrWordStart(s.text, start-1) : start-1]
	if !endsWith(word, "fastigheten") && !endsWith(word, "fastighet") && !endsWith(word, "kvarteret") {
		return false
	}
	s.take(Fastighetsbeteckning, start, e, ShapeDashed, 0)
	return true
}

// behindBlock reports whether the word before the one before p ends like
// those for blocks, which spares most numbers in prose a closer look.
func (s *digitPass) behindBlock(p int) bool {
	const longest = 48 // a name and a space
	from := max(0, p-longest)
	at := from + bytes.LastIndexByte(s.text[from:p-1], ' ')
	return at > from && (s.text[at-1]|0x20 == 'n' || s.text[at-1]|0x20 == 't')
}

// caseNumber finds "KS 2018/14", "SN 2023-00123", "N2017/02364" from its
// prefix on; the year stands at p.
func (s *digitPass) caseNumber(from, p int) bool {
	e := p + 4
	year := four(s.text[p:])
	sep := s.at(e)
	if year < 1900 || year > int(s.today)/10000 || sep != '/' && sep != '-' && sep != ':' || s.dateAt(p) {
		return false
	}
	prefix := string(s.text[from : from+min(maxCasePrefix, letterRun(s.text, from))])
	if publication(prefix) {
		return false
	}
	n := runLength(s.text, min(e+1, len(s.text)))
	if n == 0 || n > 6 {
		return false
	}
	serial := number(s.text[e+1 : e+1+n])
	shape := ShapeDashed
	if sep == '-' && n == 4 && serial >= 1900 && serial < 2100 || sep == '/' && n == 2 && serial == uint64(year+1)%100 {
		shape |= ShapeKeyword // years: "KS 2019-2021", "VT 2022/23"
	}
	e += 1 + n
	if c := s.at(e); (c == '.' || c == '-') && digitAt(s.text, e+1) {
		e += 1 + min(runLength(s.text, e+1), 4)
	}
	if rightEdge := s.rightEdge(e); rightEdge != edgeFree {
		return false
	}
	if socialPrefix(prefix) {
		shape |= ShapeSocial
	}
	s.take(Diarienummer, from, e, shape, 0)
	return true
}

// maxCasePrefix is the longest prefix of a registry number, in letters.
const maxCasePrefix = 6

// publication knows the series in which laws, reports and cases appear.
func publication(prefix string) bool {
	switch prefix {
	case "SOU", "SFS", "DS", "NJA", "HFD", "RH", "MD", "AFS", "SOSFS", "BFS", "NFS", "TSFS", "KIFS", "MSBFS", "MCFFS", "SKOLFS", "LIVSFS", "FFS", "EG", "EU", "IEC", "ISO", "EN", "SS", "VT", "HT", "Q", "KPI", "JO":
		return true
	}
	return false
}

func letterRun(b []byte, i int) int {
	n := 0
	for i+n < len(b) && asciiUpper(b[i+n]) {
		n++
	}
	return n
}

// socialPrefix knows the registry prefixes of social services and care.
func socialPrefix(prefix string) bool {
	switch prefix {
	case "SN", "IFN", "IFO", "AN", "VON", "VN", "SOC", "ON", "SON", "IN", "OMN", "ÄN", "AON", "ION", "VOO", "OFN", "ÖFN", "FN":
		return true
	}
	return false
}
