package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/sources"
)

// BeginScan implements findings.Crawls.
func (db *DB) BeginScan(ctx context.Context, source, service string, rules findings.Ruleset) (findings.Scan, error) {
	s := findings.Scan{Source: source, Service: service, Ruleset: rules}
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		var started int64
		err := tx.QueryRowContext(ctx, `
			UPDATE scan SET service = $1, ruleset_reading = $2, ruleset_policy = $3
			WHERE id = (SELECT max(id) FROM scan WHERE source = $4) AND ended = 0
			RETURNING id, started, items, deleted`,
			service, rules.Reading, rules.Policy, source).Scan(&s.ID, &started, &s.Items, &s.Deleted)
		if err == nil {
			s.Started = moment(started)
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		s.Started = db.now().UTC().Truncate(time.Microsecond)
		if err := tx.QueryRowContext(ctx, `
			INSERT INTO scan (source, service, ruleset_reading, ruleset_policy, started)
			VALUES ($1, $2, $3, $4, $5) RETURNING id`,
			source, service, rules.Reading, rules.Policy, stamp(s.Started)).Scan(&s.ID); err != nil {
			return err
		}
		return db.note(ctx, tx, "scan-started", "", source)
	})
	return s, err
}

// BeginCrawl implements findings.Crawls.
func (db *DB) BeginCrawl(ctx context.Context, scan findings.Scan, scope sources.Scope, fresh bool) (findings.Crawl, error) {
	c := findings.Crawl{Scan: scan, Scope: scope}
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		row, err := putScope(ctx, tx, scan, scope)
		if err != nil {
			return err
		}
		var underWay bool
		if err := tx.QueryRowContext(ctx, "SELECT crawl, full_crawl, under_way, cursor FROM scope WHERE id = $1", row).
			Scan(&c.ID, &c.Full, &underWay, &c.Since); err != nil {
			return err
		}
		if fresh {
			c.Since = ""
		}
		// A place without history begins anew: what the cut-off crawl met may
		// be gone by now.
		if fresh || !underWay || c.Since == "" {
			c.ID++
			c.Full = c.Since == ""
		}
		_, err = tx.ExecContext(ctx, "UPDATE scope SET crawl = $1, full_crawl = $2, under_way = 1, cursor = $3 WHERE id = $4",
			c.ID, c.Full, c.Since, row)
		return err
	})
	return c, err
}

// putScope registers a scope as met by a scan and returns its row.
func putScope(ctx context.Context, tx *sql.Tx, scan findings.Scan, s sources.Scope) (row int64, err error) {
	err = tx.QueryRowContext(ctx, `
		INSERT INTO scope (source, scope, path, site, owner, web_url, scan) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (source, scope) DO UPDATE SET
			path = excluded.path, site = excluded.site, owner = excluded.owner, web_url = excluded.web_url, scan = excluded.scan
		RETURNING id`,
		scan.Source, s.ID, s.Path, s.Site, s.Owner, s.WebURL, scan.ID).Scan(&row)
	return row, err
}

