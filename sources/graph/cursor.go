package graph

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"github.com/molnvakt/molnvakt/sources"
)

// position is what a cursor of a drive holds: where the round is, what it must
// still do at its end, and where every folder stood.
type position struct {
	Link  string `json:"link,omitempty"` // next page of the round; after a round, where the next begins
	Full  bool   `json:"full,omitempty"` // the round enumerates everything
	Pages int    `json:"pages,omitempty"`
	Root  uint64 `json:"root"` // fingerprint of the drive's own path
	// Again are folders whose content must be reported again at the round's
	// end: they were moved, or their sharing changed.
	Again map[string]reason `json:"again,omitempty"`
	// Fresh are folders that were not there before, with the children they
	// say they have, and Met those of them that were reported.
	Fresh map[string]int   `json:"fresh,omitempty"`
	Met   map[string]idSet `json:"met,omitempty"`
	// Gone are deleted folders with the children they had, and Deleted the
	// children of any folder that were reported as deleted.
	Gone    map[string]int   `json:"gone,omitempty"`
	Deleted map[string]idSet `json:"deleted,omitempty"`
	// Counts are what folders say of their children now. They replace what is
	// known of them when the round has ended.
	Counts map[string]int `json:"counts,omitempty"`
	End    bool           `json:"end,omitempty"`   // all pages were read, Again is left
	Stale  bool           `json:"stale,omitempty"` // only a full crawl goes on from here

	folders placings
}

// idSet is a set of ids, by their fingerprints.
type idSet map[uint64]bool

// MarshalJSON writes the set as a list.
func (s idSet) MarshalJSON() ([]byte, error) {
	return json.Marshal(slices.Sorted(maps.Keys(s)))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *idSet) UnmarshalJSON(text []byte) error {
	var all []uint64
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	*s = idSet{}
	for _, id := range all {
		(*s)[id] = true
	}
	return nil
}

// note adds an id to one of several sets. Keys are cloned: they are parts of a
// page's text.
func note(sets *map[string]idSet, key, id string) {
	if *sets == nil {
		*sets = map[string]idSet{}
	}
	if (*sets)[key] == nil {
		(*sets)[strings.Clone(key)] = idSet{}
	}
	(*sets)[key][fingerprint(id, "")] = true
}

// count sets one of several counts.
func count(counts *map[string]int, key string, n int) {
	if *counts == nil {
		*counts = map[string]int{}
	}
	(*counts)[strings.Clone(key)] = n
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
// twelve characters: 40 bits of the folder's id, 20 of its parent and name, 12
// for how many children it has. They are kept as a log in which later entries
// count, so that a growing log costs no more than its growth. Two folders with
// the same 40 bits would be taken for one that was moved, which costs requests
// but loses nothing.
type placings struct {
	log   []byte
	known map[uint64]placing
}

// placing is 20 bits of where a folder stands and 12 of its children.
type placing uint32

const (
	notThere     placing = 0
	countBits            = 12
	manyChildren         = 1<<countBits - 1 // so many or more, or unknown
	whereMask            = 1<<20 - 1
)

func newPlacings() placings { return placings{known: map[uint64]placing{}} }

func (p placing) where() uint32 { return uint32(p) >> countBits }
func (p placing) children() int { return int(p & manyChildren) }

// set records where a folder stands and how many children it has, -1 for
// unknown, and returns what was known before.
func (p *placings) set(id, parent, name string, children int) (before, now placing) {
	if children < 0 || children > manyChildren {
		children = manyChildren
	}
	where := max(1, fingerprint(parent, name)&whereMask)
	now = placing(where<<countBits) | placing(children)
	key := fingerprint(id, "")
	before = p.known[key]
	if before != now {
		p.add(key, now)
	}
	return before, now
}

// get returns what is known of a folder.
func (p *placings) get(id string) placing { return p.known[fingerprint(id, "")] }

// forget records that a folder is gone and returns what was known of it.
func (p *placings) forget(id string) placing {
	key := fingerprint(id, "")
	before := p.known[key]
	if before != notThere {
		p.add(key, notThere)
	}
	return before
}

// count changes how many children a folder is known to have.
func (p *placings) count(id string, children int) {
	key := fingerprint(id, "")
	if known := p.known[key]; known != notThere && known.children() != min(children, manyChildren) {
		p.add(key, placing(known.where()<<countBits)|placing(min(children, manyChildren)))
	}
}

// elsewhere says whether two placings are different places.
func elsewhere(before, now placing) bool {
	return before != notThere && before.where() != now.where()
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
	keyMask    = 1<<40 - 1
)

func appendEntry(log []byte, key uint64, at placing) []byte {
	entry := binary.BigEndian.AppendUint64(make([]byte, 0, 8+4), key<<24)[:5]
	entry = binary.BigEndian.AppendUint32(entry, uint32(at))
	return base64.RawURLEncoding.AppendEncode(log, entry)
}

func (p *placings) replay(log string) error {
	raw, err := base64.RawURLEncoding.DecodeString(log)
	if err != nil || len(raw)%entryBytes != 0 {
		return fmt.Errorf("graph: damaged cursor: %w", sources.ErrCursorExpired)
	}
	p.log = []byte(log)
	for ; len(raw) > 0; raw = raw[entryBytes:] {
		key := binary.BigEndian.Uint64(raw[:8]) >> 24
		p.remember(key, placing(binary.BigEndian.Uint32(raw[5:9])))
	}
	return nil
}

// fingerprint is 40 bits that stand for two texts.
func fingerprint(a, b string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(a))
	h.Write([]byte{0})
	h.Write([]byte(b))
	sum := h.Sum64()
	return (sum ^ sum>>40) & keyMask
}
