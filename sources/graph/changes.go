package graph

import (
	"context"
	"fmt"
	"strings"

	"github.com/molnvakt/molnvakt/sources"
)

// Changes implements sources.Source. The scope's ID is the drive's.
//
// Besides what contract says, it returns sources.ErrCursorExpired at the end
// of a round that reported a deleted folder but not what lay in it, or whose
// moved folders could not be listed reliably: only a full crawl tells then.
func (s *Source) Changes(ctx context.Context, scope sources.Scope, since sources.Cursor, visit func(sources.Page) error) error {
	if scope.Reason != nil {
		return scope.Reason
	}
	at, err := parseCursor(since)
	if err != nil {
		return err
	}
	if at.Stale {
		return errStale
	}
	// With the site or drive every path in it has changed.
	if root := fingerprint(scope.Path, ""); since == "" {
		at.Root = root
	} else if at.Root != root {
		return fmt.Errorf("graph: the site or drive was renamed: %w", sources.ErrCursorExpired)
	}
	drive := string(scope.ID)
	r := &round{
		source: s,
		scope:  scope,
		at:     at,
		visit:  visit,
		feed:   feed{source: s, drive: drive, link: at.Link, sharing: true},
		owners: map[string]string{},
		walked: map[string]reason{},
		tree:   &tree{source: s, drive: drive, folders: map[string]folder{}, pages: at.Pages},
	}
	r.tree.met = func(item *driveItem) {
		if item.Folder && !item.isRoot() {
			r.place(item)
		}
	}
	return r.run(ctx)
}

var errStale = fmt.Errorf("graph: only a full crawl tells what lay in a folder that is gone or was moved: %w", sources.ErrCursorExpired)

// round is one delta round of one drive.
type round struct {
	source *Source
	scope  sources.Scope
	at     *position
	visit  func(sources.Page) error
	feed   feed
	tree   *tree
	owners map[string]string
	walked map[string]reason // folders reported again already
}

func (r *round) run(ctx context.Context) error {
	if r.at.End { // stopped while a folder was reported again
		if err := r.finish(ctx, r.at.Link, nil); err != nil {
			return err
		}
		r.at = &position{Link: r.at.Link, Root: r.at.Root, folders: r.at.folders}
		r.feed.link = r.at.Link
	}
	for {
		p, err := r.feed.next(ctx)
		if err != nil {
			return err
		}
		changes, err := r.changes(ctx, p.items)
		if err != nil {
			return err
		}
		r.at.Pages++
		r.tree.pages = r.at.Pages
		if p.delta != "" {
			return r.finish(ctx, p.delta, changes)
		}
		r.at.Link = p.next
		if err := r.visit(sources.Page{Changes: changes, Next: r.at.cursor()}); err != nil {
			return err
		}
	}
}

// finish reports what the last page held, then again what lies below moved
// folders, and ends the round.
func (r *round) finish(ctx context.Context, delta string, changes []sources.Change) error {
	next := &position{Link: delta, Root: r.at.Root, Stale: r.lostContent()}
	r.noteMissingChildren()
	for id, n := range r.at.Counts {
		r.at.folders.count(id, n)
	}
	next.folders = r.at.folders
	if len(r.at.Again) > 0 && !next.Stale {
		r.at.Link, r.at.End = delta, true
		if err := r.visit(sources.Page{Changes: changes, Next: r.at.cursor()}); err != nil {
			return err
		}
		changes = nil
		complete, err := r.walkAll(ctx)
		if err != nil {
			return err
		}
		next.folders, next.Stale = r.at.folders, !complete
	}
	next.folders.compact()
	if err := r.visit(sources.Page{Changes: changes, Next: next.cursor()}); err != nil {
		return err
	}
	if next.Stale && !r.at.Full {
		return errStale
	}
	return nil // a full crawl listed everything; if some paths are old, the next is full as well
}

// noteMissingChildren has folders that came back from a recycle bin reported
// again, if what lies in them was not.
func (r *round) noteMissingChildren() {
	for id, says := range r.at.Fresh {
		if len(r.at.Met[id]) < says {
			r.again(id, reason{Moved: true})
		}
	}
	r.at.Fresh, r.at.Met = nil, nil
}

// lostContent says whether a folder was deleted and not all that lay in it
// reported as deleted: then nobody but a full crawl knows what is gone.
func (r *round) lostContent() bool {
	for id, had := range r.at.Gone {
		if len(r.at.Deleted[id]) < had {
			return true
		}
	}
	return false
}

// changes turns the items of one page into changes. Folders first: what lies
// in them may come before them.
func (r *round) changes(ctx context.Context, items []driveItem) ([]sources.Change, error) {
	for i := range items {
		r.noteFolder(&items[i])
	}
	changes := make([]sources.Change, 0, len(items))
	for i := range items {
		item := &items[i]
		r.tally(item)
		if item.Deleted {
			changes = append(changes, sources.Change{Kind: sources.Deleted, Item: sources.Item{ID: r.itemID(item.ID), Scope: r.scope.ID}})
			continue
		}
		if item.Folder || item.Pointer || item.isRoot() {
			continue
		}
		change, err := r.document(ctx, item)
		if err != nil {
			return nil, err
		}
		if change != nil {
			changes = append(changes, *change)
		}
	}
	return changes, nil
}

