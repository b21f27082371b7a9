package patterns

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// reader is the Reader of a Set. It gathers text in blocks, looks at each
// block once and keeps only claims, counts and masked evidence.
type reader struct {
	set     *Set
	masker  *Masker
	scanner *Scanner
	options Options
	own     Own
	matcher *Matcher
	ownTally
	gist gistReader

	kinds       kindReader
	block       block
	scene       scene
	tables      map[string]*table
	ids         identifierTally
	claims      [len(slots)]claimTally
	people      map[string]bool   // keys of those known by number
	named       map[string]bool   // keys of those known by name
	children    map[string]bool   // keys of those whose number says that they are children
	labels      []string          // see label
	keys        map[string]string // see scene.nameKey
	contexts    []Hit             // of a scene; only to be used again
	officers    map[string]bool   // keys of names that stand as somebody at work
	titles      sums              // words of the categories in name and title
	subject     string            // key of the person whom the file name names
	cues        map[CueGroup]*cueTally
	things      thingTally
	custom      customTally
	markings    markingReader
	evidence    evidenceKeeper
	steps       []Step
	bytes       int            // read so far
	together    map[string]int // see combined
	sections    int            // signs of sections, §
	narratives  [len(slots)]narrative
	stretchSums sums
	nearSums    sums // around one person, or of one row
	lines       int  // lines of running text seen, for the title
	overlap     int  // bytes at the head of the block that were looked at before
}

// cueTally counts what speaks for one innocence over the whole document.
type cueTally struct {
	distinct map[string]int // weight by cue
	count    int
}

// Begin implements Reader.
func (r *reader) Begin(s Subject, o Options) {
	*r = reader{set: r.set, masker: r.masker, scanner: r.scanner, own: r.own, matcher: r.matcher, options: o, block: r.block, scene: r.scene, kinds: r.kinds, stretchSums: r.stretchSums, nearSums: r.nearSums, titles: r.titles, contexts: r.contexts, gist: r.gist}
	r.scanner.Begin()
	r.kinds.reset(r.set.kinds)
	r.block.reset()
	r.tables = map[string]*table{}
	r.people, r.named, r.officers, r.children = map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	r.keys = map[string]string{}
	r.cues = map[CueGroup]*cueTally{}
	r.ids.reset()
	r.custom.reset(r.set.custom)
	if r.matcher != nil {
		r.matcher.Matches() // of a document that was not finished
	}
	r.titles.reset()
	r.gist.reset(s.Path)
	r.kinds.name(s)
	r.nameOf(s.Name)
	name := s.Name
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	r.titleWords(name, 0.6)
	r.titleWords(strings.TrimSuffix(s.Path, s.Name), 0.35)
}

// titleWords reads words of the categories in a name or title: they are said
// of everybody in the document.
func (r *reader) titleWords(title string, factor float64) {
	text := []byte(strings.Map(func(c rune) rune {
		if c == '_' || c == '-' || c == '/' || c == '.' {
			return ' '
		}
		return c
	}, title))
	for _, h := range r.scanner.Scan(text) {
		if h.Kind != TermHit {
			continue
		}
		if m := &r.set.terms[h.Term]; m.group == "" && m.custom == 0 && m.weight > 1 {
			r.titles.add(termMark{h.Start, h.End, h.Term, m.slot, m.weight}, factor)
		}
	}
	for slot := range r.titles.total {
		r.titles.total[slot] = min(r.titles.total[slot], 1.8)
	}
}

// nameOf finds a person in the file name: such a document is about them.
func (r *reader) nameOf(file string) {
	if i := strings.LastIndexByte(file, '.'); i > 0 {
		file = file[:i]
	}
	text := []byte(strings.Map(func(c rune) rune {
		if c == '_' || c == '-' || c == '.' {
			return ' '
		}
		return c
	}, file))
	for _, n := range r.set.names.find(nil, text, 0, len(text)) {
		if key := r.masker.PersonNameKey(nameKey(string(text[n.start:n.end])), ""); n.full || r.subject == "" {
			r.subject = key
		}
	}
}

// The kinds of text that judging tells apart; they are extract.Kind.
const (
	kindTitle    = "title"
	kindHeading  = "heading"
	kindHeader   = "header"
	kindFooter   = "footer"
	kindAddress  = "address"
	kindProperty = "property"
	kindCode     = "code"
)

