package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/sources"
)

// condition builds a WHERE clause with numbered arguments.
type condition struct {
	parts []string
	args  []any
}

// add appends a condition in which each ? stands for the next argument.
func (c *condition) add(text string, args ...any) {
	for _, a := range args {
		c.args = append(c.args, a)
		text = strings.Replace(text, "?", fmt.Sprintf("$%d", len(c.args)), 1)
	}
	c.parts = append(c.parts, text)
}

func (c *condition) String() string {
	if len(c.parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.parts, " AND ")
}

func (c *condition) equal(column, value string) {
	if value != "" {
		c.add(column+" = ?", value)
	}
}

// below keeps paths that begin with a prefix.
func (c *condition) below(column, prefix string) {
	if prefix != "" {
		c.add("substr("+column+", 1, length(?)) = ?", prefix, prefix)
	}
}

// ofDocuments is a filter as a condition on document d. Statuses, category and
// finding select documents that have such a finding.
func ofDocuments(f findings.Filter) *condition {
	c := &condition{}
	c.equal("d.source", f.Source)
	c.equal("d.service", f.Service)
	c.equal("d.controller", f.Controller)
	c.equal("d.department", f.Department)
	c.below("d.path", f.PathPrefix)
	if f.OtherPolicy != "" {
		c.add("d.ruleset_policy <> ? AND d.status <> ''", f.OtherPolicy)
	}
	if len(f.Statuses) > 0 || f.Category != "" || f.Finding != "" {
		inner := ofFindings(findings.Filter{Statuses: f.Statuses, Category: f.Category, Finding: f.Finding})
		text := strings.Join(inner.parts, " AND ")
		for i := len(inner.args); i > 0; i-- {
			text = strings.ReplaceAll(text, fmt.Sprintf("$%d", i), "?")
		}
		c.add("EXISTS (SELECT 1 FROM finding f WHERE f.document = d.id AND "+text+")", inner.args...)
	}
	if f.WithoutSealed {
		c.add("NOT EXISTS (SELECT 1 FROM finding f WHERE f.document = d.id AND f.sealed = 1)")
	}
	return c
}

func ofFindings(f findings.Filter) *condition {
	c := &condition{}
	c.equal("f.source", f.Source)
	c.equal("f.service", f.Service)
	c.equal("f.controller", f.Controller)
	c.equal("f.department", f.Department)
	c.equal("f.id", string(f.Finding))
	c.below("f.path", f.PathPrefix)
	if f.Category != "" {
		c.add("f.categories LIKE ?", "% "+string(f.Category)+" %")
	}
	if len(f.Statuses) > 0 {
		var args []any
		for _, s := range f.Statuses {
			args = append(args, string(s))
		}
		c.add("f.status IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ")+")", args...)
	}
	if f.WithoutSealed {
		c.add("f.sealed = 0")
	}
	return c
}

