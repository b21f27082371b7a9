package sdk

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/graph/graphtest"
)

// life changes a drive as people do.
type life struct {
	*rand.Rand
	drive *graphtest.Drive
	n     int
	// folderOnly: the service reports a deleted folder and nothing of what lay
	// in it. People then delete nothing else: a service that does now this, now
	// that cannot be followed without a full crawl.
	folderOnly bool
}

// files returns the paths of all files, in a fixed order.
func (l *life) files() []string {
	var all []string
	for p := range l.drive.Files() {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}

func (l *life) fresh() string {
	l.n++
	return fmt.Sprintf("n%d", l.n)
}

// step does one thing.
func (l *life) step() {
	all := l.files()
	if len(all) < 20 || l.IntN(4) == 0 {
		l.drive.Put(fmt.Sprintf("m%d/d%d/%s.txt", l.IntN(4), l.IntN(4), l.fresh()), []byte(l.fresh()))
		return
	}
	file := all[l.IntN(len(all))]
	folder := path.Dir(file)
	if l.IntN(3) == 0 && path.Dir(folder) != "." {
		folder = path.Dir(folder)
	}
	switch l.IntN(8) {
	case 0, 1:
		l.drive.Put(file, []byte(l.fresh()))
	case 2:
		if !l.folderOnly {
			l.drive.Remove(file)
		}
	case 3:
		l.drive.Rename(file, path.Dir(file)+"/"+l.fresh()+".txt")
	case 4:
		l.drive.Rename(file, "m1/"+l.fresh()+".txt")
	case 5:
		if folder != "." {
			l.drive.Rename(folder, path.Join(path.Dir(folder), l.fresh()))
		}
	case 6:
		if folder != "." {
			l.drive.Rename(folder, l.fresh()+"/"+l.fresh())
		}
	case 7:
		if folder == "." || len(all) < 60 {
			return
		}
		if l.folderOnly {
			l.drive.RemoveFolderOnly(folder)
		} else {
			l.drive.Remove(folder)
		}
	}
}

// agrees fails unless the register holds the files of the drive with their
// current versions, as a fresh full crawl does.
func (r *register) agrees(t *testing.T, tenant *graphtest.Tenant, drive *graphtest.Drive) {
	t.Helper()
	r.want(t, drive)
	undisturbed := newRegister()
	undisturbed.crawl(t, open(t, tenant))
	for id, want := range undisturbed.items {
		if got := r.items[id]; got.Path != want.Path || got.Version != want.Version {
			t.Errorf("%s (%s): have %s (%s)", want.Path, want.Version, got.Path, got.Version)
		}
	}
}

// TestCase15StopsAnywhere stops a crawl at fifty points, before a page is
// stored, after it, or in the middle of a request, while the drive changes.
// Only what was stored survives a stop.
func TestCase15StopsAnywhere(t *testing.T) {
	for seed := range uint64(seeds()) {
		t.Run(strconv.Itoa(int(seed)), func(t *testing.T) {
			tenant, drive := oneDrive(t, graphtest.Options{PageSize: 7})
			l := &life{Rand: rand.New(rand.NewPCG(seed, 15)), drive: drive, folderOnly: seed%2 == 1}
			for range 150 {
				l.step()
			}
			r := newRegister()
			scope := scopes(t, open(t, tenant))[0]
			r.scopes[scope.ID] = scope
			crash := errors.New("kill -9")
			for range 50 {
				ctx, cancel := context.WithCancel(t.Context())
				left := l.IntN(12)
				if l.IntN(3) == 0 {
					time.AfterFunc(time.Duration(l.IntN(20))*time.Millisecond, cancel)
				}
				err := r.scope(ctx, open(t, tenant), scope, func() error {
					if l.IntN(3) == 0 {
						l.step()
					}
					if left--; left < 0 {
						return crash
					}
					return nil
				})
				cancel()
				if err != nil && !errors.Is(err, crash) && !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				for range l.IntN(3) {
					l.step()
				}
			}
			r.crawl(t, open(t, tenant))
			r.crawl(t, open(t, tenant)) // what changed while the last one went on
			r.agrees(t, tenant, drive)
		})
	}
}

func TestCase15AtMostOnePageIsReplayed(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{PageSize: 10})
	for i := range 200 {
		drive.Put(fmt.Sprintf("m%d/%03d", i%5, i), []byte("x"))
	}
	r := newRegister()
	scope := scopes(t, open(t, tenant))[0]
	crash := errors.New("kill -9")
	for i := 0; ; i++ {
		stops := 2*i + 1 // once before and once after each page
		if err := r.scope(t.Context(), open(t, tenant), scope, func() error {
			if stops--; stops < 0 && i < 5 {
				return crash
			}
			return nil
		}); err == nil {
			break
		}
	}
	if r.changes != 200 || r.full > 2 {
		t.Errorf("%d changes stored for 200 files, %d full crawls", r.changes, r.full)
	}
}

