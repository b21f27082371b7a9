package patterns

import (
	"cmp"
	"encoding/binary"
	"slices"
	"unicode"
	"unicode/utf8"
)

// literal is a text that the table finds, in either case. A literal proposes;
// what it stands for confirms.
type literal struct {
	runes    []rune // in lower case; a space stands for any white space
	plain    bool   // å ä ö may be written a a o
	anywhere bool   // not only where a word begins
	id       int32
}

// leastLiteral is how many letters of a literal the table holds at least.
const leastLiteral = 6

// shorten cuts literals where nothing else in the table begins so: it keeps
// the table small, and confirming reads the rest. Those with an id from on
// keep stay whole.
func shorten(literals []literal, keep int32) {
	order := make([]int, len(literals))
	for i := range order {
		order[i] = i
	}
	compare := func(a, b *literal) int {
		return cmp.Or(cmp.Compare(index(a.anywhere), index(b.anywhere)), slices.Compare(a.runes, b.runes))
	}
	slices.SortFunc(order, func(a, b int) int { return compare(&literals[a], &literals[b]) })
	before := 0 // letters shared with the text before
	for i := 0; i < len(order); {
		this := &literals[order[i]]
		next, after := i+1, 0
		for next < len(order) && compare(this, &literals[order[next]]) == 0 {
			next++
		}
		if next < len(order) && literals[order[next]].anywhere == this.anywhere {
			after = sharedRunes(this.runes, literals[order[next]].runes)
		}
		n := max(leastLiteral, before+1, after+1)
		for n < len(this.runes) && this.runes[n-1] == ' ' {
			n++
		}
		for _, k := range order[i:next] {
			if l := &literals[k]; l.id < keep {
				l.runes = l.runes[:min(n, len(l.runes))]
			}
		}
		i, before = next, after
	}
}

func sharedRunes(a, b []rune) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// cut shortens literals to n letters, but for those with an id from keep on.
func cut(literals []literal, keep int32, n int) {
	for i := range literals {
		if l := &literals[i]; l.id < keep {
			l.runes = l.runes[:min(n, len(l.runes))]
		}
	}
}

// literalTable is a deterministic automaton over bytes that finds all
// literals in one pass, one look-up a byte (Aho and Corasick 1975, made dense).
//
// A state is bias more than the number of its row in next. The rows of states
// in which literals end lie behind all others, and bias is such that exactly
// those states are accepts or more: a single bit tells them.
type literalTable struct {
	class [256]uint8
	step  [256]uint32 // state * columns + step[byte] is the place in next
	bias  uint32
	start uint32 // the state that each text begins in
	next  []uint16
	// In the state accepts + n end the literals ids[idsFrom[n]:idsFrom[n+1]].
	idsFrom []uint32
	ids     []int32
	reach   int    // the longest literal in bytes, with white space between
	longest uint32 // letters that literals were cut to
}

// columns is the length of a row, two lines of a processor's cache: there are
// as many classes. Bytes that few literals have share the last one.
const (
	columns     = 64
	sharedClass = columns - 1
)

// accepts is the least state in which literals end. States have twice as many
// bits less one.
const accepts = 1 << 15

// setBias sets what follows from the bias and the classes. The first row is
// that of the state at the beginning of a text.
func (t *literalTable) setBias(bias uint32) {
	t.bias, t.start = bias, bias
	for b, c := range t.class {
		t.step[b] = uint32(c) - bias*columns
	}
}

// after returns the state after a byte.
func (t *literalTable) after(state uint32, b byte) uint32 {
	return uint32(t.next[state*columns+t.step[b]])
}

// shares reports whether the table confuses one of the letters with others.
func (t *literalTable) shares(letters []rune) bool {
	for _, r := range letters {
		for _, c := range utf8.AppendRune(utf8.AppendRune(nil, r), unicode.ToUpper(r)) {
			if t.class[c] == sharedClass {
				return true
			}
		}
	}
	return false
}

// The nodes that each text begins in: literals may begin at anyRoot after
// every byte, at wordRoot only where no ASCII letter or digit stands before.
const (
	anyRoot  = 0
	wordRoot = 1
)

// byteEdge leads from a node to another by one byte.
type byteEdge struct {
	b  byte
	to int32
}

// literalGraph is the tree of all literals, as a nondeterministic automaton
// over bytes.
type literalGraph struct {
	edges [][]byteEdge
	ends  [][]int32
	made  map[graphStep]int32
	reach int
}

// graphStep names the node that a letter leads to, so that beginnings are
// shared; byte steps inside a letter have their own.
type graphStep struct {
	from          int32
	r             rune
	plain, inside bool
}

