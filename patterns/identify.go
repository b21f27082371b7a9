package patterns

import "bytes"

// Found is an identifier or secret with a confidence and the reasons for it.
type Found struct {
	Hit
	// Confidence is 0 when it does not count: shape alone, or something else
	// by its context.
	Confidence Confidence
	Test       bool     // an official or customary test number
	Because    []string // codes: "checksum", "keyword:person", "context:payment", "timestamp"
	quiet      bool     // nobody asks why
}

// Identify weighs the identifiers and secrets among hits by how they are
// written and by the words near them. header are the context hits of what
// stands above or before the text and rules all of it, such as the head of a
// column; may be nil. Where candidates overlap, the most certain stays.
//
// hits come from scanning text, sorted by Start. The result is sorted too.
func (e *Engine) Identify(text []byte, hits, header []Hit) []Found {
	w := weigher{text: text}
	return w.identify(nil, hits, header)
}

// identify appends what Identify returns to found, which is empty.
func (w *weigher) identify(found []Found, hits, header []Hit) []Found {
	for _, h := range hits {
		if h.Kind == ContextHit {
			w.contexts = append(w.contexts, h)
		}
	}
	for _, h := range header {
		if h.Kind == ContextHit {
			w.header |= 1 << h.Context
		}
	}
	for _, h := range hits {
		if h.Kind != IdentifierHit && h.Kind != SecretHit {
			continue
		}
		found = settle(found, w.weigh(h))
	}
	return found
}

// settle appends f unless something more certain overlaps it; what is less
// certain gives way.
func settle(found []Found, f Found) []Found {
	for len(found) > 0 {
		last := &found[len(found)-1]
		if last.End <= f.Start {
			break
		}
		if !beats(f, *last) {
			return found
		}
		found = found[:len(found)-1]
	}
	return append(found, f)
}

func beats(a, b Found) bool {
	if a.Confidence != b.Confidence {
		return a.Confidence > b.Confidence
	}
	if la, lb := a.End-a.Start, b.End-b.Start; la != lb {
		return la > lb
	}
	return a.Shape.Has(ShapeChecked) && !b.Shape.Has(ShapeChecked)
}

// How far a context word reaches, in bytes.
const (
	reachBefore = 120 // from the word's end to the identifier
	reachClose  = 40  // directly before
	reachAfter  = 40  // a word behind the identifier
)

// weigher weighs hits of one text.
type weigher struct {
	text     []byte
	contexts []Hit
	header   uint32 // set of Context
	quiet    bool   // nobody asks why
	next     int    // first context that may still be near
}

// surroundings are the contexts around a hit.
type surroundings struct {
	near    uint32  // set of Context within reach
	close   uint32  // directly before, on the same line or row
	nearest Context // the last one before, on the same line; header if none
}

func (s surroundings) has(c Context) bool   { return s.near&(1<<c) != 0 }
func (s surroundings) right(c Context) bool { return s.close&(1<<c) != 0 }

// around gathers the contexts around h; hits come in order.
func (w *weigher) around(h Hit) surroundings {
	s := surroundings{near: w.header, close: w.header, nearest: singleContext(w.header)}
	for w.next < len(w.contexts) && w.contexts[w.next].End+reachBefore < h.Start {
		w.next++
	}
	for _, c := range w.contexts[w.next:] {
		if c.Start >= h.End+reachAfter {
			break
		}
		switch {
		case c.End <= h.Start:
			s.near |= 1 << c.Context
			between := w.text[c.End:h.Start]
			if len(between) <= reachClose && bytes.IndexByte(between, '\n') < 0 {
				s.close |= 1 << c.Context
				if c.Context != ContextIndividual || s.nearest == NoContext {
					s.nearest = c.Context
				}
			}
		case c.Start >= h.End:
			if bytes.IndexByte(w.text[h.End:c.Start], '\n') < 0 {
				s.near |= 1 << c.Context
			}
		}
	}
	return s
}

