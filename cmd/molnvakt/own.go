package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/inspect"
)

// The municipality's own: records to be met exactly (own/*.exact) and documents
// and forms to be known again (own/fingerprints.json), in the data folder.
// Both are keyed: without the key they tell nothing.
const (
	exactEnding      = ".exact"
	fingerprintsFile = "fingerprints.json"
)

func (p *program) ownDir() string { return filepath.Join(p.config.Data, "own") }

// ownFiles lists what there is, in order.
func (p *program) ownFiles() ([]string, error) {
	entries, err := os.ReadDir(p.ownDir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &fault{key: "fault.data", args: []any{p.ownDir()}, err: err}
	}
	var files []string
	for _, e := range entries {
		if e.Name() == fingerprintsFile || strings.HasSuffix(e.Name(), exactEnding) {
			files = append(files, filepath.Join(p.ownDir(), e.Name()))
		}
	}
	return files, nil
}

// hashOwn adds what decides whether documents must be read again.
func hashOwn(h hash.Hash, files []string) error {
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return err
		}
		fmt.Fprintln(h, "own", filepath.Base(f), info.Size(), info.ModTime().UnixNano())
	}
	return nil
}

// soundOwn names an index that the children would refuse.
func soundOwn(files []string, key findings.Key) error {
	if len(files) == 0 {
		return nil
	}
	masker, err := patterns.NewMasker(key.Subkey(maskPurpose))
	if err != nil {
		return err
	}
	for _, name := range files {
		if filepath.Base(name) == fingerprintsFile {
			continue
		}
		if err := soundIndex(name, masker); err != nil {
			return &fault{key: "fault.own-index", args: []any{strings.TrimSuffix(filepath.Base(name), exactEnding)}, err: err}
		}
	}
	return nil
}

func soundIndex(name string, m *patterns.Masker) error {
	f, info, err := openFile(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return patterns.CheckExact(f, info.Size(), m)
}

// openOwn opens what a child compares documents with. The files stay open:
// behind the walls there are no others.
func openOwn(set *patterns.Set, m *patterns.Masker, files []string) (patterns.Own, error) {
	var own patterns.Own
	for _, name := range files {
		if filepath.Base(name) == fingerprintsFile {
			prints, err := readFingerprints(name)
			if err != nil {
				return own, err
			}
			if own.Fingerprints, err = patterns.NewFingerprintSet(prints, m); err != nil {
				return own, err
			}
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			return own, err
		}
		info, err := f.Stat()
		if err != nil {
			return own, err
		}
		index, err := set.Engine().OpenExact(f, info.Size(), m)
		if err != nil {
			return own, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		own.Exact = append(own.Exact, index)
	}
	return own, nil
}

func readFingerprints(name string) (prints []patterns.Fingerprint, err error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return prints, json.Unmarshal(text, &prints)
}

// lastingMasker masks with the key of this installation, which what is the
// municipality's own is made with.
func (p *program) lastingMasker() (*patterns.Masker, error) {
	key, err := p.key()
	if err != nil {
		return nil, err
	}
	return patterns.NewMasker(key.Subkey(maskPurpose))
}

func (p *program) exactCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "exact"}
	cmd.AddCommand(p.exactAddCommand(), p.exactRemoveCommand(), p.ownListCommand())
	return cmd
}

func (p *program) exactAddCommand() *cobra.Command {
	var primary []string
	cmd := &cobra.Command{
		Use:  "add",
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := ownName(args[0]); err != nil {
				return err
			}
			return p.exactAdd(args[0], args[1], primary)
		},
	}
	cmd.Flags().StringSliceVar(&primary, "primary", nil, "")
	return cmd
}

// ownName refuses names that could lead out of the folder.
func ownName(name string) error {
	if name == "" || strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") {
		return &fault{key: "fault.own-name", args: []any{name}}
	}
	return nil
}

