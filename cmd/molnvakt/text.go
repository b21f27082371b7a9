package main

import (
	"bufio"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/scanner/inspect"
)

func (p *program) textCommand() *cobra.Command {
	var ocr string
	cmd := &cobra.Command{
		Use:  "text",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			mode, err := p.ocrMode(ocr)
			if err != nil {
				return err
			}
			f, _, err := openFile(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			in, free, err := p.pooled(mode != inspect.OCROff)
			if err != nil {
				return err
			}
			defer free()
			out := bufio.NewWriter(p.out)
			shown := func(text string) string { return text }
			if isTerminal(p.out) { // a document must not steer the terminal
				shown = harmless
			}
			var at inspect.TextPart
			result, err := in.Inspect(cmd.Context(), inspect.Document{
				Name: filepath.Base(args[0]), Path: args[0], Size: -1, Content: f, OCR: mode, Options: p.options(),
				Text: func(part inspect.TextPart) error {
					if part.Kind != at.Kind || part.Place != at.Place {
						fmt.Fprintf(out, "\n--- %s", part.Kind)
						if part.Place != "" {
							fmt.Fprintf(out, " · %s", p.words.Place(part.Place))
						}
						fmt.Fprintln(out, " ---")
						at = part
					}
					_, err := out.WriteString(shown(part.Text))
					if part.Row > 0 {
						_, err = out.WriteString("\n")
					}
					return err
				},
			})
			if err != nil {
				return err
			}
			if err := out.Flush(); err != nil {
				return err
			}
			fmt.Fprintf(p.err, "\n%s: %s, %s\n", args[0], result.MediaType, p.words.Reading(string(result.Status)))
			for _, line := range p.gapLines(result.Gaps) {
				fmt.Fprintln(p.err, line)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&ocr, "ocr", "", "off, scans, all")
	return cmd
}
