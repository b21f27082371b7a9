package patterns

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names knows the names of people. First names in common use count alone;
// rare ones and those that are words too ("Sten", "My") only before a
// surname. Places are capitalised without being surnames.
type Names struct {
	First, Rare, Ambiguous, Last, Places []string
}

type nameClass uint8

const (
	firstName nameClass = 1 << iota
	rareName
	ambiguousName
	lastName
	placeName
)

// nameFinder finds names of people in running text and in cells.
type nameFinder struct{ class map[string]nameClass }

func newNameFinder(n Names) *nameFinder {
	f := &nameFinder{make(map[string]nameClass, len(n.First)+len(n.Rare)+len(n.Last)+len(n.Places)+len(n.Ambiguous))}
	add := func(names []string, c nameClass) {
		for _, s := range names {
			f.class[s] |= c
		}
	}
	add(n.First, firstName)
	add(n.Rare, rareName)
	add(n.Ambiguous, ambiguousName)
	add(n.Last, lastName)
	add(n.Places, placeName)
	return f
}

// nameFound is a name of a person in a text.
type nameFound struct {
	start, end int
	full       bool // first name and surname
}

// word is a capitalised word of a text.
type word struct {
	start, end int
	class      nameClass
	caps       bool // ALL CAPITALS
}

// find appends the names in text[from:to] to found, in order.
func (f *nameFinder) find(found []nameFound, text []byte, from, to int) []nameFound {
	for pos := from; pos < to; {
		w, ok := f.nextWord(text, pos, to)
		if !ok {
			return found
		}
		name, ok := f.nameAt(text, w, to)
		if ok {
			found = append(found, name)
			pos = name.end
			continue
		}
		pos = w.end
	}
	return found
}

// nameAt reads the name that begins at w: given names and a surname, or
// "Surname, First" and "Surname First" as in lists.
func (f *nameFinder) nameAt(text []byte, w word, to int) (nameFound, bool) {
	if w.class&(firstName|rareName|ambiguousName) != 0 {
		if n, ok := f.givenFirst(text, w, to); ok {
			return n, true
		}
	}
	if w.class&lastName == 0 && !surnameShape(text[w.start:w.end]) {
		return nameFound{}, false
	}
	next, ok := f.adjacent(text, w.end, to, true)
	if !ok || next.class&firstName == 0 || next.class&lastName != 0 {
		return nameFound{}, false
	}
	// "Olsson Mia" is a list's way of writing; "Lund Anna" in prose is rarer
	// than "… i Lund. Anna …", which adjacent refuses.
	if w.class&placeName != 0 && w.class&lastName == 0 {
		return nameFound{}, false
	}
	return nameFound{w.start, next.end, true}, true
}

func (f *nameFinder) givenFirst(text []byte, w word, to int) (nameFound, bool) {
	end, last := w.end, w
	for range 3 {
		next, ok := f.adjacent(text, last.end, to, false)
		if !ok {
			break
		}
		if next.end-next.start == 1 {
			// "Torsten B": a surname cut to its initial
			return nameFound{w.start, next.end, w.class&(firstName|rareName) != 0}, true
		}
		known := next.class&lastName != 0 || surnameShape(text[next.start:next.end])
		if f.isThing(text, next.end) {
			// "Maria Lunds gata", "Karl Johans skola"
			return nameFound{}, false
		}
		switch {
		case known:
			return nameFound{w.start, next.end, true}, true
		case next.class&(firstName|rareName) != 0:
			last, end = next, next.end
			continue
		case w.class&firstName != 0 && next.class&placeName == 0 && !next.caps && plausibleSurname(text[next.start:next.end]):
			return nameFound{w.start, next.end, true}, true
		}
		break
	}
	switch {
	case end != w.end: // "Anna Maria": two given names, or a first name as surname
		return nameFound{w.start, end, w.class&firstName != 0}, true
	case w.class&rareName != 0 && w.class&(ambiguousName|placeName) == 0 && w.end-w.start > 3 && midSentence(text, w.start) && !f.isThing(text, w.end):
		return nameFound{w.start, w.end, false}, true
	case w.class&firstName == 0 || f.isThing(text, w.end):
		return nameFound{}, false
	}
	return nameFound{w.start, w.end, false}, true
}

