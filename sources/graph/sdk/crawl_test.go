package sdk

import (
	"context"
	"errors"
	"io"
	"maps"
	"testing"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/graph"
	"github.com/molnvakt/molnvakt/sources/graph/graphtest"
)

// register is what a store would keep of a tenant.
type register struct {
	items   map[sources.ItemID]sources.Item
	gaps    map[string]error // by path
	scopes  map[sources.ScopeID]sources.Scope
	cursors map[sources.ScopeID]sources.Cursor
	changes int
	sharing map[string]bool
	full    int // full crawls
	// seen holds what a full crawl under way has met. It outlives a stop: only
	// the end of the crawl tells what is gone.
	seen map[sources.ScopeID]map[sources.ItemID]bool
}

func newRegister() *register {
	return &register{
		items: map[sources.ItemID]sources.Item{}, gaps: map[string]error{}, sharing: map[string]bool{},
		scopes: map[sources.ScopeID]sources.Scope{}, cursors: map[sources.ScopeID]sources.Cursor{},
		seen: map[sources.ScopeID]map[sources.ItemID]bool{},
	}
}

func (r *register) apply(scope sources.Scope, p sources.Page) {
	for _, c := range p.Changes {
		r.changes++
		switch c.Kind {
		case sources.Present:
			r.items[c.Item.ID] = c.Item
			if c.Sharing {
				r.sharing[c.Item.Path] = true
			}
		case sources.Deleted:
			delete(r.items, c.Item.ID)
		case sources.Unreadable:
			r.gaps[c.Item.Path] = c.Reason
		}
	}
	r.cursors[scope.ID] = p.Next
}

// scope crawls one scope as the scanner does: after an expired cursor
// everything, and only at the end of that, what was not seen is gone. stop is
// asked before and after a page is stored; an error from it is a crash there.
func (r *register) scope(ctx context.Context, src *graph.Source, scope sources.Scope, stop func() error) error {
	err := r.once(ctx, src, scope, stop)
	if errors.Is(err, sources.ErrCursorExpired) {
		r.cursors[scope.ID] = ""
		err = r.once(ctx, src, scope, stop)
	}
	return err
}

func (r *register) once(ctx context.Context, src *graph.Source, scope sources.Scope, stop func() error) error {
	if r.cursors[scope.ID] == "" {
		r.seen[scope.ID] = map[sources.ItemID]bool{}
		r.full++
	}
	seen := r.seen[scope.ID]
	err := src.Changes(ctx, scope, r.cursors[scope.ID], func(p sources.Page) error {
		if err := stop(); err != nil {
			return err
		}
		for _, c := range p.Changes {
			if seen != nil {
				seen[c.Item.ID] = true
			}
		}
		r.apply(scope, p)
		return stop()
	})
	if err == nil && seen != nil {
		maps.DeleteFunc(r.items, func(id sources.ItemID, item sources.Item) bool { return item.Scope == scope.ID && !seen[id] })
		delete(r.seen, scope.ID)
	}
	return err
}

func never() error { return nil }

// crawl brings the register up to date.
func (r *register) crawl(t testing.TB, src *graph.Source) {
	t.Helper()
	for _, s := range scopes(t, src) {
		r.scopes[s.ID] = s
		if s.Reason != nil {
			r.gaps[s.Path] = s.Reason
			continue
		}
		if err := r.scope(t.Context(), src, s, never); err != nil {
			t.Fatalf("%s: %v", s.Path, err)
		}
	}
}

func (r *register) byPath() map[string]sources.Item {
	all := map[string]sources.Item{}
	for _, i := range r.items {
		all[i.Path] = i
	}
	return all
}

func scopes(t testing.TB, src *graph.Source) (all []sources.Scope) {
	t.Helper()
	if err := src.Scopes(t.Context(), func(s sources.Scope) error { all = append(all, s); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// want fails unless the register holds exactly the files of the drive.
func (r *register) want(t testing.TB, d *graphtest.Drive) {
	t.Helper()
	prefix := ""
	have := map[string]sources.Item{}
	for _, i := range r.items {
		if string(i.Scope) == d.ID {
			have[i.Path] = i
		}
	}
	for id, s := range r.scopes {
		if string(id) == d.ID {
			prefix = s.Path + "/"
		}
	}
	files := d.Files()
	for path := range files {
		if _, ok := have[prefix+path]; !ok {
			t.Errorf("%s is missing", path)
		}
		delete(have, prefix+path)
	}
	for path := range have {
		t.Errorf("%s is listed and does not exist", path)
	}
}

func read(t testing.TB, src *graph.Source, item sources.Item) ([]byte, error) {
	t.Helper()
	r, err := src.Open(t.Context(), item)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// oneDrive is a tenant with one site and one drive.
func oneDrive(t testing.TB, options graphtest.Options) (*graphtest.Tenant, *graphtest.Drive) {
	tenant := start(t, options)
	return tenant, tenant.AddSite(graphtest.SiteSpec{Title: "Socialförvaltningen"}).AddDrive(graphtest.DriveSpec{Name: "Dokument"})
}
