package patterns

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// individual is a mention of one person.
type individual struct {
	start, end int
	bond       bond
	name       string // as written; "" if known by number only
	number     *Found // nil if known by name only
	key        string // of the person; "" for a role
	listed     bool   // it heads a line of a list: "Rum 2: Karl-Erik …"
	labelled   bool   // a field or heading says that the document is about them
	official   bool   // somebody at work, not somebody written about
	because    string // code for the explanation
}

// bond is how firmly a mention points at one person.
type bond int

// The bonds.
const (
	byRole       bond = iota + 1 // "eleven", "hon": a story tells of somebody
	byName                       // a full name, or a first name after a role
	byIdentity                   // a name with birth date, class or address; initials with class or year
	byIdentifier                 // personnummer and the like
)

var bondNames = [...]string{"", "role", "name", "identity", "number"}

func (b bond) String() string { return bondNames[b] }

var (
	reInitials = regexp.MustCompile(`^([A-ZÅÄÖ])\.? ?([A-ZÅÄÖ])\.?(?:,)? ?\(?(?:f(?:ödd)?\.? ?-?(?:19|20)?\d\d\b|född \d|(?:åk|årskurs|klass) ?\d|\d[A-Fa-f]\b|\d{1,2} ?år\b)`)
	reDotted   = regexp.MustCompile(`^[A-ZÅÄÖ]\. ?[A-ZÅÄÖ]\.(?:[^\p{L}\d]|$)`)
	// What ties a name to one person: birth, class, age.
	reIdentity = regexp.MustCompile(`(?i)\b(?:f(?:ödd|\.)? ?-?(?:den )?(?:19|20)\d\d|född(?:es)? (?:den )?\d|f\. ?\d{2}\b|f(?:öd|ödelse)(?:d|datum|tid|år|data):? ?\d|(?:åk|årskurs|klass|förskoleklass) ?\d?[ -]?[a-fA-F0-9]\b|kl\.? ?\d[a-fA-F]\b|\d{1,2} ?(?:år|mån|månader)\b(?: gammal)?)|\| {0,2}\(\d{2}\)|\b\d[A-Fa-f]\b|\b(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\b|\b\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])-(?:[xX*]{4}|\s|$)|\bNA?\d[a-z]?\b|\bl(?:gh|ägenhet)\.? ?\d{4}`)
	reLead     = regexp.MustCompile(`(?i)^\W*(?:(?:mån|tis|ons|tors?|fre|lör|sön)\w*\.? ?)?(?:\d{1,2}[.:/]\d{1,2} ?)?(?:(?:rum|lgh|lägenhet|avd|plats|kl|blå|röd|gul|grön)\.? ?[\w.]{0,5} ?[:–-]? ?)?\W*$`)
	reFollow   = regexp.MustCompile(`^,? ?(?:\(?(?:f\.? ?-?\d{2,4}|\d[A-Fa-f]|\d{1,2} ?år|åk ?\d)\)?)? ?(?:[:–(]|- )|^, \p{Ll}`)
	reParty    = regexp.MustCompile(`^,? ?\((?:S|M|V|C|L|KD|MP|SD|FI|fp|s|m|v|c|kd|mp|sd|l|-)\)`)
)

// individuals finds the people that a scene speaks of, in order. They are
// valid until the next scene.
func (s *scene) individuals(windows [][2]int) []individual {
	all := s.all[:0]
	for _, w := range windows {
		for _, n := range s.names.find(nil, s.text, w[0], w[1]) {
			all = append(all, s.named(n))
		}
		all = s.initials(all, w[0], w[1])
		all = s.fields(all, w[0], w[1])
	}
	for i := range s.found {
		f := &s.found[i]
		if f.Identifier.Person() && f.Confidence >= Medium {
			all = append(all, s.numbered(f))
		}
	}
	for _, c := range s.cues {
		if (c.group == CueRole || c.group == CuePronoun) && c.weight > 1 && inside(windows, c.start) {
			all = append(all, individual{start: c.start, end: c.end, bond: byRole, because: "individual:role"})
		}
	}
	sortIndividuals(all)
	s.tie(all)
	for i := range all {
		if ind := &all[i]; ind.key == "" && ind.name != "" { // no number gave it one
			ind.key = s.nameKey(ind.name)
		}
	}
	s.all = all
	return all
}

