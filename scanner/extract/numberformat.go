package extract

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// NumberFormat shows a spreadsheet's number as its reader sees it: 507091234
// in the format 000000-0000 is 050709-1234 (ECMA-376 part 1, 18.8.31).
//
// It departs from what a spreadsheet shows where that would hide digits or
// need a language: no thousands separators, no rounding to E+11, decimal
// point, and ISO 8601 for the system's short date and for dates with names of
// months or without a year or day.
type NumberFormat struct {
	sections []numberSection
}

type numberSection struct {
	condition func(float64) bool // nil: by the order of sections
	tokens    []numberToken
	kind      sectionKind
	digits    int // placeholders before the decimal point
	decimals  int // and after
	percents  int
	iso       bool // a date to be shown as ISO 8601
	clock     bool // a date with hours
	halfDays  bool // AM/PM
}

type sectionKind int

const (
	generalSection sectionKind = iota
	literalSection
	numberKind
	dateKind
	elapsedKind
	plainKind // scientific, fractions, scaled: shown in full
)

type numberToken struct {
	kind byte // '0' digit, '#' optional digit, '?' digit or space, '.', 'L' literal, or y m d h s n(minutes) f(fraction) a(AM/PM)
	text string
	n    int
}

// General is the format of cells that have none.
func (n *NumberFormat) general() bool {
	return len(n.sections) == 0 || len(n.sections) == 1 && n.sections[0].kind == generalSection
}

// BuiltinNumberFormat returns the format of a number format id below 164
// (ECMA-376 part 1, 18.8.30), or nil for General.
func BuiltinNumberFormat(id int) *NumberFormat {
	code := map[int]string{
		1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
		14: "yyyy-mm-dd", 15: "yyyy-mm-dd", 16: "yyyy-mm-dd", 17: "yyyy-mm-dd", 18: "hh:mm", 19: "hh:mm:ss", 20: "hh:mm", 21: "hh:mm:ss", 22: "yyyy-mm-dd hh:mm",
		37: "#,##0;-#,##0", 38: "#,##0;-#,##0", 39: "#,##0.00;-#,##0.00", 40: "#,##0.00;-#,##0.00",
		45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0",
	}[id]
	if code == "" && (id >= 27 && id <= 36 || id >= 50 && id <= 58) {
		code = "yyyy-mm-dd" // East Asian dates
	}
	if code == "" {
		return nil
	}
	return ParseNumberFormat(code)
}

// ParseNumberFormat reads a format code, or returns nil for General.
func ParseNumberFormat(code string) *NumberFormat {
	f := &NumberFormat{}
	if len(code) > 1000 {
		return nil
	}
	for _, section := range splitSections(code) {
		f.sections = append(f.sections, parseSection(section))
	}
	if f.general() {
		return nil
	}
	return f
}

// IsDate says whether the format shows dates or times.
func (n *NumberFormat) IsDate() bool {
	return n != nil && (n.sections[0].kind == dateKind || n.sections[0].kind == elapsedKind)
}

// Format shows v. date1904 tells which day is 0 in the workbook. A nil format
// is General.
func (n *NumberFormat) Format(v float64, date1904 bool) string {
	if n == nil {
		return PlainNumber(v)
	}
	section, shown := n.choose(v)
	if section == nil {
		return PlainNumber(v)
	}
	switch section.kind {
	case literalSection, numberKind:
		return section.number(shown)
	case dateKind:
		return section.date(v, date1904)
	case elapsedKind:
		return section.elapsed(v)
	}
	return PlainNumber(v)
}

