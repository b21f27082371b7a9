package patterns

import (
	"iter"
	"strings"
	"unicode"
)

// numberedWords yields the places in a text where a number or a code with
// digits may stand: runs of letters, digits and signs between them, and runs
// of digits in groups.
func numberedWords(text []byte) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		for i := 0; i < len(text); {
			if !codeByte(text[i]) {
				i++
				continue
			}
			from, digits := i, false
			for i < len(text) && (codeByte(text[i]) || codeJoint(text, i)) {
				digits = digits || asciiDigit(text[i])
				i++
			}
			if !digits {
				continue
			}
			if !yield(from, i) {
				return
			}
			// "800102 2386": two groups of digits may be one number.
			if to := nextGroup(text, i); to > 0 && onlyDigits(text[from:i]) && !yield(from, to) {
				return
			}
		}
	}
}

func codeByte(c byte) bool { return asciiLetter(c) || asciiDigit(c) || c >= 0x80 }

// codeJoint reports whether a sign stands between two parts of a code.
func codeJoint(text []byte, i int) bool {
	return indexByte("-+./", text[i]) && i+1 < len(text) && codeByte(text[i+1])
}

// nextGroup returns the end of the group of digits behind one space at i.
func nextGroup(text []byte, i int) int {
	if i+1 >= len(text) || text[i] != ' ' || !asciiDigit(text[i+1]) {
		return 0
	}
	return i + 1 + runLength(text, i+1)
}

func onlyDigits(b []byte) bool {
	for _, c := range b {
		if !asciiDigit(c) {
			return false
		}
	}
	return true
}

// plainWords returns where the words of a text stand.
func plainWords(text []byte) [][2]int {
	var words [][2]int
	for i := 0; i < len(text); {
		if !codeByte(text[i]) {
			i++
			continue
		}
		from := i
		for i < len(text) && (codeByte(text[i]) || codeJoint(text, i)) {
			i++
		}
		words = append(words, [2]int{from, i})
	}
	return words
}

// exactUsable reports whether a normal value can be looked for.
func exactUsable(value []byte, primary bool) bool {
	if primary {
		return digitCount(value) >= minExactDigits && len(value) <= maxWord
	}
	return len(value) >= minExactLetters && len(value) <= maxWord
}

func digitCount(value []byte) int {
	n := 0
	for _, c := range value {
		n += boolInt(asciiDigit(c))
	}
	return n
}

// exactLengths are the lengths that the primary values of an index have, in
// normal form: what has another needs no look-up.
type exactLengths struct {
	Digits uint64 `json:"digits"` // bit n: nothing but n+1 digits
	Mixed  uint64 `json:"mixed"`
}

func (l *exactLengths) add(value []byte) {
	if digitCount(value) == len(value) {
		l.Digits |= 1 << (len(value) - 1)
		return
	}
	l.Mixed |= 1 << (len(value) - 1)
}

// may reports whether a normal value may be a primary one.
func (l exactLengths) may(value []byte) bool {
	switch digits := digitCount(value); {
	case digits < minExactDigits || len(value) > maxWord:
		return false
	case digits == len(value):
		return l.Digits>>(len(value)-1)&1 != 0
	}
	return l.Mixed>>(len(value)-1)&1 != 0
}

// normalExact appends a value in normal form: letters in lower case and
// digits, nothing else; personnummer with century.
func normalExact(into, text []byte, today civilDate) []byte {
	from, plus, digits := len(into), false, true
	for i, c := range text {
		switch {
		case asciiDigit(c):
			into = append(into, c)
		case asciiLetter(c):
			into = append(into, c|0x20)
			digits = false
		case c == '+':
			plus = plus || i > 0
		case c >= 0x80:
			return append(into[:from], normalLetters(text)...)
		}
	}
	value := into[from:]
	if digits && len(value) == 10 {
		if id, year := personTen(value, plus, today); id != NoIdentifier {
			var d [10]byte
			copy(d[:], value)
			into = append(into[:from], byte('0'+year/1000), byte('0'+year/100%10))
			into = append(into, d[:]...)
		}
	}
	return into
}

// normalLetters is normalExact for text beyond ASCII.
func normalLetters(text []byte) []byte {
	var c canonicalizer
	canon := c.canonicalize(text)
	return []byte(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, string(canon.text)))
}