// Text implements Reader.
func (r *reader) Text(kind, place, text string) {
	if text == "" {
		return
	}
	text = r.set.lost.repair(r.set, text)
	switch kind {
	case kindTitle:
		r.kinds.title(text)
		r.titleWords(text, 0.6)
	case kindProperty:
		r.label(text)
	case kindHeading:
		r.kinds.heading(text)
		if r.lines < 4 {
			r.titleWords(text, 0.5)
			r.kinds.title(text)
		}
	}
	r.block.begin(kind, place)
	if kind == kindCode || !r.delimited(kind, place, text) {
		r.firstLines(kind, text)
		if kind != kindCode {
			text = joinBroken(text)
		}
		r.add(text)
	}
}

// joinBroken joins words that a hyphen breaks at a line's end.
func joinBroken(text string) string {
	if !strings.Contains(text, "-\n") {
		return text
	}
	return reBroken.ReplaceAllString(text, "$1$2")
}

var reBroken = regexp.MustCompile(`(\p{Ll}{2})-\n(\p{Ll}{2})`)

// firstLines reads the first lines of a document as its title.
func (r *reader) firstLines(kind, text string) {
	if kind == kindAddress || kind == kindProperty || kind == kindTitle {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		if r.lines >= 4 {
			return
		}
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		r.lines++
		if kind != kindHeading && (len(line) <= 70 || r.lines == 1) {
			r.kinds.title(line)
		}
	}
}

// add appends running text, looking at full blocks on the way.
func (r *reader) add(text string) {
	for len(text) > 0 {
		n := min(len(text), 2*pieceSize-len(r.block.text))
		for n < len(text) && n > 0 && text[n]&0xC0 == 0x80 {
			n--
		}
		r.block.text = append(r.block.text, text[:n]...)
		text = text[n:]
		if len(r.block.text) >= pieceSize {
			r.flush(false)
		}
	}
}

// Row implements Reader.
func (r *reader) Row(kind, place string, number int, header bool, cells []string) {
	for i, c := range cells {
		if repaired := r.set.lost.repair(r.set, c); repaired != c {
			cells = slices.Clone(cells)
			cells[i] = repaired
		}
	}
	key := kind + "\x00" + place
	t := r.tables[key]
	if t == nil {
		t = &table{}
		if len(r.tables) < maxTables {
			r.tables[key] = t
		}
	}
	r.block.begin(kind, place)
	if r.lines < 4 && len(cells) > 0 {
		r.lines++
		if only, ok := onlyCell(cells); ok {
			r.kinds.title(only)
			r.titleWords(only, 0.6)
		}
	}
	r.block.addRow(t, number, t.isHeader(header, cells), cells)
	if len(r.block.text) >= pieceSize {
		r.flush(false)
	}
}

// maxTables bounds the tables whose columns are followed.
const maxTables = 4096

func onlyCell(cells []string) (string, bool) {
	only := ""
	for _, c := range cells {
		if c = strings.TrimSpace(c); c == "" {
			continue
		}
		if only != "" {
			return "", false
		}
		only = c
	}
	return only, only != ""
}

// delimited reads text that is a table after all: lines with the same number
// of semicolons, tabs or bars. It reports whether it took the text.
func (r *reader) delimited(kind, place, text string) bool {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	if len(lines) < 2 || len(text) > 4*pieceSize {
		return false
	}
	if numbersOnly(lines) {
		for i, l := range lines {
			r.Row(kind, place, i+1, false, []string{strings.TrimSpace(l)})
		}
		return true
	}
	for _, delim := range []string{";", "\t", "|"} {
		n := strings.Count(lines[0], delim)
		if n == 0 {
			continue
		}
		same := 0
		for _, l := range lines {
			if c := strings.Count(l, delim); c == n || c == n-1 || c == n+1 {
				same++
			}
		}
		if same*10 < len(lines)*9 {
			continue
		}
		for i, l := range lines {
			r.Row(kind, place, i+1, false, strings.Split(strings.TrimRight(l, "\r"), delim))
		}
		return true
	}
	return false
}

// numbersOnly reports whether the lines are a column of one: numbers of ten
// or twelve digits with nothing beside them, but perhaps a head.
func numbersOnly(lines []string) bool {
	const fewest = 5
	numbers, other := 0, 0
	for i, l := range lines {
		switch l = strings.TrimSpace(l); {
		case len(l) >= 10 && len(l) <= 13 && strings.Trim(l, "0123456789-+") == "":
			numbers++
		case l != "" && i > 0:
			other++
		}
	}
	return numbers >= fewest && other*10 <= numbers
}

