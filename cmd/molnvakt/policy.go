package main

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/policy"
)

func (p *program) policyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "policy"}
	cmd.AddCommand(p.policyCheckCommand(), p.policyShowCommand(), p.policyDiffCommand(), p.policySchemaCommand())
	return cmd
}

func (p *program) policyCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:  "check",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file := p.config.Policy
			if len(args) == 1 {
				file = args[0]
			}
			rules, name := policy.Default(), p.words.T("policy.built-in")
			if file != "" {
				text, err := os.ReadFile(file)
				if err != nil {
					return &fault{key: "fault.policy-unreadable", args: []any{file}, err: err}
				}
				if rules, err = policy.Parse(file, text); err != nil {
					return err
				}
				name = file
			}
			_, err := fmt.Fprintln(p.out, p.words.T("policy.fine", name, len(rules.Services()), len(rules.Rules()), len(rules.Controllers()), len(rules.Decisions())))
			return err
		},
	}
}

func (p *program) policyShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:  "show",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text := policy.DefaultText()
			if p.config.Policy != "" {
				var err error
				if text, err = os.ReadFile(p.config.Policy); err != nil {
					return &fault{key: "fault.policy-unreadable", args: []any{p.config.Policy}, err: err}
				}
			}
			_, err := p.out.Write(text)
			return err
		},
	}
}

func (p *program) policyDiffCommand() *cobra.Command {
	var samples int
	cmd := &cobra.Command{
		Use:  "diff",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			before, err := p.policy()
			if err != nil {
				return err
			}
			text, err := os.ReadFile(args[0])
			if err != nil {
				return &fault{key: "fault.policy-unreadable", args: []any{args[0]}, err: err}
			}
			after, err := policy.Parse(args[0], text)
			if err != nil {
				return err
			}
			key, err := p.key()
			if err != nil {
				return err
			}
			register, err := p.register(cmd.Context(), key)
			if err != nil {
				return err
			}
			defer register.Close()
			d, err := policy.Diff(before, after, filed(cmd.Context(), register), time.Now(), samples)
			if err != nil {
				return err
			}
			return p.tellDiff(d)
		},
	}
	cmd.Flags().IntVar(&samples, "samples", 5, "")
	return cmd
}

// filed are the documents of the register as the policy judges them: what was
// found in them is enough, nothing is fetched.
func filed(ctx context.Context, register findings.Register) iter.Seq2[policy.Filed, error] {
	return func(yield func(policy.Filed, error) bool) {
		for d, err := range register.Documents(ctx, findings.Filter{}) {
			f := policy.Filed{Place: policy.Place{Source: d.Source, Service: d.Service, Site: d.Site, Path: d.Item.Path, Modified: d.Item.Modified}, Content: d.Reading.Content}
			if d.Exposure != nil {
				f.Place.Audience = string(d.Exposure.Widest())
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

func (p *program) tellDiff(d policy.Difference) error {
	out := bufio.NewWriter(p.out)
	fmt.Fprintln(out, p.words.T("diff.sum", d.Documents, d.Added(), d.Removed(), d.Worse(), d.Milder(), d.Classes))
	for _, r := range d.Rules {
		fmt.Fprintf(out, "\n%s (%s): +%d −%d", r.Title, r.Rule, r.Added, r.Removed)
		if r.Worse+r.Milder > 0 {
			fmt.Fprint(out, ", "+p.words.T("diff.changed", r.Worse, r.Milder))
		}
		fmt.Fprintln(out)
		for _, s := range r.Samples {
			fmt.Fprintf(out, "  %s → %s  %s\n", p.outcomeOr(s.Before), p.outcomeOr(s.After), printable(s.Place.Path))
		}
	}
	return out.Flush()
}

func (p *program) outcomeOr(o policy.Outcome) string {
	if o == "" {
		o = policy.Allowed
	}
	return p.words.Outcome(string(o))
}

func (p *program) policySchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:  "schema",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := p.out.Write(policy.Schema())
			return err
		},
	}
}
