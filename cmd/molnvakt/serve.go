package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/robfig/cron/v3"
	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/scanner"
)

func (p *program) serveCommand() *cobra.Command {
	var now bool
	cmd := &cobra.Command{
		Use:  "serve",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context(), now) },
	}
	cmd.Flags().BoolVar(&now, "now", false, "")
	return cmd
}

// serve scans each source by its schedule until ctx ends. Scans follow each
// other: one at a time keeps the load on the tenant and on this machine even.
func (p *program) serve(ctx context.Context, now bool) error {
	schedule, err := p.schedule()
	if err != nil {
		return err
	}
	key, err := p.key()
	if err != nil {
		return err
	}
	if err := p.ready(ctx, key); err != nil {
		return err
	}

	var one sync.Mutex
	run := func(names []string) {
		one.Lock()
		defer one.Unlock()
		if ctx.Err() != nil {
			return
		}
		if err := p.scheduledScan(ctx, key, names); err != nil && ctx.Err() == nil {
			p.log.Error("scheduled scan", "sources", names, "err", p.say(err))
		}
	}
	clock := cron.New()
	for name, when := range schedule {
		clock.Schedule(when, cron.FuncJob(func() { run([]string{name}) }))
	}
	clock.Start()
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		p.log.Warn("systemd was not told", "err", err)
	}
	p.log.Info("serving", "sources", len(schedule), "next", nextOf(clock))
	if now {
		run(nil)
	}
	<-ctx.Done()
	<-clock.Stop().Done() // the scan under way records what it has
	return nil
}

// ready looks for what would keep a scan from running: it is told now, not at
// night. Between scans the database is free for decisions.
func (p *program) ready(ctx context.Context, key findings.Key) error {
	store, err := p.store(ctx, key)
	if err != nil {
		return err
	}
	_, err = p.policy()
	return errors.Join(err, store.Close())
}

// schedule parses the schedules of all sources that have one.
func (p *program) schedule() (map[string]cron.Schedule, error) {
	all := map[string]cron.Schedule{}
	for _, s := range p.config.Sources {
		if s.Schedule == "" {
			continue
		}
		when, err := cron.ParseStandard(s.Schedule)
		if err != nil {
			return nil, &fault{key: "fault.schedule", args: []any{s.Name, s.Schedule}, err: err}
		}
		all[s.Name] = when
	}
	if len(all) == 0 {
		return nil, &fault{key: "fault.no-schedule"}
	}
	return all, nil
}

func nextOf(clock *cron.Cron) (next time.Time) {
	for _, e := range clock.Entries() {
		if next.IsZero() || e.Next.Before(next) {
			next = e.Next
		}
	}
	return next
}

// scheduledScan scans the named sources and writes the reports.
func (p *program) scheduledScan(ctx context.Context, key findings.Key, names []string) error {
	store, err := p.store(ctx, key)
	if err != nil {
		return err
	}
	defer store.Close()
	places, free, missing, err := p.places(names)
	if err != nil {
		return err
	}
	defer free()
	s, freeScanner, err := p.scanner(key, store, places)
	if err != nil {
		return err
	}
	defer freeScanner()
	failure := s.Scan(ctx)
	if failure != nil && !errors.Is(failure, scanner.ErrIncomplete) {
		return failure
	}
	failure = errors.Join(missing, failure)
	now := s.Progress()
	p.log.Info("scan ended", "sources", names, "met", now.Listed, "read", now.Read, "gaps", now.Gaps, "findings", now.Findings, "duration", now.Since)
	if p.config.Reports == "" {
		return failure
	}
	in := p.input(s.Policy)
	in.Register = store
	if _, err := p.writeReports(ctx, in, p.config.Reports); err != nil {
		return errors.Join(failure, fmt.Errorf("reports: %w", err))
	}
	return failure
}