// singleContext returns the one member of a set, or NoContext.
func singleContext(set uint32) Context {
	for c := NoContext + 1; c < contextCount; c++ {
		if set == 1<<c {
			return c
		}
	}
	return NoContext
}

// weigh decides the confidence of one hit.
func (w *weigher) weigh(h Hit) Found {
	f := Found{Hit: h, Test: h.Shape.Has(ShapeTest), quiet: w.quiet}
	if h.Shape.Has(ShapeChecked) {
		f.because("checksum")
	}
	near := w.around(h)
	switch h.Identifier {
	case Personnummer, Samordningsnummer, Interimsnummer:
		f.person(near)
	case Reservnummer:
		f.reserve(near)
	case Losenord, Token, PrivatNyckel, Anslutningsstrang:
		if sampleSecret(h.Identifier, w.text[h.Start:h.End]) {
			f.set(0, "plain-word")
			break
		}
		f.secret()
	default:
		f.other(near)
	}
	return f
}

func (f *Found) because(code string) {
	if !f.quiet {
		f.Because = append(f.Because, code)
	}
}

func (f *Found) set(c Confidence, code string) {
	f.Confidence = c
	f.because(code)
}

// setBy is set for a code that names a context.
func (f *Found) setBy(c Confidence, code string, by Context) {
	f.Confidence = c
	if !f.quiet {
		f.because(code + by.String())
	}
}

// person weighs personnummer and samordningsnummer by the chance that a
// random number of the same shape passes: ten digits 0.37 %, twelve digits
// that begin 20YY 9 %, a mobile number 5–9 %, a timestamp 10 %.
func (f *Found) person(near surroundings) {
	s := f.Shape
	keyword := near.has(ContextPerson) || near.right(ContextLicence)
	individual := near.has(ContextIndividual)
	switch {
	case s.Has(ShapePadded):
		f.set(0, "keyword-missing")
		return
	case f.Identifier == Interimsnummer && near.right(ContextReserve):
		f.set(Low, "keyword:reserve")
		return
	case s.Has(ShapeDashed):
		f.set(Medium, "separator")
	case s.Has(ShapeBare|ShapeTwelve) && !s.Has(ShapeRecent):
		f.set(Medium, "century")
	default:
		f.set(Low, "bare")
	}
	if near.right(ContextPerson) || keyword && f.Confidence >= Medium {
		f.set(High, "keyword:person")
		return
	}
	if keyword {
		f.set(Medium, "keyword:person")
		return
	}
	if f.elsewhere(near) {
		return
	}
	if individual {
		f.set(min(f.Confidence+1, High), "keyword:individual")
	}
}

// elsewhere lowers a personnummer that is rather something else, and reports
// whether it did.
func (f *Found) elsewhere(near surroundings) bool {
	s := f.Shape
	bare := s.Has(ShapeBare)
	switch {
	case s.Has(ShapePhone):
		f.set(0, "phone-prefix")
	case bare && s.Has(ShapeTimestamp) && (s.Has(ShapeRecent) || near.has(ContextLog)):
		f.set(0, "timestamp")
		if near.right(ContextIndividual) {
			f.set(Low, "keyword:individual")
		}
	case near.nearest == ContextLog && s.Has(ShapeTwelve) && !s.Has(ShapeRecent):
		return false // logs are of this century
	case otherNumber(near.nearest) && bare:
		f.setBy(0, "context:", near.nearest)
	case otherNumber(near.nearest) && !s.Has(ShapeDashed):
		f.setBy(Low, "context:", near.nearest)
	case bare && s.Has(ShapeUnderscore) && !s.Has(ShapeTwelve):
		f.set(0, "part-of-a-word")
	default:
		return false
	}
	return true
}

// otherNumber knows the contexts that name a number of another kind.
func otherNumber(c Context) bool {
	switch c {
	case ContextPayment, ContextPhone, ContextOrganisation, ContextBankgiro, ContextPlusgiro, ContextCard, ContextProduct, ContextCase, ContextLog:
		return true
	}
	return false
}

