package scanner_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/findings/sqlite"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/scanner"
	"github.com/molnvakt/molnvakt/scanner/inspect"
	"github.com/molnvakt/molnvakt/sources"
)

// place is a source whose documents and troubles a test sets.
type place struct {
	mu      sync.Mutex
	files   map[string]string // path → content
	hashes  bool              // tell content hashes
	trouble map[string]error  // path of a file → why it cannot be opened
	closed  map[string]error  // path of a folder → why it cannot be listed
	broken  error             // ends the listing half-way
	expired bool              // cursors are too old
	grants  map[string]sources.Exposure
	opened  []string
	asked   []string // for exposure
	full    int      // crawls from the zero cursor
}

func (p *place) Scopes(_ context.Context, visit func(sources.Scope) error) error {
	return visit(sources.Scope{ID: "all", Path: "Plats", Site: "Plats"})
}

func (p *place) Changes(_ context.Context, _ sources.Scope, since sources.Cursor, visit func(sources.Page) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if since != "" && p.expired {
		p.expired = false
		return fmt.Errorf("410: %w", sources.ErrCursorExpired)
	}
	if since == "" {
		p.full++
	}
	var page sources.Page
	for folder, reason := range p.closed {
		page.Changes = append(page.Changes, sources.Change{Kind: sources.Unreadable, Item: sources.Item{ID: sources.ItemID("d" + folder), Scope: "all", Path: folder}, Reason: reason})
	}
	paths := slices.Sorted(maps.Keys(p.files))
	for i, path := range paths {
		if p.broken != nil && i == len(paths)/2 {
			if err := visit(page); err != nil {
				return err
			}
			return p.broken
		}
		if below(path, p.closed) {
			continue
		}
		text := p.files[path]
		item := sources.Item{ID: sources.ItemID(path), Scope: "all", Path: path, Version: fmt.Sprint(len(text), text), Size: int64(len(text)), Modified: time.Unix(1, 0)}
		if p.hashes {
			item.ContentHash = "hash:" + text
		}
		page.Changes = append(page.Changes, sources.Change{Item: item})
	}
	return visit(page)
}

func below(path string, folders map[string]error) bool {
	for f := range folders {
		if strings.HasPrefix(path, f+"/") {
			return true
		}
	}
	return false
}

func (p *place) Open(_ context.Context, item sources.Item) (io.ReadCloser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened = append(p.opened, item.Path)
	if err := p.trouble[item.Path]; err != nil {
		return nil, err
	}
	text, ok := p.files[item.Path]
	if !ok {
		return nil, sources.ErrGone
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func (p *place) Exposure(_ context.Context, item sources.Item) (sources.Exposure, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, item.Path)
	return p.grants[item.Path], nil
}

// reader finds health data about one person in every document that says so. It
// stands in for the sandbox, which has tests of its own.
type reader struct{}

func (reader) Inspect(_ context.Context, doc inspect.Document) (inspect.Result, error) {
	text, err := io.ReadAll(doc.Content)
	if err != nil {
		return inspect.Result{}, err
	}
	r := inspect.Result{Status: inspect.OK, Extractor: "plaintext", Bytes: int64(len(text)), Chars: int64(len(text))}
	switch {
	case strings.Contains(string(text), "krypterad"):
		r.Status, r.Chars = inspect.Encrypted, 0
		r.Gaps = []inspect.Gap{{Reason: "encrypted"}}
	case strings.Contains(string(text), "bild") && doc.OCR == inspect.OCRDefer:
		r.Status, r.PendingOCR = inspect.Partial, 1
		r.Gaps = []inspect.Gap{{Reason: "ocr-pending"}}
	case strings.Contains(string(text), "sjuk"), strings.Contains(string(text), "bild"):
		r.Content = patterns.Content{
			Categories: []patterns.CategoryFound{{Category: patterns.Health, Confidence: patterns.High, People: 1, Count: 1}},
			People:     1, PeopleKeys: []string{"k"},
			Evidence: []patterns.Evidence{{Pattern: "personnummer", Confidence: patterns.High, Masked: "19••", Fingerprint: "f"}},
		}
	}
	return r, nil
}

// world is a place, a store and the scanner between them.
type world struct {
	*testing.T
	place *place
	store *sqlite.DB
	rules *policy.Policy
	now   time.Time
	ocr   inspect.OCR
	rule  string // Reading of the ruleset
}

func newWorld(t *testing.T, files map[string]string) *world {
	w := &world{T: t, place: &place{files: files, trouble: map[string]error{}, closed: map[string]error{}}, rules: policy.Default(), now: time.Now(), ocr: inspect.OCRScans, rule: "r1"}
	var err error
	w.store, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "m.db"), findings.NewKey(), sqlite.Options{Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	return w
}

func (w *world) scan() error {
	w.Helper()
	w.place.opened, w.place.asked = nil, nil
	s := &scanner.Scanner{
		Places: []scanner.Place{{Name: "p", Service: "m365", Source: w.place, OCR: w.ocr}}, Store: w.store, Inspector: reader{},
		Policy: w.rules, Reading: w.rule, Key: []byte("key"), MaxSize: 1000,
		Workers: findings.Workers{Documents: 2, OCR: 1}, Scopes: 2, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now },
	}
	return s.Scan(w.Context())
}

