// Package sourcetest holds the tests that every sources.Source must pass.
package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/molnvakt/molnvakt/sources"
)

// World is a real or simulated place that a test can change: a folder, a
// Samba share, a simulated tenant. Paths are slash-separated and relative to
// whatever the world calls its first scope.
type World interface {
	// Open returns a new Source on this world, as a new process would.
	Open(t *testing.T) sources.Source
	Write(t *testing.T, path string, content []byte) // creates or overwrites, folders included
	Rename(t *testing.T, from, to string)            // file or folder
	Remove(t *testing.T, path string)                // file
	// Path returns how the source shows the path in Item.Path.
	Path(path string) string
	Abilities() Abilities
}

// Abilities says what a kind of place can do; the tests ask no more of it.
type Abilities struct {
	History   bool                                          // cursors lead to what changed only
	StableIDs bool                                          // a rename keeps the ID
	Expire    func(t *testing.T)                            // makes all cursors handed out so far too old; nil: they never are
	Deny      func(t *testing.T, path string) (undo func()) // makes a folder unreadable; nil: not possible here
	NoOdd     bool                                          // the place refuses some of the odd names
}

// Run checks a kind of source. Each test gets a world of its own.
func Run(t *testing.T, fresh func(t *testing.T) World) {
	for name, test := range map[string]func(*testing.T, World){
		"every file once":                   everyFileOnce,
		"odd names":                         oddNames,
		"content is what was written":       contentIsWhatWasWritten,
		"the version follows the content":   versionFollowsContent,
		"only changes after a cursor":       onlyChangesAfterACursor,
		"a rename keeps the ID":             renameKeepsTheID,
		"a deleted file is known as such":   deletedIsKnown,
		"an expired cursor is named":        expiredCursorIsNamed,
		"stop after any page and resume":    stopAndResume,
		"an error from visit ends it":       visitErrorEnds,
		"cancel is obeyed":                  cancelIsObeyed,
		"vanished is ErrGone":               vanishedIsGone,
		"an unreadable folder is a gap":     unreadableIsAGap,
		"what happens during the crawl":     changesDuringTheCrawl,
		"two crawls at once do not collide": twoAtOnce,
	} {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}
}

func everyFileOnce(t *testing.T, w World) {
	want := map[string]string{}
	for i := range 120 {
		p := fmt.Sprintf("avdelning %d/grupp %d/fil %03d.txt", i%3, i%7, i)
		want[w.Path(p)] = p
		w.Write(t, p, []byte(p))
	}
	w.Write(t, "tom.txt", nil)
	want[w.Path("tom.txt")] = "tom.txt"
	seen := map[string]int{}
	for _, item := range crawl(t, w.Open(t)).items {
		seen[item.Path]++
		if item.ID == "" || item.Scope == "" || item.Version == "" || item.Modified.IsZero() {
			t.Errorf("%s: ID, Scope, Version or Modified is missing: %+v", item.Path, item)
		}
		if item.Size != int64(len(want[item.Path])) && item.Path != w.Path("tom.txt") {
			t.Errorf("%s: size %d, want %d", item.Path, item.Size, len(want[item.Path]))
		}
	}
	for p := range want {
		if seen[p] != 1 {
			t.Errorf("%s listed %d times, want once", p, seen[p])
		}
	}
	if len(seen) != len(want) {
		t.Errorf("%d paths listed, want %d", len(seen), len(want))
	}
}

// oddNames are legal on every place this program knows, unless NoOdd.
var names = []string{
	"åäö ÅÄÖ.txt", "a\u0308 decomposed.txt", "日本.txt", "emoji 🚑.txt", "  two spaces.txt", "semi;colon.txt",
	"100%.txt", "%41.txt", "a+b&c=d.txt", "[1] (2) {3}.txt", "#tag.txt", "utan ändelse", ".dold", "x.tar.gz",
	"lång " + "mycketlångtnamnmycketlångtnamnmycketlångtnamnmycketlångtnamnmycketlångt" + ".txt",
}

