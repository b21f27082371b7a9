package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/pdf"
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
	PatternsDir string // of the customer's own; read before the walls stand
	Limits      extract.Limits
	Own         []string // files of the customer's records and fingerprints
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
	set, err := s.set(h.Cache)
	if err != nil {
		return nil, err
	}
	masker, err := patterns.NewMasker(h.Key)
	if err != nil {
		return nil, err
	}
	own, err := openOwn(set, masker, s.Own)
	if err != nil {
		return nil, err
	}
	c := inspect.DefaultConfig()
	c.Extractors = extractors(pdf.Config{Engine: pdf.Engine(s.PDFEngine), Cache: h.Cache})
	c.Readers = func() patterns.Reader { return set.NewReaderWith(masker, own) }
	c.Sniff = extract.Sniff
	c.Passwords, c.Limits = s.Passwords, s.Limits
	c.Scratch, c.Deadline, c.MaxSize = h.Scratch, h.Deadline, h.MaxSize
	return inspect.NewLocal(c), nil
}