func (w *world) mustScan() {
	w.Helper()
	if err := w.scan(); err != nil {
		w.Fatal(err)
	}
}

// status returns the status of the finding of a document; "" if there is none.
func (w *world) status(path string) findings.Status {
	w.Helper()
	for f, err := range w.store.Findings(w.Context(), findings.Filter{}) {
		if err != nil {
			w.Fatal(err)
		}
		if f.Item.Path == path {
			return f.Status
		}
	}
	return ""
}

func (w *world) expect(path string, want findings.Status) {
	w.Helper()
	if got := w.status(path); got != want {
		w.Errorf("%s: finding is %q, want %q", path, got, want)
	}
}

func (w *world) gaps() map[string]string {
	w.Helper()
	all := map[string]string{}
	for g, err := range w.store.Gaps(w.Context(), findings.Filter{}) {
		if err != nil {
			w.Fatal(err)
		}
		all[g.Path] = g.Reason
	}
	return all
}

func TestOneDocumentsLife(t *testing.T) {
	w := newWorld(t, map[string]string{"Plats/a": "sjuk", "Plats/b": "frisk"})
	w.mustScan()
	w.expect("Plats/a", findings.Open)
	w.expect("Plats/b", "")
	w.mustScan()
	if len(w.place.opened) != 0 {
		t.Errorf("an unchanged place was read again: %v", w.place.opened)
	}
	w.place.files["Plats/a"] = "frisk igen"
	w.mustScan()
	w.expect("Plats/a", findings.Resolved)
	w.place.files["Plats/a"] = "sjuk på nytt"
	w.mustScan()
	w.expect("Plats/a", findings.Open)
	delete(w.place.files, "Plats/a")
	w.mustScan()
	w.expect("Plats/a", findings.Resolved)
}

func TestABrokenListingDeletesNothing(t *testing.T) {
	w := newWorld(t, map[string]string{"Plats/a": "sjuk", "Plats/b": "sjuk", "Plats/c": "sjuk", "Plats/d": "sjuk"})
	w.mustScan()
	w.place.broken = fmt.Errorf("connection reset: %w", sources.ErrUnavailable)
	if err := w.scan(); !errors.Is(err, scanner.ErrIncomplete) || !errors.Is(err, sources.ErrUnavailable) {
		t.Errorf("got %v, want ErrIncomplete", err)
	}
	for _, p := range []string{"Plats/a", "Plats/b", "Plats/c", "Plats/d"} {
		w.expect(p, findings.Open)
	}
	scans, err := w.store.Scans(t.Context(), findings.Filter{})
	if err != nil || len(scans) == 0 {
		t.Fatal(scans, err)
	}
	if n := slices.IndexFunc(scans, func(s findings.Scan) bool { return !s.Complete && s.Failure == "unavailable" }); n < 0 {
		t.Errorf("no scan is marked incomplete: %+v", scans)
	}
	w.place.broken = nil
	delete(w.place.files, "Plats/a")
	w.mustScan()
	w.expect("Plats/a", findings.Resolved)
	w.expect("Plats/d", findings.Open)
}