func oddNames(t *testing.T, w World) {
	if w.Abilities().NoOdd {
		t.Skip("SKIPPED: this place refuses some of the odd names")
	}
	for _, n := range names {
		w.Write(t, "udda/"+n, []byte(n))
	}
	src := w.Open(t)
	got := crawl(t, src).byPath()
	for _, n := range names {
		item, ok := got[w.Path("udda/"+n)]
		if !ok {
			t.Errorf("%q is not listed", n)
			continue
		}
		if text := read(t, src, item); string(text) != n {
			t.Errorf("%q reads %q", n, text)
		}
	}
}

func contentIsWhatWasWritten(t *testing.T, w World) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 200_000) // 3.2 MB
	w.Write(t, "stor.bin", big)
	w.Write(t, "tom.bin", nil)
	src := w.Open(t)
	got := crawl(t, src).byPath()
	if text := read(t, src, got[w.Path("stor.bin")]); !bytes.Equal(text, big) {
		t.Errorf("read %d bytes, not the %d written", len(text), len(big))
	}
	if text := read(t, src, got[w.Path("tom.bin")]); len(text) != 0 {
		t.Errorf("the empty file reads %d bytes", len(text))
	}
}

func versionFollowsContent(t *testing.T, w World) {
	w.Write(t, "a.txt", []byte("ett"))
	w.Write(t, "b.txt", []byte("ett"))
	before := crawl(t, w.Open(t)).byPath()
	w.Write(t, "a.txt", []byte("två"))
	after := crawl(t, w.Open(t)).byPath()
	if a := w.Path("a.txt"); before[a].Version == after[a].Version {
		t.Error("new content, same version")
	}
	if b := w.Path("b.txt"); before[b].Version != after[b].Version {
		t.Error("same content, new version")
	}
}

func onlyChangesAfterACursor(t *testing.T, w World) {
	if !w.Abilities().History {
		t.Skip("SKIPPED: this place keeps no history, every crawl is a full one")
	}
	for i := range 50 {
		w.Write(t, fmt.Sprintf("m/%02d.txt", i), []byte("x"))
	}
	src := w.Open(t)
	state := crawl(t, src)
	w.Write(t, "m/07.txt", []byte("changed"))
	w.Write(t, "m/new.txt", []byte("new"))
	w.Remove(t, "m/08.txt")
	before := state.byPath()
	touched := map[string]bool{}
	state.visited = func(c sources.Change) {
		old := state.items[c.Item.ID]
		if c.Kind == sources.Deleted || old.Version != c.Item.Version || old.Path != c.Item.Path {
			touched[string(c.Item.ID)] = true
		}
	}
	state.advance(t, src)
	if len(touched) != 3 {
		t.Errorf("%d items changed after the cursor, want 3", len(touched))
	}
	after := state.byPath()
	if len(after) != len(before) || after[w.Path("m/new.txt")].ID == "" {
		t.Errorf("after the delta %d items, want %d with m/new.txt", len(after), len(before))
	}
}

func renameKeepsTheID(t *testing.T, w World) {
	if !w.Abilities().StableIDs {
		t.Skip("SKIPPED: here an item's ID is its path")
	}
	w.Write(t, "gammal/fil.txt", []byte("x"))
	w.Write(t, "gammal/djup/fil2.txt", []byte("y"))
	src := w.Open(t)
	state := crawl(t, src)
	before := state.byPath()
	w.Rename(t, "gammal", "ny")
	src = w.Open(t) // only the cursors survive a restart
	state.advance(t, src)
	after := state.byPath()
	for from, to := range map[string]string{"gammal/fil.txt": "ny/fil.txt", "gammal/djup/fil2.txt": "ny/djup/fil2.txt"} {
		a, b := before[w.Path(from)], after[w.Path(to)]
		if a.ID != b.ID || b.ID == "" {
			t.Errorf("%s → %s: ID %q became %q; have %v", from, to, a.ID, b.ID, slices.Collect(maps.Keys(after)))
		}
		if a.Version != b.Version {
			t.Errorf("%s: renamed, and the version changed", from)
		}
	}
}

