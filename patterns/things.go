package patterns

import (
	"bytes"
	"regexp"
	"strings"
)

// thingTally weighs categories that are about a facility, a system or a
// business: words that stand close, and facts concrete enough to misuse.
type thingTally struct {
	zone     [len(slots)]float64 // best sum of distinct words within zoneBytes
	concrete [len(slots)]float64 // facts in that zone
	terms    [len(slots)][]string
	place    [len(slots)]string
	codes    int  // codes of doors and alarms in tables
	told     int  // and in the zone of running text
	secrets  int  // credentials found
	stamped  bool // a line says that OSL 18:8 or 18:13 applies to the document
	stampAt  string
}

// zoneBytes is how far apart words about one thing may stand.
const zoneBytes = 4000

var (
	reCode     = regexp.MustCompile(`(?i)(?:^|\P{L})(?:kod|koden|\p{L}{3,12}kod(?:en)?|pin|nyckelskåp\p{L}*|nyckelbox\p{L}*|kodlås\p{L}*|kombinationen)(?:$|[^\d\n.\p{L}])[^\d\n.]{0,18}?[:=]?\s*#?\*?[A-D]?\d{4,6}#?\b|(?:^|\P{L})(?:slå|slår|knappa|tryck|öppnas|larma|larmar|öppna|stänga|låses? upp)[^\d\n.\p{L}][^\d\n.]{0,18}\b\d{4,6}#?(?:[^\d:.-]|\.\s|\.?$)|\b[A-D] ?\d{4}\b(?: \(by|$)`)
	reAsset    = regexp.MustCompile(`\b(?:[A-ZÅÄÖ]{1,4}[- ]?\d{1,4}[A-Z]?|VLAN ?\d+|DN ?\d{2,4}|\d+ ?kVA?|\d+ ?m³)\b`)
	reWeak     = regexp.MustCompile(`(?i)\bräcker (?:bara |i |cirka |ca )*\d+ (?:tim|min|dyg)|\b\d+ (?:tim|min)\w* utan el|startade inte|ur funktion|\bsakna(?:r|s|de)?\b|loggar inte|fabrikslösen|håller (?:bara )?\p{L}+ (?:minuter|timmar)|går i lås först|samma UPS|slås? .{0,12}\but\b|\benda\b|oskydd|olåst|upplåst|trasig|går att (?:\p{L}+ )?(?:trycka|lyfta|öppna|klättra|ta sig|komma|bända|kopiera|störa|slå|manipulera|gissa|avlyssna)|\bkan (?:\p{L}+ )?(?:lyftas|öppnas|kopieras|störas|forceras|brytas|tryckas|bändas|kringgås|manipuleras|avlyssnas|ta sig in)|utan att (?:passera|synas|någon|larm)|\bta(?:r)? sig in\b|reagerar inte|(?:spelar|filmar|täcker|ser|larmar) inte|inget (?:lösen|larm|skydd|lås)|utan (?:MFA|larm|lås|kamera|kryptering|lösen)|okrypt|opatchad|ouppdaterad|\bany[- ;]any\b|attrapp|död(?:a)? vink|mörk\b|ställs upp|står öppen|på drift\b|klonbar|inställelsetid|larmet når|sabotage|sårbar|svaghet|\bbrist(?:er)?\b|\bglömd\b|borde stängas|samma (?:nyckel|kod|lås)|\bEOL\b|standardlösen`)
	reAmount   = regexp.MustCompile(`(?i)\d[\d  .]*(?:,\d+)? ?(?:kr|sek|tkr|mnkr|mkr|mn|miljon(?:er)?|kronor|:-)(?:\W|$)`)
	reCompany  = regexp.MustCompile(`\p{Lu}[\p{L}&]+(?: \p{Lu}?[\p{L}&]+){0,3} (?:AB|HB|KB|Aktiebolag|Ltd|GmbH)\b|\b(?:AB|Firma|Anbud) \p{Lu}[\p{L}&]+|\b(?:[Aa]nbudsgivare|[Ll]everantör|[Bb]olag|[Ff]öretag) [A-ZÅÄÖ]\b`)
	reSums     = regexp.MustCompile(`\t\d{1,3}(?:[  .]\d{3})+\b`) // of money, in cells
	rePoints   = regexp.MustCompile(`(?i)\b\d{1,3}(?:,\d+)? ?(?:p|poäng)\b|\b\d,\d\b`)
	rePending  = regexp.MustCompile(`(?i)\b(?:utkast|arbetsmaterial|ej beslutad|ännu inte|inte beslutad|före tilldelning|innan tilldelning|inför tilldelning|inför förhandling|får (?:inte|ej) (?:spridas|lämnas ut|röjas)|anbudssekretess|absolut sekretess|sekretess (?:enligt|tills?|t\.? ?o\.? ?m)|omfattas av sekretess|konfidentiell\w*|strikt internt|internt arbetsmaterial|sekretessbelag\w*|19 ?kap\.? ?3|19:3|31:16|max(?:imalt)? bud|smärtgräns|endast (?:för )?\p{L}*gruppen|visa inte|gå (?:ned|ner|upp) till|inte lägre|inte högre|ej offentlig\w*|(?:strikt|omfattas av|full|!) ?sekretess|inget är offentligt|är hemliga (?:tills|fram)|inte berätta|radera (?:gärna|detta|mejlet)|sprid (?:inte|ej)|ta inte med|stanna(?:r)? mellan oss|bara (?:för )?(?:oss|dig)|innan (?:vi )?(?:fattat )?(?:tilldelning|beslut)|före (?:tilldelning|beslut)|förrän (?:tilldelning|beslut)|under anbudstiden|affärshemlighet|begär sekretess|31 ?kap)`)
	rePublish  = regexp.MustCompile(`(?i)\b(?:avtal(?:et)? (?:har )?tecknats|beslutar att (?:teckna|anta|tilldela)|beslutat? (?:att )?anta\b|avtalsspärr(?:en)? (?:har )?löpt ut|beslutet är offentligt|handlingarna är offentliga|har tilldelats|tilldelningsbeslut(?:et)? (?:har )?(?:meddelats|publicerats)|upphandlingen är avslutad|annonseras|annonserades|välkommen att lämna|anbud ska|anbudet ska|anbudsgivaren ska|anbudsgivare ska|leverantören ska)`)
	reLegal188 = regexp.MustCompile(`(?i)\b18 ?(?:kap\.?|:) ?(?:8|13|9)\b|\b(?:OSL|offentlighets)[^.\n]{0,30}18[: ]`)
	reStamp    = regexp.MustCompile(`(?i)^\W*(?:bilaga \w+\W+)?(?:handlingen |dokumentet )?(?:omfattas av |innehåller )?(?:sekretess\w*|skyddsvärd\w*|får ej spridas|får inte spridas|ej för spridning|internt sekretessbelagd)`)
)