// nameKey returns the key of whoever is known by a name; names come again.
func (s *scene) nameKey(name string) string {
	key, ok := s.keys[name]
	if !ok {
		key = s.masker.PersonNameKey(nameKey(name), "")
		if len(s.keys) < maxKeys {
			s.keys[name] = key
		}
	}
	return key
}

// maxKeys bounds the names whose keys are remembered.
const maxKeys = 1 << 12

// fields appends the people whom fields name though the lists of names do not
// know them: "Elev: Xiadani Quetzal", or the label on a line of its own.
func (s *scene) fields(all []individual, from, to int) []individual {
	for line := s.b.line(from); line < len(s.b.lines); line++ {
		start, end := s.b.span(line)
		if start >= to {
			break
		}
		if s.b.row(start) != nil {
			continue
		}
		value := end
		if i := bytes.IndexByte(s.text[start:min(end, start+45)], ':'); i > 0 && namesPerson(s.text[start:start+i]) {
			value = start + i + 1
		} else if end-start < 40 && namesPerson(s.text[start:end]) {
			value, end = s.b.span(line + 1)
		}
		for value < end && s.text[value] == ' ' {
			value++
		}
		if i := bytes.IndexAny(s.text[value:end], ",(\t0123456789"); i >= 0 {
			end = value + i
		}
		if i := bytes.Index(s.text[value:end], []byte("  ")); i >= 0 {
			end = value + i
		}
		name := strings.TrimSpace(string(s.text[value:end]))
		if strings.Count(name, " ") == 0 || !looksLikeName(name) || strings.ContainsAny(name, ".:") || isCaps([]byte(name[:2])) || s.known(all, value, end) {
			continue
		}
		all = append(all, individual{
			start: value, end: value + len(name), bond: byName, name: name, labelled: true, because: "individual:field",
			key: s.masker.PersonNameKey(nameKey(name), ""),
		})
	}
	return all
}

// namesPerson reports whether a label asks for the name of whom the document
// is about.
func namesPerson(label []byte) bool {
	if readLabel(label) != labelSubject {
		return false
	}
	for w := range strings.FieldsFuncSeq(strings.ToLower(string(label)), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if nameLabels[w] {
			return true
		}
	}
	return false
}

var nameLabels = wordSet(`namn name förnamn efternamn elev elevens barn barnets patient patientens brukare brukarens klient klientens
	medarbetare medarbetarens anställd anställdes sökande sökandes huvudman huvudmannens omsorgstagare vårdtagare arbetstagare ungdom`)

func (s *scene) known(all []individual, from, to int) bool {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].start < to && all[i].end > from && all[i].name != "" {
			return true
		}
	}
	return false
}

func inside(windows [][2]int, at int) bool {
	for _, w := range windows {
		if at >= w[0] && at < w[1] {
			return true
		}
	}
	return false
}

func (s *scene) numbered(f *Found) individual {
	ind := individual{start: f.Start, end: f.End, bond: byIdentifier, number: f, because: "individual:number"}
	ind.key = s.personKey(f)
	ind.labelled = s.label(f.Start) != labelOfficial
	return ind
}

// personKey returns Masker.PersonKey of an identifier; digits need no Raw.
func (s *scene) personKey(f *Found) string {
	if f.number == 0 {
		return s.masker.PersonKey(f.Identifier, f.Value(s.text))
	}
	var digits [20]byte
	return keyedSum(s.masker.person, f.Identifier.personKind(), f.appendNumber(digits[:0]))
}