func deletedIsKnown(t *testing.T, w World) {
	w.Write(t, "a.txt", []byte("a"))
	w.Write(t, "b.txt", []byte("b"))
	state := crawl(t, w.Open(t))
	w.Remove(t, "a.txt")
	state.advance(t, w.Open(t))
	if got := state.byPath(); len(got) != 1 || got[w.Path("b.txt")].ID == "" {
		t.Errorf("after a.txt was deleted: %v", slices.Collect(maps.Keys(got)))
	}
}

func expiredCursorIsNamed(t *testing.T, w World) {
	expire := w.Abilities().Expire
	if expire == nil {
		t.Skip("SKIPPED: cursors never expire here")
	}
	w.Write(t, "a.txt", []byte("a"))
	src := w.Open(t)
	state := crawl(t, src)
	expire(t)
	for id, cursor := range state.cursors {
		err := src.Changes(t.Context(), state.scopes[id], cursor, func(sources.Page) error { return nil })
		if !errors.Is(err, sources.ErrCursorExpired) {
			t.Errorf("got %v, want ErrCursorExpired", err)
		}
	}
}

func stopAndResume(t *testing.T, w World) {
	want := 90
	for i := range want {
		w.Write(t, fmt.Sprintf("d%d/%03d.txt", i%4, i), []byte("x"))
	}
	stop := errors.New("stop")
	for after := 1; after < 200; after++ {
		state := newState()
		src := w.Open(t)
		pages := 0
		stopped := false
		err := src.Scopes(t.Context(), func(s sources.Scope) error {
			state.scopes[s.ID] = s
			return src.Changes(t.Context(), s, "", func(p sources.Page) error {
				state.apply(s, p)
				if pages++; pages == after {
					return stop
				}
				return nil
			})
		})
		if errors.Is(err, stop) {
			stopped = true
			state.advance(t, w.Open(t)) // goes on at the cursors, without a sweep
		} else if err != nil {
			t.Fatal(err)
		}
		if len(state.items) != want {
			t.Fatalf("stopped after page %d and resumed: %d items, want %d", after, len(state.items), want)
		}
		if !stopped {
			return
		}
	}
}

func visitErrorEnds(t *testing.T, w World) {
	w.Write(t, "a.txt", []byte("a"))
	src := w.Open(t)
	mine := errors.New("mine")
	if err := src.Scopes(t.Context(), func(sources.Scope) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("Scopes returned %v, want visit's own error", err)
	}
	for _, s := range scopes(t, src) {
		if err := src.Changes(t.Context(), s, "", func(sources.Page) error { return mine }); !errors.Is(err, mine) {
			t.Errorf("Changes returned %v, want visit's own error", err)
		}
	}
}

func cancelIsObeyed(t *testing.T, w World) {
	for i := range 40 {
		w.Write(t, fmt.Sprintf("d/%03d.txt", i), []byte("x"))
	}
	src := w.Open(t)
	state := crawl(t, src)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range state.scopes {
		if err := src.Changes(ctx, s, "", func(sources.Page) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("Changes returned %v, want context.Canceled", err)
		}
	}
	for _, item := range state.items {
		r, err := src.Open(ctx, item)
		if err == nil {
			_, err = io.ReadAll(r)
			r.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Open returned %v, want context.Canceled", err)
		}
		break
	}
}

func vanishedIsGone(t *testing.T, w World) {
	w.Write(t, "a.txt", []byte("a"))
	src := w.Open(t)
	item := crawl(t, src).byPath()[w.Path("a.txt")]
	w.Remove(t, "a.txt")
	r, err := src.Open(t.Context(), item)
	if err == nil {
		_, err = io.ReadAll(r)
		r.Close()
	}
	if !errors.Is(err, sources.ErrGone) {
		t.Errorf("got %v, want ErrGone", err)
	}
}

func unreadableIsAGap(t *testing.T, w World) {
	deny := w.Abilities().Deny
	if deny == nil {
		t.Skip("SKIPPED: the test cannot make a folder unreadable here")
	}
	w.Write(t, "öppen/a.txt", []byte("a"))
	w.Write(t, "stängd/b.txt", []byte("b"))
	defer deny(t, "stängd")()
	state := newState()
	var gaps []sources.Change
	state.visited = func(c sources.Change) {
		if c.Kind == sources.Unreadable {
			gaps = append(gaps, c)
		}
	}
	state.advance(t, w.Open(t))
	if len(gaps) != 1 || gaps[0].Item.Path != w.Path("stängd") || !errors.Is(gaps[0].Reason, sources.ErrDenied) {
		t.Errorf("gaps %+v, want stängd: ErrDenied", gaps)
	}
	if _, ok := state.byPath()[w.Path("öppen/a.txt")]; !ok {
		t.Error("the readable neighbour is missing")
	}
}