// flush looks at the block. Unless it is the last, the tail stays, so that
// neighbours meet; what is seen twice is counted once.
func (r *reader) flush(last bool) {
	b := &r.block
	if len(b.text) == 0 {
		return
	}
	tail := ""
	lastPart := part{}
	if len(b.parts) > 0 {
		lastPart = b.parts[len(b.parts)-1]
	}
	if !last {
		whole := b.text
		tail = r.cut()
		lastPart.place = lineOf(lastPart.place, whole[lastPart.start:max(lastPart.start, len(whole)-len(tail))])
	}
	b.index()
	r.assess(r.look(b))
	r.bytes += len(b.text) - r.overlap
	b.reset()
	r.overlap = 0
	if !last {
		b.begin(lastPart.kind, lastPart.place)
		b.text = append(b.text, tail...)
		r.overlap = min(len(tail), overlapBytes)
	}
}

// overlapBytes of each block are looked at again with the next.
const overlapBytes = 1 << 10

// cut shortens the block to whole lines and returns what belongs to the next
// one: the rest, and a little from before it.
func (r *reader) cut() string {
	b := &r.block
	if n := len(b.rows); n > 0 && b.rows[n-1].end >= len(b.text)-1 {
		return ""
	}
	end := bytes.LastIndexByte(b.text, '\n') + 1
	if end < len(b.text)/2 {
		end = bytes.LastIndexByte(b.text, ' ') + 1
	}
	if end < len(b.text)/2 {
		end = len(b.text)
	}
	from := max(0, end-overlapBytes)
	for from < end && b.text[from] != '\n' && b.text[from] != ' ' {
		from++
	}
	if n := len(b.rows); n > 0 {
		from = max(from, min(end, b.rows[n-1].end+1))
	}
	tail := string(b.text[from:])
	b.text = b.text[:end]
	return tail
}

// assess draws from a scene what is kept of it.
func (r *reader) assess(s *scene) {
	r.countCues(s)
	r.readTables(s)
	r.identify(s)
	windows := s.windows(r.bytes == 0)
	people := s.individuals(windows)
	r.meet(s, people)
	r.gist.read(s, people)
	r.claim(s, people)
	r.claimRows(s, people)
	r.narrate(s, people)
	r.things.read(r, s)
	r.markings.read(r, s)
	r.custom.read(r, s, people)
	r.compare(s)
}

func (r *reader) countCues(s *scene) {
	r.sections += bytes.Count(s.text, []byte("§"))
	for _, c := range s.cues {
		t := r.cues[c.group]
		if t == nil {
			t = &cueTally{distinct: map[string]int{}}
			r.cues[c.group] = t
		}
		t.count++
		t.distinct[c.text] = c.weight
	}
}

// meet counts the people of a scene.
func (r *reader) meet(s *scene, people []individual) {
	for i := range people {
		p := &people[i]
		kind := s.b.part(p.start).kind
		if kind == kindAddress || kind == kindProperty {
			p.official = p.official || p.number == nil
		}
		if row := s.b.row(p.start); row != nil {
			if row.header && p.number == nil {
				continue // the head of a column is nobody
			}
			if row.table.head(row.column(p.start)).subject {
				p.official = false
			}
		}
		if p.number == nil && r.subject != "" && p.key == r.subject {
			p.labelled, p.official = true, false
			p.bond = max(p.bond, byName)
		}
		switch {
		case p.number != nil && !r.testNumber(p.number):
			remember(r.people, p.key)
			if p.number.child(r.set.engine.today) {
				remember(r.children, p.key)
			}
		case p.number != nil:
		case p.official && p.name != "":
			remember(r.officers, p.key)
		case p.name != "" && p.bond >= byName:
			remember(r.named, p.key)
		}
	}
}

// maxPeople bounds how many individuals are told apart in one document.
const maxPeople = 1 << 18

func remember(set map[string]bool, key string) {
	if len(set) < maxPeople {
		set[key] = true
	}
}

// testNumber reports whether a number is an official test number that does
// not count as a person here.
func (r *reader) testNumber(f *Found) bool { return f.Test && !r.options.CountTestNumbers }