func (f *Found) reserve(near surroundings) {
	switch {
	case near.has(ContextReserve):
		f.set(High, "keyword:reserve")
	case near.has(ContextPerson):
		f.set(High, "keyword:person")
	case !f.Shape.Has(ShapeKeyword) && near.has(ContextIndividual):
		f.set(High, "keyword:individual")
	case !f.Shape.Has(ShapeKeyword):
		f.set(Medium, "shape")
	case near.right(ContextIndividual) && f.Shape.Has(ShapeChecked):
		f.set(Low, "keyword:individual")
	default:
		f.set(0, "keyword-missing")
	}
}

func (f *Found) secret() {
	switch {
	case f.Shape.Has(ShapeComplete):
		f.set(High, "form")
	case f.Shape.Has(ShapeGuess):
		f.set(Low, "plain-word")
	default:
		f.set(Medium, "form")
	}
}

// other weighs all the rest: a keyword raises, and is needed by shapes that
// other numbers share.
func (f *Found) other(near surroundings) {
	rule := weights[f.Identifier]
	keyword := NoContext
	for _, c := range rule.keywords {
		if f.Identifier == LMA && f.Shape.Has(ShapeBare) && near.nearest != c {
			break // eight digits may be anything
		}
		if near.right(c) || rule.far && near.has(c) {
			keyword = c
			break
		}
	}
	switch {
	case keyword != NoContext:
		f.setBy(rule.with, "keyword:", keyword)
	case f.Shape.Has(ShapeMobile | ShapeBare):
		f.set(Low, "phone-prefix")
	case f.Shape.Has(ShapeKeyword):
		f.set(rule.weak, "keyword-missing")
	default:
		f.set(rule.without, "shape")
	}
}

// weight says how confident an identifier is with a keyword, without one, and
// without one when its shape needs it.
type weight struct {
	keywords            []Context
	far                 bool // a keyword anywhere near will do
	with, without, weak Confidence
}

var weights = [identifierCount]weight{
	Organisationsnummer:  {[]Context{ContextOrganisation}, true, High, Medium, 0},
	Momsnummer:           {[]Context{ContextOrganisation}, true, High, High, 0},
	Bankkonto:            {[]Context{ContextAccount}, false, High, Low, 0},
	Bankgiro:             {[]Context{ContextBankgiro}, false, High, 0, 0},
	Plusgiro:             {[]Context{ContextPlusgiro}, false, High, 0, 0},
	IBAN:                 {[]Context{ContextAccount}, true, High, High, High},
	Betalkort:            {[]Context{ContextCard}, true, High, Medium, 0},
	Pass:                 {[]Context{ContextPassport}, false, High, 0, 0},
	Korkort:              {[]Context{ContextLicence}, false, High, 0, 0},
	Registreringsnummer:  {[]Context{ContextVehicle}, false, High, 0, 0},
	Telefon:              {[]Context{ContextPhone}, false, High, Medium, 0},
	Epost:                {nil, false, High, High, High},
	Postadress:           {[]Context{ContextAddress}, false, High, Medium, Low},
	Fastighetsbeteckning: {[]Context{ContextProperty}, true, High, Medium, 0},
	Koordinat:            {nil, false, Medium, Medium, Medium},
	Diarienummer:         {[]Context{ContextCase}, false, High, Medium, 0},
	LMA:                  {[]Context{ContextMigration}, true, High, 0, 0},
	IP:                   {nil, false, High, High, 0},
	MAC:                  {nil, false, High, High, High},
	ICD10:                {[]Context{ContextDiagnosis}, false, High, Medium, 0},
	ATC:                  {nil, false, Medium, Medium, Medium},
	KVA:                  {[]Context{ContextMeasure}, false, Medium, 0, 0},
	Fodselsnummer:        {[]Context{ContextNorwegian, ContextPerson}, true, High, Medium, Low},
	CPR:                  {[]Context{ContextDanish}, true, High, 0, 0}, // no check digit
	HETU:                 {[]Context{ContextFinnish, ContextPerson}, true, High, Medium, Low},
	HSAID:                {nil, false, High, High, High},
}
