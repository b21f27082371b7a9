// Package findings is the system of record: which documents were met, what
// they hold, what was not read, what breaks the policy and what people decided
// about it. Implementations (sqlite) pass storetest.Run.
package findings

import (
	"time"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/sources"
)

// DocumentID is a document's row in the register.
type DocumentID int64

// Document is what the register knows of one item of a source.
type Document struct {
	ID      DocumentID
	Source  string
	Service string
	Site    string
	Item    sources.Item
	Reading Reading
	Class   policy.Class
	Outcome policy.Outcome // the worst verdict; "" before it was judged
	policy.Responsible
	Exposure  *sources.Exposure
	Ruleset   Ruleset // with which it was read and judged
	FirstSeen time.Time
	ReadAt    time.Time // zero: waits to be read
	Waiting   bool      // a job for it is in the queue
}

// Reading is what came of reading one version of a document.
type Reading struct {
	// Status is "ok", "partial", "encrypted", "unsupported", "damaged",
	// "limit", "timeout", "crashed" (scanner/inspect) or, when the source did
	// not give the content, "gone", "denied", "malware", "unavailable",
	// "changed", "failed"; "" before the first reading.
	Status       string
	MediaType    string
	Extractor    string
	NameMismatch bool
	Bytes, Chars int64
	Files        int
	Content      patterns.Content
	Gaps         []Gap
}

// Gap is something that was not looked into, with its reason. Gaps of scopes
// and folders have no Document.
type Gap struct {
	Document DocumentID
	Source   string
	Path     string
	Place    string // inside the document; "" for the whole
	Reason   string // a short code: "encrypted", "denied", "no-ocr", …
	Detail   string // technical, never content
	Since    time.Time
	RetryAt  time.Time // zero: not tried again until it changes
}

// Ruleset says with what a document was read and judged. When Reading
// changes, documents are read again; when only Policy changes, they are
// judged again from what is stored.
type Ruleset struct {
	Reading string // hash of extractor versions, patterns and the key's id
	Policy  string // hash of the policy
}

// Finding is one document breaking one rule of the policy. A rescan updates
// it, never makes a second one.
type Finding struct {
	ID       ID
	Document DocumentID
	Source   string
	Service  string
	Site     string
	Item     sources.Item
	policy.Responsible
	Verdict  policy.Verdict
	People   int
	Kinds    []patterns.DocumentKind
	Exposure *sources.Exposure
	Status   Status
	Until    time.Time // end of an accepted risk or false positive; zero: none
	First    time.Time // when it was first seen
	Last     time.Time // when a scan last confirmed it
	Changed  time.Time // when Status last changed
}

// ID names a finding: a keyed hash of source, item and rule.
type ID string

// Decision is a human act on a finding.
type Decision struct {
	Finding  ID
	From, To Status
	Role     Role
	By       string // who
	Comment  string
	Until    time.Time // required for RiskAccepted
}

// Event is one line of the audit trail. It is only ever added.
type Event struct {
	At      time.Time
	By      string // a person, or "molnvakt"
	Role    Role
	Act     string // of Steps, or "found", "scan-started", "scan-ended", "scan-failed"
	Finding ID
	Detail  string
}

// Scan is one run over one source.
type Scan struct {
	ID       int64
	Source   string
	Service  string
	Ruleset  Ruleset
	Started  time.Time
	Ended    time.Time // zero: under way, or cut off
	Complete bool      // everything was listed and nothing waits
	Failure  string    // why it is not complete; a code
	Items    int64     // met
	Deleted  int64
}
