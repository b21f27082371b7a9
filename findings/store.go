package findings

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/sources"
)

// Store is everything a database must do.
type Store interface {
	Crawls
	Queue
	Register
	Close() error
}

// Crawls records what the sources list. The scanner's crawl uses it.
type Crawls interface {
	// BeginScan opens a run over a source, or goes on with one that was cut off.
	BeginScan(ctx context.Context, source, service string, rules Ruleset) (Scan, error)
	// BeginCrawl continues the interrupted crawl of a scope or starts the
	// next one; fresh starts over from the zero cursor (full).
	BeginCrawl(ctx context.Context, scan Scan, scope sources.Scope, fresh bool) (Crawl, error)
	// SavePage stores a page's changes, queues the documents that need
	// reading (new, changed version, other Ruleset.Reading) and moves the
	// cursor, in one transaction.
	SavePage(ctx context.Context, c Crawl, page sources.Page) error
	// EndCrawl closes a crawl that was listed to its end. What a full crawl
	// did not see is gone, and its findings resolved, unless it lies below a
	// folder that could not be read.
	EndCrawl(ctx context.Context, c Crawl) error
	// ScopeGap notes a scope that could not be crawled, with the reason's code.
	ScopeGap(ctx context.Context, scan Scan, scope sources.Scope, reason, detail string) error
	// EndScopes tells that the list of scopes was complete: scopes that this
	// scan did not meet are gone, with all they held.
	EndScopes(ctx context.Context, scan Scan) error
	// Requeue queues all documents of a source whose Ruleset.Reading differs
	// (delta crawls do not list what did not change). It returns how many.
	Requeue(ctx context.Context, scan Scan) (int64, error)
	// EndScan closes a run: complete, or with the code of what failed.
	EndScan(ctx context.Context, scan Scan, failure string) error
}

// Crawl is one pass over the changes of a scope.
type Crawl struct {
	ID    int64
	Scan  Scan
	Scope sources.Scope
	Full  bool // began at the zero cursor
	Since sources.Cursor
}

// Queue hands out the documents that wait to be read.
type Queue interface {
	// Work calls do with batches of tasks until ctx ends or, once
	// Workers.Until is closed, until nothing waits that may be tried now (a
	// RetryAt in the future is not waited for). An error from do ends Work
	// with that error; the batch's documents wait again. What a killed
	// process had taken waits again at the next start.
	Work(ctx context.Context, w Workers, do func(context.Context, []Task) error) error
	// Record stores what came of tasks, in one transaction: the reading, the
	// judgement, the findings merged (the scanner's side of the life of a
	// finding), the document closed or queued again at RetryAt or for OCR. A
	// reading that found the source's door shut (denied, unavailable, …) leaves
	// what is known of the document; "gone" drops it. What came of a task that
	// was overtaken by a newer one is not stored: the newer one will tell.
	Record(ctx context.Context, done []Record) error
	// Known returns a reading of the same content (hash and size) with the
	// same Ruleset.Reading, if there is one. One that lacks text recognition
	// is not: another place may ask for it.
	Known(ctx context.Context, hash string, size int64, reading string) (Reading, bool, error)
	// Waiting counts what is in the queue now.
	Waiting(ctx context.Context) (Backlog, error)
}

// Workers says how much to do at once.
type Workers struct {
	Documents int             // batches at once
	OCR       int             // batches of the OCR queue at once; 0: none
	Batch     int             // documents in a batch; 0: the store's choice
	Until     <-chan struct{} // nil: until ctx ends. The crawl closes it at its end
	Sources   []string        // nil: all; documents of others go on waiting
}

// Backlog is what waits.
type Backlog struct {
	Documents, OCR int64
	Bytes          int64
}

// Task is one document to read.
type Task struct {
	Document DocumentID
	Source   string
	Service  string
	Site     string
	Item     sources.Item
	Attempt  int // from 1
	OCR      bool
	// Ticket is the store's: it tells a task from one handed out later for the
	// same document, because it changed or its fix was claimed meanwhile.
	Ticket int64
}