// What spares the expressions most lines.
var (
	gateCode    = codeGate()
	gateAsset   = &gate{re: reAsset, may: mayAsset}
	gateWeak    = newGate(reWeak)
	gateAmount  = newGate(reAmount)
	gateCompany = newGate(reCompany, " ab", " hb", " kb", " aktiebolag", " ltd", " gmbh", "ab ", "firma ", "anbud ", "anbudsgivare ", "leverantör ", "bolag ", "företag ")
	gateSums    = &gate{re: reSums, may: func(text []byte) bool { return bytes.IndexByte(text, '\t') >= 0 }}
	gatePoints  = newGate(rePoints)
	gatePending = newGate(rePending)
	gatePublish = newGate(rePublish)
)

// codeGate opens for digits at the end of a text, too: there reCode wants no
// word.
func codeGate() *gate {
	g := newGate(reCode, "kod", "pin", "nyckelskåp", "nyckelbox", "kombinationen", "slå", "knappa", "tryck", "öppnas", "larma", "öppna", "stänga", "lås", " (by")
	g.may = func(text []byte) bool { return len(text) > 0 && asciiDigit(text[len(text)-1]) }
	return g
}

// mayAsset reports whether reAsset may match: digits stand behind a capital
// letter or before a unit.
func mayAsset(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if !asciiDigit(text[i]) {
			continue
		}
		before := text[:i]
		if i > 0 && (text[i-1] == ' ' || text[i-1] == '-') {
			before = text[:i-1]
		}
		if n := len(before); n > 0 && (before[n-1] >= 'A' && before[n-1] <= 'Z' || n > 1 && before[n-2] == 0xC3) {
			return true
		}
		i += runLength(text, i)
		if i < len(text) && text[i] == ' ' {
			i++
		}
		if i < len(text) && (text[i] == 'k' || text[i] == 'm') {
			return true
		}
		i--
	}
	return false
}