func newLiteralGraph(literals []literal) *literalGraph {
	g := &literalGraph{edges: make([][]byteEdge, 2), ends: make([][]int32, 2), made: map[graphStep]int32{}}
	for _, l := range literals {
		node, length := int32(wordRoot), 0
		if l.anywhere {
			node = anyRoot
		}
		for _, r := range l.runes {
			node = g.letter(node, r, l.plain)
			if r == ' ' {
				length += maxGap
			} else {
				length += utf8.UTFMax
			}
		}
		g.ends[node] = append(g.ends[node], l.id)
		g.reach = max(g.reach, length)
	}
	return g
}

func (g *literalGraph) node(step graphStep) (int32, bool) {
	if n, ok := g.made[step]; ok {
		return n, true
	}
	n := int32(len(g.edges))
	g.edges = append(g.edges, nil)
	g.ends = append(g.ends, nil)
	g.made[step] = n
	return n, false
}

// letter returns the node that a letter leads to.
func (g *literalGraph) letter(from int32, r rune, plain bool) int32 {
	to, known := g.node(graphStep{from: from, r: r, plain: plain && plainLetter(r) != r})
	if known {
		return to
	}
	if r == ' ' {
		for _, c := range []byte(" \t\n\v\f\r") {
			g.link(from, c, to)
			g.link(to, c, to)
		}
		return to
	}
	g.spell(from, r, to)
	g.spell(from, unicode.ToUpper(r), to)
	if p := plainLetter(r); plain && p != r {
		g.spell(from, p, to)
		g.spell(from, unicode.ToUpper(p), to)
	}
	return to
}

// spell adds the bytes of a rune.
func (g *literalGraph) spell(from int32, r rune, to int32) {
	b := utf8.AppendRune(nil, r)
	for _, c := range b[:len(b)-1] {
		inner, known := g.node(graphStep{from: from, r: rune(c), inside: true})
		if !known {
			g.link(from, c, inner)
		}
		from = inner
	}
	g.link(from, b[len(b)-1], to)
}

func (g *literalGraph) link(from int32, b byte, to int32) {
	if e := (byteEdge{b, to}); !slices.Contains(g.edges[from], e) {
		g.edges[from] = append(g.edges[from], e)
	}
}

// beginsWord reports whether a word may begin after the byte. Bytes of other
// letters count too: confirming looks closer.
func beginsWord(b byte) bool { return !asciiLetter(b) && !asciiDigit(b) }

// frequentBytes are the most frequent bytes of Swedish text. Their classes
// come first, so that most look-ups in a row touch its first cache line.
const frequentBytes = " eantrsildo\xc3kmgv\nfhup,.bcjy-0123456789ETARSNIDLO\xa4\xb6\xa5"

// classes groups bytes that no node tells apart. Letters and digits never
// share the last class.
func (g *literalGraph) classes() (class [256]uint8, count int) {
	var signature [256]uint64
	for n, edges := range g.edges {
		for _, e := range edges {
			signature[e.b] += mix64(uint64(n)<<32 | uint64(e.to))
		}
	}
	type key struct {
		signature uint64
		begins    bool
	}
	known := map[key]uint8{}
	number := func(b byte) {
		k := key{signature[b], beginsWord(b)}
		if _, ok := known[k]; !ok {
			known[k] = uint8(min(len(known), sharedClass))
		}
		class[b] = known[k]
	}
	for i := range len(frequentBytes) {
		number(frequentBytes[i])
	}
	for b := range 256 {
		if !beginsWord(byte(b)) {
			number(byte(b))
		}
	}
	for b := range 256 {
		number(byte(b))
	}
	return class, min(len(known), columns)
}

// mix64 spreads the bits of x (splitmix64, Steele et al. 2014).
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// classEdge is a byteEdge by class.
type classEdge struct {
	class uint8
	to    int32
}

// determinizer makes the table from the graph: a state is the set of nodes
// that a text can be in, and whether a word may begin.
type determinizer struct {
	graph  *literalGraph
	class  [256]uint8
	count  int
	begins []bool // by class
	edges  [][]classEdge
	// rootTo[w][c] is where the roots lead, without and with wordRoot.
	rootTo [2][][]int32
	sets   [][]int32
	word   []bool
	known  map[string]uint32
	rows   []uint32
	moves  []classEdge
	set    []int32
	key    []byte
}