// TestSoak crawls a drive while one request in twenty fails in some way, and
// the drive changes. MOLNVAKT_SOAK sets the number of items; `make bench` uses
// 100,000.
func TestSoak(t *testing.T) {
	size, err := strconv.Atoi(os.Getenv("MOLNVAKT_SOAK"))
	if err != nil {
		size = 3000
	}
	page := max(10, size/200)
	tenant, drive := oneDrive(t, graphtest.Options{PageSize: page})
	for i := range size {
		drive.Put(fmt.Sprintf("m%d/d%d/%06d.txt", i%20, i%(7+size/500), i), []byte(strconv.Itoa(i)))
	}
	faults := []graphtest.Fault{
		{Before: graphtest.Reset}, {After: graphtest.Truncate}, {After: graphtest.BreakOff}, {After: graphtest.FalseGzip}, {After: graphtest.HiddenGzip},
		{Before: graphtest.Status(500, "")}, {Before: graphtest.Status(502, "<html>")}, {Before: graphtest.Status(504, "")},
		{Before: graphtest.Status(429, `{"error":{"code":"TooManyRequests"}}`, "Retry-After", "0.01")},
		{Before: graphtest.Status(503, "", "Retry-After", "0")}, {Before: graphtest.Status(200, `{"value":[]}`)},
	}
	for _, f := range faults {
		f.Match, f.Rate = graphtest.Path("/v1.0/drives"), 0.05/float64(len(faults))
		tenant.Inject(f)
	}
	for _, how := range []graphtest.Fault{{Before: graphtest.Reset}, {After: graphtest.BreakOff}, {Before: graphtest.Status(503, "", "Retry-After", "0")}} {
		how.Content, how.Rate = true, 0.05/3
		tenant.Inject(how)
	}
	l := &life{Rand: rand.New(rand.NewPCG(1, 2)), drive: drive, n: size}
	r := newRegister()
	start := time.Now()
	for range 6 {
		r.crawl(t, open(t, tenant))
		for range 5 {
			l.step()
		}
	}
	r.crawl(t, open(t, tenant))
	took := time.Since(start)
	src := open(t, tenant)
	content := drive.Files()
	prefix := r.scopes[sources.ScopeID(drive.ID)].Path + "/"
	n := 0
	for _, item := range r.items {
		if n++; n > 300 {
			break
		}
		got, err := read(t, src, item)
		if want := content[item.Path[len(prefix):]]; err != nil || string(got) != string(want) {
			t.Errorf("%s: %q, %v, want %q", item.Path, got, err, want)
		}
	}
	requests := len(tenant.Requests())
	tenant.Heal()
	r.agrees(t, tenant, drive)
	t.Logf("%d items, %d requests, %v", size, requests, took.Round(time.Millisecond))
}

// seeds is how many lives TestCase15StopsAnywhere leads. MOLNVAKT_SEEDS sets it.
func seeds() int {
	n, err := strconv.Atoi(os.Getenv("MOLNVAKT_SEEDS"))
	if err != nil {
		return 4
	}
	return n
}