// PlainNumber shows v with all digits a spreadsheet keeps, never as 1.9E+11.
func PlainNumber(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return strconv.FormatInt(int64(v), 10)
	}
	if a := math.Abs(v); math.IsNaN(v) || a > 1e21 || a < 1e-9 {
		return strconv.FormatFloat(v, 'g', 15, 64)
	}
	// Fifteen digits, as spreadsheets: 0.1+0.2 is 0.3.
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64)
	if err != nil {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

func splitSections(code string) []string {
	var sections []string
	start, quoted := 0, false
	for i := 0; i < len(code); i++ {
		switch c := code[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\\' || c == '_' || c == '*':
			i++
		case c == ';':
			sections = append(sections, code[start:i])
			start = i + 1
		}
	}
	return append(sections, code[start:])
}

func parseSection(code string) numberSection {
	s := numberSection{}
	p := sectionParser{section: &s, rest: code}
	for p.rest != "" {
		p.next()
	}
	p.finish()
	return s
}

type sectionParser struct {
	section                        *numberSection
	rest                           string
	point, plain, general, elapsed bool
	names                          bool // of months or days
	year, day, month               bool
	lastTime                       byte // the last of h, s seen: decides whether m is minutes
}

func (p *sectionParser) add(kind byte, text string, n int) {
	p.section.tokens = append(p.section.tokens, numberToken{kind, text, n})
}

func (p *sectionParser) next() {
	c := p.rest[0]
	switch c {
	case '"':
		text, after, _ := strings.Cut(p.rest[1:], `"`)
		p.add('L', text, 0)
		p.rest = after
		return
	case '\\':
		p.rest = p.rest[1:]
		p.literal()
		return
	case '_', '*': // room, or filling: of one character
		if c == '_' {
			p.add('L', " ", 0)
		}
		p.rest = p.rest[1:]
		p.dropRune()
		return
	case '[':
		p.bracket()
		return
	}
	lower := strings.ToLower(p.rest)
	switch {
	case strings.HasPrefix(lower, "general"), strings.HasPrefix(lower, "standard"):
		p.general = true
		p.rest = p.rest[len("general"):]
		p.rest = strings.TrimPrefix(p.rest, "d")
	case strings.HasPrefix(lower, "am/pm"):
		p.section.halfDays = true
		p.add('a', "", 0)
		p.rest = p.rest[5:]
	case strings.HasPrefix(lower, "a/p"):
		p.section.halfDays = true
		p.add('a', "", 0)
		p.rest = p.rest[3:]
	case strings.HasPrefix(lower, "e+"), strings.HasPrefix(lower, "e-"):
		p.plain = true
		p.rest = p.rest[2:]
	case strings.IndexByte("ymdhsge", lower[0]) >= 0:
		p.dateLetters(lower[0])
	default:
		p.placeholder(c)
	}
}

func (p *sectionParser) placeholder(c byte) {
	switch c {
	case '0', '#', '?':
		p.add(c, "", 0)
		if p.point {
			p.section.decimals++
		} else {
			p.section.digits++
		}
	case '.':
		if !p.point {
			p.add('.', "", 0)
		}
		p.point = true
	case ',':
		// A separator is left out; one that scales the number would hide digits.
		if p.section.digits > 0 && (len(p.rest) == 1 || strings.IndexByte("0#?,", p.rest[1]) < 0) {
			p.plain = true
		}
	case '%':
		p.section.percents++
		p.add('L', "%", 0)
	case '/':
		if p.section.digits > 0 {
			p.plain = true
		}
		p.add('L', "/", 0)
	case '@':
		p.general = true
	default:
		p.literal()
		return
	}
	p.rest = p.rest[1:]
}

func (p *sectionParser) literal() {
	if p.rest != "" {
		_, size := utf8.DecodeRuneInString(p.rest)
		p.add('L', p.rest[:size], 0)
		p.rest = p.rest[size:]
	}
}

func (p *sectionParser) dropRune() {
	_, size := utf8.DecodeRuneInString(p.rest)
	p.rest = p.rest[size:]
}

func (p *sectionParser) bracket() {
	inside, after, found := strings.Cut(p.rest[1:], "]")
	p.rest = after
	if !found || inside == "" {
		return
	}
	lower := strings.ToLower(inside)
	switch {
	case strings.Trim(lower, "h") == "", strings.Trim(lower, "m") == "", strings.Trim(lower, "s") == "":
		p.elapsed = true
		p.add('e', lower[:1], len(lower))
		p.lastTime = lower[0]
	case strings.IndexByte("<>=", inside[0]) >= 0:
		p.section.condition = parseCondition(inside)
	case inside[0] == '$':
		symbol, _, _ := strings.Cut(inside[1:], "-")
		if symbol != "" {
			p.add('L', symbol, 0)
		}
	}
}

func parseCondition(s string) func(float64) bool {
	operator := strings.TrimRight(s, "0123456789.-eE+ ")
	limit, err := strconv.ParseFloat(strings.TrimSpace(s[len(operator):]), 64)
	if err != nil {
		return nil
	}
	return map[string]func(float64) bool{
		"<": func(v float64) bool { return v < limit }, "<=": func(v float64) bool { return v <= limit },
		">": func(v float64) bool { return v > limit }, ">=": func(v float64) bool { return v >= limit },
		"=": func(v float64) bool { return v == limit }, "<>": func(v float64) bool { return v != limit },
	}[operator]
}

func (p *sectionParser) dateLetters(letter byte) {
	n := 0
	for n < len(p.rest) && p.rest[n]|0x20 == letter {
		n++
	}
	p.rest = p.rest[n:]
	kind := letter
	switch letter {
	case 'y', 'e', 'g':
		p.year = true
		if letter != 'y' {
			kind = 'y'
		}
	case 'm':
		if p.lastTime == 'h' || strings.HasPrefix(strings.TrimLeft(strings.ToLower(p.rest), `:.\ `), "s") {
			kind = 'n'
			p.lastTime = 0
		} else {
			p.month = true
			p.names = p.names || n > 2
		}
	case 'd':
		p.day = p.day || n <= 2
		p.names = p.names || n > 2
	case 'h', 's':
		p.section.clock = true
		p.lastTime = letter
	}
	if kind == 's' && strings.HasPrefix(p.rest, ".0") {
		p.rest = strings.TrimLeft(p.rest[1:], "0")
	}
	p.add(kind, "", n)
}

func (p *sectionParser) finish() {
	s := p.section
	dated := p.year || p.month || p.day || p.names
	switch {
	case p.elapsed:
		s.kind = elapsedKind
	case dated || s.clock || s.halfDays:
		s.kind = dateKind
		s.iso = dated && (p.names || !p.year || !p.month || !p.day)
	case p.general && s.digits == 0:
		s.kind = generalSection
		if len(s.tokens) > 0 {
			s.kind = plainKind
		}
	case p.plain:
		s.kind = plainKind
	case s.digits+s.decimals > 0:
		s.kind = numberKind
	default:
		s.kind = literalSection
	}
}

// choose returns the section for v, and v as that section shows it.
func (n *NumberFormat) choose(v float64) (*numberSection, float64) {
	sections := n.sections
	if len(sections) > 3 {
		sections = sections[:3] // the fourth is for text
	}
	for i := range sections {
		s := &sections[i]
		if s.condition != nil && s.condition(v) {
			return s, v
		}
	}
	if sections[0].condition != nil {
		for i := range sections[1:] {
			if sections[1+i].condition == nil {
				return &sections[1+i], v
			}
		}
		return nil, v
	}
	switch {
	case v < 0 && len(sections) > 1:
		return &sections[1], -v
	case v == 0 && len(sections) > 2:
		return &sections[2], v
	}
	return &sections[0], v
}

func (s *numberSection) number(v float64) string {
	if s.kind == literalSection && s.digits+s.decimals == 0 {
		return s.onlyLiterals(v)
	}
	v *= math.Pow(100, float64(s.percents))
	shown := strconv.FormatFloat(roundHalfUp(math.Abs(v), s.decimals), 'f', s.decimals, 64)
	whole, fraction, _ := strings.Cut(shown, ".")
	if whole == "0" {
		whole = ""
	}
	var out strings.Builder
	if v < 0 && strings.Trim(whole+fraction, "0") != "" {
		out.WriteByte('-')
	}
	s.fill(&out, whole, fraction)
	return strings.TrimSpace(out.String())
}

// roundHalfUp rounds as spreadsheets do: 2.5 is 3.
func roundHalfUp(v float64, decimals int) float64 {
	scale := math.Pow(10, float64(decimals))
	if decimals > 15 || v*scale >= 1<<53 {
		return v
	}
	return math.Round(v*scale) / scale
}

// onlyLiterals is a format that hides the number, as ";;;" does. What is
// hidden is still there for whoever opens the document.
func (s *numberSection) onlyLiterals(v float64) string {
	var out strings.Builder
	for _, t := range s.tokens {
		out.WriteString(t.text)
	}
	return strings.TrimSpace(out.String() + " " + PlainNumber(v))
}

// fill puts the digits in their places: the whole ones from the right, with
// all that have no place before the first.
func (s *numberSection) fill(out *strings.Builder, whole, fraction string) {
	places, point := s.digits, false
	for _, t := range s.tokens {
		switch t.kind {
		case 'L':
			out.WriteString(t.text)
		case '.':
			point = true
			if s.digits == 0 {
				out.WriteString(whole)
			}
			out.WriteByte('.')
		case '0', '#', '?':
			if point {
				if fraction != "" {
					out.WriteByte(fraction[0])
					fraction = fraction[1:]
				}
				continue
			}
			if places == s.digits && len(whole) > places {
				out.WriteString(whole[:len(whole)-places])
				whole = whole[len(whole)-places:]
			}
			switch {
			case len(whole) >= places:
				out.WriteByte(whole[len(whole)-places])
			case t.kind == '0':
				out.WriteByte('0')
			}
			places--
		}
	}
}

// serialDay turns a spreadsheet's day number into a time. Days before March
// 1900 are one off, since the calendar they count by has a 29 February 1900.
func serialDay(v float64, date1904 bool) (time.Time, bool) {
	if date1904 {
		v += 1462
	}
	if v < 0 || v >= 2958466 {
		return time.Time{}, false
	}
	day, fraction := math.Modf(v)
	if day < 60 && !date1904 {
		day++
	}
	seconds := math.Round(fraction * 86400)
	return time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(day)).Add(time.Duration(seconds) * time.Second), true
}