// midSentence reports whether a word stands after one in lower case: there a
// capital letter makes a name.
func midSentence(text []byte, at int) bool {
	return at > 2 && text[at-1] == ' ' && (text[at-2] >= 'a' && text[at-2] <= 'z' || text[at-2] >= 0x80)
}

// nextWord returns the next word that begins with a capital letter.
func (f *nameFinder) nextWord(text []byte, pos, to int) (word, bool) {
	for pos < to {
		c := text[pos]
		switch {
		case c >= 'A' && c <= 'Z' || c >= 0xC3 && unicode.IsUpper(runeAt(text, pos)):
			if pos > 0 && nameByte(text[pos-1]) {
				pos = nameEnd(text, pos, to)
				continue
			}
			return f.wordAt(text, pos, to), true
		case nameByte(c):
			pos = nameEnd(text, pos, to)
		default:
			pos++
		}
	}
	return word{}, false
}

func runeAt(text []byte, pos int) rune {
	r, _ := utf8.DecodeRune(text[pos:])
	return r
}

func (f *nameFinder) wordAt(text []byte, pos, to int) word {
	w := word{start: pos, end: nameEnd(text, pos, to)}
	raw := text[w.start:w.end]
	for len(raw) > 0 && raw[len(raw)-1] == '-' {
		raw = raw[:len(raw)-1]
	}
	w.end = w.start + len(raw)
	w.caps = isCaps(raw)
	w.class = f.classOf(raw, w.caps)
	return w
}

// classOf looks a word up as it is, in its genitive and, for capitals, as it
// would be written in prose.
func (f *nameFinder) classOf(raw []byte, caps bool) nameClass {
	if caps && len(raw) > 2 {
		raw = []byte(titleCase(string(raw)))
	}
	if c, ok := f.class[string(raw)]; ok {
		if c&rareName != 0 && bytes.IndexByte(raw, '-') > 0 {
			c |= firstName // no ordinary word has a hyphen and two capitals
		}
		return c
	}
	if n := len(raw) - 1; n > 2 && raw[n] == 's' {
		if c, ok := f.class[string(raw[:n])]; ok {
			return c
		}
	}
	if i := bytes.IndexByte(raw, '-'); i > 0 {
		one, other := f.class[string(raw[:i])], f.class[string(raw[i+1:])]
		const given = firstName | ambiguousName
		if one&given != 0 && other&given != 0 && (one|other)&firstName != 0 {
			return firstName // "Inga-Maj": the word that is no name alone is one here
		}
		return one & other & (firstName | rareName | lastName)
	}
	return 0
}

func titleCase(s string) string {
	var b strings.Builder
	first := true
	for _, r := range s {
		if first {
			b.WriteRune(r)
		} else {
			b.WriteRune(unicode.ToLower(r))
		}
		first = r == '-'
	}
	return b.String()
}

func isCaps(raw []byte) bool {
	n := 0
	for _, r := range string(raw) {
		if unicode.IsLower(r) {
			return false
		}
		n++
	}
	return n > 1
}

// adjacent returns the capitalised word that follows pos after one space (or
// the sign between the cells of a row, or a comma where lists are read).
func (f *nameFinder) adjacent(text []byte, pos, to int, comma bool) (word, bool) {
	i := pos
	if comma && i < to && text[i] == ',' {
		i++
	}
	spaces := 0
	for i < to && (text[i] == ' ' || text[i] == '\t') && spaces < 3 {
		i, spaces = i+1, spaces+1
	}
	if spaces == 0 || i >= to {
		return word{}, false
	}
	// An initial between the names: "Anna M. Berg"
	if i+2 < to && text[i+1] == '.' && text[i+2] == ' ' && text[i] >= 'A' && text[i] <= 'Z' {
		i += 3
	}
	if i >= to || !unicode.IsUpper(runeAt(text, i)) {
		return word{}, false
	}
	return f.wordAt(text, i, to), true
}

