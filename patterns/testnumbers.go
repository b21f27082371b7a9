package patterns

import (
	_ "embed"
	"encoding/binary"
	"slices"
	"strings"
)

// packedTestNumbers are Skatteverket's published test numbers (41,129
// personnummer, 2,264 samordningsnummer; none is ever issued): the first
// eleven of twelve digits, sorted, as differences in unsigned varints. The
// check digit follows from the rest.
//
//go:embed embedded/testnumbers.bin
var packedTestNumbers []byte

// customaryTests are numbers that everybody takes for fictive though no list
// holds them.
var customaryTests = [...]uint64{191212121212, 201212121212}

// testNumbers is a sorted list of twelve digits without the check digit.
type testNumbers []uint64

func unpackTestNumbers() testNumbers {
	numbers := make(testNumbers, 0, 44000)
	var v uint64
	for rest := packedTestNumbers; len(rest) > 0; {
		d, n := binary.Uvarint(rest)
		v += d
		numbers = append(numbers, v)
		rest = rest[n:]
	}
	return numbers
}

// contains reports whether the twelve digits, known to have a valid check
// digit, are a test number.
func (t testNumbers) contains(twelve uint64) bool {
	if slices.Contains(customaryTests[:], twelve) {
		return true
	}
	_, found := slices.BinarySearch(t, twelve/10)
	return found
}

// IsTestNumber reports whether a personnummer or samordningsnummer, as ten or
// twelve digits in any way of writing, is one of Skatteverket's published
// test numbers or a customary fictive one.
func (e *Engine) IsTestNumber(text string) bool {
	id, v := e.Parse(text)
	if id != Personnummer && id != Samordningsnummer {
		return false
	}
	return e.tests.contains(number([]byte(v.Reveal())))
}

//go:embed embedded/municipalities.txt
var municipalities string

// isMunicipality reports whether a word is, or begins, the name of a Swedish
// municipality.
func isMunicipality(word string) bool {
	return strings.HasPrefix(municipalities, word+"\n") || strings.Contains(municipalities, "\n"+word+"\n") ||
		strings.Contains(municipalities, "\n"+word+" ")
}
