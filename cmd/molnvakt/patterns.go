package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/patterns/library"
	"github.com/molnvakt/molnvakt/policy"
)

func (p *program) patternsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "patterns"}
	cmd.AddCommand(p.patternsCheckCommand(), p.patternsTestCommand())
	return cmd
}

func (p *program) patternsCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:  "check",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				p.config.Patterns = args[0]
			}
			if p.config.Patterns == "" {
				return &fault{key: "fault.no-patterns"}
			}
			own, _, err := library.ReadDir(p.config.Patterns)
			if err == nil {
				err = library.Check(p.config.Patterns)
			}
			if err != nil {
				return &fault{key: "fault.patterns", args: []any{p.config.Patterns}, err: errors.New(strings.ReplaceAll(plainYAML(err), library.ErrPattern.Error()+": ", ""))}
			}
			_, err = fmt.Fprintln(p.out, p.words.T("patterns.fine", p.config.Patterns, len(own)))
			return err
		},
	}
}

// patternsTestCommand shows what the own patterns, and the built-in ones, make
// of a file: the explanation without the policy's part.
func (p *program) patternsTestCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:  "test",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir != "" { // its reader runs elsewhere
				abs, err := filepath.Abs(dir)
				if err != nil {
					return err
				}
				p.config.Patterns = abs
			}
			if p.config.Patterns == "" {
				return &fault{key: "fault.no-patterns"}
			}
			c := &checker{program: p, rules: policy.Default(), service: folderService, ocr: p.config.Scan.OCR, explain: true}
			return c.explainFile(cmd.Context(), args[0])
		},
	}
	cmd.Flags().StringVar(&dir, "patterns", "", "")
	return cmd
}
