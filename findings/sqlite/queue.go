package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/molnvakt/molnvakt/findings"
)

// queue is where a document waits.
type queue int

const (
	notWaiting queue = iota
	toRead
	toRecognise
)

func (q queue) name() string {
	if q == toRecognise {
		return "ocr"
	}
	return "documents"
}

// queued is a document on its way into a job.
type queued struct{ id, size int64 }

// The jobs: batches of documents. What a document waits for stands in its row;
// a job that finds its documents done has nothing to do.
type (
	readJob struct {
		Documents []int64 `json:"documents"`
	}
	recogniseJob struct {
		Documents []int64 `json:"documents"`
	}
)

// Kind names the job in the queue's table.
func (readJob) Kind() string { return "read" }

// Kind names the job in the queue's table.
func (recogniseJob) Kind() string { return "recognise" }

// A batch is worth at most a few minutes, and small crawls are split so that
// every worker gets something.
const (
	batchDocuments = 32
	batchBytes     = 256 << 20
	batchShare     = 16 // of one transaction's documents
)

// enqueue makes jobs of documents, in the transaction that makes them wait.
func (db *DB) enqueue(ctx context.Context, tx *sql.Tx, q queue, waiting []queued, at time.Time) error {
	var jobs []river.InsertManyParams
	for _, batch := range batches(q, waiting) {
		o := &river.InsertOpts{Queue: q.name(), ScheduledAt: at, MaxAttempts: 1000}
		if q == toRecognise {
			jobs = append(jobs, river.InsertManyParams{Args: recogniseJob{batch}, InsertOpts: o})
		} else {
			jobs = append(jobs, river.InsertManyParams{Args: readJob{batch}, InsertOpts: o})
		}
	}
	for chunk := range slices.Chunk(jobs, 500) {
		if _, err := db.jobs.InsertManyTx(ctx, tx, chunk); err != nil {
			return err
		}
	}
	return nil
}

func batches(q queue, waiting []queued) [][]int64 {
	most := min(batchDocuments, max(1, len(waiting)/batchShare))
	if q == toRecognise {
		most = 1 // text recognition takes minutes
	}
	var all [][]int64
	var batch []int64
	var bytes int64
	for _, d := range waiting {
		if len(batch) > 0 && (len(batch) == most || bytes+d.size > batchBytes) {
			all, batch, bytes = append(all, batch), nil, 0
		}
		batch, bytes = append(batch, d.id), bytes+d.size
	}
	if len(batch) > 0 {
		all = append(all, batch)
	}
	return all
}

// requeue makes a document wait as if it were new. The caller enqueues it.
func requeue(ctx context.Context, tx *sql.Tx, q queue, document int64) error {
	_, err := tx.ExecContext(ctx, "UPDATE document SET queue = $1, ticket = ticket + 1, attempt = 0, retry_at = 0 WHERE id = $2", q, document)
	return err
}

// River's clocks. A job has ten minutes; a client that finds jobs of a dead
// one gives them back after twelve.
const (
	jobTimeout = 10 * time.Minute

	recogniseTimeout = time.Hour
	rescueAfter      = 12 * time.Minute
	fetchCooldown    = 2 * time.Millisecond
	fetchPoll        = 100 * time.Millisecond
	emptyPoll        = 5 * time.Millisecond
	keepFinished     = time.Hour
)

// Work implements findings.Queue.
func (db *DB) Work(ctx context.Context, w findings.Workers, do func(context.Context, []findings.Task) error) error {
	if !db.working.CompareAndSwap(false, true) {
		return fmt.Errorf("the queue is worked already: %w", findings.ErrLocked)
	}
	defer db.working.Store(false)
	if err := db.renewJobs(ctx); err != nil {
		return err
	}
	s := &shift{db: db, workers: w, do: do, failed: make(chan struct{})}
	client, err := s.client()
	if err != nil {
		return err
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return translate(err)
	}
	waitErr := s.wait(ctx)
	stop := client.Stop
	if waitErr != nil {
		stop = client.StopAndCancel
	}
	// The jobs under way end, or give back what they have.
	stopErr := stop(context.WithoutCancel(ctx))
	if waitErr == nil {
		waitErr = s.err()
	}
	return errors.Join(waitErr, translate(stopErr))
}

