package sdk

import (
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/graph"
	"github.com/molnvakt/molnvakt/sources/graph/graphtest"
	"github.com/molnvakt/molnvakt/sources/sourcetest"
)

// start runs a simulated tenant for the length of a test.
func start(t testing.TB, options graphtest.Options) *graphtest.Tenant {
	t.Helper()
	tenant, err := graphtest.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenant.Close)
	return tenant
}

// open connects to the tenant as a new process would.
func open(t testing.TB, tenant *graphtest.Tenant, change ...func(*graph.Config)) *graph.Source {
	t.Helper()
	config, err := tenant.Config(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	config.Backoff = 2 * time.Millisecond
	for _, c := range change {
		c(&config)
	}
	src, err := Open(config, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// world is a tenant with one drive that the conformance suite changes.
type world struct {
	tenant *graphtest.Tenant
	drive  *graphtest.Drive
}

func (w *world) Open(t *testing.T) sources.Source { return open(t, w.tenant) }
func (w *world) Write(_ *testing.T, path string, content []byte) {
	w.drive.Put(path, content)
}
func (w *world) Rename(_ *testing.T, from, to string) { w.drive.Rename(from, to) }
func (w *world) Remove(_ *testing.T, path string)     { w.drive.Remove(path) }
func (w *world) Path(path string) string              { return "Socialförvaltningen/Dokument/" + path }
func (w *world) Abilities() sourcetest.Abilities {
	return sourcetest.Abilities{
		History: true, StableIDs: true,
		Expire: func(*testing.T) { w.drive.ExpireCursors(false) },
	}
}

func TestConformance(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.World {
		tenant := start(t, graphtest.Options{PageSize: 25})
		site := tenant.AddSite(graphtest.SiteSpec{Title: "Socialförvaltningen"})
		return &world{tenant: tenant, drive: site.AddDrive(graphtest.DriveSpec{Name: "Dokument"})}
	})
}
