package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/patterns/library"
	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/inspect"
	"github.com/molnvakt/molnvakt/scanner/sandbox"
)

// sandboxCommand is the hidden subcommand that a sandbox's children run. It is
// not a cobra command: a child parses no flags and reads no configuration.
const sandboxCommand = "sandbox-child"

// settings is what a child needs to know besides its limits and the key.
type settings struct {
	PDFEngine   string
	Passwords   []string
	Recognition bool
	Deadline    time.Duration
	MaxSize     int64
	Patterns    []library.File // the customer's own, by name
}

func sandboxChild() int {
	if err := sandbox.Serve(os.Stdin, os.Stdout, build); err != nil {
		fmt.Fprintln(os.Stderr, "molnvakt sandbox:", err)
		return exitError
	}
	return exitClean
}

// build puts a child's inspector together.
func build(h sandbox.Handshake) (inspect.Inspector, error) {
	var s settings
	if err := json.Unmarshal(h.Settings, &s); err != nil {
		return nil, err
	}
	return s.inspector(h)
}

func (s settings) inspector(h sandbox.Handshake) (inspect.Inspector, error) {
	set, err := s.set()
	if err != nil {
		return nil, err
	}
	masker := patterns.NewMasker(h.Key)
	c := inspect.DefaultConfig()
	c.Extractors = s.extractorsIn(h.Cache)
	c.Readers = func() patterns.Reader { return set.NewReader(masker) }
	c.Sniff = extract.Sniff
	c.Passwords = s.Passwords
	c.Scratch, c.Deadline, c.MaxSize = h.Scratch, h.Deadline, h.MaxSize
	return inspect.NewLocal(c), nil
}
