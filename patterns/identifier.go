package patterns

// Identifier is a type of identifier or secret that the engine recognises by
// its shape and check digits.
type Identifier uint8

// The identifiers and secrets. Their names, given by String, are what the
// policy, the reports and the customer's own patterns speak of.
const (
	NoIdentifier        Identifier = iota
	Personnummer                   // personnummer, 10 or 12 digits; FBL (1991:481) 18 §
	Samordningsnummer              // day + 60, month may be 00; lag (2022:1697)
	Interimsnummer                 // a letter instead of the first digit of the birth number
	Reservnummer                   // health care's number for the unidentified, by region
	Organisationsnummer            // juridical persons; third digit 2 or more
	Momsnummer                     // VAT: SE, ten digits, 01
	Bankkonto                      // clearing number and account, Bankgirot's table
	Bankgiro
	Plusgiro
	IBAN
	Betalkort            // payment card
	Pass                 // passport and national identity card
	Korkort              // driving licence: its reference number
	Registreringsnummer  // vehicle plate
	Telefon              // telephone number
	Epost                // e-mail address
	Postadress           // street, number, postcode, town
	Fastighetsbeteckning // real property: municipality, trakt, block:unit
	Koordinat            // SWEREF 99 TM, RT 90 or WGS 84 pair
	Diarienummer         // registry number of a case
	LMA                  // Migrationsverket's file number
	IP
	MAC
	ICD10 // diagnosis code, ICD-10-SE
	ATC   // substance code
	KVA   // code of a measure in health care, KVÅ
	Fodselsnummer
	CPR
	HETU
	HSAID

	Losenord
	PrivatNyckel
	Token
	Anslutningsstrang

	identifierCount
)

var identifierNames = [identifierCount]string{
	"", "personnummer", "samordningsnummer", "interimsnummer", "reservnummer",
	"organisationsnummer", "momsnummer", "bankkonto", "bankgiro", "plusgiro", "iban",
	"betalkort", "pass", "korkort", "registreringsnummer", "telefon", "epost",
	"postadress", "fastighetsbeteckning", "koordinat", "diarienummer", "lma", "ip",
	"mac", "icd10", "atc", "kva", "fodselsnummer", "cpr", "hetu", "hsa-id",
	"losenord", "privat-nyckel", "token", "anslutningsstrang",
}

// String returns the name, "personnummer"; "" for NoIdentifier.
func (i Identifier) String() string {
	if i < identifierCount {
		return identifierNames[i]
	}
	return ""
}

// IdentifierNamed returns the identifier with the given name.
func IdentifierNamed(name string) (Identifier, bool) {
	for i := NoIdentifier + 1; i < identifierCount; i++ {
		if identifierNames[i] == name {
			return i, true
		}
	}
	return NoIdentifier, false
}

// Secret reports whether it is a credential rather than an identifier.
func (i Identifier) Secret() bool { return i >= Losenord && i < identifierCount }

// Person reports whether a value stands for exactly one natural person.
func (i Identifier) Person() bool {
	switch i {
	case Personnummer, Samordningsnummer, Interimsnummer, Reservnummer, Fodselsnummer, CPR, HETU, LMA:
		return true
	}
	return false
}

// Shape is a set of facts about how a value is written.
type Shape uint32

// The facts of a Shape.
const (
	ShapeBare       Shape = 1 << iota // digits only, no separator
	ShapeDashed                       // written with the separator of its kind
	ShapeSpaced                       // space, dot, slash or line break instead
	ShapeTwelve                       // with century
	ShapeChecked                      // a check digit agrees
	ShapeKeyword                      // counts only with a keyword or header
	ShapeTimestamp                    // reads as YYYYMMDDHHMM too
	ShapePhone                        // reads as a mobile number too
	ShapeRecent                       // date of 20YY, which serial numbers share
	ShapeTest                         // official or customary test number
	ShapePerson                       // discloses a personnummer (sole trader, Nordea account)
	ShapeFunctional                   // shared mailbox, not a person's
	ShapeSocial                       // registry prefix of social services
	ShapePrivate                      // private network address
	ShapeUnderscore                   // joined to a word by _
	ShapeComplete                     // all parts present (address with postcode)
	ShapeMobile                       // mobile phone prefix
	ShapeGuess                        // placeholder or low entropy
	ShapePadded                       // leading zeros are lost; counts only by its column
)

// Has reports whether all facts of t are in s.
func (s Shape) Has(t Shape) bool { return s&t == t }