// tally counts what was reported of new and of deleted folders' children.
func (r *round) tally(item *driveItem) {
	parent := item.Parent
	if !item.Deleted && r.at.folders.get(parent).children() == 0 {
		r.at.folders.count(parent, 1) // what it said of itself is older
	}
	if r.at.Full || parent == "" {
		return
	}
	if item.Deleted {
		note(&r.at.Deleted, parent, item.ID)
	} else if _, fresh := r.at.Fresh[parent]; fresh {
		note(&r.at.Met, parent, item.ID)
	}
}

// noteFolder keeps the tree and the fingerprints up to date and notes what
// must be looked at again when the round ends.
func (r *round) noteFolder(item *driveItem) {
	if item.Deleted {
		delete(r.at.Fresh, item.ID)
		delete(r.at.Again, item.ID)
		if before := r.at.folders.forget(item.ID); before != notThere && !r.at.Full {
			count(&r.at.Gone, item.ID, before.children())
		}
		return
	}
	if !item.Folder {
		return
	}
	r.tree.put(item)
	if item.SharedChanged && !r.at.Full {
		r.again(item.ID, reason{Sharing: true})
	}
	if !item.isRoot() {
		r.place(item)
	}
}

// place compares where a folder stands with where it stood.
func (r *round) place(item *driveItem) {
	children := item.Children
	known := children
	if old := r.at.folders.get(item.ID); old != notThere && !r.at.Full {
		// Until the round has ended, the children it had may be reported.
		if children >= 0 {
			count(&r.at.Counts, item.ID, children)
		}
		known = max(old.children(), children)
	}
	before, now := r.at.folders.set(item.ID, item.Parent, item.Name, known)
	switch {
	case elsewhere(before, now):
		r.again(item.ID, reason{Moved: true})
	case before == notThere && !r.at.Full && children > 0:
		count(&r.at.Fresh, item.ID, children)
	}
}

func (r *round) again(id string, why reason) {
	if r.at.Again == nil {
		r.at.Again = map[string]reason{}
	}
	delete(r.walked, id)
	known := r.at.Again[id]
	r.at.Again[strings.Clone(id)] = reason{Moved: known.Moved || why.Moved, Sharing: known.Sharing || why.Sharing}
}

// document is the change that says what one document is like; nil: none.
func (r *round) document(ctx context.Context, item *driveItem) (*sources.Change, error) {
	parent, err := r.tree.path(ctx, item.Parent)
	if err != nil {
		return nil, err
	}
	inDrive := join(parent, pathName(item))
	doc := sources.Item{
		ID:          r.itemID(item.ID),
		Scope:       r.scope.ID,
		Path:        join(r.scope.Path, inDrive),
		Version:     item.version(),
		ContentHash: item.Hash,
		Size:        max(item.Size, 0),
		Modified:    item.Modified.UTC(),
		Owner:       r.owner(item.By),
		WebURL:      strings.Clone(item.WebURL),
	}
	if doc.Owner == "" {
		doc.Owner = r.scope.Owner
	}
	if !r.source.config.wantsDocument(inDrive, doc.Owner) {
		if r.at.Full {
			return nil, nil
		}
		return &sources.Change{Kind: sources.Deleted, Item: sources.Item{ID: doc.ID, Scope: doc.Scope}}, nil
	}
	change := &sources.Change{Kind: sources.Present, Item: doc, Sharing: item.SharedChanged}
	switch {
	case item.Package:
		change.Kind, change.Reason = sources.Unreadable, fmt.Errorf("graph: a package (OneNote): %w", sources.ErrUnsupported)
	case item.Malware:
		change.Kind, change.Reason = sources.Unreadable, fmt.Errorf("graph: %w", sources.ErrMalware)
	}
	return change, nil
}

// owner returns the same text for the same name: few people own many items.
func (r *round) owner(name string) string {
	if known, ok := r.owners[name]; ok {
		return known
	}
	name = strings.Clone(name)
	r.owners[name] = name
	return name
}

func (c Config) wantsDocument(inDrive, owner string) bool {
	return c.wants(func(f Filter) []string { return f.Paths }, inDrive) &&
		c.wants(func(f Filter) []string { return f.Owners }, owner)
}

// itemID names an item within the tenant: ids are unique in a drive only.
func (r *round) itemID(id string) sources.ItemID {
	return sources.ItemID(string(r.scope.ID) + "/" + id)
}

// splitID returns drive and item of an ItemID.
func splitID(id sources.ItemID) (drive, item string) {
	drive, item, _ = strings.Cut(string(id), "/")
	return drive, item
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "/" + b
}
