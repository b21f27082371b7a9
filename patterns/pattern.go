// Package patterns knows what sensitive data looks like: identifiers with
// their check digits, categories of words near an individual, kinds of
// documents. It reads a document's text once and keeps only masked evidence.
package patterns

// Confidence says how sure a match is.
type Confidence int

// The confidences. Shape alone is Low; a checksum or a word nearby makes it
// Medium; both, or a register, make it High.
const (
	Low Confidence = iota + 1
	Medium
	High
)

// String returns "low", "medium" or "high".
func (c Confidence) String() string {
	switch c {
	case Low:
		return "low"
	case Medium:
		return "medium"
	case High:
		return "high"
	}
	return "none"
}

// Category is what sensitive text is about.
type Category string

// Categories returns all that patterns can find.
func Categories() []Category {
	return []Category{
		Health, SocialServices, SchoolHealth, HR, Union, Ethnicity, Religion, Politics, SexualLife, Genetics, Offences,
		ProtectedIdentity, Asylum, Guardianship, NationalSecurity, Security, Procurement, Secrets, PersonalData, Custom,
	}
}

// The categories; docs/glossary.md gives their legal basis.
const (
	Health            Category = "halsa"
	SocialServices    Category = "socialtjanst"
	SchoolHealth      Category = "elevhalsa_skola"
	HR                Category = "hr"
	Union             Category = "fackforening"
	Ethnicity         Category = "etnicitet"
	Religion          Category = "religion"
	Politics          Category = "politisk_asikt"
	SexualLife        Category = "sexualliv"
	Genetics          Category = "genetik_biometri"
	Offences          Category = "lagovertradelser"
	ProtectedIdentity Category = "skyddade_personuppgifter"
	Asylum            Category = "asyl"
	Guardianship      Category = "overformyndare"
	NationalSecurity  Category = "sakerhetsskydd"      // säkerhetsskyddsklassificerat
	Security          Category = "sakerhet_anlaggning" // facilities, IT, preparedness: OSL 18:8, 18:13
	Procurement       Category = "upphandling"
	Secrets           Category = "hemligheter" // passwords, keys, tokens
	PersonalData      Category = "personuppgifter"
	Custom            Category = "egen" // the customer's own patterns, exact matches and fingerprints
)

// Content is what was found in one document. It is all that judging needs
// and holds no raw value; it may be stored (sealed) and judged again.
type Content struct {
	Identifiers []IdentifierCount `json:"identifiers,omitempty"`
	Categories  []CategoryFound   `json:"categories,omitempty"`
	Kinds       []DocumentKind    `json:"kinds,omitempty"`
	// People is the number of distinct individuals, by keyed hash of
	// personnummer and the like, or of names where there is no number.
	People int `json:"people"`
	// PeopleKeys are those hashes, at most MaxPeopleKeys, so that individuals
	// can be counted across documents.
	PeopleKeys []string `json:"people_keys,omitempty"`
	// TestNumbers is the number of distinct official test numbers met. They
	// are not findings by themselves.
	TestNumbers int `json:"test_numbers,omitempty"`
	// Children is how many of the People have a number that says they are
	// under eighteen.
	Children int `json:"children,omitempty"`
	// Labels are the names of the sensitivity labels that the document bears
	// (Microsoft Purview), at most MaxLabels.
	Labels []string `json:"labels,omitempty"`
	// Marked: it bears a marking of säkerhetsskydd.
	Marked bool `json:"marked,omitempty"`
	// Unfinished names what of the organisation's own was not looked for to
	// the end: patterns whose expressions cost too much, indexes that could
	// not be read.
	Unfinished []string `json:"unfinished,omitempty"`
	// Innocence names what spoke against a category: "template",
	// "statistics", "routine", "law", "public-office".
	Innocence []string   `json:"innocence,omitempty"`
	Evidence  []Evidence `json:"evidence,omitempty"` // at most MaxEvidence a pattern, best first
}

// MaxPeopleKeys, MaxEvidence and MaxLabels bound what is kept of one document.
const (
	MaxPeopleKeys = 1000
	MaxEvidence   = 10
	MaxLabels     = 10
)

// IdentifierCount counts the distinct values of one type of identifier.
type IdentifierCount struct {
	Type   string `json:"type"` // "personnummer"
	Low    int    `json:"low,omitempty"`
	Medium int    `json:"medium,omitempty"`
	High   int    `json:"high,omitempty"`
	// Register: they fill a column or list.
	Register bool `json:"register,omitempty"`
}

// AtLeast returns how many distinct values have at least confidence c.
func (n IdentifierCount) AtLeast(c Confidence) int {
	switch {
	case c <= Low:
		return n.Low + n.Medium + n.High
	case c == Medium:
		return n.Medium + n.High
	}
	return n.High
}

// CategoryFound says that a document holds a category about individuals, or
// about a thing worth protecting (facility, secret).
type CategoryFound struct {
	Category   Category   `json:"category"`
	Confidence Confidence `json:"confidence"`
	People     int        `json:"people"` // individuals it is about; 0 if not about people
	Count      int        `json:"count"`  // places where it stands
	// Pattern and Class are set by the customer's own patterns: which one, and
	// the class it asks for ("K3"; "" leaves it to the policy).
	Pattern string `json:"pattern,omitempty"`
	Class   string `json:"class,omitempty"`
}

// DocumentKind is what a document is, by its name, title and structure.
type DocumentKind struct {
	Kind       string     `json:"kind"` // "rehabplan", "orosanmalan"
	Confidence Confidence `json:"confidence"`
	Filled     bool       `json:"filled"` // filled in for somebody, not a blank form
}

// Evidence is what is kept of a match: enough to find it again in the
// document, not enough to learn the value.
type Evidence struct {
	Pattern     string     `json:"pattern"` // identifier type, or "category:term-group"
	Category    Category   `json:"category,omitempty"`
	Confidence  Confidence `json:"confidence"`
	Place       string     `json:"place,omitempty"` // "page 3", "Blad1!B7", "bilaga.pdf › page 2"
	Masked      string     `json:"masked,omitempty"`
	Fingerprint string     `json:"fingerprint,omitempty"` // keyed HMAC, hex; same value, same fingerprint
}

// Subject is what is known of a document before its text is read.
type Subject struct {
	Name string // file name
	Path string // folders and name, as the source shows them
}

// Step is one line of an explanation: a candidate and why it counted or not.
type Step struct {
	Pattern    string     `json:"pattern"`
	Category   Category   `json:"category,omitempty"`
	Place      string     `json:"place,omitempty"`
	Masked     string     `json:"masked,omitempty"`
	Counted    bool       `json:"counted"`
	Confidence Confidence `json:"confidence,omitempty"`
	Because    []string   `json:"because"` // codes with arguments: "checksum", "keyword:personnummer", "phone-prefix", "no-individual-near"
}
