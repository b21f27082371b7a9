package patterns

import (
	"hash/maphash"
	"regexp"
	"sort"
	"strings"
	"unicode"
)

// table is what is known of a table while its rows come: the heads of its
// columns and how many of their values pass as what.
type table struct {
	rows    int
	heads   []head
	columns []column
	headed  bool
}

// head is the head of a column.
type head struct {
	terms    []termMark // words of categories in it
	contexts uint32     // set of Context
	label    labelKind  // it names people, or those at work
	named    bool       // its cells are names
	subject  bool       // it says in which part they stand there: elev, sökande
	door     bool       // its cells are the codes of doors
}

// column counts the cells of a column.
type column struct {
	filled int
	passed int // cells that are a person's number
}

// isHeader decides whether a row names the columns: the document says so, or
// it is the first with several short cells and none of them holds a number.
func (t *table) isHeader(said bool, cells []string) bool {
	if said {
		t.headed = true
		return true
	}
	if t.headed || t.rows > 5 {
		t.rows++
		return false
	}
	t.rows++
	filled := 0
	for _, c := range cells {
		c = strings.TrimSpace(c)
		if c == "" {
			continue
		}
		filled++
		if len(c) > 60 || strings.IndexFunc(c, unicode.IsDigit) >= 0 && !shortCode(c) {
			return false
		}
	}
	if filled < 2 {
		return false
	}
	t.headed = true
	return true
}

