package patterns

import (
	"iter"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// required is a text that matches of an expression contain, and how far from
// their beginning, in bytes. Case does not matter.
type required struct {
	text     string
	min, max int
}

// Limits of what is worth looking for: texts of an expression, their length
// in bytes, and a length that is good enough to stop.
const (
	maxRequired = 64
	minRequired = 2
	// nearRequired is the largest distance at which every beginning is tried
	// by itself.
	nearRequired = 64
)

// requiredTexts returns texts of which every match contains one, or nil.
func requiredTexts(re *syntax.Regexp) []required {
	if exact := exactTexts(re); exact != nil {
		return wrapExact(exact)
	}
	switch re.Op {
	case syntax.OpLiteral:
		return longestWord(string(re.Rune))
	case syntax.OpCapture, syntax.OpPlus:
		return requiredTexts(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return requiredTexts(re.Sub[0])
		}
	case syntax.OpConcat:
		return requiredOfConcat(re.Sub)
	case syntax.OpAlternate:
		var all []required
		for _, sub := range re.Sub {
			texts := requiredTexts(sub)
			if texts == nil || len(all)+len(texts) > maxRequired {
				return nil
			}
			all = append(all, texts...)
		}
		return all
	}
	return nil
}

// longestWord returns the longest part of a text without white space.
func longestWord(text string) []required {
	var best required
	for from, word := range wordsOf(text) {
		if len(word) > len(best.text) {
			best = required{strings.ToLower(word), from, from}
		}
	}
	if best.text == "" {
		return nil
	}
	return []required{best}
}

// wordsOf yields the parts of a text between white space, and where they are.
func wordsOf(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		from := 0
		for word := range strings.FieldsFuncSeq(text, unicode.IsSpace) {
			at := from + strings.Index(text[from:], word)
			from = at + len(word)
			if !yield(at, word) {
				return
			}
		}
	}
}

// requiredOfConcat tries every part, and every run of exact parts, and takes
// the best.
func requiredOfConcat(subs []*syntax.Regexp) []required {
	var best []required
	least, most := 0, 0 // bytes before part i
	for i, sub := range subs {
		texts := wrapExact(exactRun(subs[i:]))
		if texts == nil {
			texts = requiredTexts(sub)
		}
		for k := range texts {
			texts[k].min += least
			texts[k].max += most
		}
		if quality(texts) > quality(best) {
			best = texts
		}
		least += shortestMatch(sub)
		most += longestMatch(sub)
	}
	return best
}

// quality says how well texts narrow the search: long ones, near the
// beginning; 0: not usable.
func quality(texts []required) int {
	if len(texts) == 0 {
		return 0
	}
	length, far := maxTerm, 0
	for _, t := range texts {
		length = min(length, len(t.text))
		far = max(far, t.max)
	}
	switch {
	case length < minRequired, length == minRequired && far > nearRequired:
		return 0
	case far > nearRequired:
		return length
	}
	return length + 3
}

// exactRun joins the exact parts that subs begin with.
func exactRun(subs []*syntax.Regexp) []string {
	var joined []string
	for _, sub := range subs {
		if zeroWidth(sub.Op) && joined == nil {
			return nil // let the run begin behind it
		}
		texts := exactTexts(sub)
		if texts == nil || joined != nil && len(joined)*len(texts) > maxRequired {
			break
		}
		joined = product(joined, texts)
	}
	return joined
}

func zeroWidth(op syntax.Op) bool {
	switch op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpEndLine, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return false
}

func product(left, right []string) []string {
	if left == nil {
		return right
	}
	var all []string
	for _, l := range left {
		for _, r := range right {
			all = append(all, l+r)
		}
	}
	return all
}