// newLiteralTable builds the table for all literals, or returns nil if it
// would have more states than it can number.
func newLiteralTable(literals []literal) *literalTable {
	g := newLiteralGraph(literals)
	if len(g.edges) > 4*accepts {
		return nil
	}
	d := &determinizer{graph: g, known: map[string]uint32{}}
	d.class, d.count = g.classes()
	d.byClass()
	d.rows = make([]uint32, 0, len(g.edges)*d.count*11/10)
	d.state(nil, true)
	var plain [2][]uint32 // rows of states that hold no nodes of their own
	for w := range 2 {
		for c := range d.count {
			plain[w] = append(plain[w], d.state(d.rootTo[w][c], d.begins[c]))
		}
	}
	for s := 0; s < len(d.sets); s++ {
		if s > 2*accepts {
			return nil
		}
		d.row(s, plain[index(d.word[s])])
	}
	return d.layout()
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

// byClass turns byte edges into class edges.
func (d *determinizer) byClass() {
	var seen [256]bool
	representative := make([]bool, 256)
	d.begins = make([]bool, d.count)
	for b := range 256 {
		c := d.class[b]
		if !seen[c] {
			seen[c] = true
			representative[b] = true
			d.begins[c] = beginsWord(byte(b))
		}
	}
	d.edges = make([][]classEdge, len(d.graph.edges))
	for n, edges := range d.graph.edges {
		for _, e := range edges {
			to := classEdge{d.class[e.b], e.to}
			if representative[e.b] || to.class == sharedClass && !slices.Contains(d.edges[n], to) {
				d.edges[n] = append(d.edges[n], to)
			}
		}
	}
	for w := range 2 {
		d.rootTo[w] = make([][]int32, d.count)
		for root := anyRoot; root <= w; root++ {
			for _, e := range d.edges[root] {
				d.rootTo[w][e.class] = append(d.rootTo[w][e.class], e.to)
			}
		}
	}
}

// state returns the number of the state of a set of nodes.
func (d *determinizer) state(set []int32, word bool) uint32 {
	d.set = append(d.set[:0], set...)
	slices.Sort(d.set)
	d.set = slices.Compact(d.set)
	d.key = append(d.key[:0], byte(index(word)))
	for _, n := range d.set {
		d.key = binary.LittleEndian.AppendUint32(d.key, uint32(n))
	}
	if s, ok := d.known[string(d.key)]; ok {
		return s
	}
	s := uint32(len(d.sets))
	d.known[string(d.key)] = s
	d.sets = append(d.sets, slices.Clone(d.set))
	d.word = append(d.word, word)
	return s
}

// row computes where state s leads by each class.
func (d *determinizer) row(s int, plain []uint32) {
	d.rows = append(d.rows, plain...)
	row := d.rows[len(d.rows)-d.count:]
	d.moves = d.moves[:0]
	for _, n := range d.sets[s] {
		d.moves = append(d.moves, d.edges[n]...)
	}
	slices.SortFunc(d.moves, func(a, b classEdge) int { return cmp.Compare(a.class, b.class) })
	var targets []int32
	for i := 0; i < len(d.moves); {
		c := d.moves[i].class
		targets = append(targets[:0], d.rootTo[index(d.word[s])][c]...)
		for ; i < len(d.moves) && d.moves[i].class == c; i++ {
			targets = append(targets, d.moves[i].to)
		}
		row[c] = d.state(targets, d.begins[c])
	}
}

// layout makes the table: states are ordered, those that accept last. It
// returns nil if there are too many.
func (d *determinizer) layout() *literalTable {
	t := &literalTable{class: d.class, reach: d.graph.reach + 2, idsFrom: []uint32{0}}
	accepting := make([]bool, len(d.sets))
	silent := uint32(0)
	for s, set := range d.sets {
		before := len(t.ids)
		for _, n := range set {
			t.ids = append(t.ids, d.graph.ends[n]...)
		}
		if accepting[s] = len(t.ids) > before; accepting[s] {
			t.idsFrom = append(t.idsFrom, uint32(len(t.ids)))
		} else {
			silent++
		}
	}
	if silent > accepts || len(d.sets)-int(silent) > accepts {
		return nil
	}
	t.setBias(accepts - silent)
	order := make([]int, len(d.sets)) // states by row
	state := make([]uint16, len(d.sets))
	quiet, loud := uint32(0), silent
	for s := range d.sets {
		row := &quiet
		if accepting[s] {
			row = &loud
		}
		order[*row] = s
		state[s] = uint16(t.bias + *row)
		*row++
	}
	t.next = make([]uint16, len(d.sets)*columns)
	for row, s := range order {
		into := t.next[row*columns:][:columns]
		for c := range into {
			into[c] = uint16(t.start)
		}
		for c, to := range d.rows[s*d.count : (s+1)*d.count] {
			into[c] = state[to]
		}
	}
	return t
}