// renewJobs makes the jobs anew from what waits: nobody else works on this
// database, so whatever a killed process had taken waits again.
func (db *DB) renewJobs(ctx context.Context) error {
	return db.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM river_job WHERE queue IN ('documents', 'ocr')"); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE document SET taken = 0 WHERE queue > 0 AND taken > 0"); err != nil {
			return err
		}
		for _, q := range []queue{toRead, toRecognise} {
			if err := db.renewQueue(ctx, tx, q); err != nil {
				return err
			}
		}
		return nil
	})
}

// These and others say what their partial index says, word by word: SQLite
// does not use it otherwise.
const (
	queueQuery   = "SELECT id, size, retry_at FROM document WHERE queue > 0 AND queue = $1 ORDER BY retry_at, id"
	waitingQuery = "SELECT 1 FROM document WHERE queue > 0 AND queue = $1 AND retry_at <= $2"
	knownQuery   = "SELECT " + documentColumns + ` FROM document d LEFT JOIN scope s ON s.id = d.scope
		WHERE d.read_hash <> '' AND d.read_hash = $1 AND d.read_size = $2 AND d.ruleset_reading = $3
			AND d.queue <> 2 AND d.status IN ('ok', 'partial', 'encrypted')
			AND NOT EXISTS (SELECT 1 FROM gap WHERE gap.document = d.id AND gap.reason IN ('ocr-off', 'ocr-pending', 'no-ocr'))
		LIMIT 1`
)

func (db *DB) renewQueue(ctx context.Context, tx *sql.Tx, q queue) error {
	rows, err := tx.QueryContext(ctx, queueQuery, q)
	if err != nil {
		return err
	}
	type due struct {
		queued
		at int64
	}
	all, err := collect(rows, func(r *sql.Rows, d *due) error { return r.Scan(&d.id, &d.size, &d.at) })
	if err != nil {
		return err
	}
	now := stamp(db.now())
	byTime := map[int64][]queued{}
	for _, d := range all {
		at := d.at
		if at <= now {
			at = 0
		}
		byTime[at] = append(byTime[at], d.queued)
	}
	for at, waiting := range byTime {
		if err := db.enqueue(ctx, tx, q, waiting, moment(at)); err != nil {
			return err
		}
	}
	return nil
}

// shift is one call of Work.
type shift struct {
	db      *DB
	workers findings.Workers
	do      func(context.Context, []findings.Task) error
	once    sync.Once
	failed  chan struct{}
	failure error // set before failed is closed
}

func (s *shift) fail(err error) {
	s.once.Do(func() {
		s.failure = err
		close(s.failed)
	})
}

func (s *shift) err() error {
	select {
	case <-s.failed:
		return s.failure
	default:
		return nil
	}
}

func (s *shift) client() (*river.Client[*sql.Tx], error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[readJob]) error {
		return s.work(ctx, toRead, job.Args.Documents)
	}))
	river.AddWorker(workers, &recogniser{shift: s})
	queues := map[string]river.QueueConfig{toRead.name(): {MaxWorkers: max(1, s.workers.Documents)}}
	if s.workers.OCR > 0 {
		queues[toRecognise.name()] = river.QueueConfig{MaxWorkers: s.workers.OCR}
	}
	return river.NewClient(riversqlite.New(s.db.write), &river.Config{
		Workers: workers, Queues: queues, Logger: s.db.log, ErrorHandler: s,
		JobTimeout: jobTimeout, RescueStuckJobsAfter: rescueAfter,
		FetchCooldown: fetchCooldown, FetchPollInterval: fetchPoll,
		CompletedJobRetentionPeriod: keepFinished,
	})
}

