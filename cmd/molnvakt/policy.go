package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/policy"
)

func (p *program) policyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "policy"}
	cmd.AddCommand(p.policyCheckCommand(), p.policyShowCommand())
	return cmd
}

func (p *program) policyCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:  "check [FILE]",
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