func changesDuringTheCrawl(t *testing.T, w World) {
	for i := range 60 {
		w.Write(t, fmt.Sprintf("d%d/%03d.txt", i%3, i), []byte("x"))
	}
	src := w.Open(t)
	state := newState()
	pages := 0
	for _, s := range scopes(t, src) {
		state.scopes[s.ID] = s
		err := src.Changes(t.Context(), s, "", func(p sources.Page) error {
			if pages++; pages == 1 {
				w.Write(t, "d1/late.txt", []byte("late"))
				w.Remove(t, "d2/002.txt")
			}
			state.apply(s, p)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	state.advance(t, src) // the next crawl knows
	got := state.byPath()
	if _, ok := got[w.Path("d1/late.txt")]; !ok || len(got) != 60 {
		t.Errorf("%d items, want 60 with d1/late.txt", len(got))
	}
}

func twoAtOnce(t *testing.T, w World) {
	for i := range 30 {
		w.Write(t, fmt.Sprintf("d/%03d.txt", i), []byte(fmt.Sprint(i)))
	}
	src := w.Open(t)
	all := slices.Collect(maps.Values(crawl(t, src).items))
	done := make(chan error, len(all))
	for _, item := range all {
		go func() {
			r, err := src.Open(t.Context(), item)
			if err == nil {
				_, err = io.ReadAll(r)
				r.Close()
			}
			done <- err
		}()
	}
	for range all {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// state is what a store would keep: items, scopes and cursors.
type state struct {
	items   map[sources.ItemID]sources.Item
	scopes  map[sources.ScopeID]sources.Scope
	cursors map[sources.ScopeID]sources.Cursor
	visited func(sources.Change)
}

func newState() *state {
	return &state{
		items:   map[sources.ItemID]sources.Item{},
		scopes:  map[sources.ScopeID]sources.Scope{},
		cursors: map[sources.ScopeID]sources.Cursor{},
		visited: func(sources.Change) {},
	}
}

func (st *state) apply(s sources.Scope, p sources.Page) {
	for _, c := range p.Changes {
		st.visited(c)
		switch c.Kind {
		case sources.Present:
			st.items[c.Item.ID] = c.Item
		case sources.Deleted:
			delete(st.items, c.Item.ID)
		}
	}
	st.cursors[s.ID] = p.Next
}

// advance crawls every scope from its cursor; a full crawl sweeps what it did
// not see.
func (st *state) advance(t *testing.T, src sources.Source) {
	t.Helper()
	for _, s := range scopes(t, src) {
		st.scopes[s.ID] = s
		full := st.cursors[s.ID] == ""
		seen := map[sources.ItemID]bool{}
		err := src.Changes(t.Context(), s, st.cursors[s.ID], func(p sources.Page) error {
			for _, c := range p.Changes {
				seen[c.Item.ID] = true
			}
			st.apply(s, p)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(st.items, func(id sources.ItemID, item sources.Item) bool {
			return full && item.Scope == s.ID && !seen[id]
		})
	}
}

func (st *state) byPath() map[string]sources.Item {
	all := map[string]sources.Item{}
	for _, item := range st.items {
		all[item.Path] = item
	}
	return all
}

func crawl(t *testing.T, src sources.Source) *state {
	t.Helper()
	st := newState()
	st.advance(t, src)
	return st
}

func scopes(t *testing.T, src sources.Source) (all []sources.Scope) {
	t.Helper()
	err := src.Scopes(t.Context(), func(s sources.Scope) error { all = append(all, s); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func read(t *testing.T, src sources.Source, item sources.Item) []byte {
	t.Helper()
	r, err := src.Open(t.Context(), item)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