// read weighs the things of a scene.
func (t *thingTally) read(r *reader, s *scene) {
	t.stamps(s)
	for _, m := range s.terms {
		if mean := &r.set.terms[m.term]; mean.regexp && m.weight == 3 && slots[m.slot] == Secrets {
			t.secrets++ // the expression holds the secret
		}
	}
	t.passwords(r, s)
	t.passwordTables(s)
	for _, c := range []Category{Security, Procurement, NationalSecurity, Secrets} {
		slot, _ := slotOf(c)
		t.zones(r, s, slot, c)
	}
}

// zones finds the stretch with the heaviest words of a category.
func (t *thingTally) zones(r *reader, s *scene, slot int, c Category) {
	var marks []termMark
	for _, m := range s.terms {
		if m.slot == slot {
			marks = append(marks, m)
		}
	}
	count := map[TermID]int{}
	sum, first := 0.0, 0
	best, from, to := 0.0, 0, 0
	for _, m := range marks {
		for marks[first].start < m.start-zoneBytes {
			o := marks[first]
			if count[o.term]--; count[o.term] == 0 {
				sum -= termWeight[o.weight]
			}
			first++
		}
		if count[m.term]++; count[m.term] == 1 {
			sum += termWeight[m.weight]
		}
		if sum > best {
			best, from, to = sum, marks[first].start, m.end
		}
	}
	if best <= 0 {
		return
	}
	concrete := s.concrete(c, max(0, from-400), min(len(s.text), to+1200))
	if best+concrete <= t.zone[slot]+t.concrete[slot] {
		return
	}
	t.zone[slot], t.concrete[slot], t.place[slot] = best, concrete, s.place(from)
	if c == Security {
		zone := s.text[max(0, from-400):min(len(s.text), to+1200)]
		t.told = codesIn(zone)
	}
	var all sums
	all.reset()
	for _, m := range marks {
		if m.start >= from && m.end <= to {
			all.add(m, 1)
		}
	}
	t.terms[slot] = r.words(all.terms[slot])
}

// concrete counts facts in a stretch that somebody could misuse.
func (s *scene) concrete(c Category, from, to int) float64 {
	text := s.text[from:to]
	facts := 0.0
	count := func(g *gate, each, most float64) { facts += min(float64(g.count(text, 10))*each, most) }
	switch c {
	case Security, NationalSecurity:
		facts += min(2*float64(codesIn(text)), 4)
		count(gateAsset, 0.35, 2.1)
		count(gateWeak, 0.6, 2.4)
		seen := map[string]bool{}
		for i := range s.found {
			f := &s.found[i]
			if f.Start < from || f.End > to {
				continue
			}
			switch f.Identifier {
			case IP, MAC:
				seen[string(s.text[f.Start:f.End])] = true
			case Koordinat:
				facts++
			case Losenord, Token, PrivatNyckel, Anslutningsstrang:
				facts++
			}
		}
		facts += min(float64(len(seen))*0.6, 3)
	case Procurement:
		count(gateAmount, 0.4, 2)
		count(gateSums, 0.4, 2)
		count(gateCompany, 0.6, 2.4)
		count(gatePoints, 0.3, 1.2)
		if facts < 0.5 {
			return facts // words alone: a policy, a law
		}
		if gatePending.count(text, 1) > 0 {
			facts += 2
		}
		if gatePublish.count(text, 1) > 0 {
			facts -= 2.5
		}
	}
	return facts
}

