package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/policy"
)

//go:embed molnvakt.example.yaml
var exampleConfig []byte

func (p *program) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:  "init",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			files := map[string][]byte{"molnvakt.yaml": exampleConfig, "policy.yaml": policy.DefaultText()}
			for name := range files { // all or none
				if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
					return &fault{key: "fault.exists", args: []any{filepath.Join(dir, name)}}
				}
			}
			if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
				return &fault{key: "fault.data", args: []any{dir}, err: err}
			}
			for name, text := range files {
				if err := writeNew(filepath.Join(dir, name), text); err != nil {
					return err
				}
			}
			key := filepath.Join(dir, "data", "molnvakt.key")
			if _, err := findings.CreateKey(key); err != nil && !errors.Is(err, fs.ErrExist) {
				return &fault{key: "fault.data", args: []any{dir}, err: err}
			}
			_, err := fmt.Fprintln(p.out, p.words.T("init.done", filepath.Join(dir, "molnvakt.yaml"), filepath.Join(dir, "policy.yaml"), key))
			return err
		},
	}
}

// writeNew writes a file that is not there yet: nothing of a person's work is
// ever overwritten.
func writeNew(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return &fault{key: "fault.exists", args: []any{name}}
	}
	if err != nil {
		return &fault{key: "fault.output", args: []any{name}, err: err}
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
