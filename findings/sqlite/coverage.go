package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/molnvakt/molnvakt/findings"
)

// Coverage implements findings.Register. Each document is counted once: as
// waiting if it is to be read, else by how its last reading went.
func (db *DB) Coverage(ctx context.Context, f findings.Filter) (findings.Coverage, error) {
	var c findings.Coverage
	err := db.snapshot(ctx, func(tx *sql.Tx) error {
		for _, part := range []func(context.Context, *sql.Tx, findings.Filter, *findings.Coverage) error{
			countDocuments, countScopes, lastScans, countGaps, rulesets,
		} {
			if err := part(ctx, tx, f, &c); err != nil {
				return err
			}
		}
		return nil
	})
	return c, translate(err)
}

// snapshot runs several queries on one state of the database.
func (db *DB) snapshot(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	return do(tx)
}

const waiting = "d.queue = 1 AND d.retry_at = 0"

func countDocuments(ctx context.Context, tx *sql.Tx, f findings.Filter, c *findings.Coverage) error {
	where := ofDocuments(f)
	rows, err := tx.QueryContext(ctx, `
		SELECT d.source, min(d.service), count(*),
			count(CASE WHEN NOT (`+waiting+`) AND d.status = 'ok' THEN 1 END),
			count(CASE WHEN NOT (`+waiting+`) AND d.status = 'partial' THEN 1 END),
			count(CASE WHEN NOT (`+waiting+`) AND d.status NOT IN ('ok', 'partial') THEN 1 END),
			count(CASE WHEN `+waiting+` THEN 1 END),
			coalesce(sum(CASE WHEN d.status IN ('ok', 'partial') THEN d.bytes END), 0)
		FROM document d`+where.String()+` GROUP BY d.source ORDER BY d.source`, where.args...)
	if err != nil {
		return err
	}
	c.Sources, err = collect(rows, func(r *sql.Rows, s *findings.SourceCoverage) error {
		return r.Scan(&s.Source, &s.Service, &s.Documents, &s.Read, &s.Partial, &s.Unread, &s.Waiting, &s.Bytes)
	})
	for _, s := range c.Sources {
		c.Documents += s.Documents
		c.Read += s.Read
		c.Partial += s.Partial
		c.Unread += s.Unread
		c.Waiting += s.Waiting
		c.Bytes += s.Bytes
	}
	return err
}

// of returns the coverage of a source, adding one that has no documents.
func of(c *findings.Coverage, source string) *findings.SourceCoverage {
	i := slices.IndexFunc(c.Sources, func(s findings.SourceCoverage) bool { return s.Source == source })
	if i < 0 {
		c.Sources = append(c.Sources, findings.SourceCoverage{Source: source})
		i = len(c.Sources) - 1
	}
	return &c.Sources[i]
}

func countScopes(ctx context.Context, tx *sql.Tx, f findings.Filter, c *findings.Coverage) error {
	where := &condition{}
	where.equal("source", f.Source)
	rows, err := tx.QueryContext(ctx, "SELECT source, count(*) FROM scope"+where.String()+" GROUP BY source", where.args...)
	if err != nil {
		return err
	}
	type scopes struct {
		source string
		n      int64
	}
	all, err := collect(rows, func(r *sql.Rows, s *scopes) error { return r.Scan(&s.source, &s.n) })
	for _, s := range all {
		if i := slices.IndexFunc(c.Sources, func(have findings.SourceCoverage) bool { return have.Source == s.source }); i >= 0 {
			c.Sources[i].Scopes = s.n
		}
	}
	return err
}

// lastScans adds the last scan of each source and when it was last complete;
// a source of which nothing was met stands there too.
func lastScans(ctx context.Context, tx *sql.Tx, f findings.Filter, c *findings.Coverage) error {
	where := &condition{}
	where.equal("source", f.Source)
	where.equal("service", f.Service)
	where.add("id IN (SELECT max(id) FROM scan GROUP BY source)")
	rows, err := tx.QueryContext(ctx, scanColumns+where.String(), where.args...)
	if err != nil {
		return err
	}
	last, err := collect(rows, scanScan)
	if err != nil {
		return err
	}
	for _, s := range last {
		source := of(c, s.Source)
		source.Last, source.Service = s, cmp.Or(source.Service, s.Service)
		var ended int64
		if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(ended), 0) FROM scan WHERE source = $1 AND complete = 1", s.Source).Scan(&ended); err != nil {
			return err
		}
		source.LastComplete = moment(ended)
	}
	return nil
}

// countGaps counts documents, folders and scopes by the reasons for which they
// or parts of them were not looked into, the most frequent first.
func countGaps(ctx context.Context, tx *sql.Tx, f findings.Filter, c *findings.Coverage) error {
	where := ofDocuments(f)
	queries := []struct {
		text string
		args []any
	}{{"SELECT g.reason, count(DISTINCT d.id) FROM gap g JOIN document d ON d.id = g.document" + where.String() + " GROUP BY g.reason", where.args}}
	if f.Controller == "" && f.Department == "" && f.Category == "" && f.Finding == "" && len(f.Statuses) == 0 {
		wide := &condition{}
		wide.equal("s.source", f.Source)
		scopes := *wide
		scopes.add("s.reason <> ''")
		queries = append(queries,
			struct {
				text string
				args []any
			}{"SELECT s.reason, count(*) FROM scope s" + scopes.String() + " GROUP BY s.reason", scopes.args},
			struct {
				text string
				args []any
			}{"SELECT u.reason, count(*) FROM unreadable u JOIN scope s ON s.id = u.scope" + wide.String() + " GROUP BY u.reason", wide.args})
	}
	counts := map[string]int64{}
	for _, q := range queries {
		rows, err := tx.QueryContext(ctx, q.text, q.args...)
		if err != nil {
			return err
		}
		all, err := collect(rows, func(r *sql.Rows, n *findings.ReasonCount) error { return r.Scan(&n.Reason, &n.Count) })
		if err != nil {
			return err
		}
		for _, n := range all {
			counts[n.Reason] += n.Count
		}
	}
	for reason, n := range counts {
		c.Gaps = append(c.Gaps, findings.ReasonCount{Reason: reason, Count: n})
	}
	slices.SortFunc(c.Gaps, func(a, b findings.ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	return nil
}

func rulesets(ctx context.Context, tx *sql.Tx, f findings.Filter, c *findings.Coverage) error {
	where := ofDocuments(f)
	where.add("d.ruleset_reading <> ''")
	rows, err := tx.QueryContext(ctx, "SELECT DISTINCT d.ruleset_reading FROM document d"+where.String()+" ORDER BY d.ruleset_reading", where.args...)
	if err != nil {
		return err
	}
	c.Rulesets, err = collect(rows, func(r *sql.Rows, s *string) error { return r.Scan(s) })
	return err
}
