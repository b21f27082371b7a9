package patterns

// Context is a group of words that raise or lower identifiers near them.
type Context uint8

// The groups.
const (
	NoContext           Context = iota
	ContextPerson               // personnummer, pnr …
	ContextIndividual           // patient, elev, brukare …
	ContextReserve              // reservnummer
	ContextPayment              // OCR, faktura, kund, order …
	ContextPhone                // tel, mobil …
	ContextOrganisation         // organisationsnummer
	ContextBankgiro             // bankgiro, bg
	ContextPlusgiro             // plusgiro, pg
	ContextAccount              // kontonummer, clearing
	ContextCard                 // kortnummer
	ContextPassport             // passnummer, nationellt id-kort
	ContextLicence              // körkort
	ContextVehicle              // registreringsnummer, fordon
	ContextAddress              // adress, bor
	ContextProperty             // fastighet
	ContextCase                 // dnr, ärende
	ContextMigration            // LMA, dossier, asyl
	ContextDiagnosis            // diagnos, ICD
	ContextMeasure              // KVÅ, åtgärdskod
	ContextDanish               // CPR
	ContextNorwegian            // fødselsnummer
	ContextFinnish              // henkilötunnus
	ContextLog                  // tidsstämpel, skapad
	ContextProduct              // artikel, serienummer, ISBN
	contextCount
)

var contextNames = [contextCount]string{
	"", "person", "individual", "reserve", "payment", "phone", "organisation",
	"bankgiro", "plusgiro", "account", "card", "passport", "licence", "vehicle",
	"address", "property", "case", "migration", "diagnosis", "measure", "danish",
	"norwegian", "finnish", "log", "product",
}

// String returns the group's code, "person".
func (c Context) String() string {
	if c < contextCount {
		return contextNames[c]
	}
	return ""
}

