package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/molnvakt/molnvakt/findings"
)

// Decide implements findings.Register.
func (db *DB) Decide(ctx context.Context, d findings.Decision) (findings.Finding, error) {
	var f findings.Finding
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, findingColumns+" WHERE f.id = $1", d.Finding)
		if err != nil {
			return err
		}
		found, err := collect(rows, db.scanFinding)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return findings.ErrNotFound
		}
		f = found[0]
		step, err := d.Check(f, db.now())
		if err != nil {
			return err
		}
		f.Status, f.Until, f.Changed = d.To, moment(stamp(d.Until)), moment(stamp(db.now()))
		if err := db.putDecision(ctx, tx, f, findings.BasisOf(d, f.Verdict)); err != nil {
			return err
		}
		if d.To == findings.FixClaimed {
			if err := db.lookAgain(ctx, tx, int64(f.Document)); err != nil {
				return err
			}
		}
		return addEvent(ctx, tx, findings.Event{At: f.Changed, By: d.By, Role: d.Role, Act: step.Act, Finding: f.ID, Detail: d.Comment})
	})
	if err != nil {
		return findings.Finding{}, fmt.Errorf("finding %s: %w", d.Finding, err)
	}
	return f, nil
}

func (db *DB) putDecision(ctx context.Context, tx *sql.Tx, f findings.Finding, b findings.Basis) error {
	basis, err := json.Marshal(b)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE finding SET status = $1, until = $2, changed = $3, basis_json = $4 WHERE id = $5",
		f.Status, stamp(f.Until), stamp(f.Changed), string(basis), f.ID)
	return err
}

// lookAgain queues a document, so that a scan can confirm a claimed fix.
func (db *DB) lookAgain(ctx context.Context, tx *sql.Tx, document int64) error {
	rows, err := tx.QueryContext(ctx, "SELECT id, size FROM document WHERE id = $1", document)
	if err != nil {
		return err
	}
	waiting, err := collect(rows, func(r *sql.Rows, q *queued) error { return r.Scan(&q.id, &q.size) })
	if err != nil || len(waiting) == 0 {
		return err
	}
	if err := requeue(ctx, tx, toRead, document); err != nil {
		return err
	}
	return db.enqueue(ctx, tx, toRead, waiting, time.Time{})
}

// Expire implements findings.Register.
func (db *DB) Expire(ctx context.Context, now time.Time) (int64, error) {
	var n int64
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, standingColumns+"WHERE until > 0 AND until <= $1", stamp(now))
		if err != nil {
			return err
		}
		over, err := collect(rows, func(r *sql.Rows, s *standing) error { return scanStanding(r, s) })
		if err != nil {
			return err
		}
		for _, s := range over {
			step, err := findings.Move(s.status, findings.Open, findings.Scanner)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "UPDATE finding SET status = $1, until = 0, changed = $2, basis_json = '{}' WHERE id = $3",
				findings.Open, stamp(now), s.id); err != nil {
				return err
			}
			if err := db.note(ctx, tx, step.Act, s.id, "its end has come"); err != nil {
				return err
			}
		}
		n = int64(len(over))
		return nil
	})
	return n, err
}