// exactTexts returns all texts that re matches, in lower case, if they are
// few; nil if they are many or white space is among them.
func exactTexts(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if text := strings.ToLower(string(re.Rune)); !strings.ContainsFunc(text, unicode.IsSpace) {
			return []string{text}
		}
	case syntax.OpCharClass:
		return exactClass(re.Rune)
	case syntax.OpEmptyMatch:
		return []string{""}
	case syntax.OpQuest:
		if texts := exactTexts(re.Sub[0]); texts != nil {
			return append(texts, "")
		}
	case syntax.OpCapture:
		return exactTexts(re.Sub[0])
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			texts := exactTexts(sub)
			if texts == nil || len(all)+len(texts) > maxRequired {
				return nil
			}
			all = append(all, texts...)
		}
		return all
	case syntax.OpConcat:
		var all []string
		for _, sub := range re.Sub {
			texts := exactTexts(sub)
			if texts == nil || len(all)*len(texts) > maxRequired {
				return nil
			}
			all = product(all, texts)
		}
		return all
	}
	return nil
}

// exactClass returns the members of a small class of letters.
func exactClass(ranges []rune) []string {
	var all []string
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i+1]-ranges[i] > 8 || unicode.IsSpace(ranges[i]) {
			return nil
		}
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if text := strings.ToLower(string(r)); !contains(all, text) {
				all = append(all, text)
			}
		}
	}
	if len(all) > 8 {
		return nil
	}
	return all
}

func contains(all []string, text string) bool {
	for _, t := range all {
		if t == text {
			return true
		}
	}
	return false
}

func wrapExact(texts []string) []required {
	var all []required
	for _, t := range texts {
		if slices.ContainsFunc(texts, func(s string) bool { return s != t && strings.HasPrefix(t, s) }) {
			continue // the shorter one will do
		}
		if len(t) > maxTerm {
			t = string([]rune(t)[:maxTerm/utf8.UTFMax])
		}
		all = append(all, required{text: t})
	}
	return all
}

// longestMatch returns the longest match in bytes, at most MaxRegexpMatch.
func longestMatch(re *syntax.Regexp) int {
	n := 0
	switch re.Op {
	case syntax.OpLiteral:
		n = len(string(re.Rune)) + strings.Count(strings.ToLower(string(re.Rune)), "ß")
	case syntax.OpCharClass:
		n = 1
		if len(re.Rune) > 0 {
			n = utf8.RuneLen(re.Rune[len(re.Rune)-1])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		n = utf8.UTFMax
	case syntax.OpCapture, syntax.OpQuest:
		n = longestMatch(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus:
		n = MaxRegexpMatch
	case syntax.OpRepeat:
		n = MaxRegexpMatch
		if re.Max >= 0 {
			n = longestMatch(re.Sub[0]) * re.Max
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			n += longestMatch(sub)
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			n = max(n, longestMatch(sub))
		}
	}
	return min(n, MaxRegexpMatch)
}

// shortestMatch returns a length in bytes that no match is shorter than.
func shortestMatch(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return shortestMatch(re.Sub[0])
	case syntax.OpRepeat:
		return min(shortestMatch(re.Sub[0])*re.Min, MaxRegexpMatch)
	case syntax.OpConcat:
		n := 0
		for _, sub := range re.Sub {
			n += shortestMatch(sub)
		}
		return min(n, MaxRegexpMatch)
	case syntax.OpAlternate:
		n := MaxRegexpMatch
		for _, sub := range re.Sub {
			n = min(n, shortestMatch(sub))
		}
		return n
	}
	return 0
}

// plainText returns the text that re is, in either case and in ASCII, or nil.
func plainText(re *syntax.Regexp) []byte {
	if re.Op != syntax.OpLiteral {
		return nil
	}
	text := string(re.Rune)
	for _, r := range text {
		if r >= utf8.RuneSelf || unicode.IsLetter(r) && re.Flags&syntax.FoldCase == 0 {
			return nil
		}
	}
	return []byte(text)
}

// rareByte returns a byte that every match contains and that few texts do, or
// 0.
func rareByte(re *syntax.Regexp) byte {
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if r < utf8.RuneSelf && strings.ContainsRune("@=&?<>{}[]|~^`$#%*+", r) {
				return byte(r)
			}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return rareByte(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return rareByte(re.Sub[0])
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if c := rareByte(sub); c != 0 {
				return c
			}
		}
	}
	return 0
}