// stream runs a query and yields its rows one by one.
func stream[T any](ctx context.Context, pool *sql.DB, query string, args []any, scan func(*sql.Rows, *T) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		rows, err := pool.QueryContext(ctx, query, args...)
		if err != nil {
			yield(none, translate(err))
			return
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells
		for rows.Next() {
			var one T
			if err := scan(rows, &one); err != nil {
				yield(none, translate(err))
				return
			}
			if !yield(one, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(none, translate(err))
		}
	}
}

const documentColumns = `d.id, d.source, d.service, d.site, coalesce(s.scope, ''), d.item, d.path, d.version, d.content_hash, d.size, d.modified,
	d.owner, d.web_url, d.queue, d.status, d.media_type, d.extractor, d.name_mismatch, d.bytes, d.chars, d.files, d.gaps,
	d.sealed_content, d.sealed_exposure, d.ruleset_reading, d.ruleset_policy, d.class, d.outcome, d.controller, d.department,
	d.head, d.mail, d.first_seen, d.read_at, d.retry_at`

// scanDocument reads one row. The gaps' number is left in Reading.Gaps as its
// length, for gapsOf.
func (db *DB) scanDocument(r *sql.Rows, d *findings.Document) error {
	var modified, first, readAt, retryAt int64
	var q queue
	var gaps int
	var content, exposure []byte
	i, read := &d.Item, &d.Reading
	if err := r.Scan(&d.ID, &d.Source, &d.Service, &d.Site, &i.Scope, &i.ID, &i.Path, &i.Version, &i.ContentHash, &i.Size, &modified,
		&i.Owner, &i.WebURL, &q, &read.Status, &read.MediaType, &read.Extractor, &read.NameMismatch, &read.Bytes, &read.Chars, &read.Files,
		&gaps, &content, &exposure, &d.Ruleset.Reading, &d.Ruleset.Policy, &d.Class, &d.Outcome, &d.Controller, &d.Department,
		&d.Head, &d.Mail, &first, &readAt, &retryAt); err != nil {
		return err
	}
	i.Modified, d.FirstSeen, d.ReadAt, d.Waiting = moment(modified), moment(first), moment(readAt), q != notWaiting
	read.Gaps = make([]findings.Gap, gaps)
	if exposure != nil {
		d.Exposure = &sources.Exposure{}
	}
	return errors.Join(db.seal.open(content, &read.Content, "content", d.ID), db.seal.open(exposure, d.Exposure, "exposure", d.ID))
}

func (db *DB) gapsOf(ctx context.Context, d findings.Document) ([]findings.Gap, error) {
	if len(d.Reading.Gaps) == 0 {
		return nil, nil
	}
	rows, err := db.read.QueryContext(ctx, gapQuery+" WHERE d.id = $1 ORDER BY g.id", d.ID)
	if err != nil {
		return nil, translate(err)
	}
	all, err := collect(rows, scanGap)
	return all, translate(err)
}

// documentsQuery selects first and fetches then, in the order of ids: sorting
// whole documents would take as much memory as they do.
func documentsQuery(f findings.Filter) (string, []any) {
	query := "SELECT " + documentColumns + " FROM document d LEFT JOIN scope s ON s.id = d.scope"
	c := ofDocuments(f)
	if len(c.parts) > 0 {
		query += " WHERE d.id IN (SELECT d.id FROM document d" + c.String() + ")"
	}
	return query + " ORDER BY d.id", c.args
}

// Documents implements findings.Register, in the order they were first seen.
func (db *DB) Documents(ctx context.Context, f findings.Filter) iter.Seq2[findings.Document, error] {
	query, args := documentsQuery(f)
	all := stream(ctx, db.read, query, args, db.scanDocument)
	return func(yield func(findings.Document, error) bool) {
		for d, err := range all {
			if err == nil {
				d.Reading.Gaps, err = db.gapsOf(ctx, d)
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// Document implements findings.Register.
func (db *DB) Document(ctx context.Context, source, path string) (findings.Document, error) {
	rows, err := db.read.QueryContext(ctx, "SELECT "+documentColumns+` FROM document d LEFT JOIN scope s ON s.id = d.scope
		WHERE d.source = $1 AND d.path = $2 ORDER BY d.id DESC LIMIT 1`, source, path)
	if err != nil {
		return findings.Document{}, translate(err)
	}
	all, err := collect(rows, db.scanDocument)
	if err != nil {
		return findings.Document{}, translate(err)
	}
	if len(all) == 0 {
		return findings.Document{}, fmt.Errorf("document %q in %q: %w", path, source, findings.ErrNotFound)
	}
	all[0].Reading.Gaps, err = db.gapsOf(ctx, all[0])
	return all[0], err
}

const findingColumns = `SELECT f.id, f.document, f.source, f.service, f.site, f.item_json, f.controller, f.department, f.head, f.mail, f.people,
	f.verdict_json, f.kinds_json, f.sealed_evidence, f.sealed_exposure, f.status, f.until, f.first_seen, f.last_seen, f.changed FROM finding f`

func (db *DB) scanFinding(r *sql.Rows, f *findings.Finding) error {
	var item, verdict, kinds, evidence, exposure []byte
	var until, first, last, changed int64
	if err := r.Scan(&f.ID, &f.Document, &f.Source, &f.Service, &f.Site, &item, &f.Controller, &f.Department, &f.Head, &f.Mail, &f.People,
		&verdict, &kinds, &evidence, &exposure, &f.Status, &until, &first, &last, &changed); err != nil {
		return err
	}
	f.Until, f.First, f.Last, f.Changed = moment(until), moment(first), moment(last), moment(changed)
	if exposure != nil {
		f.Exposure = &sources.Exposure{}
	}
	return errors.Join(
		json.Unmarshal(item, &f.Item), json.Unmarshal(verdict, &f.Verdict), json.Unmarshal(kinds, &f.Kinds),
		db.seal.open(evidence, &f.Verdict.Evidence, "evidence", f.ID), db.seal.open(exposure, f.Exposure, "exposure", f.ID))
}

// Findings implements findings.Register.
func (db *DB) Findings(ctx context.Context, f findings.Filter) iter.Seq2[findings.Finding, error] {
	c := ofFindings(f)
	return stream(ctx, db.read, findingColumns+c.String()+" ORDER BY f.severity DESC, f.class DESC, f.people DESC, f.id", c.args, db.scanFinding)
}

// Finding implements findings.Register.
func (db *DB) Finding(ctx context.Context, id findings.ID) (findings.Finding, error) {
	for f, err := range db.Findings(ctx, findings.Filter{Finding: id}) {
		return f, err
	}
	if ctx.Err() != nil || id == "" {
		return findings.Finding{}, errors.Join(ctx.Err(), findings.ErrNotFound)
	}
	return findings.Finding{}, fmt.Errorf("finding %s: %w", id, findings.ErrNotFound)
}

const gapQuery = `SELECT d.id, d.source, d.path, g.place, g.reason, g.detail, g.since, d.retry_at FROM gap g JOIN document d ON d.id = g.document`

func scanGap(r *sql.Rows, g *findings.Gap) error {
	var since, retryAt int64
	err := r.Scan(&g.Document, &g.Source, &g.Path, &g.Place, &g.Reason, &g.Detail, &since, &retryAt)
	g.Since, g.RetryAt = moment(since), moment(retryAt)
	return err
}

// Gaps implements findings.Register: first those of scopes and folders.
func (db *DB) Gaps(ctx context.Context, f findings.Filter) iter.Seq2[findings.Gap, error] {
	wide := &condition{}
	wide.equal("s.source", f.Source)
	if f.Service != "" {
		wide.add("s.source IN (SELECT source FROM scan WHERE service = ?)", f.Service)
	}
	scopes, folders := *wide, *wide
	scopes.add("s.reason <> ''")
	scopes.below("s.path", f.PathPrefix)
	folders.below("u.path", f.PathPrefix)
	queries := []struct {
		text string
		args []any
	}{
		{"SELECT 0, s.source, s.path, '', s.reason, s.detail, s.since, 0 FROM scope s" + scopes.String() + " ORDER BY s.id", scopes.args},
		{"SELECT 0, s.source, u.path, '', u.reason, u.detail, u.since, 0 FROM unreadable u JOIN scope s ON s.id = u.scope" + folders.String() + " ORDER BY u.path", folders.args},
	}
	if f.Controller != "" || f.Department != "" || f.Category != "" || f.Finding != "" || len(f.Statuses) > 0 {
		queries = nil // these ask about documents
	}
	c := ofDocuments(f)
	queries = append(queries, struct {
		text string
		args []any
	}{gapQuery + c.String() + " ORDER BY d.id, g.id", c.args})
	return func(yield func(findings.Gap, error) bool) {
		for _, q := range queries {
			for g, err := range stream(ctx, db.read, q.text, q.args, scanGap) {
				if !yield(g, err) || err != nil {
					return
				}
			}
		}
	}
}

// Events implements findings.Register, the oldest first.
func (db *DB) Events(ctx context.Context, f findings.Filter) iter.Seq2[findings.Event, error] {
	c := &condition{}
	c.equal("e.finding", string(f.Finding))
	if f.Source != "" {
		c.add("(e.finding IN (SELECT id FROM finding WHERE source = ?) OR e.finding = '' AND e.detail = ?)", f.Source, f.Source)
	}
	if f.WithoutSealed {
		c.add("NOT EXISTS (SELECT 1 FROM finding WHERE finding.id = e.finding AND finding.sealed = 1)")
	}
	return stream(ctx, db.read, "SELECT e.at, e.by, e.role, e.act, e.finding, e.detail FROM event e"+c.String()+" ORDER BY e.id", c.args,
		func(r *sql.Rows, e *findings.Event) error {
			var at int64
			err := r.Scan(&at, &e.By, &e.Role, &e.Act, &e.Finding, &e.Detail)
			e.At = moment(at)
			return err
		})
}

// Scans implements findings.Register, the newest first.
func (db *DB) Scans(ctx context.Context, f findings.Filter) ([]findings.Scan, error) {
	c := &condition{}
	c.equal("source", f.Source)
	c.equal("service", f.Service)
	rows, err := db.read.QueryContext(ctx, scanColumns+c.String()+" ORDER BY id DESC", c.args...)
	if err != nil {
		return nil, translate(err)
	}
	all, err := collect(rows, scanScan)
	return all, translate(err)
}

const scanColumns = "SELECT id, source, service, ruleset_reading, ruleset_policy, started, ended, complete, failure, items, deleted FROM scan"

func scanScan(r *sql.Rows, s *findings.Scan) error {
	var started, ended int64
	err := r.Scan(&s.ID, &s.Source, &s.Service, &s.Ruleset.Reading, &s.Ruleset.Policy, &started, &ended, &s.Complete, &s.Failure, &s.Items, &s.Deleted)
	s.Started, s.Ended = moment(started), moment(ended)
	return err
}