// isThing reports whether the word after pos makes the name one of a street,
// school, church or the like.
func (f *nameFinder) isThing(text []byte, pos int) bool {
	if pos >= len(text) || text[pos] != ' ' {
		return false
	}
	end := nameEnd(text, pos+1, len(text))
	w := strings.ToLower(string(text[pos+1 : end]))
	for _, thing := range things {
		if w == thing || len(thing) > 4 && strings.HasPrefix(w, thing) {
			return true
		}
	}
	return false
}

var things = []string{
	"gata", "gatan", "väg", "vägen", "gränd", "plats", "torg", "torget", "allé", "park", "parken", "skola", "skolan",
	"kyrka", "kyrkan", "församling", "sjukhus", "förskola", "förskolan", "gymnasium", "ab", "aktiebolag", "stiftelse",
	"stiftelsen", "hus", "gård", "backe", "bro", "hb", "kb", "museum", "museet", "universitet", "konsult", "bageri", "kommun", "stad", "län",
}

// nameEnd returns where the word at pos ends; a hyphen between letters is
// part of it.
func nameEnd(text []byte, pos, to int) int {
	for pos < to && (nameByte(text[pos]) || text[pos] == '-' && pos+1 < to && nameByte(text[pos+1])) {
		pos++
	}
	return pos
}

func nameByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= utf8.RuneSelf || c >= '0' && c <= '9' || c == '_'
}

// surnameShape reports whether a word ends as Swedish surnames do.
func surnameShape(raw []byte) bool {
	if len(raw) < 6 || bytes.IndexByte(raw, '-') > 0 && len(raw) < 10 {
		return false
	}
	var buffer [64]byte
	w := appendLower(buffer[:0], raw)
	return surnameEnd(w) || w[len(w)-1] == 's' && surnameEnd(w[:len(w)-1])
}

func surnameEnd(w []byte) bool {
	for _, end := range surnameEnds[w[len(w)-1]] {
		if n := len(w) - len(end); n >= 0 && string(w[n:]) == end {
			return true
		}
	}
	return false
}

// appendLower appends a word in lower case.
func appendLower(into, word []byte) []byte {
	for i, c := range word {
		switch {
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		case c > 0xC3:
			return append(into[:len(into)-i], bytes.ToLower(word)...)
		case i > 0 && word[i-1] == 0xC3 && c < 0x9F && c != 0x97:
			c |= 0x20
		}
		into = append(into, c)
	}
	return into
}

// surnameEnds are ends of surnames, by their last byte.
var surnameEnds = byLast(
	"sson", "sdotter", "berg", "ström", "gren", "qvist", "kvist", "lund", "lind", "dahl", "stedt", "strand", "blad", "löf", "ander", "holm", "feldt", "hammar", "crona", "kvarn", "stam", "mark", "ović", "ovic", "oğlu", "oglu", "escu", "ski", "ska", "sen", "nen", "zadeh", "pour",
)

func byLast(ends ...string) (by [256][]string) {
	for _, end := range ends {
		last := end[len(end)-1]
		by[last] = append(by[last], end)
	}
	return by
}

// plausibleSurname refuses words that begin a sentence or name an office
// after a first name.
func plausibleSurname(raw []byte) bool {
	if len(raw) < 3 || bytes.ContainsAny(raw, "0123456789_") {
		return false
	}
	return !notSurnames[strings.ToLower(string(raw))]
}

var notSurnames = wordSet(`den det de en ett och att som är har hade var blev ska kan vill fick han hon vi jag ni du man när om då
	men för från till med på av i vid under efter över enligt eller samt inte också där här nu hej tack mvh klass grupp skola
	förskola rektor lärare mamma pappa åk telefon mobil tel personnummer pnr adress epost e-post namn förnamn efternamn datum
	kommun region nämnd nämnden förvaltning förvaltningen måndag tisdag onsdag torsdag fredag lördag söndag januari februari
	mars april maj juni juli augusti september oktober november december diagnos medicin ja nej ansvarig handläggare
	gymnasiet universitetet ab gruppen lag frånvarande närvarande sjuk allergi specialkost kl avdelning enhet beslut bup adhd
	lvu lss sol hvb pm vecka kommunal vision ledarna saco barn elev brukare patient föräldrar vårdnadshavare boende`)

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}