func (s *numberSection) date(v float64, date1904 bool) string {
	t, ok := serialDay(v, date1904)
	if !ok {
		return PlainNumber(v)
	}
	if s.iso {
		if s.clock {
			return t.Format("2006-01-02 15:04:05")
		}
		return t.Format("2006-01-02")
	}
	var out strings.Builder
	for _, token := range s.tokens {
		out.WriteString(s.datePart(token, t))
	}
	return strings.TrimSpace(out.String())
}

func (s *numberSection) datePart(token numberToken, t time.Time) string {
	switch token.kind {
	case 'y':
		if token.n <= 2 {
			return t.Format("06")
		}
		return t.Format("2006")
	case 'm':
		return pad(int(t.Month()), token.n)
	case 'd':
		return pad(t.Day(), token.n)
	case 'h':
		hour := t.Hour()
		if s.halfDays {
			hour = (hour+11)%12 + 1
		}
		return pad(hour, token.n)
	case 'n':
		return pad(t.Minute(), token.n)
	case 's':
		return pad(t.Second(), token.n)
	case 'a':
		return t.Format("PM")
	case '.':
		return "."
	}
	return token.text
}

func (s *numberSection) elapsed(v float64) string {
	total := int64(math.Round(math.Abs(v) * 86400))
	if total < 0 || total > 1e12 {
		return PlainNumber(v)
	}
	var out strings.Builder
	if v < 0 {
		out.WriteByte('-')
	}
	for _, t := range s.tokens {
		switch t.kind {
		case 'e':
			unit := map[string]int64{"h": 3600, "m": 60, "s": 1}[t.text]
			out.WriteString(pad(int(total/unit), t.n))
		case 'h':
			out.WriteString(pad(int(total/3600%24), t.n))
		case 'm', 'n':
			out.WriteString(pad(int(total/60%60), t.n))
		case 's':
			out.WriteString(pad(int(total%60), t.n))
		case 'L':
			out.WriteString(t.text)
		}
	}
	return out.String()
}

func pad(n, width int) string {
	s := strconv.Itoa(n)
	for len(s) < min(width, 2) {
		s = "0" + s
	}
	return s
}