// recogniser works on jobs of the text recognition, which has a time limit of
// its own: a document of a thousand scanned pages takes its while.
type recogniser struct {
	river.WorkerDefaults[recogniseJob]
	shift *shift
}

// Timeout bounds one job; the sandbox bounds the document well before.
func (*recogniser) Timeout(*river.Job[recogniseJob]) time.Duration { return recogniseTimeout }

// Work reads the job's documents with text recognition.
func (r *recogniser) Work(ctx context.Context, job *river.Job[recogniseJob]) error {
	return r.shift.work(ctx, toRecognise, job.Args.Documents)
}

// HandleError is called by River when a job fails, which ours never do: they
// give their documents back and end the shift.
func (s *shift) HandleError(_ context.Context, _ *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	s.fail(err)
	return nil
}

// HandlePanic ends the shift: a panic is a defect of ours. The trace is kept;
// the value is not, since it might quote a document.
func (s *shift) HandlePanic(_ context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	s.fail(fmt.Errorf("panic (%T) in job %d:\n%s", value, job.ID, trace))
	return nil
}

// wait returns when the shift is over: nil when nothing is left to do.
func (s *shift) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.failed:
		return s.failure
	case <-s.workers.Until: // nil: never
	}
	tick := time.NewTicker(emptyPoll)
	defer tick.Stop()
	for {
		empty, err := s.empty(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || empty {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.failed:
			return s.failure
		case <-tick.C:
		}
	}
}

// empty says whether nothing waits that may be worked on now.
func (s *shift) empty(ctx context.Context) (bool, error) {
	for _, q := range []queue{toRead, toRecognise} {
		if q == toRecognise && s.workers.OCR == 0 {
			continue
		}
		args := []any{q, stamp(s.db.now())}
		var one int
		err := s.db.read.QueryRowContext(ctx, waitingQuery+s.ofSources(&args)+" LIMIT 1", args...).Scan(&one)
		if !errors.Is(err, sql.ErrNoRows) {
			return false, translate(err)
		}
	}
	return true, nil
}

// ofSources returns the condition that keeps to the sources of the shift.
func (s *shift) ofSources(args *[]any) string {
	if s.workers.Sources == nil {
		return ""
	}
	if len(s.workers.Sources) == 0 {
		return " AND 1 = 0"
	}
	condition := " AND source IN (" + places(len(*args)+1, len(s.workers.Sources)) + ")"
	for _, name := range s.workers.Sources {
		*args = append(*args, name)
	}
	return condition
}

// work carries out one job: it takes what still waits of its documents and
// calls do. Whatever goes wrong, the documents wait again and the shift ends.
func (s *shift) work(ctx context.Context, q queue, documents []int64) error {
	tasks, err := s.take(ctx, q, documents)
	if err == nil {
		err = s.run(ctx, tasks)
	}
	if err != nil {
		if ctx.Err() == nil {
			s.fail(err)
		}
		s.giveBack(ctx, tasks)
		return river.JobSnooze(0)
	}
	return nil
}

