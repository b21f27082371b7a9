package patterns

import "iter"

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
