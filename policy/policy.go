// Package policy judges documents by the municipality's own policy: the class
// of what they hold against the service they lie in, whose law reaches it,
// and the decisions on file. policy.yaml belongs to the security officer.
package policy

import (
	"time"

	"github.com/molnvakt/molnvakt/patterns"
)

// Class is how sensitive a document is, K0 to K4. The policy names the levels
// and says which category earns which.
type Class int

// The classes of the built-in policy (after SKR's KLASSA, see docs/glossary.md).
const (
	K0 Class = iota // public
	K1              // internal, ordinary personal data
	K2              // secrecy with a straight test of harm; lists of personnummer
	K3              // GDPR art. 9 and 10, reverse test of harm, protected identities
	K4              // säkerhetsskyddsklassificerat
)

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
	Audience string // widest audience that reaches it: "anonymous", "guest", …; "" unknown (sources.Audience)
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
type Reason struct {
	Code     string            `json:"code"` // "category", "identifiers", "register", "ceiling", "decision-missing", "decision-expired", "audience"
	Category patterns.Category `json:"category,omitempty"`
	Args     []string          `json:"args,omitempty"`
}

// Verdict is what one rule says of a document at a Place. Only outcomes other
// than Allowed become findings; an Allowed verdict names the decision that
// allows.
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
	Until      time.Time // its end
	Missing    string    // kind of decision that would be needed: "lamplighetsbedomning", "dpia", …
	Advice     string    // code of what to do: "move", "unshare", "decide", "stop"
	// Sealed: säkerhetsskydd. No excerpt is stored, mailed or exported; one
	// role alone may see it.
	Sealed   bool
	Evidence []patterns.Evidence
}
