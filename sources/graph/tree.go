package graph

import (
	"context"
	"errors"
	"strings"

	"github.com/molnvakt/molnvakt/sources"
)

// tree knows the folders of a drive as far as a round has met them, and asks
// for those it has not.
type tree struct {
	source  *Source
	drive   string
	folders map[string]folder
	asked   int  // folders asked for one by one
	learnt  bool // all folders were asked for
	pages   int  // what asking for all of them will cost, as far as known
	// met is shown every folder that was asked for: paths were made with what
	// it was called then, whatever a later page says.
	met func(*driveItem)
}

type folder struct {
	parent, name string
	root, lost   bool // lost: it does not exist any more
	children     int  // -1: unknown
}

// deepest is how deep folders can lie; SharePoint ends at 400 characters.
const deepest = 1000

func (t *tree) put(item *driveItem) {
	t.folders[strings.Clone(item.ID)] = folder{parent: strings.Clone(item.Parent), name: strings.Clone(pathName(item)), root: item.isRoot(), children: item.Children}
}

// pathName is the item's name as a part of a path.
func pathName(item *driveItem) string {
	if item.Name == "" {
		return "(" + item.ID + ")"
	}
	return strings.ReplaceAll(item.Name, "/", "∕")
}

// path returns where a folder lies within the drive: "" for the root. A folder
// that is gone by now has a path that says so.
func (t *tree) path(ctx context.Context, id string) (string, error) {
	var names []string
	for range deepest {
		f, err := t.folder(ctx, id)
		if err != nil {
			return "", err
		}
		if f.lost {
			names = append(names, "("+id+")")
		}
		if f.root || f.lost {
			for i, j := 0, len(names)-1; i < j; i, j = i+1, j-1 {
				names[i], names[j] = names[j], names[i]
			}
			return strings.Join(names, "/"), nil
		}
		names = append(names, f.name)
		id = f.parent
	}
	return "", untrusted("folders lie in each other")
}

// folder returns a folder, asking for it if need be. Once more folders were
// asked for one by one than it takes to list them all, they are listed.
func (t *tree) folder(ctx context.Context, id string) (folder, error) {
	if f, ok := t.folders[id]; ok {
		return f, nil
	}
	if id == "" {
		return folder{root: true}, nil
	}
	if !t.learnt && t.asked > t.pages+20 {
		if err := t.learn(ctx); err != nil {
			return folder{}, err
		}
		return t.folder(ctx, id)
	}
	t.asked++
	var item driveItem
	err := t.source.sensible(ctx, func() error {
		body, err := t.source.client.Item(ctx, t.drive, id)
		if err != nil {
			return err
		}
		var ok bool
		if item, ok = parseItem(body); !ok {
			return odd("a folder is not what is documented")
		}
		return nil
	})
	if errors.Is(err, sources.ErrGone) {
		t.folders[id] = folder{lost: true}
		return t.folders[id], nil
	}
	if err != nil {
		return folder{}, err
	}
	item.ID = id
	t.put(&item)
	t.met(&item)
	return t.folders[id], nil
}

// learn lists the whole drive once for its folders alone.
func (t *tree) learn(ctx context.Context) error {
	t.learnt = true
	known := t.folders
	t.folders = map[string]folder{}
	for id, f := range known {
		t.folders[id] = f
	}
	feed := feed{source: t.source, drive: t.drive, sharing: false}
	for {
		page, err := feed.next(ctx)
		if err != nil {
			return err
		}
		for i := range page.items {
			item := &page.items[i]
			if _, ok := known[item.ID]; !ok && item.Folder && !item.Deleted {
				t.put(item)
				t.met(item)
			}
		}
		if page.delta != "" {
			return nil
		}
	}
}
