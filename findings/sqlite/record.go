package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
)

// Record implements findings.Queue.
func (db *DB) Record(ctx context.Context, done []findings.Record) error {
	return db.inTx(ctx, func(tx *sql.Tx) error {
		for _, r := range done {
			if err := db.record(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (db *DB) record(ctx context.Context, tx *sql.Tx, r findings.Record) error {
	document := int64(r.Task.Document)
	var q queue
	var ticket int64
	err := tx.QueryRowContext(ctx, "SELECT queue, ticket FROM document WHERE id = $1", document).Scan(&q, &ticket)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (q == notWaiting || ticket != r.Task.Ticket) {
		return nil // deleted, or overtaken by a newer task
	}
	if err != nil {
		return err
	}
	if r.Reading.Status == "gone" && r.RetryAt.IsZero() {
		return db.forget(ctx, tx, document)
	}
	if err := db.putGaps(ctx, tx, r); err != nil {
		return err
	}
	if inspected(r.Reading) {
		if err := db.putReading(ctx, tx, r); err != nil {
			return err
		}
		if err := db.putJudgment(ctx, tx, r); err != nil {
			return err
		}
		if err := db.merge(ctx, tx, r, true); err != nil {
			return err
		}
	} else if _, err := tx.ExecContext(ctx, "UPDATE document SET status = $1, read_at = $2, ruleset_reading = $3 WHERE id = $4",
		r.Reading.Status, stamp(db.now()), r.Ruleset.Reading, document); err != nil {
		return err
	}
	return db.closeTask(ctx, tx, r)
}

// inspected says that a reading comes from the content of the document; the
// others say why it was not had and leave what is known of it.
func inspected(r findings.Reading) bool {
	switch r.Status {
	case "ok", "partial", "encrypted", "unsupported", "damaged", "limit":
		return true
	}
	return r.Chars > 0
}

// closeTask ends a document's waiting, or makes it wait for what comes next.
func (db *DB) closeTask(ctx context.Context, tx *sql.Tx, r findings.Record) error {
	next, at, attempt := notWaiting, r.RetryAt, "0"
	switch {
	case !at.IsZero():
		next, attempt = toRead, "attempt"
		if r.Task.OCR {
			next = toRecognise
		}
	case r.OCR:
		next = toRecognise
	}
	if _, err := tx.ExecContext(ctx, "UPDATE document SET queue = $1, retry_at = $2, taken = 0, attempt = "+attempt+
		", ticket = ticket + $3 WHERE id = $4", next, stamp(at), next != notWaiting, r.Task.Document); err != nil {
		return err
	}
	if next == notWaiting {
		return nil
	}
	return db.enqueue(ctx, tx, next, []queued{{int64(r.Task.Document), r.Task.Item.Size}}, at)
}

func (db *DB) putReading(ctx context.Context, tx *sql.Tx, r findings.Record) error {
	read, document := r.Reading, r.Task.Document
	content := read.Content
	if sealedAway(r) {
		content.Evidence = nil
	}
	sealed, err := db.seal.seal(content, "content", document)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE document SET status = $1, media_type = $2, extractor = $3, name_mismatch = $4, bytes = $5, chars = $6, files = $7,
			sealed_content = $8, ruleset_reading = $9, read_at = $10, read_hash = $11, read_size = $12
		WHERE id = $13`,
		read.Status, read.MediaType, read.Extractor, read.NameMismatch, read.Bytes, read.Chars, read.Files,
		sealed, r.Ruleset.Reading, stamp(db.now()), r.Task.Item.ContentHash, r.Task.Item.Size, document)
	return err
}

// sealedAway says that the document is under säkerhetsskydd: no excerpt of it
// is stored.
func sealedAway(r findings.Record) bool {
	return slices.ContainsFunc(r.Judgment.Findings, func(f findings.Finding) bool { return f.Verdict.Sealed })
}

func (db *DB) putJudgment(ctx context.Context, tx *sql.Tx, r findings.Record) error {
	j, document := r.Judgment.Document, r.Task.Document
	if _, err := tx.ExecContext(ctx, `
		UPDATE document SET class = $1, outcome = $2, controller = $3, department = $4, head = $5, mail = $6, ruleset_policy = $7
		WHERE id = $8`,
		j.Class, j.Outcome, j.Controller, j.Department, j.Head, j.Mail, r.Ruleset.Policy, document); err != nil {
		return err
	}
	if r.Exposure == nil {
		return nil
	}
	sealed, err := db.seal.seal(r.Exposure, "exposure", document)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE document SET sealed_exposure = $1 WHERE id = $2", sealed, document)
	return err
}

// putGaps replaces the gaps of a document; one that was there before keeps the
// time since when it is known. A document that was not read and says no reason
// gets its status as the reason.
func (db *DB) putGaps(ctx context.Context, tx *sql.Tx, r findings.Record) error {
	document := r.Task.Document
	type gapKey struct{ place, reason string }
	rows, err := tx.QueryContext(ctx, "SELECT place, reason, since FROM gap WHERE document = $1", document)
	if err != nil {
		return err
	}
	since := map[gapKey]int64{}
	if _, err := collect(rows, func(r *sql.Rows, at *int64) error {
		var k gapKey
		err := r.Scan(&k.place, &k.reason, at)
		since[k] = *at
		return err
	}); err != nil {
		return err
	}
	gaps := r.Reading.Gaps
	if len(gaps) == 0 && r.Reading.Status != "ok" && r.Reading.Status != "partial" {
		gaps = []findings.Gap{{Reason: r.Reading.Status}}
	}
	if len(since) > 0 {
		if _, err := tx.ExecContext(ctx, "DELETE FROM gap WHERE document = $1", document); err != nil {
			return err
		}
	}
	for _, g := range gaps {
		at, ok := since[gapKey{g.Place, g.Reason}]
		if !ok {
			at = stamp(db.now())
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO gap (document, place, reason, detail, since) VALUES ($1, $2, $3, $4, $5)",
			document, g.Place, g.Reason, g.Detail, at); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, "UPDATE document SET gaps = $1 WHERE id = $2", len(gaps), document)
	return err
}

// Rejudge implements findings.Register.
func (db *DB) Rejudge(ctx context.Context, done []findings.Record) error {
	return db.inTx(ctx, func(tx *sql.Tx) error {
		for _, r := range done {
			var one int
			err := tx.QueryRowContext(ctx, "SELECT 1 FROM document WHERE id = $1", r.Task.Document).Scan(&one)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			if sealedAway(r) {
				if err := db.putContent(ctx, tx, r); err != nil {
					return err
				}
			}
			if err := db.putJudgment(ctx, tx, r); err != nil {
				return err
			}
			if err := db.merge(ctx, tx, r, false); err != nil {
				return err
			}
		}
		return nil
	})
}

// putContent takes the evidence out of a document that a new policy seals.
func (db *DB) putContent(ctx context.Context, tx *sql.Tx, r findings.Record) error {
	content := r.Reading.Content
	content.Evidence = nil
	sealed, err := db.seal.seal(content, "content", r.Task.Document)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE document SET sealed_content = $1 WHERE id = $2", sealed, r.Task.Document)
	return err
}

// standing is what the register holds of a finding before a scan sees it again.
type standing struct {
	id     findings.ID
	status findings.Status
	basis  findings.Basis
	first  int64
	last   int64
	change int64
	until  int64
}

// merge is the scanner's side of the life of findings: it brings those of a
// document up to date with a judgement. Read tells that the document was read
// anew.
func (db *DB) merge(ctx context.Context, tx *sql.Tx, r findings.Record, read bool) error {
	old, err := db.standings(ctx, tx, int64(r.Task.Document))
	if err != nil {
		return err
	}
	for _, f := range r.Judgment.Findings {
		if f.Verdict.Outcome == policy.Allowed {
			continue
		}
		was, known := old[f.ID]
		delete(old, f.ID)
		if !known {
			if was, known, err = db.standing(ctx, tx, f.ID); err != nil {
				return err
			}
		}
		if err := db.seen(ctx, tx, r, f, was, known, read); err != nil {
			return err
		}
	}
	if sealedAway(r) {
		if _, err := tx.ExecContext(ctx, "UPDATE finding SET sealed_evidence = NULL WHERE document = $1", r.Task.Document); err != nil {
			return err
		}
	}
	if !r.Judgment.Conclusive {
		return nil
	}
	for _, was := range old {
		if err := db.resolve(ctx, tx, was, "not found"); err != nil {
			return err
		}
	}
	return nil
}

const standingColumns = "SELECT id, status, basis_json, first_seen, last_seen, changed, until FROM finding "

func scanStanding(r interface{ Scan(...any) error }, s *standing) error {
	var basis []byte
	if err := r.Scan(&s.id, &s.status, &basis, &s.first, &s.last, &s.change, &s.until); err != nil {
		return err
	}
	return json.Unmarshal(basis, &s.basis)
}

func (db *DB) standings(ctx context.Context, tx *sql.Tx, document int64) (map[findings.ID]standing, error) {
	rows, err := tx.QueryContext(ctx, standingColumns+"WHERE document = $1", document)
	if err != nil {
		return nil, err
	}
	all, err := collect(rows, func(r *sql.Rows, s *standing) error { return scanStanding(r, s) })
	byID := map[findings.ID]standing{}
	for _, s := range all {
		byID[s.id] = s
	}
	return byID, err
}

// standing looks a finding up whose document was gone for a while.
func (db *DB) standing(ctx context.Context, tx *sql.Tx, id findings.ID) (s standing, known bool, err error) {
	err = scanStanding(tx.QueryRowContext(ctx, standingColumns+"WHERE id = $1", id), &s)
	if errors.Is(err, sql.ErrNoRows) {
		return s, false, nil
	}
	return s, err == nil, err
}

// seen stores a finding that a judgement holds.
func (db *DB) seen(ctx context.Context, tx *sql.Tx, r findings.Record, f findings.Finding, was standing, known, read bool) error {
	now := db.now()
	act, detail := "", ""
	if !known {
		was = standing{id: f.ID, status: findings.Open, first: stamp(now), change: stamp(now)}
		act = "found"
	}
	status := findings.AfterSeen(was.status, was.basis, f.Verdict, read, now)
	if !known {
		basis, copied, err := db.decidedCopy(ctx, tx, r, f, now)
		if err != nil {
			return err
		}
		if copied != "" {
			status, was.basis, was.until, detail = findings.FalsePositive, basis, stamp(basis.Until), "same content as "+string(copied)
		}
	}
	if status != was.status {
		step, err := findings.Move(was.status, status, findings.Scanner)
		if err != nil {
			return err
		}
		act, was.status, was.change = step.Act, status, stamp(now)
		was.until = 0
		if status == was.basis.Status {
			was.until = stamp(was.basis.Until)
		}
	}
	if read || !known {
		was.last = stamp(now)
	}
	if err := db.putFinding(ctx, tx, r, f, was); err != nil || act == "" {
		return err
	}
	return db.note(ctx, tx, act, f.ID, detail)
}

const copiesQuery = standingColumns + "WHERE content_hash <> '' AND content_hash = $1 AND size = $2 AND rule = $3 AND basis_json <> '{}' LIMIT 20"

// decidedCopy finds a false positive of the same rule in the same content: the
// officer's word is about the content, wherever a copy of it turns up.
func (db *DB) decidedCopy(ctx context.Context, tx *sql.Tx, r findings.Record, f findings.Finding, now time.Time) (findings.Basis, findings.ID, error) {
	if r.Task.Item.ContentHash == "" {
		return findings.Basis{}, "", nil
	}
	rows, err := tx.QueryContext(ctx, copiesQuery,
		r.Task.Item.ContentHash, r.Task.Item.Size, f.Verdict.Rule)
	if err != nil {
		return findings.Basis{}, "", err
	}
	all, err := collect(rows, func(r *sql.Rows, s *standing) error { return scanStanding(r, s) })
	for _, s := range all {
		if s.basis.Status == findings.FalsePositive && (s.status == findings.FalsePositive || s.status == findings.Resolved) && s.basis.Covers(f.Verdict, now) {
			return s.basis, s.id, err
		}
	}
	return findings.Basis{}, "", err
}

func (db *DB) putFinding(ctx context.Context, tx *sql.Tx, r findings.Record, f findings.Finding, s standing) error {
	evidence := f.Verdict.Evidence
	f.Verdict.Evidence = nil
	if f.Verdict.Sealed {
		evidence = nil
	}
	sealedEvidence, err := db.seal.seal(evidence, "evidence", f.ID)
	if err != nil {
		return err
	}
	var exposure []byte
	if r.Exposure != nil {
		if exposure, err = db.seal.seal(r.Exposure, "exposure", f.ID); err != nil {
			return err
		}
	}
	item, err := itemJSON(r.Task.Item)
	if err != nil {
		return err
	}
	verdict, kinds, basis, err := texts(f, s.basis)
	if err != nil {
		return err
	}
	who := r.Judgment.Document.Responsible
	_, err = tx.ExecContext(ctx, `
		INSERT INTO finding (id, document, source, service, site, item, path, content_hash, size, item_json,
			controller, department, head, mail, rule, class, severity, categories, sealed, people,
			verdict_json, kinds_json, sealed_evidence, sealed_exposure, status, until, basis_json, first_seen, last_seen, changed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
			$21, $22, $23, $24, $25, $26, $27, $28, $29, $30)
		ON CONFLICT (id) DO UPDATE SET document = excluded.document, service = excluded.service, site = excluded.site, path = excluded.path,
			content_hash = excluded.content_hash, size = excluded.size, item_json = excluded.item_json,
			controller = excluded.controller, department = excluded.department, head = excluded.head, mail = excluded.mail,
			class = excluded.class, severity = excluded.severity, categories = excluded.categories, sealed = excluded.sealed,
			people = excluded.people, verdict_json = excluded.verdict_json, kinds_json = excluded.kinds_json,
			sealed_evidence = excluded.sealed_evidence, sealed_exposure = coalesce(excluded.sealed_exposure, finding.sealed_exposure),
			status = excluded.status, until = excluded.until, basis_json = excluded.basis_json,
			last_seen = excluded.last_seen, changed = excluded.changed`,
		f.ID, r.Task.Document, r.Task.Source, r.Task.Service, r.Task.Site, r.Task.Item.ID, r.Task.Item.Path, r.Task.Item.ContentHash,
		r.Task.Item.Size, item, who.Controller, who.Department, who.Head, who.Mail, f.Verdict.Rule, f.Verdict.Class,
		f.Verdict.Severity.Rank(), categoryWords(f.Verdict.Categories), f.Verdict.Sealed, f.People, verdict, kinds,
		sealedEvidence, exposure, s.status, s.until, basis, s.first, s.last, s.change)
	return err
}

func texts(f findings.Finding, b findings.Basis) (verdict, kinds, basis string, err error) {
	v, err1 := json.Marshal(f.Verdict)
	k, err2 := json.Marshal(f.Kinds)
	d, err3 := json.Marshal(b)
	return string(v), string(k), string(d), errors.Join(err1, err2, err3)
}

// categoryWords writes categories so that one can be looked for as " halsa ".
func categoryWords(categories []patterns.Category) string {
	var b strings.Builder
	b.WriteByte(' ')
	for _, c := range categories {
		fmt.Fprintf(&b, "%s ", c)
	}
	return b.String()
}

func (db *DB) resolveAll(ctx context.Context, tx *sql.Tx, document int64, why string) error {
	all, err := db.standings(ctx, tx, document)
	if err != nil {
		return err
	}
	for _, was := range all {
		if err := db.resolve(ctx, tx, was, why); err != nil {
			return err
		}
	}
	return nil
}

// resolve closes a finding that is no longer there. Its basis stays, for the
// day it comes back.
func (db *DB) resolve(ctx context.Context, tx *sql.Tx, was standing, why string) error {
	if was.status == findings.Resolved {
		return nil
	}
	step, err := findings.Move(was.status, findings.Resolved, findings.Scanner)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE finding SET status = $1, until = 0, changed = $2 WHERE id = $3",
		findings.Resolved, stamp(db.now()), was.id); err != nil {
		return err
	}
	return db.note(ctx, tx, step.Act, was.id, why)
}

// note adds to the audit trail what the program itself did.
func (db *DB) note(ctx context.Context, tx *sql.Tx, act string, finding findings.ID, detail string) error {
	return addEvent(ctx, tx, findings.Event{At: db.now(), By: "molnvakt", Role: findings.Scanner, Act: act, Finding: finding, Detail: detail})
}

func addEvent(ctx context.Context, tx *sql.Tx, e findings.Event) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO event (at, by, role, act, finding, detail) VALUES ($1, $2, $3, $4, $5, $6)",
		stamp(e.At), e.By, e.Role, e.Act, e.Finding, e.Detail)
	return err
}
