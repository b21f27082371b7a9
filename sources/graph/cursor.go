package graph

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/molnvakt/molnvakt/sources"
)

// position is what a cursor of a drive holds: where the round is, what it must
// still do at its end, and where every folder stood.
type position struct {
	Link  string `json:"link,omitempty"` // next page of the round; after a round, where the next begins
	Full  bool   `json:"full,omitempty"` // the round enumerates everything
	Pages int    `json:"pages,omitempty"`
	// Again are folders whose content must be reported again at the round's
	// end: they were moved, or their sharing changed, or they are new and have
	// more children than were reported.
	Again map[string]reason `json:"again,omitempty"`
	Gone  []string          `json:"gone,omitempty"` // deleted folders whose content was not reported as deleted
	End   bool              `json:"end,omitempty"`  // all pages were read, Again is left
	Stale bool              `json:"stale,omitempty"`

	folders placings
}

// reason says why a folder's content is reported again.
type reason struct {
	Moved   bool `json:"moved,omitempty"`
	Sharing bool `json:"sharing,omitempty"`
}

// cursorVersion begins every cursor. A cursor of another version is expired.
const cursorVersion = "1"

func (p *position) cursor() sources.Cursor {
	head, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return sources.Cursor(cursorVersion + string(head) + "\n" + string(p.folders.log))
}

func parseCursor(c sources.Cursor) (*position, error) {
	p := &position{folders: newPlacings()}
	if c == "" {
		p.Full = true
		return p, nil
	}
	text, ok := strings.CutPrefix(string(c), cursorVersion)
	head, log, cut := strings.Cut(text, "\n")
	if !ok || !cut || json.Unmarshal([]byte(head), p) != nil || p.folders.replay(log) != nil {
		return nil, fmt.Errorf("graph: a cursor of another version: %w", sources.ErrCursorExpired)
	}
	return p, nil
}

// placings remembers where each folder of a drive stands, as fingerprints of
// twelve characters: 48 bits of the folder's id, 23 of its parent and name, one
// that says whether it has children. They are kept as a log in which later
// entries count, so that a growing log costs no more than its growth. Two
// folders with the same 48 bits would be taken for one that was moved, which
// costs requests but loses nothing.
type placings struct {
	log   []byte
	known map[uint64]placing
}

type placing uint32

const (
	hasChildren placing = 1 << 23
	notThere    placing = 0
	placingMask placing = hasChildren - 1
)

func newPlacings() placings { return placings{known: map[uint64]placing{}} }

// set records where a folder stands and returns what was known before.
func (p *placings) set(id, parent, name string, children bool) (before, now placing) {
	now = placing(fingerprint(parent, name)) & placingMask
	if now == notThere {
		now = 1
	}
	if children {
		now |= hasChildren
	}
	key := fingerprint(id, "")
	before = p.known[key]
	if before != now {
		p.add(key, now)
	}
	return before, now
}

// forget records that a folder is gone and returns what was known of it.
func (p *placings) forget(id string) placing {
	key := fingerprint(id, "")
	before := p.known[key]
	if before != notThere {
		p.add(key, notThere)
	}
	return before
}

// elsewhere says whether two placings are different places.
func elsewhere(before, now placing) bool {
	return before != notThere && before&placingMask != now&placingMask
}

func (p *placings) add(key uint64, now placing) {
	p.remember(key, now)
	p.log = appendEntry(p.log, key, now)
}

func (p *placings) remember(key uint64, now placing) {
	if now == notThere {
		delete(p.known, key)
	} else {
		p.known[key] = now
	}
}

// compact drops what later entries replaced.
func (p *placings) compact() {
	if len(p.log) <= entryChars*len(p.known)*5/4 {
		return
	}
	p.log = make([]byte, 0, entryChars*len(p.known))
	for key, at := range p.known {
		p.log = appendEntry(p.log, key, at)
	}
}

const (
	entryBytes = 9
	entryChars = 12
	keyMask    = 1<<48 - 1
)

func appendEntry(log []byte, key uint64, at placing) []byte {
	entry := binary.BigEndian.AppendUint64(make([]byte, 0, 8+4), key<<16)[:6]
	entry = append(entry, byte(at>>16), byte(at>>8), byte(at))
	return base64.RawURLEncoding.AppendEncode(log, entry)
}

func (p *placings) replay(log string) error {
	raw, err := base64.RawURLEncoding.DecodeString(log)
	if err != nil || len(raw)%entryBytes != 0 {
		return fmt.Errorf("graph: damaged cursor: %w", sources.ErrCursorExpired)
	}
	p.log = []byte(log)
	for ; len(raw) > 0; raw = raw[entryBytes:] {
		key := binary.BigEndian.Uint64(raw[:8]) >> 16
		p.remember(key, placing(raw[6])<<16|placing(raw[7])<<8|placing(raw[8]))
	}
	return nil
}

func fingerprint(a, b string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(a))
	h.Write([]byte{0})
	h.Write([]byte(b))
	sum := h.Sum64()
	return (sum ^ sum>>48) & keyMask
}
