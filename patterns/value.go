package patterns

import (
	"bytes"
	"strconv"
	"strings"
)

// Value returns the hit's value in normal form, so that equal values are
// equal however they are written: twelve digits for personnummer, no spaces
// or hyphens in numbers, lower case in e-mail addresses. text is what was
// scanned.
func (h Hit) Value(text []byte) Raw {
	if h.number != 0 {
		return NewRaw(string(h.appendNumber(make([]byte, 0, 20))))
	}
	var c canonicalizer
	canon := c.canonicalize(text[h.Start:h.End])
	s := string(canon.text)
	switch h.Identifier {
	case Epost:
		return NewRaw(strings.ToLower(s))
	case Postadress, Fastighetsbeteckning:
		return NewRaw(strings.Join(strings.FieldsFunc(strings.ToLower(s), separatesWords), " "))
	case Telefon:
		return NewRaw(string(appendPhone(nil, canon.text)))
	case Interimsnummer, Reservnummer, HSAID, Pass, Registreringsnummer, IBAN, HETU, ICD10, ATC, KVA, MAC:
		return NewRaw(strings.ToUpper(strings.Map(dropSeparators, s)))
	}
	if h.Kind == SecretHit || h.Kind == TermHit {
		return NewRaw(s)
	}
	return NewRaw(strings.Join(strings.Fields(strings.ToUpper(s)), " "))
}

// appendNumber appends the digits of a value that is a number.
func (h Hit) appendNumber(b []byte) []byte {
	limit := uint64(1)
	for range digitsOf(h.Identifier) - 1 {
		limit *= 10
	}
	for ; limit > max(h.number, 1); limit /= 10 {
		b = append(b, '0')
	}
	return strconv.AppendUint(b, h.number, 10)
}

// digitsOf returns the number of digits of an identifier that may begin with
// zeros.
func digitsOf(id Identifier) int {
	switch id {
	case Personnummer, Samordningsnummer:
		return 12
	case CPR:
		return 10
	case Fodselsnummer:
		return 11
	case LMA:
		return 8
	}
	return 0
}

func separatesWords(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\t' || r == '\r' }

func dropSeparators(r rune) rune {
	switch r {
	case ' ', '-', '+', '.', ':', '\n', '\t', '\r':
		return -1
	}
	return r
}

// appendPhone appends the digits with the country code: "+46701740605".
func appendPhone(into, number []byte) []byte {
	var buffer [32]byte
	digits := buffer[:0]
	for i := 0; i < len(number); i++ {
		if number[i] == '(' && bytes.HasPrefix(number[i:], []byte("(0)")) {
			i += 2
		} else if asciiDigit(number[i]) {
			digits = append(digits, number[i])
		}
	}
	into = append(into, '+')
	switch {
	case bytes.HasPrefix(digits, []byte("00")):
		return append(into, digits[2:]...)
	case bytes.HasPrefix(digits, []byte("0")):
		return append(append(into, "46"...), digits[1:]...)
	}
	return append(into, digits...)
}

// Parse tells what a text as a whole is, such as the cell of a table: the
// most certain identifier that covers it, and its value. NoIdentifier if
// none. Shapes that count only with a keyword are included: the caller knows
// the column.
func (e *Engine) Parse(text string) (Identifier, Raw) {
	text = strings.TrimSpace(text)
	b := []byte(text)
	if len(b) == 0 || len(b) > maxCell {
		return NoIdentifier, Raw{}
	}
	best := Hit{}
	s := e.pool.Get().(*Scanner)
	defer e.pool.Put(s)
	for _, h := range s.numbers(b) {
		whole := h.Kind == IdentifierHit && !h.Shape.Has(ShapePadded) && h.Start == 0 && h.End == len(s.text)
		if whole && (best.Identifier == NoIdentifier || best.Shape.Has(ShapeKeyword) && !h.Shape.Has(ShapeKeyword)) {
			best = h
		}
	}
	if best.Identifier == NoIdentifier {
		return NoIdentifier, Raw{}
	}
	return best.Identifier, best.Value(s.text)
}

// maxCell is the longest text that Parse looks at, in bytes.
const maxCell = 200