// codesIn counts codes of doors, alarms and cabinets in running text; years
// and public numbers are none.
func codesIn(text []byte) int {
	if !gateCode.open(text) {
		return 0
	}
	n := 0
	for _, m := range reCode.FindAll(text, 10) {
		digits := bytes.TrimFunc(m[bytes.IndexAny(m, "0123456789"):], func(r rune) bool { return r < '0' || r > '9' })
		year := len(digits) == 4 && (digits[0] == '2' && digits[1] == '0' || digits[0] == '1' && digits[1] == '9')
		if !year && string(digits) != "1177" && !reAdvice.Match(m) {
			n++
		}
	}
	return n
}

// stamps finds lines that put the document under secrecy: those where a word
// of Security names OSL 18 kap. and the line is no running sentence.
func (t *thingTally) stamps(s *scene) {
	for _, m := range s.terms {
		if slots[m.slot] != Security {
			continue
		}
		from, to := s.b.span(s.b.line(m.start))
		if to-from < 8 || to-from > 140 {
			continue
		}
		line := s.text[from:to]
		if bytes.Count(line, []byte(" ")) < 16 && reLegal188.Match(line) && reStamp.Match(line) {
			t.stamped, t.stampAt = true, s.place(from)
		}
	}
}

// markingReader finds the markings of säkerhetsskydd: säkerhetsskyddslagen
// 2:5 names four classes, and a document of one bears it as a stamp, on a
// line of its own or in its header.
type markingReader struct {
	classes map[string]bool
	stamps  int // lines that are nothing but a marking
	looked  int // lines looked at
	place   string
	support bool // words of säkerhetsskydd besides
}

// maxMarkingLines bounds the lines that are looked at: a document that bears
// a marking bears it early, or on every page.
const maxMarkingLines = 2000

var (
	reClass      = regexp.MustCompile(`(?i)\b(kvalificerat hemlig|begränsat hemlig|konfidentiell|hemlig)t?\b`)
	reMarkLine   = regexp.MustCompile(`(?i)^[\W\d]*(?:säkerhetsskydds(?:klass(?:ificering|ificerad)?(?: ?uppgift(?:er)?)?|klassificerade? (?:handling|uppgift(?:er)?))|informationsklass|klassificering|sekretessklass|säkerhetsklass|klass|märkning)?[\W]*(?:i (?:säkerhetsskydds)?klassen?)?[\W]*(kvalificerat hemlig|begränsat hemlig|konfidentiell|hemlig)[\W\d]*(?:\(?(?:enligt|enl\.?|jml|jämlikt)?[\W]*(?:säkerhetsskydd\w*|offentlighets\w*|osl|15 ?kap\.?|2 ?kap\.?|\d{1,2} ?(?:kap\.?|§|:)|och|sekretesslagen|sekretess|\(?20\d\d:\d+\)?|bilaga|ex\.?(?:emplar)?|sida|av|nr|dnr|utgåva|kommun\w*)?[\W\d]*){0,14}$`)
	reStampBegin = regexp.MustCompile(`^(?:KVALIFICERAT HEMLIG|BEGRÄNSAT HEMLIG|HEMLIG|KONFIDENTIELL) ?[(,/–-]`)
	reCaps       = regexp.MustCompile(`\b(?:KVALIFICERAT HEMLIG|BEGRÄNSAT HEMLIG|HEMLIG|KONFIDENTIELL)\b`)
)

func (m *markingReader) read(r *reader, s *scene) {
	for _, t := range s.terms {
		if slots[t.slot] != NationalSecurity {
			continue
		}
		word := strings.ToLower(r.set.terms[t.term].text)
		if !strings.Contains(word, "hemlig") && !strings.Contains(word, "konfid") {
			m.support = m.support || t.weight >= 2
			continue
		}
		from, to := s.b.span(s.b.line(t.start))
		if to-from >= 6 && to-from <= 160 && m.looked < maxMarkingLines {
			m.looked++
			m.line(s, from, bytes.TrimSpace(s.text[from:to]))
		}
	}
}