// named weighs a name by what stands around it.
func (s *scene) named(n nameFound) individual {
	ind := individual{start: n.start, end: n.end, bond: byRole, name: string(s.text[n.start:n.end])}
	label := s.label(n.start)
	role := s.roleBefore(n.start)
	around := s.besides(n)
	switch {
	case bytes.ContainsAny(around, "0123456789") && identifies(around):
		ind.bond, ind.because = byIdentity, "individual:identity"
	case n.full && role:
		ind.bond, ind.because = byIdentity, "individual:role-and-name"
	case n.full:
		ind.bond, ind.because = byName, "individual:name"
	case role || label == labelSubject:
		ind.bond, ind.because = byName, "individual:first-name"
	default:
		ind.because = "individual:first-name-alone"
	}
	ind.labelled = label == labelSubject
	if ind.listed = s.headsLine(n); ind.listed && !n.full && ind.bond == byRole {
		ind.bond, ind.because = byName, "individual:first-name-in-list"
	}
	ind.official = !ind.labelled && (label == labelOfficial || s.officialNear(n, role))
	return ind
}

// reIdentityHere and reIdentityBehind are reIdentity at the beginning of a
// text, and behind its first byte.
var (
	reIdentityHere   = regexp.MustCompile(`\A(?:` + reIdentity.String() + `)`)
	reIdentityBehind = regexp.MustCompile(`\A(?s:.)(?:` + reIdentity.String() + `)`)
)

// identifies reports whether reIdentity matches. It is tried only where it may
// begin.
func identifies(text []byte) bool {
	for i, c := range text {
		joined := i > 0 && wordByte(text[i-1])
		switch {
		case c >= utf8.RuneSelf: // a boundary lies only behind a letter of ASCII
			if joined && (c == 0xC3 || c == 0xE2) && reIdentityBehind.Match(text[i-1:]) {
				return true
			}
		case (!joined || c == '|') && mayIdentify(text[i:]) && reIdentityHere.Match(text[i:]):
			return true
		}
	}
	return false
}

// mayIdentify spares reIdentity what no match of it begins like.
func mayIdentify(text []byte) bool {
	next := byte(0)
	if len(text) > 1 {
		next = text[1]
	}
	switch c := text[0]; c {
	case '|': // the class or birth year of "Mia Ek (08)"
		return bytes.HasPrefix(bytes.TrimLeft(text[1:min(len(text), 4)], " "), []byte("("))
	case 'f', 'F':
		return next >= utf8.RuneSelf || indexByte(". -dD12", next)
	case 'k', 'K':
		return next == 'l' || next == 'L'
	case 'l', 'L':
		return next >= utf8.RuneSelf || next == 'g' || next == 'G'
	case 'n', 'N':
		return next == 'a' || next == 'A' || asciiDigit(next)
	default:
		n := runLength(text, 0)
		if n == 0 || n == len(text) {
			return n == 8
		}
		behind := text[n]
		at := n + boolInt(behind == ' ')
		unit := at < len(text) && (text[at] >= utf8.RuneSelf || text[at]|0x20 == 'm') // år, månader
		return n == 8 || n == 6 && behind == '-' || n <= 2 && unit || n == 1 && hexDigit(behind)
	}
}

// headsLine reports whether a name begins a line of notes: at most a bullet,
// a time or a room before it, a colon, dash or class behind it.
func (s *scene) headsLine(n nameFound) bool {
	from, to := s.b.span(s.b.line(n.start))
	return to-from <= 220 && mayFollow(s.text[n.end:to]) && reFollow.Match(s.text[n.end:to]) && reLead.Match(s.text[from:n.start])
}

// mayFollow spares reFollow what begins as no match of it does, or holds none
// of its signs in time.
func mayFollow(text []byte) bool {
	if len(text) > 1 && text[0] == ',' && text[1] == ' ' {
		return true
	}
	rest := bytes.TrimPrefix(text, []byte(" "))
	if sign := text[:min(len(text), maxFollow)]; !bytes.ContainsAny(sign, ":(–") && !bytes.Contains(sign, []byte("- ")) {
		return false
	}
	return len(rest) > 0 && (rest[0] >= utf8.RuneSelf || bytes.IndexByte([]byte(" (f0123456789:-,"), rest[0]) >= 0)
}

