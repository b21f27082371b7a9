package json

import (
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/reports"
)

// Coverage says how much was looked into, and when, and with what.
type Coverage struct {
	Generated *time.Time       `json:"generated,omitempty"`
	Version   string           `json:"version,omitempty"` // of the program
	Documents int64            `json:"documents"`         // met
	Read      int64            `json:"read"`              // whole
	Partial   int64            `json:"partial"`
	Unread    int64            `json:"unread"` // each is a gap
	Waiting   int64            `json:"waiting"`
	Bytes     int64            `json:"bytes"` // of the documents read
	Gaps      map[string]int64 `json:"gaps"`  // by reason
	Rulesets  []string         `json:"rulesets"`
	Sources   []SourceCoverage `json:"sources"`
}

// SourceCoverage is the coverage of one source.
type SourceCoverage struct {
	Source       string     `json:"source"`
	Service      string     `json:"service,omitempty"`
	Scopes       int64      `json:"scopes"`
	Documents    int64      `json:"documents"`
	Read         int64      `json:"read"`
	Partial      int64      `json:"partial"`
	Unread       int64      `json:"unread"`
	Waiting      int64      `json:"waiting"`
	Bytes        int64      `json:"bytes"`
	Started      *time.Time `json:"last_started,omitempty"`
	Ended        *time.Time `json:"last_ended,omitempty"`
	Complete     bool       `json:"last_complete"`
	Failure      string     `json:"failure,omitempty"`
	Ruleset      string     `json:"ruleset,omitempty"`
	Policy       string     `json:"policy,omitempty"`
	LastComplete *time.Time `json:"complete_at,omitempty"`
}

func coverageOf(in reports.Input, c findings.Coverage) Coverage {
	out := Coverage{
		Generated: moment(in.Now), Version: in.Version,
		Documents: c.Documents, Read: c.Read, Partial: c.Partial, Unread: c.Unread, Waiting: c.Waiting, Bytes: c.Bytes,
		Gaps: map[string]int64{}, Rulesets: append([]string{}, c.Rulesets...), Sources: []SourceCoverage{},
	}
	for _, g := range c.Gaps {
		out.Gaps[g.Reason] += g.Count
	}
	for _, s := range c.Sources {
		out.Sources = append(out.Sources, SourceCoverage{
			Source: s.Source, Service: s.Service, Scopes: s.Scopes,
			Documents: s.Documents, Read: s.Read, Partial: s.Partial, Unread: s.Unread, Waiting: s.Waiting, Bytes: s.Bytes,
			Started: moment(s.Last.Started), Ended: moment(s.Last.Ended), Complete: s.Last.Complete, Failure: s.Last.Failure,
			Ruleset: s.Last.Ruleset.Reading, Policy: s.Last.Ruleset.Policy, LastComplete: moment(s.LastComplete),
		})
	}
	return out
}
