// Package sources says where documents live: SharePoint and OneDrive, Windows
// file shares, folders. Each sub-package is one kind of place.
package sources

import (
	"context"
	"errors"
	"io"
	"time"
)

// Source is one place where documents live, as the configuration names it: a
// tenant, a file server, a folder. It is crawled scope by scope.
//
// Implementations are safe for concurrent use and pass sourcetest.Run.
type Source interface {
	// Scopes calls visit with every part of the source that is crawled on its
	// own: a drive, a share. It returns nil only when the list is complete;
	// scopes that a complete list no longer holds are gone. A scope that is
	// known but cannot be looked into is visited with its Reason; scopes whose
	// Path begins with that scope's Path and a slash are not known to be gone
	// (a site whose drives cannot be listed). An error from visit is returned
	// unchanged.
	Scopes(ctx context.Context, visit func(Scope) error) error

	// Changes calls visit with what changed in a scope since the cursor, page
	// by page. The zero Cursor asks for everything. It returns nil only when
	// the scope was listed to its end; a listing that cannot be trusted ends
	// in an error, never in silence. It returns ErrCursorExpired when since
	// is too old to continue from. An error from visit is returned unchanged.
	Changes(ctx context.Context, scope Scope, since Cursor, visit func(Page) error) error

	// Open returns the current content of an item; the caller closes it. The
	// reader fails with ErrChanged when the content changes while it is read:
	// two versions are never spliced. Returns ErrGone, ErrDenied, ErrMalware
	// or ErrUnavailable when the content cannot be had.
	Open(ctx context.Context, item Item) (io.ReadCloser, error)
}

type (
	// ItemID names an item within its source for as long as it exists, across
	// renames if the place can do that (driveItem id, file id); otherwise it
	// is the path.
	ItemID string

	// ScopeID names a scope within its source for as long as it exists.
	ScopeID string

	// Cursor is an opaque "changed since" position (Graph: the delta link).
	// The zero Cursor means: from the beginning.
	Cursor string
)

// Scope is a part of a source with a cursor of its own.
type Scope struct {
	ID     ScopeID
	Path   string // the first part of every item's Path: "Socialförvaltningen/Dokument"
	Site   string // the site, team or share, for people and for the policy's organisation rules
	Owner  string // who answers for it, if the place knows
	WebURL string
	Region string // where the service says the data lies ("EUR", "SWE"), if it tells
	Reason error  // not nil: known, but cannot be looked into; a gap
}

// Page is a batch of changes. Once it is stored, crawling can resume at Next.
type Page struct {
	Changes []Change
	// Next is where to go on: after the last page it is where the next crawl
	// begins. Zero: this place keeps no history, the next crawl is a full one.
	Next Cursor
}

// Change tells what happened to one item.
type Change struct {
	Kind   ChangeKind
	Item   Item
	Reason error // only for Unreadable
	// Sharing: who can reach the item, or what lies below it, has changed.
	Sharing bool
}

// ChangeKind is the kind of a Change.
type ChangeKind int

// The kinds of change.
const (
	// Present: the item exists; new, changed, moved or unchanged.
	Present ChangeKind = iota
	// Deleted: the item is known to be gone. Only Item.ID is set.
	Deleted
	// Unreadable: the item or folder exists but may not or cannot be looked
	// into: a gap. What lies below its Path is not known to be gone.
	Unreadable
)

// Item is what can be known about a document without reading it.
type Item struct {
	ID          ItemID
	Scope       ScopeID
	Path        string    // slash-separated, for people, unique within the source at one time
	Version     string    // differs when the content differs (Graph: cTag; files: size, times, file id)
	ContentHash string    // "quickxor:…"; equal hash and size: equal content. Empty: unknown
	Size        int64     // bytes
	Modified    time.Time // UTC
	Owner       string    // who can be asked to fix it, if the place knows
	WebURL      string    // opens the document for its people
}

// Exposer is a Source that knows who can reach an item. It is asked only for
// flagged documents: the answer is dear (Graph: 5 resource units).
type Exposer interface {
	Exposure(ctx context.Context, item Item) (Exposure, error)
}

// Exposure says who can reach an item.
type Exposure struct {
	Grants []Grant `json:"grants,omitempty"`
	// Unseen names what the permissions of this program could not see
	// ("members of SharePoint groups"). Empty: everything was seen.
	Unseen []string `json:"unseen,omitempty"`
}

// Grant is one way to reach an item.
type Grant struct {
	To        Audience  `json:"to"`
	Name      string    `json:"name,omitempty"`  // of the user or group, if known
	Roles     []string  `json:"roles,omitempty"` // read, write, owner
	Link      bool      `json:"link,omitempty"`  // by a sharing link
	Inherited bool      `json:"inherited,omitempty"`
	Denied    bool      `json:"denied,omitempty"` // an explicit DENY
	Expires   time.Time `json:"expires,omitzero"`
	Password  bool      `json:"password,omitempty"`
}

// Audience is the kind of people a grant lets in.
type Audience string

// The audiences, widest first.
const (
	Anonymous    Audience = "anonymous"    // anyone who has the link
	Organisation Audience = "organisation" // everyone in the tenant or domain
	Guest        Audience = "guest"        // somebody outside the organisation
	Group        Audience = "group"
	User         Audience = "user"
)

// Widest returns the widest audience that the grants let in, or "" if none.
func (e Exposure) Widest() Audience {
	for _, a := range []Audience{Anonymous, Organisation, Guest, Group, User} {
		for _, g := range e.Grants {
			if g.To == a && !g.Denied {
				return a
			}
		}
	}
	return ""
}

// Checker is a Source that can tell whether it is ready, for `molnvakt
// doctor`: reachable, signed in, with which permissions, until when.
type Checker interface {
	Check(ctx context.Context) []Check
}

// Check is one thing that was looked at.
type Check struct {
	ID     string // names the text in reports/locale: "graph.permissions"
	Status CheckStatus
	Detail string   // what was seen, technical, never a secret
	Args   []string // for the text
}

// CheckStatus is how a Check ended.
type CheckStatus string

// The outcomes of a Check.
const (
	CheckOK   CheckStatus = "ok"
	CheckWarn CheckStatus = "warn"
	CheckFail CheckStatus = "fail"
)

// Metered is a Source whose service counts what is asked of it.
type Metered interface {
	Spent() Spending
}

// Spending is what a source has asked of its service since it was opened.
type Spending struct {
	Requests  int64
	Units     int64         // Graph: resource units
	PerMinute int64         // units allowed a minute; 0: unknown
	Throttled int64         // refusals (429, 503) met
	Paused    time.Duration // time spent waiting for leave
}

// Errors that every Source reports the same way. Adapters wrap them with what
// they know; they never quote content.
var (
	ErrCursorExpired = errors.New("cursor expired")
	ErrGone          = errors.New("item is gone")
	ErrDenied        = errors.New("access denied")
	ErrUnavailable   = errors.New("temporarily unavailable")
	ErrChanged       = errors.New("content changed while it was read")
	ErrMalware       = errors.New("refused by the service: malware")
	ErrUnsupported   = errors.New("not a document that can be downloaded") // OneNote package, DFS link, device
	ErrRefused       = errors.New("the service persistently refuses")      // circuit open: wrong secret, blocked
	ErrConfig        = errors.New("configuration of the source")           // the text says which key and why
)