// TestAPlaceThatIsSuddenlyEmpty: a mount point without its file server lists
// nothing. That resolves no findings, and the scan says so.
func TestAPlaceThatIsSuddenlyEmpty(t *testing.T) {
	files := map[string]string{"Plats/a": "sjuk", "Plats/b": "frisk"}
	w := newWorld(t, files)
	w.mustScan()
	w.place.files = map[string]string{}
	for range 2 {
		if err := w.scan(); !errors.Is(err, scanner.ErrIncomplete) || !errors.Is(err, scanner.ErrEmpty) {
			t.Errorf("got %v, want ErrEmpty", err)
		}
		w.expect("Plats/a", findings.Open)
		if got := w.gaps(); got["Plats"] != "empty" {
			t.Errorf("gaps %v, want the place as empty", got)
		}
	}
	w.place.files = files
	w.mustScan()
	w.expect("Plats/a", findings.Open)
	if got := w.gaps(); len(got) != 0 {
		t.Errorf("gaps %v after the place came back", got)
	}
	w.place.files = map[string]string{"Plats/anything": "frisk"} // emptied on purpose
	w.mustScan()
	w.expect("Plats/a", findings.Resolved)
	empty := newWorld(t, map[string]string{}) // never held anything
	empty.mustScan()
}

func TestBelowAClosedFolderNothingIsGone(t *testing.T) {
	w := newWorld(t, map[string]string{"Plats/hemlig/a": "sjuk", "Plats/b": "sjuk"})
	w.mustScan()
	w.place.closed["Plats/hemlig"] = sources.ErrDenied
	delete(w.place.files, "Plats/b")
	w.mustScan()
	w.expect("Plats/hemlig/a", findings.Open)
	w.expect("Plats/b", findings.Resolved)
	if got := w.gaps(); got["Plats/hemlig"] != "denied" {
		t.Errorf("gaps %v, want Plats/hemlig: denied", got)
	}
}

func TestWhatCannotBeReadStaysAsItWas(t *testing.T) {
	w := newWorld(t, map[string]string{"Plats/a": "sjuk"})
	w.mustScan()
	w.place.files["Plats/a"] = "krypterad"
	w.mustScan()
	w.expect("Plats/a", findings.Open) // nobody knows that it is gone
	if got := w.gaps(); got["Plats/a"] != "encrypted" {
		t.Errorf("gaps %v", got)
	}
}

func TestTroubleIsAGapAndIsTriedAgain(t *testing.T) {
	w := newWorld(t, map[string]string{"Plats/a": "sjuk", "Plats/b": "sjuk", "Plats/c": strings.Repeat("sjuk", 1000)})
	w.place.trouble["Plats/a"] = fmt.Errorf("503: %w", sources.ErrUnavailable)
	w.mustScan()
	if got := w.gaps(); got["Plats/a"] != "unavailable" || got["Plats/c"] != "too-large" {
		t.Errorf("gaps %v, want a: unavailable, c: too-large", got)
	}
	w.expect("Plats/b", findings.Open)
	delete(w.place.trouble, "Plats/a")
	w.now = w.now.Add(2 * time.Hour)
	w.mustScan()
	w.expect("Plats/a", findings.Open)
	if got := w.gaps(); got["Plats/a"] != "" {
		t.Errorf("the gap is still there: %v", got)
	}
}

func TestAnExpiredCursorCrawlsEverything(t *testing.T) {
	w := newWorld(t, map[string]string{"Plats/a": "sjuk"})
	w.mustScan()
	before := w.place.full
	w.place.expired = true
	w.place.files["Plats/b"] = "sjuk"
	w.mustScan()
	w.expect("Plats/b", findings.Open)
	if w.place.full <= before {
		t.Error("no full crawl after the cursor expired")
	}
}

func TestKnownContentIsNotFetched(t *testing.T) {
	w := newWorld(t, map[string]string{"Plats/a": "sjuk"})
	w.place.hashes = true
	w.mustScan()
	w.place.files["Plats/kopia"] = "sjuk"
	w.mustScan()
	w.expect("Plats/kopia", findings.Open)
	if len(w.place.opened) != 0 {
		t.Errorf("the copy was fetched: %v", w.place.opened)
	}
}