// contextTerms lists the words of each group; "=" before a word asks for
// exactly that, "…" behind it for a compound's beginning, before it for its
// end.
var contextTerms = [contextCount][]string{
	ContextPerson: {
		"personnummer", "personnr", "personnumret", "pnr", "p-nr", "p.nr", "persnr", "pers-nr", "pers.nr", "pers nr",
		"person nr", "person-nr", "persnummer", "personnum", "samordningsnummer", "samordningsnr", "samordningsnumret", "samnr", "födelsenummer", "födelsenr",
		"person-id", "personid", "personal id", "id-nummer", "id-nr", "idnr", "identitetsnummer", "identitetsbeteckning", "personbeteckning",
		"interimsnummer", "interimsnr", "t-nummer", "födelsetid", "födelsedatum", "födelsedata", "fdat", "ssn", "social security", "=PNR", "=SSN", "national id",
		"personal number", "personal identity number", "skatteregistreringsnummer",
	},
	ContextIndividual: {
		"patient…", "pat", "elev", "eleven", "eleverna", "brukare", "brukaren", "brukarens", "klient", "klienten", "vårdnadshavare", "målsman", "sökande", "sökanden",
		"huvudman", "huvudmannen", "medarbetare", "arbetstagare", "anställd", "barnet", "barnets", "boende", "hyresgäst", "förälder", "föräldrar",
		"god man", "förvaltare", "modern", "fadern", "mamma", "pappa", "född", "födda", "namn", "efternamn", "förnamn", "tilltalsnamn", "den enskilde", "den enskildes",
		"avliden", "deltagare", "mottagare", "pensionär", "ungdomen", "gällande", "rör", "avser", "angående", "=Ang", "beträffande", "=Betr", "anmälare", "student",
	},
	ContextReserve: {"reservnummer", "reservnr", "reservid", "reserv-id", "reservnumret", "lokalt reservnummer", "nationellt reservnummer"},
	ContextPayment: {
		"=OCR", "ocr-nummer", "ocr-nr", "ocrnummer", "ocrnr", "faktura…", "…fakturanummer", "kundnr", "kundnummer", "kund", "kund-id", "order", "ordernr", "ordernummer", "orderid",
		"avtal", "avtalsnr", "avtalsnummer", "referensnr", "referensnummer", "referens", "betalningsreferens", "beställningsnr", "beställning", "verifikation…", "ver.nr",
		"kvitto", "belopp", "anläggnings-id", "anläggningsnr", "mätarnummer", "mätarnr", "leverantörsnr", "leverantörsnummer", "följesedel", "kollinr", "kolli-id", "försändelse-id",
		"invoice", "customer", "anst.nr", "anstnr", "anställningsnummer", "anställningsnr", "lånekort…", "medlemsnr", "medlemsnummer", "debitering…",
	},
	ContextPhone: {
		"tel", "tele", "telefon…", "tfn", "tel.nr", "telnr", "mobil", "mobilnr", "mobilnummer", "mobiltelefon…", "ring", "ringer", "fax", "växel", "phone", "mobile", "sms", "sms:a", "swish…", "nås på", "jour", "journummer", "direktnr", "direktnummer",
	},
	ContextOrganisation: {
		"organisationsnummer", "organisationsnr", "organisationsnumret", "orgnr", "org.nr", "org nr", "org-nr", "orgnummer", "org.nummer", "org. nr", "firma", "företag", "bolag", "momsreg…", "moms.reg", "vat", "moms nr", "f-skatt", "leverantör", "personuppgiftsansvarig", "=AB", "förening",
	},
	ContextBankgiro:  {"bankgiro", "bankgironr", "bankgironummer", "bankgirot", "bg", "bg-nr", "bgnr", "bg nr", "b.g."},
	ContextPlusgiro:  {"plusgiro", "plusgironr", "plusgironummer", "plusgirot", "plusgirokonto", "postgiro", "pg", "pg-nr", "pgnr", "pg nr"},
	ContextAccount:   {"konto", "kontot", "kontonr", "kontonummer", "konto nr", "konto-nr", "bankkonto", "bankkontonummer", "bankkontonr", "personkonto", "lönekonto", "clearing…", "clnr", "cl.nr", "sparkonto", "överföring", "utbetalning", "utbetalningskonto", "swedbank", "handelsbanken", "nordea", "seb", "sparbanken"},
	ContextCard:      {"kortnummer", "kortnr", "kort nr", "kreditkort", "betalkort", "bankkort", "visa", "mastercard", "amex", "american express", "cvc", "cvv", "cvc2", "credit card", "card number", "kort", "betalt med", "betalade med", "betala med"},
	ContextPassport:  {"pass", "passet", "passnr", "passnummer", "pass nr", "pass-nr", "passport", "id-kort", "nationellt id-kort", "legitimation", "id-handling", "identitetshandling", "id-kortsnummer", "passhandling"},
	ContextLicence:   {"körkort…", "driving licence", "förarbevis"},
	ContextVehicle:   {"regnr", "reg.nr", "reg nr", "reg-nr", "registreringsnummer", "registreringsnr", "registreringsskylt…", "fordon…", "bil", "bilen", "bilar", "tjänstebil…", "parkering…", "lastbil", "släp", "släpvagn", "personbil", "skylt", "mc", "moped", "buss", "skåpbil", "besiktning"},
	ContextAddress:   {"adress…", "gatuadress", "bostadsadress", "hemadress", "postadress", "besöksadress", "bor", "bosatt", "folkbokförd…", "hemma hos", "boende på", "c/o", "flyttar till", "flyttat till", "lgh"},
	ContextProperty:  {"fastighet…", "fast.bet", "fastbet", "fast.beteckning", "tomt", "tomten", "registerfastighet", "bygglov…", "lagfart", "detaljplan…"},
	ContextCase:      {"dnr", "diarienr", "diarienummer", "diarie", "ärende", "ärendenr", "ärendenummer", "ärende-id", "beteckning", "vår beteckning", "er beteckning", "målnr", "målnummer", "handling nr", "d-nr"},
	ContextMigration: {"lma", "lma-nr", "lma-kort…", "lma-nummer", "dossier…", "beteckningsnummer", "migrationsverket", "asyl…", "uppehållstillstånd", "ärendebeteckning", "ensamkommande"},
	ContextDiagnosis: {"diagnos…", "icd", "icd-10", "icd-10-se", "dg", "huvuddiagnos", "bidiagnos", "diagnoskod", "sjukdomskod", "f-diagnos"},
	ContextMeasure:   {"kvå", "kvå-kod", "åtgärdskod…", "åtgärdskoder", "operation", "ingrepp", "operationskod"},
	ContextDanish:    {"cpr", "cpr-nr", "cpr-nummer", "cpr nr", "dansk", "danskt", "danmark", "personnummer dk"},
	ContextNorwegian: {"fødselsnummer", "fodselsnummer", "fnr", "norsk", "norskt", "norge", "d-nummer"},
	ContextFinnish:   {"hetu", "henkilötunnus", "finsk", "finskt", "finland", "finländsk"},
	ContextLog:       {"timestamp", "tidsstämpel", "tidpunkt", "loggtid", "skapad", "ändrad", "skanning", "scan", "backup", "export", "session", "transaktion…", "=IMG", "log", "logg"},
	ContextProduct:   {"artikel", "artikelnr", "artikelnummer", "art.nr", "artnr", "serienr", "serienummer", "serie", "isbn", "issn", "ean", "ean-kod", "streckkod", "imei", "gln", "gtin", "batch", "inventarienr", "objektnr", "objekt-id", "modell", "produkt"},
}

// contextTerm reads an entry of contextTerms.
func contextTerm(entry string) Term {
	const more = "…"
	switch {
	case entry[0] == '=':
		return Term{Text: entry[1:], Mode: Exact}
	case len(entry) > len(more) && entry[len(entry)-len(more):] == more:
		return Term{Text: entry[:len(entry)-len(more)], Mode: Prefix, Plain: true}
	case entry[:min(len(entry), len(more))] == more:
		return Term{Text: entry[len(more):], Mode: Suffix, Plain: true}
	}
	for _, c := range entry {
		if c == ' ' {
			return Term{Text: entry, Mode: Phrase, Plain: true}
		}
	}
	return Term{Text: entry, Mode: Word, Plain: true}
}