// maxFollow is more than the longest match of reFollow, in bytes.
const maxFollow = 24

// nameKey writes a name so that "Olsson, Mia" and "Mia Olsson" are the same,
// and the genitive as the name.
func nameKey(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '.' })
	for i, w := range words {
		if len(w) > 4 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "as") && !strings.HasSuffix(w, "us") {
			words[i] = w[:len(w)-1]
		}
	}
	if len(words) > 2 {
		words = []string{words[0], words[len(words)-1]}
	}
	if len(words) == 2 && words[1] < words[0] {
		words[0], words[1] = words[1], words[0]
	}
	return strings.Join(words, " ")
}

// besides returns what stands directly beside a name, where a birth date or a
// class would. It is valid until the next call.
func (s *scene) besides(n nameFound) []byte {
	from, to := s.b.span(s.b.line(n.start))
	from, to = max(from, n.start-22), min(to, n.end+34)
	for i := n.end; i < to; i++ {
		if c := s.text[i]; (c == '.' && i+2 < to && s.text[i+1] == ' ' && !startsLower(s.text[i+2:]) && i-n.end > 3) || c == ';' {
			to = i
			break
		}
	}
	s.beside = append(append(append(s.beside[:0], s.text[from:n.start]...), " | "...), s.text[n.end:to]...)
	return s.beside
}

// initials appends people written as initials.
func (s *scene) initials(all []individual, from, to int) []individual {
	for i := from; i+3 < to; i++ {
		// The expressions are slow: they are tried where an initial stands.
		n := 1
		switch c := s.text[i]; {
		case c == 0xC3:
			n = 2
		case c < 'A' || c > 'Z':
			continue
		}
		if next := s.text[i+n]; next != '.' && next != ' ' || i > 0 && nameByte(s.text[i-1]) {
			continue
		}
		end := min(to, i+44)
		if m := reInitials.FindIndex(s.text[i:end]); m != nil {
			all = append(all, s.initialled(i, i+m[1], byIdentity, "individual:initials-identity"))
			i += m[1] - 1
		} else if m := reDotted.FindIndex(s.text[i:end]); m != nil {
			all = append(all, s.initialled(i, i+m[1], byName, "individual:initials"))
			i += m[1] - 1
		}
	}
	return all
}

func (s *scene) initialled(start, end int, b bond, because string) individual {
	text := strings.TrimSpace(string(s.text[start:end]))
	return individual{start: start, end: end, bond: b, key: s.masker.PersonNameKey(text, "initials"), because: because}
}

// roleBefore reports whether a role stands directly before: "eleven Nora".
func (s *scene) roleBefore(at int) bool {
	for _, c := range s.cuesBetween(at-24, at) {
		if c.group == CueRole && c.end <= at && at-c.end <= 3 {
			return true
		}
	}
	return false
}

// officialNear reports whether a name is that of somebody at work: a title
// beside it, a party behind it, a verb of speech after it, a mail address of
// theirs, or a place in a signature.
func (s *scene) officialNear(n nameFound, role bool) bool {
	if reParty.Match(s.text[n.end:min(len(s.text), n.end+8)]) {
		return true
	}
	line := s.b.line(n.start)
	from, to := s.b.span(line)
	for _, c := range s.cuesBetween(max(from, n.start-60), min(to, n.end+45)) {
		switch c.group {
		case CueOfficial:
			if c.end <= n.start && !s.anyNameBetween(c.end, n.start) || c.start >= n.end && c.start-n.end <= 40 && !role && s.appositive(n.end, c.start) {
				return true
			}
		case CueSpeech:
			if c.start >= n.end && c.start-n.end <= 12 {
				return true
			}
		}
	}
	return s.listOfOfficials(line, from, n.start) || s.signature(line, from, n)
}