func TestANewPolicyJudgesWithoutReading(t *testing.T) {
	w := newWorld(t, map[string]string{"Plats/a": "sjuk"})
	text := string(policy.DefaultText())
	lenient := strings.ReplaceAll(text, "ceiling: K1", "ceiling: K4")
	var err error
	if lenient == text {
		t.Fatal("the default policy has no service with ceiling: K1; adapt the test")
	}
	w.mustScan()
	w.expect("Plats/a", findings.Open)
	if w.rules, err = policy.Parse("lenient", []byte(lenient)); err != nil {
		t.Fatal(err)
	}
	w.mustScan()
	if len(w.place.opened) != 0 {
		t.Errorf("a new policy fetched %v", w.place.opened)
	}
	w.expect("Plats/a", findings.Resolved)
	w.rules = policy.Default()
	w.mustScan()
	w.expect("Plats/a", findings.Open)
}

func TestANewRulesetReadsAgain(t *testing.T) {
	w := newWorld(t, map[string]string{"Plats/a": "sjuk", "Plats/b": "frisk"})
	w.mustScan()
	w.rule = "r2"
	w.mustScan()
	if len(w.place.opened) != 2 {
		t.Errorf("a new ruleset read %v, want both", w.place.opened)
	}
}

func TestExposureIsAskedForFindingsOnly(t *testing.T) {
	w := newWorld(t, map[string]string{"Plats/a": "sjuk", "Plats/b": "frisk"})
	w.place.grants = map[string]sources.Exposure{"Plats/a": {Grants: []sources.Grant{{To: sources.Anonymous, Link: true}}}}
	w.mustScan()
	if !slices.Equal(w.place.asked, []string{"Plats/a"}) {
		t.Errorf("exposure was asked for %v, want Plats/a alone", w.place.asked)
	}
	for f, err := range w.store.Findings(t.Context(), findings.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Exposure == nil || f.Exposure.Widest() != sources.Anonymous {
			t.Errorf("exposure of %s: %+v", f.Item.Path, f.Exposure)
		}
	}
}

func TestPicturesComeSecond(t *testing.T) {
	w := newWorld(t, map[string]string{"Plats/scan": "bild"})
	w.mustScan()
	w.expect("Plats/scan", findings.Open)
	if got := w.gaps(); len(got) != 0 {
		t.Errorf("gaps after recognition: %v", got)
	}
	if len(w.place.opened) != 2 {
		t.Errorf("opened %v, want twice: to read, to recognise", w.place.opened)
	}
}

func TestAHeadsClaimIsVerified(t *testing.T) {
	w := newWorld(t, map[string]string{"Plats/a": "sjuk"})
	w.mustScan()
	claim := func() {
		t.Helper()
		for f, err := range w.store.Findings(t.Context(), findings.Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.store.Decide(t.Context(), findings.Decision{Finding: f.ID, From: f.Status, To: findings.FixClaimed, Role: findings.Head, By: "chef"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	claim()
	w.mustScan()
	w.expect("Plats/a", findings.Open) // nothing was fixed
	w.place.files["Plats/a"] = "frisk nu"
	claim()
	w.mustScan()
	w.expect("Plats/a", findings.Resolved)
}

func TestCancelledScansGoOn(t *testing.T) {
	files := map[string]string{}
	for i := range 300 {
		files[fmt.Sprintf("Plats/%03d", i)] = fmt.Sprint("sjuk ", i)
	}
	w := newWorld(t, files)
	for try := range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(try*5)*time.Millisecond)
		s := &scanner.Scanner{
			Places: []scanner.Place{{Name: "p", Service: "m365", Source: w.place, OCR: w.ocr}}, Store: w.store, Inspector: reader{},
			Policy: w.rules, Reading: w.rule, Key: []byte("key"), MaxSize: 1000,
			Workers: findings.Workers{Documents: 2}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		}
		if err := s.Scan(ctx); err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
		cancel()
	}
	w.mustScan()
	n := 0
	for _, err := range w.store.Findings(t.Context(), findings.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 300 {
		t.Errorf("%d findings, want 300", n)
	}
}
