package patterns

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// lostLetters puts å, ä and ö back where a program that did not know them
// left a question mark or U+FFFD: "?tst?rning", "?sa ?berg". Only words that
// the lexicons and the names know are repaired.
type lostLetters struct {
	once  sync.Once
	words map[string]string // "?tst?rning" → "ätstörning"
}

// lostMark is what stands for a lost letter in the keys of words.
const lostMark = '?'

// fewestKept is how many letters of a word must be left to know it again.
const fewestKept = 2

// repair returns the text with its lost letters.
func (l *lostLetters) repair(s *Set, text string) string {
	if !holdsLost(text) {
		return text
	}
	l.once.Do(func() { l.learn(s) })
	var b strings.Builder
	copied := 0
	for i := 0; i < len(text); {
		end, marks := lostWord(text[i:])
		if end == 0 {
			_, n := utf8.DecodeRuneInString(text[i:])
			i += n
			continue
		}
		if marks {
			if word, ok := l.known(text[i : i+end]); ok {
				b.WriteString(text[copied:i])
				b.WriteString(word)
				copied = i + end
			}
		}
		i += end
	}
	return b.String() + text[copied:]
}

// holdsLost reports whether a text may hold lost letters: U+FFFD, or a
// question mark right before a letter.
func holdsLost(text string) bool {
	if strings.ContainsRune(text, utf8.RuneError) {
		return true
	}
	for i := strings.IndexByte(text, lostMark); i >= 0 && i+1 < len(text); {
		if asciiLetter(text[i+1]) {
			return true
		}
		next := strings.IndexByte(text[i+1:], lostMark)
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

func isLost(r rune) bool { return r == lostMark || r == utf8.RuneError }

// lostWord returns the length of the word of letters and marks that text
// begins with, and whether there are marks in it. A mark at its end may be a
// question's.
func lostWord(text string) (end int, marks bool) {
	for i, r := range text {
		switch {
		case unicode.IsLetter(r):
			end = i + utf8.RuneLen(r)
		case !isLost(r):
			return end, marks
		default:
			marks = true
		}
	}
	return end, marks
}

// known returns the word that is meant: as a whole, or its known beginning
// and the rest as it stands.
func (l *lostLetters) known(word string) (string, bool) {
	letters := []rune(word)
	key := make([]rune, len(letters))
	last := 0
	for i, r := range letters {
		key[i] = unicode.ToLower(r)
		if isLost(r) {
			key[i], last = lostMark, i
		}
	}
	for n := len(key); n > last+1 || n == len(key) && n > fewestKept; n-- {
		if found, ok := l.words[string(key[:n])]; ok {
			return likeWritten([]rune(found), letters[:n]) + string(letters[n:]), true
		}
	}
	return "", false
}

// likeWritten gives the known word the capitals of the one in the text; a
// lost first letter is a capital in names.
func likeWritten(known, written []rune) string {
	capitals := len(written) > 1
	for i, r := range written {
		if unicode.IsLetter(r) {
			capitals = capitals && unicode.IsUpper(r)
			known[i] = r
		}
	}
	if capitals {
		return strings.ToUpper(string(known))
	}
	return string(known)
}

// learn gathers the words with å, ä and ö.
func (l *lostLetters) learn(s *Set) {
	l.words = map[string]string{}
	for i := range s.terms {
		if m := &s.terms[i]; !m.regexp && m.custom == 0 {
			for word := range strings.FieldsFuncSeq(m.text, func(r rune) bool { return !unicode.IsLetter(r) }) {
				l.add(strings.ToLower(word), strings.ToLower(word))
			}
		}
	}
	for name := range s.names.class {
		lower := strings.ToLower(name)
		r, n := utf8.DecodeRuneInString(lower)
		l.add(lower, string(unicode.ToUpper(r))+lower[n:])
	}
}

// add notes a word under what is left of it; of two that are left alike the
// first in the alphabet stays, names behind words.
func (l *lostLetters) add(lower, word string) {
	kept := 0
	key := strings.Map(func(r rune) rune {
		if r == 'å' || r == 'ä' || r == 'ö' {
			return lostMark
		}
		kept++
		return r
	}, lower)
	if key == lower || kept < fewestKept {
		return
	}
	old, ok := l.words[key]
	if !ok || isCapital(old) == isCapital(word) && word < old {
		l.words[key] = word
	}
}

func isCapital(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return unicode.IsUpper(r)
}
