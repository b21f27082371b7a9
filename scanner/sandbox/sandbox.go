// Package sandbox inspects documents in child processes that have no network,
// no credentials, no database and no files but a private scratch folder. When
// a document crashes, stalls or bloats its child, only that document suffers.
//
// A Pool is the parent's side and an inspect.Inspector; Serve is the child's.
// They speak over the child's standard input and output: see wire.go.
package sandbox

import (
	"encoding/json"
	"time"
)

// Config says how a Pool starts and limits its children. Zero limits take
// those of DefaultConfig.
type Config struct {
	Size    int      // children, each with one document at a time
	Command []string // program and arguments that end up in Serve

	Key      []byte          // for masking; reaches the child over the pipe alone
	Settings json.RawMessage // what the child's build function needs besides
	Scratch  string          // folder for the children's private folders; "": the system's
	Cache    string          // folder of compiled code that children may read; "": none
	// Programs lets children start programs of the system: tesseract.
	Programs bool

	Memory   int64         // bytes of data each child may hold (RLIMIT_DATA)
	Retire   int64         // bytes after which a child is replaced between two documents
	MaxSize  int64         // bytes of one document
	Replay   int64         // bytes of one document kept in this process, for a second try
	Deadline time.Duration // for one document from when the child has it
	// OCRDeadline is added for documents whose pictures are recognised.
	OCRDeadline time.Duration
	Start       time.Duration // for a child to become ready
}

// DefaultConfig has the limits that were measured as generous and safe, for
// two children. It lacks Command and Key.
func DefaultConfig() Config {
	return Config{
		Size:        2,
		Memory:      1 << 30,
		Retire:      256 << 20,
		MaxSize:     1 << 30,
		Replay:      16 << 20,
		Deadline:    60 * time.Second,
		OCRDeadline: 30 * time.Minute,
		Start:       time.Minute,
	}
}

func (c Config) withDefaults() Config {
	d := DefaultConfig()
	orElse(&c.Size, d.Size)
	orElse(&c.Memory, d.Memory)
	orElse(&c.Retire, d.Retire)
	orElse(&c.MaxSize, d.MaxSize)
	orElse(&c.Replay, d.Replay)
	orElse(&c.Deadline, d.Deadline)
	orElse(&c.OCRDeadline, d.OCRDeadline)
	orElse(&c.Start, d.Start)
	return c
}

func orElse[T comparable](field *T, fallback T) {
	var zero T
	if *field == zero {
		*field = fallback
	}
}

// Handshake is what a child gets before its first document.
type Handshake struct {
	Key      []byte
	Settings json.RawMessage
	Scratch  string        // the child's private folder, for inspect.Config.Scratch
	Cache    string        // folder of compiled code; read-only once documents come
	Deadline time.Duration // for inspect.Config.Deadline; the parent kills a little later
	MaxSize  int64         // for inspect.Config.MaxSize
	Programs bool
	Memory   int64
	Retire   int64
}

// Protection is one wall between a child and the rest of the machine.
type Protection struct {
	Name   string // "network", "files", "system-calls", "namespaces", "memory", "privileges", "environment"
	Holds  bool
	Detail string // how, or why not: technical English
}