// ScopeGap implements findings.Crawls.
func (db *DB) ScopeGap(ctx context.Context, scan findings.Scan, scope sources.Scope, reason, detail string) error {
	return db.inTx(ctx, func(tx *sql.Tx) error {
		row, err := putScope(ctx, tx, scan, scope)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE scope SET since = CASE WHEN reason = $1 THEN since ELSE $2 END, reason = $1, detail = $3 WHERE id = $4`,
			reason, stamp(db.now()), detail, row)
		return err
	})
}

// SavePage implements findings.Crawls.
func (db *DB) SavePage(ctx context.Context, c findings.Crawl, page sources.Page) error {
	return db.inTx(ctx, func(tx *sql.Tx) error {
		p, err := db.beginPage(ctx, tx, c)
		if err != nil {
			return err
		}
		defer p.close()
		for _, change := range page.Changes {
			if err := p.save(ctx, change); err != nil {
				return err
			}
		}
		if err := db.enqueue(ctx, tx, toRead, p.waiting, time.Time{}); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE scan SET items = items + $1, deleted = deleted + $2 WHERE id = $3", p.items, p.deleted, c.Scan.ID); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE scope SET cursor = $1 WHERE id = $2", page.Next, p.scope)
		return err
	})
}

// page is one page of changes on its way into the database.
type page struct {
	db              *DB
	tx              *sql.Tx
	crawl           findings.Crawl
	scope           int64
	blocked         bool // the scope has, or may have, items that could not be looked into
	find, met, same *sql.Stmt
	waiting         []queued // documents to read
	items, deleted  int64
}

func (db *DB) beginPage(ctx context.Context, tx *sql.Tx, c findings.Crawl) (*page, error) {
	p := &page{db: db, tx: tx, crawl: c}
	err := tx.QueryRowContext(ctx, `
		SELECT id, EXISTS (SELECT 1 FROM unreadable WHERE unreadable.scope = scope.id) FROM scope
		WHERE source = $1 AND scope = $2 AND crawl = $3 AND under_way = 1`,
		c.Scan.Source, c.Scope.ID, c.ID).Scan(&p.scope, &p.blocked)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("crawl %d of %q is over: %w", c.ID, c.Scope.ID, findings.ErrConflict)
	}
	if err != nil {
		return nil, err
	}
	if p.find, err = tx.PrepareContext(ctx, `
		SELECT id, scope, service, site, path, version, content_hash, size, modified, owner, web_url, queue, ticket, taken, retry_at, status, outcome, ruleset_reading, sealed_exposure IS NOT NULL
		FROM document WHERE source = $1 AND item = $2`); err != nil {
		return nil, err
	}
	if p.met, err = tx.PrepareContext(ctx, `
		UPDATE document SET service = $1, site = $2, scope = $3, crawl = $4, path = $5, version = $6, content_hash = $7,
			size = $8, modified = $9, owner = $10, web_url = $11 WHERE id = $12`); err != nil {
		p.find.Close() //nolint:errcheck // the transaction tells
		return nil, err
	}
	p.same, err = tx.PrepareContext(ctx, "UPDATE document SET crawl = $1 WHERE id = $2")
	return p, err
}

func (p *page) close() {
	for _, s := range []*sql.Stmt{p.find, p.met, p.same} {
		s.Close() //nolint:errcheck // the transaction tells
	}
}

func (p *page) save(ctx context.Context, change sources.Change) error {
	switch change.Kind {
	case sources.Deleted:
		return p.drop(ctx, change.Item.ID)
	case sources.Unreadable:
		return p.block(ctx, change)
	}
	p.items++
	if p.blocked {
		if _, err := p.tx.ExecContext(ctx, "DELETE FROM unreadable WHERE scope = $1 AND item = $2", p.scope, change.Item.ID); err != nil {
			return err
		}
	}
	old, err := p.known(ctx, change.Item.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return p.add(ctx, change.Item)
	}
	if err != nil {
		return err
	}
	return p.update(ctx, old, change)
}

// known is what the register holds of an item that is met again.
type known struct {
	id, scope, size, modified          int64
	service, site                      string
	path, version, hash, owner, webURL string
	queue                              queue
	ticket, taken, retryAt             int64
	status, outcome, ruleset           string
	asked                              bool // who can reach it
}

func (p *page) known(ctx context.Context, item sources.ItemID) (k known, err error) {
	err = p.find.QueryRowContext(ctx, p.crawl.Scan.Source, item).Scan(
		&k.id, &k.scope, &k.service, &k.site, &k.path, &k.version, &k.hash, &k.size, &k.modified, &k.owner, &k.webURL,
		&k.queue, &k.ticket, &k.taken, &k.retryAt, &k.status, &k.outcome, &k.ruleset, &k.asked)
	return k, err
}

func (p *page) add(ctx context.Context, item sources.Item) error {
	var id int64
	scan := p.crawl.Scan
	err := p.tx.QueryRowContext(ctx, `
		INSERT INTO document (source, service, site, scope, crawl, item, path, version, content_hash, size, modified, owner, web_url, queue, ticket, first_seen)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, 1, $14) RETURNING id`,
		scan.Source, scan.Service, p.crawl.Scope.Site, p.scope, p.crawl.ID, item.ID, item.Path, item.Version, item.ContentHash,
		item.Size, stamp(item.Modified), p.owner(item), item.WebURL, stamp(p.db.now())).Scan(&id)
	p.waiting = append(p.waiting, queued{id, item.Size})
	return err
}

func (p *page) owner(item sources.Item) string { return cmp.Or(item.Owner, p.crawl.Scope.Owner) }

func (p *page) update(ctx context.Context, old known, change sources.Change) error {
	item, scan := change.Item, p.crawl.Scan
	if p.unchanged(old, item) {
		if _, err := p.same.ExecContext(ctx, p.crawl.ID, old.id); err != nil {
			return err
		}
	} else if _, err := p.met.ExecContext(ctx, scan.Service, p.crawl.Scope.Site, p.scope, p.crawl.ID, item.Path, item.Version, item.ContentHash,
		item.Size, stamp(item.Modified), p.owner(item), item.WebURL, old.id); err != nil {
		return err
	}
	if old.path != item.Path || old.scope != p.scope || old.owner != p.owner(item) || old.webURL != item.WebURL {
		if err := p.moved(ctx, old, item); err != nil {
			return err
		}
	}
	if !p.needsReading(old, change) {
		return nil
	}
	if old.queue == toRead && old.taken != old.ticket && old.retryAt == 0 {
		return nil // it waits already, and will be read as it is then
	}
	p.waiting = append(p.waiting, queued{old.id, item.Size})
	return requeue(ctx, p.tx, toRead, old.id)
}

// unchanged says that all the register keeps of an item is as it was: most of
// what a crawl meets, and noted without touching the indexes.
func (p *page) unchanged(old known, item sources.Item) bool {
	return old.scope == p.scope && old.service == p.crawl.Scan.Service && old.site == p.crawl.Scope.Site &&
		old.path == item.Path && old.version == item.Version && old.hash == item.ContentHash && old.size == item.Size &&
		old.modified == stamp(item.Modified) && old.owner == p.owner(item) && old.webURL == item.WebURL
}

// needsReading says whether a document that was met before must be read
// again. Sharing counts only where it could change a verdict, which is where it
// was asked for before: asking who can reach a document is dear.
func (p *page) needsReading(old known, change sources.Change) bool {
	item := change.Item
	return old.version != item.Version ||
		old.hash != "" && item.ContentHash != "" && old.hash != item.ContentHash ||
		old.status != "" && old.ruleset != p.crawl.Scan.Ruleset.Reading ||
		change.Sharing && (old.asked || old.outcome != "" && old.outcome != "allowed") ||
		p.crawl.Full && shut(old.status) && old.queue == notWaiting
}

// shut says that a status tells of the source's door, not of the document: a
// full crawl tries it again.
func shut(status string) bool {
	switch status {
	case "denied", "unavailable", "changed", "failed", "refused", "configuration", "cursor", "gone":
		return true
	}
	return false
}

// moved takes a rename over to the findings, which keep their ids, and has the
// document judged again: the policy may see its new place otherwise.
func (p *page) moved(ctx context.Context, old known, item sources.Item) error {
	item.Owner = p.owner(item)
	text, err := itemJSON(item)
	if err != nil {
		return err
	}
	if _, err := p.tx.ExecContext(ctx, "UPDATE finding SET path = $1, site = $2, item_json = $3 WHERE document = $4",
		item.Path, p.crawl.Scope.Site, text, old.id); err != nil {
		return err
	}
	_, err = p.tx.ExecContext(ctx, "UPDATE document SET ruleset_policy = '' WHERE id = $1", old.id)
	return err
}

func (p *page) drop(ctx context.Context, item sources.ItemID) error {
	p.deleted++
	if _, err := p.tx.ExecContext(ctx, "DELETE FROM unreadable WHERE scope = $1 AND item = $2", p.scope, item); err != nil {
		return err
	}
	old, err := p.known(ctx, item)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if old.scope != p.scope {
		return nil // it moved to another scope, which has met it there
	}
	return p.db.forget(ctx, p.tx, old.id)
}

// block notes what cannot be looked into. A document that was met before
// stays as it is: it is not known to be gone.
func (p *page) block(ctx context.Context, change sources.Change) error {
	p.blocked = true
	if _, err := p.tx.ExecContext(ctx, "UPDATE document SET crawl = $1 WHERE source = $2 AND item = $3 AND scope = $4",
		p.crawl.ID, p.crawl.Scan.Source, change.Item.ID, p.scope); err != nil {
		return err
	}
	detail := ""
	if change.Reason != nil {
		detail = change.Reason.Error()
	}
	_, err := p.tx.ExecContext(ctx, `
		INSERT INTO unreadable (scope, item, path, crawl, reason, detail, since) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (scope, item) DO UPDATE SET path = excluded.path, crawl = excluded.crawl, detail = excluded.detail,
			since = CASE WHEN unreadable.reason = excluded.reason THEN unreadable.since ELSE excluded.since END, reason = excluded.reason`,
		p.scope, change.Item.ID, change.Item.Path, p.crawl.ID, findings.SourceReason(change.Reason), detail, stamp(p.db.now()))
	return err
}

// EndCrawl implements findings.Crawls.
func (db *DB) EndCrawl(ctx context.Context, c findings.Crawl) error {
	return db.inTx(ctx, func(tx *sql.Tx) error {
		p, err := db.beginPage(ctx, tx, c)
		if err != nil {
			return err
		}
		p.close()
		if c.Full {
			if err := p.sweep(ctx); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "UPDATE scan SET deleted = deleted + $1 WHERE id = $2", p.deleted, c.Scan.ID); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE scope SET under_way = 0, reason = '', detail = '', since = 0 WHERE id = $1", p.scope)
		return err
	})
}

// sweep drops what a full crawl did not meet, except below a folder that could
// not be read: what lies there is not known to be gone.
func (p *page) sweep(ctx context.Context) error {
	const below = `EXISTS (SELECT 1 FROM unreadable b WHERE b.scope = $1 AND b.crawl = $2
		AND (b.path = '' OR substr(%[1]s.path, 1, length(b.path) + 1) = b.path || '/'))`
	if _, err := p.tx.ExecContext(ctx, "DELETE FROM unreadable WHERE scope = $1 AND crawl <> $2 AND NOT "+fmt.Sprintf(below, "unreadable"),
		p.scope, p.crawl.ID); err != nil {
		return err
	}
	gone, err := numbers(ctx, p.tx, "SELECT id FROM document WHERE scope = $1 AND crawl <> $2 AND NOT "+fmt.Sprintf(below, "document"),
		p.scope, p.crawl.ID)
	if err != nil {
		return err
	}
	p.deleted += int64(len(gone))
	for _, id := range gone {
		if err := p.db.forget(ctx, p.tx, id); err != nil {
			return err
		}
	}
	return nil
}

// forget drops a document that is gone and resolves what was found in it.
func (db *DB) forget(ctx context.Context, tx *sql.Tx, document int64) error {
	if err := db.resolveAll(ctx, tx, document, "deleted"); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE finding SET document = 0 WHERE document = $1", document); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM document WHERE id = $1", document)
	return err
}

// EndScopes implements findings.Crawls.
func (db *DB) EndScopes(ctx context.Context, scan findings.Scan) error {
	return db.inTx(ctx, func(tx *sql.Tx) error {
		// What lies below a site that could not be listed is not known to be gone.
		const gone = `FROM scope WHERE source = $1 AND scan <> $2 AND NOT EXISTS (
			SELECT 1 FROM scope AS closed WHERE closed.source = scope.source AND closed.scan = $2 AND closed.reason <> ''
			AND substr(scope.path, 1, length(closed.path) + 1) = closed.path || '/')`
		documents, err := numbers(ctx, tx, "SELECT id FROM document WHERE scope IN (SELECT id "+gone+")", scan.Source, scan.ID)
		if err != nil {
			return err
		}
		for _, id := range documents {
			if err := db.forget(ctx, tx, id); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "UPDATE scan SET deleted = deleted + $1 WHERE id = $2", len(documents), scan.ID); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE "+gone, scan.Source, scan.ID)
		return err
	})
}

const requeueQuery = `
	UPDATE document SET queue = 1, ticket = ticket + 1, attempt = 0, retry_at = 0
	WHERE id IN (SELECT id FROM document WHERE source = $1 AND queue = 0 AND status <> '' AND ruleset_reading <> $2 LIMIT $3)
	RETURNING id, size`

// requeueAtOnce bounds one transaction of Requeue.
const requeueAtOnce = 5000

// Requeue implements findings.Crawls.
func (db *DB) Requeue(ctx context.Context, scan findings.Scan) (total int64, err error) {
	for {
		var n int
		err := db.inTx(ctx, func(tx *sql.Tx) error {
			rows, err := tx.QueryContext(ctx, requeueQuery, scan.Source, scan.Ruleset.Reading, requeueAtOnce)
			if err != nil {
				return err
			}
			waiting, err := collect(rows, func(r *sql.Rows, q *queued) error { return r.Scan(&q.id, &q.size) })
			if err != nil {
				return err
			}
			n = len(waiting)
			return db.enqueue(ctx, tx, toRead, waiting, time.Time{})
		})
		total += int64(n)
		if err != nil || n == 0 {
			return total, err
		}
	}
}

// EndScan implements findings.Crawls.
func (db *DB) EndScan(ctx context.Context, scan findings.Scan, failure string) error {
	return db.inTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `
			UPDATE scan SET ended = $1, failure = $2,
				complete = CASE WHEN $2 = '' AND NOT EXISTS (
					SELECT 1 FROM document WHERE source = scan.source AND queue = 1 AND retry_at = 0) THEN 1 ELSE 0 END
			WHERE id = $3`, stamp(db.now()), failure, scan.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return cmp.Or(err, fmt.Errorf("scan %d: %w", scan.ID, findings.ErrNotFound))
		}
		act := "scan-ended"
		if failure != "" {
			act = "scan-failed"
		}
		return db.note(ctx, tx, act, "", scan.Source)
	})
}