// boundSpaces replaces endless runs of white space by ones of at most maxGap,
// and reports whether there were any.
func boundSpaces(re *syntax.Regexp) bool {
	changed := false
	for _, sub := range re.Sub {
		changed = boundSpaces(sub) || changed
	}
	if re.Op != syntax.OpStar && re.Op != syntax.OpPlus || !onlySpaces(re.Sub[0]) {
		return changed
	}
	re.Min = 0
	if re.Op == syntax.OpPlus {
		re.Min = 1
	}
	re.Op, re.Max = syntax.OpRepeat, maxGap
	return true
}

func onlySpaces(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune) == 1 && unicode.IsSpace(re.Rune[0])
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			if re.Rune[i+1]-re.Rune[i] > 8 || !unicode.IsSpace(re.Rune[i]) || !unicode.IsSpace(re.Rune[i+1]) {
				return false
			}
		}
		return len(re.Rune) > 0
	}
	return false
}

// byteSet is a set of bytes.
type byteSet [4]uint64

func (s *byteSet) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *byteSet) has(c byte) bool { return s[c>>6]>>(c&63)&1 != 0 }

// firstOfAlternatives returns the first sets of each alternative of an
// expression, so that the bytes of one do not let those of another pass.
func firstOfAlternatives(re *syntax.Regexp) [][]byteSet {
	alternatives := []*syntax.Regexp{re}
	if re.Op == syntax.OpAlternate && len(re.Sub) <= maxAlternatives {
		alternatives = re.Sub
	}
	var all [][]byteSet
	for _, a := range alternatives {
		program, err := syntax.Compile(a)
		if err != nil {
			return [][]byteSet{nil} // anything
		}
		all = append(all, firstSets(program, maxFirstSets))
	}
	return all
}

// firstSets returns, for the first bytes of a match, which bytes are
// possible: at most n sets, none behind a character beyond ASCII or behind
// the end of the shortest match.
func firstSets(prog *syntax.Prog, n int) []byteSet {
	var sets []byteSet
	current := map[uint32]bool{}
	if !follow(prog, uint32(prog.Start), current) {
		return nil
	}
	for len(sets) < n {
		var set byteSet
		next := map[uint32]bool{}
		more := true
		for pc := range current {
			inst := &prog.Inst[pc]
			switch inst.Op {
			case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
				if !addRunes(&set, inst) {
					more = false
				}
				if !follow(prog, inst.Out, next) {
					more = false
				}
			}
		}
		sets = append(sets, set)
		if !more {
			break
		}
		current = next
	}
	return sets
}

// addRunes adds the first bytes of what inst matches; false if some have more
// bytes than one. Canonical text holds neither the long s nor the Kelvin
// sign, which fold to s and k.
func addRunes(set *byteSet, inst *syntax.Inst) bool {
	for c := range byte(utf8.RuneSelf) {
		if inst.MatchRune(rune(c)) {
			set.add(c)
		}
	}
	beyond := inst.Op == syntax.InstRuneAny || inst.Op == syntax.InstRuneAnyNotNL
	for i := 0; i < len(inst.Rune); i += 2 {
		last := inst.Rune[min(i+1, len(inst.Rune)-1)]
		beyond = beyond || last >= utf8.RuneSelf && last != 'ſ' && last != '\u212a'
	}
	if beyond {
		for c := utf8.RuneSelf; c < 256; c++ {
			set.add(byte(c))
		}
	}
	return !beyond
}

// follow adds the instructions that read a character, reached from pc without
// reading one; false if a match ends there.
func follow(prog *syntax.Prog, pc uint32, into map[uint32]bool) bool {
	if into[pc] {
		return true
	}
	into[pc] = true
	switch inst := &prog.Inst[pc]; inst.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		left := follow(prog, inst.Out, into)
		return follow(prog, inst.Arg, into) && left
	case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
		return follow(prog, inst.Out, into)
	case syntax.InstMatch:
		return false
	}
	return true
}