// appositive reports whether a title after a name belongs to it: ", rektor",
// "(rektor)", " - rektor", a cell.
func (s *scene) appositive(from, to int) bool {
	between := bytes.TrimSpace(s.text[from:to])
	for _, verb := range []string{"som", "är", "blir", "ny", "vår", "vara"} {
		if bytes.HasPrefix(between, []byte(verb)) && len(between) < 16 {
			return true
		}
	}
	return len(between) == 0 || len(between) <= 2 && bytes.ContainsAny(between, ",(-–/|") || bytes.IndexByte(between, ',') == 0 && len(between) < 25 && bytes.IndexByte(between, '.') < 0
}

func (s *scene) anyNameBetween(from, to int) bool {
	return to-from > 40 || bytes.IndexByte(s.text[from:to], '.') >= 0 && to-from > 6 || bytes.IndexByte(s.text[from:to], ';') >= 0
}

// listOfOfficials reports whether the line, or one shortly above it without a
// blank between, begins with the name of an office: "Närvarande: …".
func (s *scene) listOfOfficials(line, from, at int) bool {
	for up := range 8 {
		if start, end := s.b.span(line); up == 0 && end-start > 45 && bytes.IndexByte(s.text[start:min(end, start+45)], ':') < 0 {
			return false // running text, not a name on its own line
		}
		start, end := s.b.span(line)
		head := s.text[start:min(end, start+45)]
		if len(bytes.TrimSpace(head)) == 0 {
			return false
		}
		if i := bytes.IndexByte(head, ':'); i > 0 {
			for _, c := range s.cuesBetween(start, start+i+1) {
				if c.group == CueOfficial && c.start-start < 4 {
					return true
				}
			}
			return false
		}
		if line--; line < 0 || start != from && end-start > 50 {
			return false
		}
	}
	return false
}

// signature reports whether a name signs a text: a greeting shortly before, or
// a title on the line below.
func (s *scene) signature(line, from int, n nameFound) bool {
	if n.start-from > 12 {
		return false
	}
	for _, c := range s.cuesBetween(n.start-50, n.start) {
		if c.group == CueOfficial && (strings.HasPrefix(c.text, "hälsning") || strings.HasPrefix(c.text, "mvh") || strings.HasPrefix(c.text, "med vänlig") || strings.HasPrefix(c.text, "vänlig") || strings.HasPrefix(c.text, "undertec") || strings.HasPrefix(c.text, "vid pennan")) {
			return true
		}
	}
	_, end := s.b.span(line)
	if len(bytes.TrimSpace(s.text[n.end:end])) > 0 {
		return false
	}
	below, belowEnd := s.b.span(line + 1)
	for _, c := range s.cuesBetween(below, min(belowEnd, below+30)) {
		if c.group == CueOfficial && c.start-below < 12 {
			return true
		}
	}
	return false
}

type labelKind int

const (
	noLabel labelKind = iota
	labelSubject
	labelOfficial
)

// label reads the label of the field in which a value stands: "Elev: …", the
// cell to the left, or the line above.
func (s *scene) label(at int) labelKind {
	line := s.b.line(at)
	from, _ := s.b.span(line)
	before := s.text[max(from, at-60):at]
	if i := bytes.LastIndexAny(before, ":\t"); i >= 0 && len(bytes.TrimSpace(before[i+1:])) <= 12 {
		start := bytes.LastIndexAny(before[:i], ":\t;.,") + 1
		if k := readLabel(before[start:i]); k != noLabel {
			return k
		}
	}
	if len(bytes.TrimSpace(s.text[from:at])) > 0 || line == 0 {
		return noLabel
	}
	above, end := s.b.span(line - 1)
	if end-above > 40 || bytes.ContainsAny(s.text[above:end], "0123456789.") || bytes.Count(bytes.TrimSpace(s.text[above:end]), []byte(" ")) > 2 {
		return noLabel
	}
	return readLabel(bytes.TrimRight(s.text[above:end], ": "))
}

