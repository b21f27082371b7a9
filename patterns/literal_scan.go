package patterns

// proposal says that literals of an accepting state end before end.
type proposal struct {
	end   int
	state uint32
}

// literalPass runs a literalTable over a text. One look-up must wait for the
// one before, so four parts of a block are run side by side.
type literalPass struct {
	table *literalTable
	lanes [4][]proposal
}

// Sizes in bytes: of a block, and of the shortest one worth four lanes.
const (
	blockSize = 256 << 10
	lanesFrom = 4 << 10
)

// scan calls visit for every proposal, in the order of their ends.
func (p *literalPass) scan(b []byte, visit func(proposal)) {
	state := uint32(0)
	for from := 0; from < len(b); from += blockSize {
		to := min(from+blockSize, len(b))
		state = p.block(b, from, to, state)
		for _, lane := range p.lanes {
			for _, proposal := range lane {
				visit(proposal)
			}
		}
	}
}

// block runs over b[from:to] and returns the state at its end.
func (p *literalPass) block(b []byte, from, to int, state uint32) uint32 {
	for i := range p.lanes {
		p.lanes[i] = p.lanes[i][:0]
	}
	quarter := (to - from) / 4
	reach := p.table.reach
	if to-from < lanesFrom || quarter < reach {
		return p.one(0, b, from, to, state)
	}
	var s [4]uint32
	s[0] = state
	for i := 1; i < 4; i++ {
		at := from + i*quarter
		s[i] = p.table.run(b[at-reach:at], 0)
	}
	last := p.four(b[from:from+4*quarter], from, quarter, s)
	return p.one(3, b, from+4*quarter, to, last)
}

// run returns the state after b.
func (t *literalTable) run(b []byte, state uint32) uint32 {
	for _, c := range b {
		state = t.next[state+uint32(t.class[c])] &^ accepts
	}
	return state
}

// one runs over b[from:to] and notes proposals in a lane.
func (p *literalPass) one(lane int, b []byte, from, to int, state uint32) uint32 {
	t := p.table
	for i, c := range b[from:to] {
		state = t.next[state+uint32(t.class[c])]
		if state >= accepts {
			state = p.note(lane, from+i+1, state)
		}
	}
	return state
}

// four runs over the quarters of b, which lies at offset from, and returns
// the state of the last.
func (p *literalPass) four(b []byte, from, quarter int, s [4]uint32) uint32 {
	next, class := p.table.next, &p.table.class
	b0, b1, b2, b3 := b[:quarter], b[quarter:2*quarter], b[2*quarter:3*quarter], b[3*quarter:4*quarter]
	b1, b2, b3 = b1[:len(b0)], b2[:len(b0)], b3[:len(b0)]
	s0, s1, s2, s3 := s[0], s[1], s[2], s[3]
	for i := range b0 {
		s0 = next[s0+uint32(class[b0[i]])]
		s1 = next[s1+uint32(class[b1[i]])]
		s2 = next[s2+uint32(class[b2[i]])]
		s3 = next[s3+uint32(class[b3[i]])]
		if s0|s1|s2|s3 >= accepts {
			s0 = p.note(0, from+i+1, s0)
			s1 = p.note(1, from+quarter+i+1, s1)
			s2 = p.note(2, from+2*quarter+i+1, s2)
			s3 = p.note(3, from+3*quarter+i+1, s3)
		}
	}
	return s3
}

// note notes the proposal of an accepting entry, and returns the state.
func (p *literalPass) note(lane, end int, entry uint32) uint32 {
	if entry < accepts {
		return entry
	}
	state := entry &^ accepts
	p.lanes[lane] = append(p.lanes[lane], proposal{end, state})
	return state
}
