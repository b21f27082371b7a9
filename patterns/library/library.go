// Package library holds the built-in words, names and kinds of documents as
// data, and reads the customer's own patterns.
package library

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
)

//go:embed lexicons names cues.tsv kinds.tsv gist.bin
var builtIn embed.FS

// Options of Load.
type Options struct {
	// PatternsDir is a folder of the customer's own patterns, *.yaml; "" if
	// there is none.
	PatternsDir string
	// TablesDir is a private folder in which the engine's tables are kept
	// between processes, so that a child starts fast. "": none.
	TablesDir string
}

// Load returns the built-in library together with the customer's patterns.
// Errors in those name file and line and wrap ErrPattern.
func Load(o Options) (*patterns.Set, error) {
	lib, err := o.read()
	if err != nil {
		return nil, err
	}
	if o.TablesDir == "" {
		return patterns.NewSet(lib)
	}
	return loadSaved(lib, o.tables(lib))
}

// Prepare returns the Version of the Set that Load returns. Load is fast
// afterwards, also in other processes, if there is a TablesDir.
func Prepare(o Options) (version string, err error) {
	lib, err := o.read()
	if err != nil {
		return "", err
	}
	// The customer's patterns are only known to be right when the Set is made.
	if o.PatternsDir == "" && o.TablesDir != "" {
		if _, err := os.Stat(o.tables(lib)); err == nil {
			return lib.SetVersion(), nil
		}
	}
	set, err := Load(o)
	if err != nil {
		return "", err
	}
	return set.Version(), nil
}

func (o Options) read() (patterns.Library, error) {
	lib, err := Read()
	if err != nil || o.PatternsDir == "" {
		return lib, err
	}
	custom, version, err := ReadDir(o.PatternsDir)
	if err != nil {
		return patterns.Library{}, err
	}
	lib.Custom = custom
	lib.Version += version
	return lib, nil
}

func (o Options) tables(lib patterns.Library) string {
	return filepath.Join(o.TablesDir, "tables-"+patterns.TablesForm+"-"+lib.Version)
}

// loadSaved builds the Set with the tables of a file, and makes the file when
// it is absent. One that cannot be read or written costs only time; Build
// refuses what is damaged or of another library.
func loadSaved(lib patterns.Library, file string) (*patterns.Set, error) {
	saved, err := mapped(file)
	if err == nil {
		lib.Tables = saved
	}
	set, err := patterns.NewSet(lib)
	if err != nil || saved != nil {
		return set, err
	}
	_ = save(set, file)
	return set, nil
}

func save(set *patterns.Set, file string) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".tables-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	err = errors.Join(set.Engine().WriteTables(tmp), tmp.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), file); err != nil {
		return err
	}
	return forget(filepath.Dir(file))
}

// keepTables is how many libraries' tables are kept: with and without the
// customer's patterns, and while a new version is taken into use.
const keepTables = 3

// forget removes the oldest tables, and what interrupted processes left.
func forget(dir string) error {
	saved, err := filepath.Glob(filepath.Join(dir, "tables-*"))
	if err != nil {
		return err
	}
	slices.SortFunc(saved, func(a, b string) int { return changed(b).Compare(changed(a)) })
	for _, file := range saved[min(len(saved), keepTables):] {
		err = errors.Join(err, os.Remove(file))
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".tables-*"))
	for _, file := range left {
		if time.Since(changed(file)) > time.Hour {
			err = errors.Join(err, os.Remove(file))
		}
	}
	return err
}

// changed returns when a file was written; one that is gone is very old.
func changed(file string) time.Time {
	info, err := os.Stat(file)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// Read returns the built-in library.
func Read() (patterns.Library, error) {
	var lib patterns.Library
	steps := []func(*patterns.Library) error{readLexicons, readCues, readKinds, readNames, readGist, hash}
	for _, step := range steps {
		if err := step(&lib); err != nil {
			return patterns.Library{}, fmt.Errorf("built-in library: %w", err)
		}
	}
	return lib, nil
}

func readLexicons(lib *patterns.Library) error {
	files, err := fs.Glob(builtIn, "lexicons/*.tsv")
	if err != nil {
		return err
	}
	for _, name := range files {
		text, err := builtIn.ReadFile(name)
		if err != nil {
			return err
		}
		category := patterns.Category(strings.TrimSuffix(path.Base(name), ".tsv"))
		lex, err := patterns.ParseLexicon(category, bytes.NewReader(text))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		lib.Lexicons = append(lib.Lexicons, lex)
	}
	return nil
}

func readCues(lib *patterns.Library) error {
	text, err := builtIn.ReadFile("cues.tsv")
	if err != nil {
		return err
	}
	lib.Cues, err = patterns.ParseCues(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("cues.tsv: %w", err)
	}
	return nil
}

func readKinds(lib *patterns.Library) error {
	text, err := builtIn.ReadFile("kinds.tsv")
	if err != nil {
		return err
	}
	lib.Kinds, err = patterns.ParseKinds(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("kinds.tsv: %w", err)
	}
	return nil
}

func readNames(lib *patterns.Library) error {
	for name, list := range map[string]*[]string{
		"first": &lib.Names.First, "first_rare": &lib.Names.Rare, "first_ambiguous": &lib.Names.Ambiguous,
		"last": &lib.Names.Last, "places": &lib.Names.Places,
	} {
		text, err := builtIn.ReadFile("names/" + name + ".txt")
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				*list = append(*list, line)
			}
		}
	}
	return nil
}

func readGist(lib *patterns.Library) error {
	var err error
	lib.Gist, err = patterns.ParseGist(Gist())
	if err != nil {
		return fmt.Errorf("%s: %w", GistFile, err)
	}
	return nil
}

// Gist returns the embedded table of the gist.
func Gist() []byte {
	table, err := builtIn.ReadFile(GistFile)
	if err != nil {
		panic(err) // it is embedded
	}
	return table
}

// GistFile holds the gist that patterns/accuracy/train learned.
const GistFile = "gist.bin"

func hash(lib *patterns.Library) error {
	h := sha256.New()
	err := fs.WalkDir(builtIn, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := builtIn.ReadFile(name)
		if err != nil {
			return err
		}
		_, _ = h.Write([]byte(name + "\x00"))
		_, _ = h.Write(text)
		return nil
	})
	lib.Version = hex.EncodeToString(h.Sum(nil)[:8])
	return err
}
