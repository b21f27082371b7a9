package graph

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/molnvakt/molnvakt/sources"
)

// feed is the pages of one delta round, checked for making sense.
type feed struct {
	source  *Source
	drive   string
	link    string // "": from the beginning
	sharing bool
	seen    map[string]bool
	empty   int
}

// page is one page of a delta round. Exactly one of next and delta is set.
type page struct {
	items []driveItem // the last of those with the same id
	next  string
	delta string
}

// next fetches the page that link names and moves on.
func (f *feed) next(ctx context.Context) (page, error) {
	var p page
	err := f.source.sensible(ctx, func() error {
		body, err := f.fetch(ctx)
		if err != nil {
			return err
		}
		p, err = parsePage(body)
		return err
	})
	if err != nil {
		return page{}, err
	}
	if f.seen == nil {
		f.seen = map[string]bool{f.link: true}
	}
	if f.empty++; len(p.items) > 0 {
		f.empty = 0
	}
	if p.next != "" {
		err = f.source.trustLink(p.next, f.seen, f.empty)
	} else {
		err = f.source.trustLink(p.delta, map[string]bool{}, 0)
	}
	f.link = p.next
	return p, err
}

// parsePage decodes a page and refuses one that does not make sense.
func parsePage(body []byte) (page, error) {
	if !gjson.ValidBytes(body) {
		return page{}, odd("a page of changes is not JSON, or broke off")
	}
	var p page
	var values gjson.Result
	gjson.ParseBytes(body).ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "value":
			values = v
		case "@odata.nextLink":
			p.next = strings.Clone(v.String())
		case "@odata.deltaLink":
			p.delta = strings.Clone(v.String())
		}
		return true
	})
	switch {
	case !values.IsArray():
		return page{}, odd("a page without value")
	case p.next == "" && p.delta == "":
		return page{}, odd("a page that neither goes on nor ends")
	case p.next != "":
		p.delta = "" // a page with both goes on
	}
	items := make([]driveItem, 0, bytes.Count(body, []byte(`"parentReference"`)))
	values.ForEach(func(_, v gjson.Result) bool {
		items = append(items, readItem(v))
		return true
	})
	var err error
	p.items, err = lastOfEach(items)
	return p, err
}

func (f *feed) fetch(ctx context.Context) ([]byte, error) {
	stored := f.link != ""
	ask := func() ([]byte, error) {
		if stored {
			return f.source.client.Follow(ctx, f.link, true, f.sharing)
		}
		return f.source.client.Delta(ctx, f.drive, f.sharing)
	}
	body, err := ask()
	var refusal *Error
	if f.sharing && errors.As(err, &refusal) && refusal.mayBePreference() {
		f.sharing = false // this tenant does not tell what changed in sharing
		body, err = ask()
	}
	if errors.As(err, &refusal) && stored && (refusal.Status == http.StatusGone || refusal.Status == http.StatusBadRequest) {
		return nil, errors.Join(sources.ErrCursorExpired, err)
	}
	return body, err
}

// mayBePreference says whether a request could have been refused for asking
// for changes of sharing, which not every tenant and permission allows.
func (e *Error) mayBePreference() bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotImplemented, http.StatusPreconditionFailed:
		return !e.resync()
	}
	return false
}

// lastOfEach returns the items in order, of those with the same id the last:
// "the last occurrence is the one to use".
func lastOfEach(items []driveItem) ([]driveItem, error) {
	at := make(map[string]int, len(items))
	for i := range items {
		if items[i].ID == "" {
			return nil, odd("an item without id")
		}
		at[items[i].ID] = i
	}
	if len(at) == len(items) {
		return items, nil
	}
	kept := items[:0]
	for i := range items {
		if at[items[i].ID] == i {
			kept = append(kept, items[i])
		}
	}
	return kept, nil
}