// Record is what came of a Task.
type Record struct {
	Task     Task
	Ruleset  Ruleset
	Reading  Reading
	Judgment Judgment
	RetryAt  time.Time // not zero: try again then
	OCR      bool      // queue it for text recognition
	Exposure *sources.Exposure
}

// Judgment is what the policy says of a reading where the document lies.
type Judgment struct {
	Document Document  // Class, Outcome and Responsible
	Findings []Finding // ID, Verdict, People, Kinds; the store keeps the rest
	// Conclusive: the document was read well enough that a finding which is
	// no longer there is resolved. Otherwise (encrypted, timed out, waits for
	// text recognition) earlier findings stay as they are.
	Conclusive bool
}

// Register holds documents, findings and decisions. Reports and people use it.
type Register interface {
	Documents(ctx context.Context, f Filter) iter.Seq2[Document, error]
	// Findings yields the most severe first.
	Findings(ctx context.Context, f Filter) iter.Seq2[Finding, error]
	Gaps(ctx context.Context, f Filter) iter.Seq2[Gap, error]
	Coverage(ctx context.Context, f Filter) (Coverage, error)
	Scans(ctx context.Context, f Filter) ([]Scan, error)
	// Document returns the document at a path; ErrNotFound.
	Document(ctx context.Context, source, path string) (Document, error)
	Finding(ctx context.Context, id ID) (Finding, error)
	// Decide moves a finding along its life and keeps who, when and why.
	// ErrConflict if it is no longer in d.From, ErrNotAllowed if the life of
	// a finding does not know the step. A claimed fix queues the document.
	Decide(ctx context.Context, d Decision) (Finding, error)
	// Rejudge stores new judgments of documents already read (a new policy,
	// an expired decision) without reading them.
	Rejudge(ctx context.Context, done []Record) error
	// Expire reopens accepted risks and false positives whose end has come.
	Expire(ctx context.Context, now time.Time) (int64, error)
	Events(ctx context.Context, f Filter) iter.Seq2[Event, error]
}

// Filter selects; zero fields do not restrict.
type Filter struct {
	Source     string
	Service    string
	Controller string
	Department string
	Statuses   []Status
	Category   patterns.Category
	Finding    ID
	PathPrefix string
	// OtherPolicy keeps only documents that were read and were last judged
	// with another Ruleset.Policy than this, moved, or shared anew: those to
	// judge again.
	OtherPolicy string
	// WithoutSealed leaves out findings of säkerhetsskydd: CSV, mail.
	WithoutSealed bool
}

// Coverage proves how much was looked into.
type Coverage struct {
	Sources   []SourceCoverage
	Documents int64 // met
	Read      int64 // whole
	Partial   int64
	Unread    int64 // met but not read, each a gap
	Waiting   int64
	Bytes     int64 // of the documents read
	Gaps      []ReasonCount
	Rulesets  []string // with which the documents were read; more than one: a change is under way
}

// SourceCoverage is the coverage of one source and its last scan.
type SourceCoverage struct {
	Source, Service                           string
	Scopes                                    int64
	Documents, Read, Partial, Unread, Waiting int64
	Bytes                                     int64
	Last                                      Scan
	LastComplete                              time.Time
}

// ReasonCount counts the gaps of one reason.
type ReasonCount struct {
	Reason string
	Count  int64
}

// Errors that every Store reports the same way.
var (
	ErrNotFound   = errors.New("not found")
	ErrConflict   = errors.New("changed meanwhile")
	ErrNotAllowed = errors.New("not allowed")
	ErrLocked     = errors.New("database is in use by another process")
	ErrNewer      = errors.New("database was written by a newer version")
	ErrFull       = errors.New("no space left for the database")
	ErrUnwritable = errors.New("database cannot be written")
	ErrDamaged    = errors.New("database is damaged")
	ErrWrongKey   = errors.New("key does not fit the database")
)
