package main

import (
	"fmt"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/findings"
)

func (p *program) decideCommand() *cobra.Command {
	var role, by, comment, until string
	cmd := &cobra.Command{
		Use:  "decide",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			d := findings.Decision{
				Finding: findings.ID(args[0]), To: findings.Status(args[1]), Role: findings.Role(role), By: by, Comment: comment,
			}
			if d.Role != findings.Officer && d.Role != findings.Head {
				return &fault{key: "fault.choice", args: []any{"--as", role, "officer, head"}}
			}
			if until != "" {
				day, err := time.ParseInLocation(time.DateOnly, until, time.Local)
				if err != nil {
					return &fault{key: "fault.date", args: []any{until}}
				}
				d.Until = day.AddDate(0, 0, 1).Add(-time.Second) // the day itself counts
			}
			if d.To == findings.RiskAccepted && !d.Until.After(time.Now()) {
				return &fault{key: "fault.until"}
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
			if allowed := findings.Choices(now.Status, d.Role); !slices.Contains(allowed, d.To) {
				return p.notAllowed(now.Status, d, allowed)
			}
			after, err := store.Decide(cmd.Context(), d)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.out, p.words.T("decide.done", printable(after.Item.Path), p.words.Status(string(after.Status))))
			return err
		},
	}
	cmd.Flags().StringVar(&role, "as", string(findings.Officer), "officer, head")
	cmd.Flags().StringVar(&by, "by", "", "")
	cmd.Flags().StringVar(&comment, "comment", "", "")
	cmd.Flags().StringVar(&until, "until", "", "")
	return cmd
}

// notAllowed says what a role may do with a finding instead.
func (p *program) notAllowed(now findings.Status, d findings.Decision, allowed []findings.Status) error {
	var names []string
	for _, s := range allowed {
		names = append(names, string(s))
	}
	return &fault{key: "fault.step", args: []any{string(d.To), p.words.Status(string(now)), string(d.Role), orDefault(strings.Join(names, ", "), "–")}}
}
