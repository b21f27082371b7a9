package graph

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/molnvakt/molnvakt/sources"
)

// walkAll reports again everything below the folders noted in Again, of which
// the walk itself can find more. It returns false when a folder has more
// children than could be listed: its listing skips some, and only a full crawl
// finds them.
func (r *round) walkAll(ctx context.Context) (complete bool, err error) {
	for {
		id, why, found := r.toWalk()
		if !found {
			return true, nil
		}
		r.walked[id] = why
		if complete, err := r.walk(ctx, id, why.Sharing); err != nil || !complete {
			return false, err
		}
	}
}

// toWalk returns a folder of Again that was not walked for the reasons it is
// in there.
func (r *round) toWalk() (id string, why reason, found bool) {
	for _, id := range slices.Sorted(maps.Keys(r.at.Again)) {
		if why := r.at.Again[id]; r.walked[id] != why {
			return id, why, true
		}
	}
	return "", reason{}, false
}

// walk lists a folder and the folders below it. What another walk listed is
// listed again: it may have moved since.
func (r *round) walk(ctx context.Context, top string, sharing bool) (complete bool, err error) {
	done := map[string]bool{}
	for todo := []string{top}; len(todo) > 0; {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if done[id] {
			continue
		}
		done[id] = true
		items, complete, err := r.children(ctx, id)
		if errors.Is(err, sources.ErrGone) {
			continue // the next round reports it as deleted
		}
		if err != nil || !complete {
			return false, err
		}
		for i := range items {
			if items[i].Folder {
				todo = append(todo, items[i].ID)
			}
		}
		// The pages of a walk lead back to its beginning: it is repeated as a
		// whole when it is stopped.
		cursor := r.at.cursor()
		changes, err := r.listed(ctx, items, sharing)
		if err != nil {
			return false, err
		}
		if err := r.visit(sources.Page{Changes: changes, Next: cursor}); err != nil {
			return false, err
		}
	}
	return true, nil
}

// listed turns the children of a folder into changes.
func (r *round) listed(ctx context.Context, items []driveItem, sharing bool) ([]sources.Change, error) {
	var changes []sources.Change
	for i := range items {
		item := &items[i]
		if item.Folder {
			r.tree.put(item)
			r.at.folders.set(item.ID, item.Parent, item.Name, r.tree.folders[item.ID].children)
			continue
		}
		if item.Pointer {
			continue
		}
		change, err := r.document(ctx, item)
		if err != nil {
			return nil, err
		}
		if change != nil {
			change.Sharing = change.Sharing || sharing
			changes = append(changes, *change)
		}
	}
	return changes, nil
}

// children lists a folder. Such lists can skip and repeat entries when they
// are paged, so they are believed only when they hold as many as the folder
// says it has; one that does not is asked for once more.
func (r *round) children(ctx context.Context, id string) (items []driveItem, complete bool, err error) {
	for attempt := range 2 {
		f, known := r.tree.folders[id]
		if attempt > 0 || !known || f.lost || f.children < 0 {
			delete(r.tree.folders, id)
			if f, err = r.tree.folder(ctx, id); err != nil {
				return nil, false, err
			}
		}
		if f.lost {
			return nil, true, nil // the next round reports it as deleted
		}
		if items, err = r.childList(ctx, id); err != nil {
			return nil, false, err
		}
		if f.children >= 0 && len(items) >= f.children {
			return items, true, nil
		}
	}
	return nil, false, nil
}

func (r *round) childList(ctx context.Context, id string) ([]driveItem, error) {
	var items []driveItem
	err := r.source.pages(ctx, func() ([]byte, error) {
		return r.source.client.Children(ctx, r.tree.drive, id)
	}, func(entry json.RawMessage) error {
		item, ok := parseItem(entry)
		if !ok {
			return untrusted("a child is not what is documented")
		}
		items = append(items, item)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return lastOfEach(items)
}