// exactAdd makes an index of a CSV file's records. The file itself is not kept.
func (p *program) exactAdd(name, file string, primary []string) error {
	masker, err := p.lastingMasker()
	if err != nil {
		return err
	}
	f, info, err := openFile(file)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := extract.TextReader(f, info.Size(), "")
	if err != nil {
		return &fault{key: "fault.file", args: []any{file}, err: err}
	}
	rows, head, err := csvRows(text)
	if errors.Is(err, io.EOF) {
		return &fault{key: "fault.csv-empty", args: []any{file}}
	}
	if err != nil {
		return &fault{key: "fault.csv", args: []any{file}, err: err}
	}
	columns, err := exactColumns(head, primary)
	if err != nil {
		return err
	}
	set, err := settings{PatternsDir: p.config.Patterns}.set("")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(p.ownDir(), 0o700); err != nil {
		return &fault{key: "fault.data", args: []any{p.ownDir()}, err: err}
	}
	builder, err := set.Engine().NewExactBuilder(name, columns, masker, p.ownDir())
	if err != nil {
		return &fault{key: "fault.csv", args: []any{file}, err: err}
	}
	defer builder.Close()
	records := 0
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return &fault{key: "fault.csv", args: []any{file}, err: withoutText(err)}
		}
		row = append(row, make([]string, max(0, len(columns)-len(row)))...)
		if err := builder.Add(row[:len(columns)]); err != nil {
			return &fault{key: "fault.csv", args: []any{file}, err: err}
		}
		records++
	}
	if builder.Primary() == 0 {
		return &fault{key: "fault.exact-primary", args: []any{file, primaryNames(columns), strings.Join(head, ", ")}}
	}
	err = p.writeFile(filepath.Join(p.ownDir(), name+exactEnding), func(w io.Writer) error {
		_, err := builder.WriteTo(w)
		return err
	})
	if err == nil {
		_, err = fmt.Fprintln(p.out, p.words.T("exact.done", name, records, builder.Skipped()))
	}
	return err
}

// csvRows reads the head of a table and leaves the rest to be read.
func csvRows(text io.Reader) (*csv.Reader, []string, error) {
	in := bufio.NewReaderSize(text, 1<<16)
	sample, err := in.Peek(1 << 12)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	rows := csv.NewReader(in)
	rows.FieldsPerRecord, rows.LazyQuotes, rows.ReuseRecord = -1, true, true
	if delimiter, ok := extract.Delimiter(string(sample)); ok {
		rows.Comma = delimiter
	}
	head, err := rows.Read()
	if err != nil {
		return nil, nil, withoutText(err)
	}
	return rows, slices.Clone(head), nil
}

// withoutText keeps the line of a CSV error and not what stood there.
func withoutText(err error) error {
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return fmt.Errorf("line %d: %w", bad.Line, bad.Err)
	}
	return err
}

func exactColumns(head, primary []string) ([]patterns.ExactColumn, error) {
	if len(primary) == 0 {
		primary = head[:1]
	}
	var columns []patterns.ExactColumn
	for _, name := range head {
		columns = append(columns, patterns.ExactColumn{Name: strings.TrimSpace(name)})
	}
	for _, name := range primary {
		i := slices.IndexFunc(columns, func(c patterns.ExactColumn) bool { return strings.EqualFold(c.Name, strings.TrimSpace(name)) })
		if i < 0 {
			return nil, &fault{key: "fault.column", args: []any{name, strings.Join(head, ", ")}}
		}
		columns[i].Primary = true
	}
	return columns, nil
}

func primaryNames(columns []patterns.ExactColumn) string {
	var names []string
	for _, c := range columns {
		if c.Primary {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ", ")
}

func (p *program) exactRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:  "remove",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := ownName(args[0]); err != nil {
				return err
			}
			switch err := os.Remove(filepath.Join(p.ownDir(), args[0]+exactEnding)); {
			case errors.Is(err, fs.ErrNotExist):
				return &fault{key: "fault.own-missing", args: []any{args[0]}}
			case err != nil:
				return &fault{key: "fault.data", args: []any{p.ownDir()}, err: err}
			}
			_, err := fmt.Fprintln(p.out, p.words.T("own.removed", args[0]))
			return err
		},
	}
}