// shortCode allows heads such as "Tel 1" and "2024".
func shortCode(c string) bool {
	digits := 0
	for _, r := range c {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	return digits <= 4 && len(c) > digits+2
}

// head returns the head of a column, empty if there is none.
func (t *table) head(i int) head {
	if t == nil || i < 0 || i >= len(t.heads) {
		return head{}
	}
	return t.heads[i]
}

// maxColumns bounds the columns that are followed.
const maxColumns = 512

// readTables reads the heads and counts the columns of the scene's rows.
func (r *reader) readTables(s *scene) {
	for i := range s.b.rows {
		row := &s.b.rows[i]
		if row.header {
			r.readHeads(s, row)
			continue
		}
		t := row.table
		for c := range min(len(row.cells), maxColumns) {
			from, to := row.cell(c)
			if len(t.columns) <= c {
				t.columns = append(t.columns, column{})
			}
			if to > from {
				t.columns[c].filled++
				r.secretCell(t.head(c), s.text[from:to])
			}
		}
	}
	for i := range s.found {
		f := &s.found[i]
		row := s.b.row(f.Start)
		if row == nil || row.header || !f.Identifier.Person() {
			continue
		}
		if c := row.column(f.Start); c >= 0 && c < len(row.table.columns) {
			row.table.columns[c].passed++
		}
	}
}

// secretCell counts a cell under a head such as "Lösenord" or "Larmkod" that
// is filled with what the head promises.
func (r *reader) secretCell(h head, cell []byte) {
	if h.door && reDoorCode.Match(cell) {
		r.things.codes++
		return
	}
	for _, m := range h.terms {
		if m.weight < 2 {
			continue
		}
		digits, letters, spaces := 0, 0, 0
		for _, c := range cell {
			switch {
			case c >= '0' && c <= '9':
				digits++
			case c == ' ':
				spaces++
			case c == '*' || c == 0xE2:
				return // hidden already
			default:
				letters++
			}
		}
		switch slots[m.slot] {
		case Secrets:
			if spaces <= 1 && digits+letters >= 4 && (digits > 0 || letters >= 6) {
				r.things.secrets++
			}
		case Security:
			if digits >= 3 && digits <= 8 && letters <= 2 && strings.Contains(strings.ToLower(r.set.terms[m.term].text), "kod") {
				r.things.codes++
			}
		}
	}
}

// reDoor is for heads of columns, reDoorCode for what such a column holds.
var (
	reDoor     = regexp.MustCompile(`dörr|grind|entré|förråd|port(?:en|ar)?$|larm(?:et|kod|dosa)?$|skåp|^kod|(?:drift|master|mästar|port|larm|hiss|tillträdes|installatörs|huvud|nöd)-? ?(?:kod|code)|^pin(?:-?kod)?$`)
	reDoorCode = regexp.MustCompile(`^\D{0,3}\d{4,6}#?$`)
)

func (r *reader) readHeads(s *scene, row *row) {
	t := row.table
	t.heads = make([]head, min(len(row.cells), maxColumns))
	for c := range t.heads {
		from, to := row.cell(c)
		text := s.text[from:to]
		t.heads[c].label = readLabel(text)
		lower := strings.ToLower(string(text))
		t.heads[c].subject = t.heads[c].label == labelSubject && !plainNameHead(lower)
		t.heads[c].named = strings.Contains(lower, "namn") && !strings.Contains(lower, "användar") && !strings.Contains(lower, "filnamn") ||
			t.heads[c].label == labelSubject && !strings.Contains(lower, "nummer") && !strings.Contains(lower, "nr")
		t.heads[c].door = reDoor.MatchString(lower)
		for _, h := range r.scanner.Scan(text) {
			if h.Kind == ContextHit {
				t.heads[c].contexts |= 1 << h.Context
			}
		}
	}
	for _, m := range s.terms {
		if m.start >= row.start && m.end <= row.end {
			if c := row.column(m.start); c >= 0 && c < len(t.heads) {
				t.heads[c].terms = append(t.heads[c].terms, m)
			}
		}
	}
}

// plainNameHead reports whether a head asks for a name and no more: such
// columns hold staff as well.
func plainNameHead(lower string) bool {
	for w := range strings.FieldsSeq(lower) {
		switch w {
		case "namn", "förnamn", "efternamn", "name", "person", "personnummer", "pnr", "deltagare", "mottagare":
			return true
		}
	}
	return false
}

// claimRows ties the person of each row to the words in the row and to the
// heads of its filled cells.
func (r *reader) claimRows(s *scene, people []individual) {
	sum := &r.nearSums
	next := 0
	for i := range s.b.rows {
		row := &s.b.rows[i]
		if row.header {
			continue
		}
		for next < len(people) && people[next].end <= row.start {
			next++
		}
		p, ok := r.personOfRow(s, row, people[next:])
		if !ok || p.number != nil && r.testNumber(p.number) {
			continue
		}
		if p.number == nil && p.bond >= byName {
			remember(r.named, p.key)
		}
		sum.reset()
		for _, m := range s.termsBetween(row.start, row.end) {
			sum.add(m, 1)
		}
		r.addHeads(s, row, sum)
		r.conclude(s, &p, sum, true)
	}
}

func (s *scene) termsBetween(from, to int) []termMark {
	i := sort.Search(len(s.terms), func(i int) bool { return s.terms[i].start >= from })
	j := i
	for j < len(s.terms) && s.terms[j].start < to {
		j++
	}
	return s.terms[i:j]
}

// addHeads adds the words in the heads of columns whose cell says yes.
func (r *reader) addHeads(s *scene, row *row, sum *sums) {
	for c := range row.cells {
		h := row.table.head(c)
		if len(h.terms) == 0 {
			continue
		}
		from, to := row.cell(c)
		if from == to || saysNo(string(s.text[from:to])) {
			continue
		}
		for _, m := range h.terms {
			if m.weight > 1 {
				sum.add(m, 1.5)
			} else {
				sum.add(m, 1)
			}
		}
	}
}

// saysNo reports whether a cell denies what its head asks.
func saysNo(cell string) bool {
	switch strings.ToLower(strings.Trim(cell, " .-–_0,")) {
	case "", "nej", "n", "no", "ej", "inga", "inget", "ingen", "saknas", "false", "falskt", "nä", "ej aktuellt", "ingen känd", "inga kända":
		return true
	}
	return false
}

// personOfRow returns the most firmly known person of a row, if it is about
// one: a row of several numbers is about none.
func (r *reader) personOfRow(s *scene, row *row, people []individual) (individual, bool) {
	var best individual
	numbers := 0
	for _, p := range people {
		if p.start >= row.end {
			break
		}
		if p.number != nil && p.name == "" {
			numbers++
		}
		h := row.table.head(row.column(p.start))
		if p.bond == byRole && p.name == "" {
			continue
		}
		// What is weighed of staff is about them, whatever their title.
		staff := h.label == labelOfficial || p.official && h.label != labelSubject && p.number == nil
		if staff && !row.table.heavy() && r.kinds.about(HR) < 3 {
			continue
		}
		if h.label == labelSubject && p.name != "" && p.bond < byName {
			p.bond = byName
		}
		if p.bond > best.bond {
			best = p
		}
	}
	if best.bond >= byName && numbers <= 3 {
		return best, true
	}
	for c := range row.cells {
		if h := row.table.head(c); h.named && h.label == labelSubject {
			from, to := row.cell(c)
			if name := strings.TrimSpace(string(s.text[from:to])); looksLikeName(name) {
				return individual{
					start: from, end: to, bond: byName, name: name, because: "individual:column-of-names",
					key: r.masker.PersonNameKey(nameKey(name), ""),
				}, true
			}
		}
	}
	return best, best.bond == byRole && best.name != "" && len(row.cells) > 1
}

// heavy reports whether the heads ask for something that is sensitive of
// whomever it is said: then the names in the rows are what it is about.
func (t *table) heavy() bool {
	for _, h := range t.heads {
		for _, m := range h.terms {
			if m.weight == 3 && !slots[m.slot].aboutThings() {
				return true
			}
		}
	}
	return false
}

// looksLikeName reports whether a cell of a column of names holds one: one to
// four capitalised words without digits, or initials.
func looksLikeName(cell string) bool {
	words := strings.Fields(cell)
	if len(words) == 0 || len(words) > 4 || len(cell) > 50 {
		return false
	}
	for _, w := range words {
		if strings.IndexFunc(w, unicode.IsDigit) >= 0 || !unicode.IsUpper([]rune(w)[0]) {
			return false
		}
	}
	return !notSurnames[strings.ToLower(words[0])]
}

// identifierTally counts distinct identifiers. Values in columns wait until
// the document's end, when it is known whether the column is a register.
type identifierTally struct {
	seed  maphash.Seed
	types map[Identifier]*valueSet
	list  map[Identifier]bool
	last  int // offset of the last number in running text
	run   int
	waits map[*table]map[int][]waiting
}

// waiting is an identifier in a column that is not yet judged.
type waiting struct {
	id         Identifier
	value      uint64
	confidence Confidence
	// key is Masker.PersonKey of a number that is too uncertain to be a
	// person's by itself; otherwise "".
	key string
}

type valueSet struct{ best map[uint64]Confidence }

func (t *identifierTally) reset() {
	*t = identifierTally{
		seed: maphash.MakeSeed(), types: map[Identifier]*valueSet{}, list: map[Identifier]bool{}, last: -1 << 30,
		waits: map[*table]map[int][]waiting{},
	}
}

func (t *identifierTally) add(id Identifier, value uint64, c Confidence) {
	v := t.types[id]
	if v == nil {
		v = &valueSet{map[uint64]Confidence{}}
		t.types[id] = v
	}
	if old, ok := v.best[value]; ok || len(v.best) < maxPeople {
		v.best[value] = max(old, c)
	}
}

// identify weighs the identifiers of a scene once more by their columns and
// counts them.
func (r *reader) identify(s *scene) {
	for i := range s.found {
		f := &s.found[i]
		row := s.b.row(f.Start)
		if row != nil && !row.header {
			r.weighByColumn(s, f, row)
		}
		if f.Confidence == Low && f.Identifier == Personnummer && s.nameBeside(f) {
			f.set(Medium, "name-beside")
		}
		if f.Confidence == 0 {
			r.explainIdentifier(s, f, false)
			continue
		}
		if f.Identifier.Person() && r.testNumber(f) {
			r.ids.add(NoIdentifier, r.hashFound(s, f), Low)
			r.explainIdentifier(s, f, false)
			continue
		}
		r.countIdentifier(s, f, row)
	}
}

// nameBeside reports whether a full name stands directly before a number that
// is neither a telephone nor a time.
func (s *scene) nameBeside(f *Found) bool {
	if f.Shape.Has(ShapePhone) || f.Shape.Has(ShapeTimestamp) || !f.Shape.Has(ShapeChecked) {
		return false
	}
	from, _ := s.b.span(s.b.line(f.Start))
	from = max(from, f.Start-60)
	for _, n := range s.names.find(nil, s.text, from, f.Start) {
		if n.full && f.Start-n.end <= 4 {
			return true
		}
	}
	_, to := s.b.span(s.b.line(f.Start))
	for _, n := range s.names.find(nil, s.text, f.End, min(to, f.End+40)) {
		return n.full && n.start-f.End <= 2
	}
	return false
}

// holdsOnly reports whether a cell holds the value and little else: one in a
// sentence says nothing about the column.
func (r *row) holdsOnly(f *Found) bool {
	from, to := r.cell(r.column(f.Start))
	return to-from-(f.End-f.Start) <= besidesValue
}

// besidesValue is what may stand in a cell besides its value, in bytes.
const besidesValue = 12

func (r *reader) countIdentifier(s *scene, f *Found, row *row) {
	sum := r.hashFound(s, f)
	if row == nil {
		r.followList(s, f)
	}
	if row != nil && !row.header && f.Identifier.Person() && row.column(f.Start) < maxColumns && row.holdsOnly(f) {
		w := waiting{id: f.Identifier, value: sum, confidence: f.Confidence}
		if f.Confidence < Medium {
			w.key = s.personKey(f)
		}
		r.ids.wait(row.table, row.column(f.Start), w)
	} else {
		r.ids.add(f.Identifier, sum, f.Confidence)
	}
	if f.Identifier.Secret() {
		secrets, _ := slotOf(Secrets)
		r.things.secrets += boolInt(f.Confidence >= Medium)
		r.things.zone[secrets]++
	}
	if pattern := f.Identifier.String(); r.evidence.wants(pattern, f.Confidence, sum) {
		r.evidence.add(Evidence{Pattern: pattern, Confidence: f.Confidence, Place: s.place(f.Start), Masked: f.Mask(s.text)}, sum,
			func() string { return r.masker.Fingerprint(pattern, f.Value(s.text)) })
	}
	r.explainIdentifier(s, f, true)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (t *identifierTally) wait(tab *table, col int, w waiting) {
	cols := t.waits[tab]
	if cols == nil {
		cols = map[int][]waiting{}
		t.waits[tab] = cols
	}
	if len(cols[col]) < maxPeople {
		cols[col] = append(cols[col], w)
	}
}

// settle judges the waiting columns: one in which nearly all values pass is a
// register, one in which few pass is noise. meet is told whom only the column
// makes certain.
func (t *identifierTally) settle(meet func(key string)) {
	for tab, cols := range t.waits {
		for c, ws := range cols {
			var col column
			if c < len(tab.columns) {
				col = tab.columns[c]
			}
			h := tab.head(c)
			register := len(ws) >= 3 && col.passed*10 >= col.filled*8
			noise := col.filled >= 8 && col.passed*5 < col.filled && h.contexts&(1<<ContextPerson) == 0
			for _, w := range ws {
				switch {
				case register:
					t.add(w.id, w.value, High)
					if w.key != "" {
						meet(w.key)
					}
					t.list[w.id] = true
				case noise && w.confidence < High:
					t.add(w.id, w.value, Low)
				default:
					t.add(w.id, w.value, w.confidence)
				}
			}
		}
	}
	clear(t.waits)
}

// followList notes when personnummer follow each other line by line.
func (r *reader) followList(s *scene, f *Found) {
	if !f.Identifier.Person() || f.Confidence < Medium {
		return
	}
	at := r.bytes + f.Start
	if at-r.ids.last < 150 && at > r.ids.last {
		r.ids.run++
	} else if at > r.ids.last {
		r.ids.run = 1
	}
	r.ids.last = at
	if r.ids.run >= 4 {
		r.ids.list[f.Identifier] = true
	}
}

// hashFound hashes the value of an identifier; the most frequent need no Raw.
func (r *reader) hashFound(s *scene, f *Found) uint64 {
	var digits [32]byte
	switch {
	case f.number != 0:
		return maphash.Bytes(r.ids.seed, f.appendNumber(digits[:0]))
	case f.Identifier == Telefon:
		var c canonicalizer
		return maphash.Bytes(r.ids.seed, appendPhone(digits[:0], c.canonicalize(s.text[f.Start:f.End]).text))
	}
	return maphash.String(r.ids.seed, f.Value(s.text).Reveal())
}

// weighByColumn raises and lowers an identifier by the head of its column.
func (r *reader) weighByColumn(s *scene, f *Found, row *row) {
	h := row.table.head(row.column(f.Start))
	if h.contexts == 0 {
		return
	}
	has := func(c Context) bool { return h.contexts&(1<<c) != 0 }
	person := f.Identifier == Personnummer || f.Identifier == Samordningsnummer || f.Identifier == Interimsnummer
	switch {
	case person && has(ContextPerson):
		f.set(High, "column:person")
	case person && f.Shape.Has(ShapeBare) && (has(ContextPhone) || has(ContextPayment) || has(ContextLog) || has(ContextProduct) || has(ContextOrganisation) || has(ContextAccount)):
		f.set(0, "column:other")
	case f.Confidence < Medium && has(f.Identifier.ownContext()):
		f.set(Medium, "column:own")
	}
}

// ownContext is the group of words that name the identifier.
func (i Identifier) ownContext() Context {
	switch i {
	case Personnummer, Samordningsnummer, Interimsnummer:
		return ContextPerson
	case Reservnummer:
		return ContextReserve
	case Organisationsnummer, Momsnummer:
		return ContextOrganisation
	case Bankkonto:
		return ContextAccount
	case Bankgiro:
		return ContextBankgiro
	case Plusgiro:
		return ContextPlusgiro
	case Betalkort:
		return ContextCard
	case Pass:
		return ContextPassport
	case Korkort:
		return ContextLicence
	case Registreringsnummer:
		return ContextVehicle
	case Telefon:
		return ContextPhone
	case Fastighetsbeteckning:
		return ContextProperty
	case LMA:
		return ContextMigration
	case ICD10:
		return ContextDiagnosis
	case KVA:
		return ContextMeasure
	case CPR:
		return ContextDanish
	case Fodselsnummer:
		return ContextNorwegian
	case HETU:
		return ContextFinnish
	}
	return NoContext
}