func readLabel(raw []byte) labelKind {
	var buffer [128]byte
	rest, kind := appendLower(buffer[:0], raw), noLabel
	for words := 0; ; words++ {
		for len(rest) > 0 && indexByte(" /()-", rest[0]) {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return kind
		}
		n := bytes.IndexAny(rest, " /()-")
		if n < 0 {
			n = len(rest)
		}
		switch w := rest[:n]; {
		case words == 6:
			return noLabel
		case kind == labelOfficial:
		case officialLabels[string(w)]:
			kind = labelOfficial
		case subjectLabels[string(w)]:
			kind = labelSubject
		}
		rest = rest[n:]
	}
}

var subjectLabels = wordSet(`namn name patient's förnamn efternamn elev elevens elevnamn barn barnets barnet patient patientens patientnamn brukare brukarens
	klient klientens medarbetare medarbetarens anställd anställds anställdes sökande sökandes huvudman huvudmannens avser gäller
	angående ang rör beträffande personnummer pnr personnr födelsedatum omsorgstagare omsorgstagarens boende boendes kund person personen
	målsägande misstänkt misstänkta arbetstagare arbetstagarens kandidat kandidatens deltagare vårdtagare ungdom ungdomens pat
	dotter son medlem asylsökande hyresgäst drabbad utsatt registrerad enskild enskildes tilltalad avliden ärende ärendet subject re vb sv fwd
	enskilde intagen klagande vistelse vårdnadshavares berörd berörda skadad skadade dömd dömde skyddad`)

var officialLabels = wordSet(`handläggare handläggarens chef rektor ansvarig kontaktperson kontakt utredare upprättad upprättat av sekreterare ordförande
	justerare författare läkare sjuksköterska psykolog kurator signatur referens avsändare från from beslutsfattare rapportör projektledare
	arbetsgivare arbetsgivarens mentor klassföreståndare lärare socialsekreterare attest mottagare till to cc utfärdare närvarande
	undersköterska samordnare föredragande besökare leverantör kundansvarig säljare telefon tolk ombud revisor ledamöter ersättare
	ledare tränare kursledare instruktör chaufför förare vikarie föreläsare bokad bokare gruppledare cirkelledare
	granskad godkänd skapad ändrad senast fotograf foto text organisation förvaltare företrädare`)

// tie gives names the numbers that stand beside them, so that one person is
// counted once.
func (s *scene) tie(all []individual) {
	for i := range all {
		ind := &all[i]
		if ind.number == nil {
			continue
		}
		if r := s.b.row(ind.start); r != nil {
			s.tieRow(all, ind, r)
			continue
		}
		for _, j := range []int{i - 1, i + 1} {
			if j < 0 || j >= len(all) || all[j].name == "" {
				continue
			}
			gap := max(all[j].start-ind.end, ind.start-all[j].end)
			if gap <= 60 && !bytes.Contains(s.text[min(all[j].end, ind.end):max(all[j].start, ind.start)], []byte(". ")) {
				join(&all[j], ind)
				break
			}
		}
	}
}

func (s *scene) tieRow(all []individual, number *individual, r *row) {
	names := 0
	var last *individual
	first, _ := slices.BinarySearchFunc(all, r.start, func(p individual, at int) int { return p.start - at })
	for j := first; j < len(all) && all[j].start < r.end; j++ {
		if all[j].name != "" && all[j].end <= r.end {
			names++
			if last == nil || all[j].bond > last.bond {
				last = &all[j]
			}
		}
	}
	if last != nil && names <= 2 {
		join(last, number)
	}
}

func join(name, number *individual) {
	name.key, name.bond, name.number, name.official = number.key, byIdentifier, number.number, false
	name.because, name.labelled = "individual:name-and-number", true
}