func (s *shift) run(ctx context.Context, tasks []findings.Task) error {
	most := s.workers.Batch
	if most <= 0 {
		most = max(1, len(tasks))
	}
	for batch := range slices.Chunk(tasks, most) {
		if err := s.do(ctx, batch); err != nil {
			return err
		}
		if err := s.recorded(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// take hands the documents of a job out: only those that wait in this queue
// and that nobody has.
func (s *shift) take(ctx context.Context, q queue, documents []int64) ([]findings.Task, error) {
	var tasks []findings.Task
	err := s.db.inTx(ctx, func(tx *sql.Tx) error {
		args := []any{q, stamp(s.db.now().Add(time.Second))} // River's clock is coarser
		condition := s.ofSources(&args)
		in := places(len(args)+1, len(documents))
		for _, id := range documents {
			args = append(args, id)
		}
		rows, err := tx.QueryContext(ctx, `
			UPDATE document SET taken = ticket, attempt = attempt + 1
			WHERE queue = $1 AND retry_at <= $2 AND taken <> ticket`+condition+` AND id IN (`+in+`)
			RETURNING id, source, service, site, (SELECT scope FROM scope WHERE scope.id = document.scope),
				item, path, version, content_hash, size, modified, owner, web_url, attempt, ticket`, args...)
		if err != nil {
			return err
		}
		tasks, err = collect(rows, scanTask)
		return err
	})
	for i := range tasks {
		tasks[i].OCR = q == toRecognise
	}
	slices.SortFunc(tasks, func(a, b findings.Task) int { return int(a.Document - b.Document) })
	return tasks, err
}

func scanTask(r *sql.Rows, t *findings.Task) error {
	var modified int64
	i := &t.Item
	err := r.Scan(&t.Document, &t.Source, &t.Service, &t.Site, &i.Scope, &i.ID, &i.Path, &i.Version, &i.ContentHash, &i.Size,
		&modified, &i.Owner, &i.WebURL, &t.Attempt, &t.Ticket)
	i.Modified = moment(modified)
	return err
}

// recorded checks that do recorded its tasks: what is neither done nor
// waiting for something else would be waited for in vain.
func (s *shift) recorded(ctx context.Context, tasks []findings.Task) error {
	args := make([]any, len(tasks))
	tickets := map[findings.DocumentID]int64{}
	for i, t := range tasks {
		args[i], tickets[t.Document] = t.Document, t.Ticket
	}
	rows, err := s.db.read.QueryContext(ctx, "SELECT id, ticket FROM document WHERE queue <> 0 AND taken = ticket AND id IN ("+places(1, len(tasks))+")", args...)
	if err != nil {
		return translate(err)
	}
	type holding struct {
		document findings.DocumentID
		ticket   int64
	}
	held, err := collect(rows, func(r *sql.Rows, h *holding) error { return r.Scan(&h.document, &h.ticket) })
	if err != nil {
		return translate(err)
	}
	// A newer ticket is somebody else's.
	held = slices.DeleteFunc(held, func(h holding) bool { return h.ticket != tickets[h.document] })
	if len(held) > 0 {
		return fmt.Errorf("%d of %d documents were worked on and not recorded", len(held), len(tasks))
	}
	return nil
}

// giveBack lets others take the documents that were not recorded.
func (s *shift) giveBack(ctx context.Context, tasks []findings.Task) {
	err := s.db.inTx(context.WithoutCancel(ctx), func(tx *sql.Tx) error {
		for _, t := range tasks {
			if _, err := tx.ExecContext(context.WithoutCancel(ctx),
				"UPDATE document SET taken = 0, attempt = attempt - 1 WHERE id = $1 AND queue > 0 AND ticket = $2 AND taken = ticket",
				t.Document, t.Ticket); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.fail(err) // the next shift takes them back
	}
}

// Waiting implements findings.Queue.
func (db *DB) Waiting(ctx context.Context) (findings.Backlog, error) {
	var b findings.Backlog
	err := db.read.QueryRowContext(ctx, `
		SELECT count(CASE WHEN queue = 1 THEN 1 END), count(CASE WHEN queue = 2 THEN 1 END), coalesce(sum(size), 0)
		FROM document WHERE queue > 0`).Scan(&b.Documents, &b.OCR, &b.Bytes)
	return b, translate(err)
}

// Known implements findings.Queue.
func (db *DB) Known(ctx context.Context, hash string, size int64, reading string) (findings.Reading, bool, error) {
	if hash == "" {
		return findings.Reading{}, false, nil
	}
	rows, err := db.read.QueryContext(ctx, knownQuery, hash, size, reading)
	if err != nil {
		return findings.Reading{}, false, translate(err)
	}
	found, err := collect(rows, func(r *sql.Rows, d *findings.Document) error { return db.scanDocument(r, d) })
	if err != nil || len(found) == 0 {
		return findings.Reading{}, false, translate(err)
	}
	d := found[0]
	d.Reading.Gaps, err = db.gapsOf(ctx, d)
	return d.Reading, err == nil, err
}
