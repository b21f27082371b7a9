// Package policy judges documents by the municipality's own policy: the class
// of what they hold against the service they lie in, whose law reaches it,
// and the decisions on file. policy.yaml belongs to the security officer.
package policy

import (
	"fmt"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
)

// Class is how sensitive a document is: the position of the level in the
// policy's own list, from 0. The policy names the levels and says which
// category earns which; Policy.ClassID and Policy.ClassName put it in words.
type Class int

// The classes of the built-in policy (after SKR's KLASSA, see docs/glossary.md).
const (
	K0 Class = iota // public
	K1              // internal, ordinary personal data
	K2              // secrecy with a straight test of harm; lists of personnummer
	K3              // GDPR art. 9 and 10, reverse test of harm, protected identities
	K4              // säkerhetsskyddsklassificerat
)

// String returns "K3": the name of the level in the built-in policy.
func (c Class) String() string { return fmt.Sprintf("K%d", int(c)) }

// Outcome is what the policy says of a document where it lies.
type Outcome string

// The outcomes, mildest first.
const (
	Allowed     Outcome = "allowed"
	Conditional Outcome = "conditional" // allowed only with what the verdict names as missing
	Forbidden   Outcome = "forbidden"
)

// Severity orders what to look at first.
type Severity string

// The severities.
const (
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Place is where a document lies.
type Place struct {
	Source   string // name in the configuration
	Service  string // id in the register of services
	Site     string
	Path     string
	Audience string    // widest audience that reaches it: "anonymous", "guest", …; "" unknown (sources.Audience)
	Modified time.Time // when the document was changed last; zero: unknown
	// Controller is the controller that the configuration names for the
	// source, by id or name. It counts where no mapping of the policy's
	// organisation fits.
	Controller string
}

// Responsible is who answers for what lies at a Place.
type Responsible struct {
	Controller string `json:"controller,omitempty"` // the nämnd
	Department string `json:"department,omitempty"`
	Head       string `json:"head,omitempty"` // name of the head of department
	Mail       string `json:"mail,omitempty"`
}

// Classification is the class of a document and why.
type Classification struct {
	Class   Class
	Because []Reason
}

// Reason is one cause of a class or verdict, for reports/locale to put in words.
//
//	code              category  args
//	category          yes       people it is about
//	own               yes       own pattern, "exakt:" and records, "kopia:" and known document
//	identifiers       yes       type, distinct values
//	register          yes       type, distinct values
//	kind              yes       kind of document
//	ceiling           -         service id, its ceiling, class of the document
//	service-unknown   -         service id
//	jurisdiction      -         the foreign laws that the rule names
//	audience          -         audience
//	region            -         region where the service stores
//	children          -         number of children
//	label             -         the document's sensitivity label
//	marked            -
//	age               -         days since the document was changed
//	review-by         -         role that must review the finding
//	incident-imy      -         to be assessed as a personal data breach
//	incident-cyber    -         to be assessed under cybersäkerhetslagen
//	decision          -         kind, reference, last day (or "")
//	decision-missing  -         kind
//	decision-expired  -         kind, reference, last day
//	decision-early    -         kind, reference, first day
//
// Classes are given by their id in the policy ("K3"), days as 2006-01-02.
type Reason struct {
	Code     string            `json:"code"`
	Category patterns.Category `json:"category,omitempty"`
	Args     []string          `json:"args,omitempty"`
}

// Verdict is what one rule says of a document at a Place. Only outcomes other
// than Allowed become findings; an Allowed verdict names the decision or the
// exception that allows.
type Verdict struct {
	Rule       string // id of the rule
	Title      string // the rule's own words, in the language of the policy
	Outcome    Outcome
	Severity   Severity
	Class      Class
	Categories []patterns.Category
	Service    string   // id
	Laws       []string // jurisdictions that reach the service: "SE", "US"
	Because    []Reason
	Decision   string    // reference of the decision that allows, or that expired
	Until      time.Time // the last day on which it counts or counted, at midnight UTC
	Missing    string    // kind of decision that would be needed: "lamplighetsbedomning", "dpia", …
	Advice     string    // code of what to do: "move", "unshare", "decide", "stop"
	// Sealed: säkerhetsskydd. No excerpt is stored, mailed or exported; one
	// role alone may see it. No verdict of such a document carries evidence.
	Sealed   bool
	Evidence []patterns.Evidence
}

// Worst returns the worst outcome of verdicts; Allowed if there is none.
func Worst(verdicts []Verdict) Outcome {
	worst := Allowed
	for _, v := range verdicts {
		if v.Outcome.rank() > worst.rank() {
			worst = v.Outcome
		}
	}
	return worst
}

func (o Outcome) rank() int {
	switch o {
	case Conditional:
		return 1
	case Forbidden:
		return 2
	}
	return 0
}

// Rank orders severities: 0 for an unknown one, 4 for Critical.
func (s Severity) Rank() int {
	switch s {
	case Low:
		return 1
	case Medium:
		return 2
	case High:
		return 3
	case Critical:
		return 4
	}
	return 0
}
