package main

import (
	"fmt"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/findings"
)

func (p *program) decideCommand() *cobra.Command {
	var role, by, comment, until string
	cmd := &cobra.Command{
		Use:  "decide FINDING STATUS",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			d := findings.Decision{
				Finding: findings.ID(args[0]), To: findings.Status(args[1]), Role: findings.Role(role), By: by, Comment: comment,
			}
			if until != "" {
				day, err := time.ParseInLocation(time.DateOnly, until, time.Local)
				if err != nil {
					return &fault{key: "fault.date", args: []any{until}}
				}
				d.Until = day
			}
			if d.By == "" {
				if u, err := user.Current(); err == nil {
					d.By = u.Username
				}
			}
			key, err := p.key()
			if err != nil {
				return err
			}
			store, err := p.store(cmd.Context(), key)
			if err != nil {
				return err
			}
			defer store.Close()
			now, err := store.Finding(cmd.Context(), d.Finding)
			if err != nil {
				return err
			}
			d.From = now.Status
			after, err := store.Decide(cmd.Context(), d)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.out, p.words.T("decide.done", after.Item.Path, p.words.Status(string(after.Status))))
			return err
		},
	}
	cmd.Flags().StringVar(&role, "as", string(findings.Officer), "officer | head")
	cmd.Flags().StringVar(&by, "by", "", "who decides")
	cmd.Flags().StringVar(&comment, "comment", "", "why")
	cmd.Flags().StringVar(&until, "until", "", "last day, YYYY-MM-DD")
	return cmd
}
