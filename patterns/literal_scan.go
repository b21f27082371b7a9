package patterns

import (
	"slices"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// proposal says that the literals of a state end before end, an offset in the
// block at hand.
type proposal struct{ end, state uint32 }

// literalPass runs a literalTable over a text. One look-up must wait for the
// one before, so four parts of a block are run side by side.
type literalPass struct {
	table *literalTable
	lists []literalList
	met   [laneStep]meeting
	lanes [lanes][]proposal
}

// meeting notes the states of the lanes after a byte, when one of them
// accepts. Its size is a power of two.
type meeting struct {
	states [lanes]uint32
	at     uint32
	_      [3]uint32
}

// Sizes: how many lanes there are and how many bytes of each are read before
// what they met is gathered; in bytes, a block and the shortest one worth
// lanes.
const (
	lanes     = 4
	laneStep  = 512
	blockSize = 256 << 10
	lanesFrom = 1 << 10
)

// literalList says which literals end in a state, and what must stand behind
// them: a byte of a group, and eight bytes, of which some bits do not matter.
type literalList struct {
	behind  maskedBytes
	follows nextBytes
	from    uint32 // where they begin among ids
	count   uint16
	// whole: all of them are whole words of so many bytes, the last rest of
	// which are behind the literal, where no letter beyond ASCII stands before
	// and no letter at all behind; 0: that is not enough to know.
	whole, rest uint8
}

// scan calls visit with the end and the literals of every proposal, in the
// order of their ends.
func (p *literalPass) scan(b []byte, visit func(end int, list *literalList)) {
	state := p.table.start
	for from := 0; from < len(b); from += blockSize {
		to := min(from+blockSize, len(b))
		for i := range p.lanes {
			p.lanes[i] = p.lanes[i][:0]
		}
		state = p.block(b, from, to, state)
		for i := range p.lanes {
			for _, found := range p.filter(b, from, i) {
				visit(from+int(found.end), &p.lists[found.state-accepts])
			}
		}
	}
}

// block runs over b[from:to] and returns the state at its end.
func (p *literalPass) block(b []byte, from, to int, state uint32) uint32 {
	t := p.table
	quarter := (to - from) / lanes
	if to-from < lanesFrom || quarter < t.reach {
		return p.one(0, b[from:to], 0, state)
	}
	states := [lanes]uint32{state}
	for i := 1; i < lanes; i++ {
		at := from + i*quarter
		states[i] = t.run(b[at-t.reach:at], t.start)
	}
	for i := 0; i < quarter; i += laneStep {
		n := min(laneStep, quarter-i)
		met := t.four(b[from+i:to], quarter, n, &states, &p.met)
		p.gather(p.met[:met], i, quarter)
	}
	return p.one(lanes-1, b[from+lanes*quarter:to], lanes*quarter, states[lanes-1])
}

// run returns the state after b.
func (t *literalTable) run(b []byte, state uint32) uint32 {
	for _, c := range b {
		state = t.after(state, c)
	}
	return state
}

// one runs over b, which lies at offset from of the block, and notes
// proposals in a lane.
func (p *literalPass) one(lane int, b []byte, from int, state uint32) uint32 {
	t := p.table
	for i, c := range b {
		state = t.after(state, c)
		if state >= accepts {
			p.lanes[lane] = append(p.lanes[lane], proposal{uint32(from + i + 1), state})
		}
	}
	return state
}

// four runs over n bytes of each lane of b, the lanes beginning quarter bytes
// apart, and returns how often it met a literal. What it meets is written
// without a branch: in Swedish a short word ends every thirty bytes, and no
// processor foresees where.
//
// Indexes are not checked, which spares the registers that keep the lanes
// running: b holds the lanes, met holds n meetings, and sound or the building
// of the table has made sure that states and steps stay inside it.
func (t *literalTable) four(b []byte, quarter, n int, states *[lanes]uint32, met *[laneStep]meeting) int {
	_ = b[3*quarter+n-1]
	_ = met[n-1]
	next, step := unsafe.Pointer(unsafe.SliceData(t.next)), &t.step
	first := unsafe.Pointer(unsafe.SliceData(b))
	fourth := unsafe.Add(first, 3*quarter)
	note := unsafe.Pointer(met)
	s0, s1, s2, s3 := states[0], states[1], states[2], states[3]
	for i := range n {
		s0 = uint32(*(*uint16)(unsafe.Add(next, uintptr(s0*columns+step[*(*byte)(unsafe.Add(first, i))])*2)))
		s1 = uint32(*(*uint16)(unsafe.Add(next, uintptr(s1*columns+step[*(*byte)(unsafe.Add(first, i+quarter))])*2)))
		s2 = uint32(*(*uint16)(unsafe.Add(next, uintptr(s2*columns+step[*(*byte)(unsafe.Add(first, i+2*quarter))])*2)))
		s3 = uint32(*(*uint16)(unsafe.Add(next, uintptr(s3*columns+step[*(*byte)(unsafe.Add(fourth, i))])*2)))
		m := (*meeting)(note)
		m.states[0], m.states[1], m.states[2], m.states[3] = s0, s1, s2, s3
		m.at = uint32(i)
		note = unsafe.Add(note, uintptr((s0|s1|s2|s3)/accepts)*unsafe.Sizeof(meeting{}))
	}
	*states = [lanes]uint32{s0, s1, s2, s3}
	return int(uintptr(note)-uintptr(unsafe.Pointer(met))) / int(unsafe.Sizeof(meeting{}))
}

// gather notes what was met as proposals of the lanes; the lanes' texts began
// at offset at of each lane.
func (p *literalPass) gather(met []meeting, at, quarter int) {
	var lists [lanes][]proposal
	var n [lanes]int
	for lane := range lists {
		n[lane] = len(p.lanes[lane])
		lists[lane] = slices.Grow(p.lanes[lane], len(met)+1)[:n[lane]+len(met)+1]
	}
	l0, l1, l2, l3 := lists[0], lists[1], lists[2], lists[3]
	n0, n1, n2, n3 := n[0], n[1], n[2], n[3]
	for i := range met {
		m := &met[i]
		end := m.at + uint32(at+1)
		l0[n0] = proposal{end, m.states[0]}
		n0 += int(m.states[0] / accepts)
		l1[n1] = proposal{end + uint32(quarter), m.states[1]}
		n1 += int(m.states[1] / accepts)
		l2[n2] = proposal{end + uint32(2*quarter), m.states[2]}
		n2 += int(m.states[2] / accepts)
		l3[n3] = proposal{end + uint32(3*quarter), m.states[3]}
		n3 += int(m.states[3] / accepts)
	}
	p.lanes = [lanes][]proposal{l0[:n0], l1[:n1], l2[:n2], l3[:n3]}
}

// filter drops those of a lane's proposals whose literals rule out what stands
// behind; again without a branch.
func (p *literalPass) filter(b []byte, from, lane int) []proposal {
	found := p.lanes[lane]
	n := 0
	for _, f := range found {
		list := &p.lists[f.state-accepts]
		eight := loadEight(b, from+int(f.end))
		differ := (eight ^ list.behind.want) &^ list.behind.ignore
		found[n] = f
		n += int(uint64(list.follows>>followGroups[uint8(eight)]) & (^(differ | -differ) >> 63))
	}
	return found[:n]
}

// nextBytes is a set of groups of bytes that may stand behind a literal.
type nextBytes uint32

// followGroups puts letters of either case into groups from 2 on, digits into
// 1 and everything else into 0.
var followGroups = func() (groups [256]uint8) {
	for b := range 256 {
		switch c := byte(b); {
		case asciiLetter(c):
			groups[b] = 2 + (c | 0x20) - 'a'
		case asciiDigit(c):
			groups[b] = 1
		}
	}
	return groups
}()

const (
	followAny   = ^nextBytes(0)
	followOther = nextBytes(1) << 0
	followDigit = nextBytes(1) << 1
)

// followLetter is the group of a letter.
func followLetter(c byte) nextBytes { return 1 << followGroups[c] }

// follow says what may stand behind the first known runes of the term.
func (t *term) follow(known int) nextBytes {
	if t.expression != nil {
		return followAny
	}
	if known < len(t.runes) {
		if next := t.runes[known]; next < utf8.RuneSelf {
			return followLetter(byte(next))
		}
		return followAny
	}
	last := t.runes[len(t.runes)-1]
	switch {
	case t.Mode == Exact && isWordRune(last):
		return followOther
	case t.Mode != Word && t.Mode != Suffix && t.Mode != Phrase || !unicode.IsLetter(last):
		return followAny
	}
	set := followOther | followDigit
	if t.Bare {
		return set
	}
	for _, e := range endings {
		if e != "" {
			set |= followLetter(e[0])
		}
	}
	if last == 'm' || last == 'n' { // those may double
		set |= followLetter(byte(last))
	}
	return set
}

// listsOf gathers what is known of each list of the table.
func (e *Engine) listsOf(t *literalTable) []literalList {
	lists := make([]literalList, len(t.idsFrom)-1)
	for n := range lists {
		ids := t.ids[t.idsFrom[n]:t.idsFrom[n+1]]
		list := &lists[n]
		list.from, list.count = t.idsFrom[n], uint16(len(ids))
		for i, id := range ids {
			follows, behind, whole, rest := followAny, maskedBytes{ignore: ^uint64(0)}, uint8(0), uint8(0)
			if int(id) < len(e.terms) && e.terms[id].expression == nil {
				t, c := &e.terms[id], &e.checks[id]
				follows = t.follow(int(c.known))
				behind, rest = t.behind(int(c.known))
				whole = c.wholeWord(rest)
			}
			if i == 0 {
				list.behind, list.whole, list.rest = behind, whole, rest
			}
			list.follows |= follows
			list.behind.ignore |= behind.ignore | (list.behind.want ^ behind.want)
			if list.whole != whole || list.rest != rest {
				list.whole = 0
			}
		}
	}
	return lists
}

// behind returns the bytes that stand behind the first known runes of the
// term in any case, and how many they are.
func (t *term) behind(known int) (m maskedBytes, n uint8) {
	m.ignore = ^uint64(0)
	for _, r := range t.runes[known:] {
		size := uint8(utf8.RuneLen(r))
		if n+size > 8 || r == ' ' || r >= utf8.RuneSelf && (r < 'à' || r > 'þ') || t.Plain && plainLetter(r) != r {
			break
		}
		for _, c := range utf8.AppendRune(nil, r) {
			m.want |= uint64(c) << (8 * n)
			m.ignore &^= 0xFF << (8 * n)
			n++
		}
		if t.Mode != Exact && unicode.IsLetter(r) {
			m.ignore |= 0x20 << (8 * (n - 1))
		}
	}
	return m, n
}

// wholeWord returns what a literalList says of a single term, of which rest
// bytes are compared behind the known ones.
func (c *check) wholeWord(rest uint8) uint8 {
	if !c.simple || !c.letter || rest != c.rest || c.mode == Prefix || c.assigns != notAssignment || c.size == 0 {
		return 0
	}
	return c.size + rest
}