// line reads a line that names a class.
func (m *markingReader) line(s *scene, from int, line []byte) {
	kind := s.b.part(from).kind
	if kind == kindCode || !reClass.Match(line) {
		return
	}
	class := strings.ToLower(string(reClass.Find(line)))
	caps := reCaps.Match(line)
	apart := kind == kindHeader || kind == kindFooter || kind == kindHeading
	stamp := reMarkLine.Match(line) && (caps || len(line) > len(class)+6 || apart || len(line) <= len(class)+4)
	if !stamp && caps && len(line) < 60 && (apart || bytes.Count(line, []byte(" ")) < 6) {
		stamp = !endsSentence(line)
	}
	if !stamp && reStampBegin.Match(line) {
		stamp = true // "HEMLIG (utkast 2, …)"
	}
	if !stamp {
		return
	}
	if m.classes == nil {
		m.classes = map[string]bool{}
	}
	m.classes[class] = true
	m.stamps++
	if m.place == "" {
		m.place = s.place(from)
	}
}

func endsSentence(line []byte) bool { return len(line) > 0 && line[len(line)-1] == '.' }

// found reports whether the document bears a marking. All four classes on
// lines of their own explain the classes; "konfidentiell" alone is also what
// businesses write.
func (m *markingReader) found() bool {
	if m.stamps == 0 || len(m.classes) >= 3 {
		return false
	}
	if len(m.classes) == 1 && m.classes["konfidentiell"] {
		return m.support
	}
	return true
}

var (
	rePassword = regexp.MustCompile(`[\p{L}\d][\p{L}\d!#$%&*?_+=-]{5,39}`)
	reAdvice   = regexp.MustCompile(`(?i)\b(?:t\.? ?ex|exempel\w*|typ|undvik\w*|aldrig|regler|krav|minst|policy|byt (?:det|genast)|svag\w*|starkt?)\b`)
	reNoSecret = regexp.MustCompile(`(?i)^(?:office|windows|microsoft|agenda|vision|covid|bilaga|sida|tabell|figur|klass|grupp|version|iphone|galaxy|server|excel|word|rum|plan|hus|kap|mål|enhet|steg|del|skift|vecka|v)[-_ ]?\d|^\d+[-.:]?\p{L}{1,4}\d*$|^\p{Lu}+[-_]?\d+$|\d{4}-\d{2}`)
)

// passwords counts what looks like a password beside a word of access, as
// people write them to each other.
func (t *thingTally) passwords(r *reader, s *scene) {
	done := 0
	for _, m := range s.terms {
		if slots[m.slot] != Secrets || m.start < done || s.b.part(m.start).kind == kindCode {
			continue
		}
		from, to := max(0, m.start-50), min(len(s.text), m.end+110)
		near := s.text[from:to]
		if reAdvice.Match(near) {
			continue
		}
		for _, at := range rePassword.FindAllIndex(near, 12) {
			if at[0] > 0 && bytes.IndexByte([]byte("@/.:\\"), near[at[0]-1]) >= 0 && (near[at[0]-1] != ':' || at[0] > 1 && near[at[0]-2] == '/') || at[1]+1 < len(near) && bytes.IndexByte([]byte("@/.\\"), near[at[1]]) >= 0 && near[at[1]+1] > ' ' {
				continue
			}
			if likePassword(near[at[0]:at[1]]) {
				t.secrets++
				if slot, ok := slotOf(Secrets); ok && t.place[slot] == "" {
					t.place[slot] = s.place(m.start)
				}
				done = to
				break
			}
		}
	}
}

// likePassword reports whether a word mixes letters, digits and signs as
// passwords do and names do not.
func likePassword(word []byte) bool {
	var lower, upper, digit, sign int
	for i, c := range word {
		switch {
		case c >= '0' && c <= '9':
			digit++
		case c >= 'A' && c <= 'Z':
			upper++
		case c >= 'a' && c <= 'z' || c >= 0x80:
			lower++
		case c != '-' || i == len(word)-1:
			sign++
		}
	}
	if digit == 0 || lower == 0 || upper == 0 && sign == 0 || reNoSecret.Match(word) {
		return false
	}
	return len(word) >= 8 || sign > 0 && len(word) >= 6
}