func (p *program) fingerprintCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "fingerprint"}
	cmd.AddCommand(p.fingerprintAddCommand(), p.fingerprintRemoveCommand(), p.ownListCommand())
	return cmd
}

func (p *program) fingerprintAddCommand() *cobra.Command {
	var form bool
	cmd := &cobra.Command{
		Use:  "add",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			kind := patterns.KnownDocument
			if form {
				kind = patterns.KnownForm
			}
			return p.fingerprintAdd(cmd.Context(), args[0], args[1], kind)
		},
	}
	cmd.Flags().BoolVar(&form, "form", false, "")
	return cmd
}

// fingerprintAdd takes the fingerprint of a document; one of the same name is
// replaced.
func (p *program) fingerprintAdd(ctx context.Context, name, file string, kind patterns.FingerprintKind) error {
	masker, err := p.lastingMasker()
	if err != nil {
		return err
	}
	in, free, err := p.pooled(true)
	if err != nil {
		return err
	}
	defer free()
	f, _, err := openFile(file)
	if err != nil {
		return err
	}
	defer f.Close()
	printer := patterns.NewFingerprinter(masker)
	_, err = in.Inspect(ctx, inspect.Document{
		Name: filepath.Base(file), Path: file, Size: -1, Content: f, OCR: p.config.Scan.OCR,
		Text: func(part inspect.TextPart) error { printer.Write([]byte(part.Text)); return nil },
	})
	if err != nil {
		return err
	}
	print, err := printer.Sum(name, kind)
	if err != nil {
		return &fault{key: "fault.fingerprint", args: []any{file}, err: err}
	}
	if _, err := p.replaceFingerprint(name, print); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, p.words.T("fingerprint.done", name, print.Words))
	return err
}

// replaceFingerprint takes those of a name away and puts others there. It
// reports whether there were any.
func (p *program) replaceFingerprint(name string, by ...patterns.Fingerprint) (bool, error) {
	store := filepath.Join(p.ownDir(), fingerprintsFile)
	prints, err := readFingerprints(store)
	if err != nil {
		return false, &fault{key: "fault.file", args: []any{store}, err: err}
	}
	before := len(prints)
	prints = slices.DeleteFunc(prints, func(old patterns.Fingerprint) bool { return old.Name == name })
	there := len(prints) < before
	if !there && len(by) == 0 {
		return false, nil
	}
	if err := os.MkdirAll(p.ownDir(), 0o700); err != nil {
		return there, &fault{key: "fault.data", args: []any{p.ownDir()}, err: err}
	}
	return there, p.writeFile(store, func(w io.Writer) error { return json.NewEncoder(w).Encode(append(prints, by...)) })
}

func (p *program) fingerprintRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:  "remove",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			there, err := p.replaceFingerprint(args[0])
			if err == nil && !there {
				err = &fault{key: "fault.own-missing", args: []any{args[0]}}
			}
			if err == nil {
				_, err = fmt.Fprintln(p.out, p.words.T("own.removed", args[0]))
			}
			return err
		},
	}
}

func (p *program) ownListCommand() *cobra.Command {
	return &cobra.Command{
		Use:  "list",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			files, err := p.ownFiles()
			if err != nil {
				return err
			}
			for _, f := range files {
				if filepath.Base(f) != fingerprintsFile {
					fmt.Fprintln(p.out, strings.TrimSuffix(filepath.Base(f), exactEnding)+" – "+f)
					continue
				}
				prints, err := readFingerprints(f)
				if err != nil {
					return &fault{key: "fault.file", args: []any{f}, err: err}
				}
				for _, print := range prints {
					fmt.Fprintln(p.out, p.words.T("fingerprint.line", print.Name, print.Words)+" – "+f)
				}
			}
			return nil
		},
	}
}

// maskPurpose names the subkey that masks and fingerprints.
const maskPurpose = "mask"
