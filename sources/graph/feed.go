package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

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
	var raw struct {
		Value []driveItem `json:"value"`
		Next  string      `json:"@odata.nextLink"`
		Delta string      `json:"@odata.deltaLink"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return page{}, odd("a page of changes is not what is documented")
	}
	if raw.Value == nil {
		return page{}, odd("a page without value")
	}
	if raw.Next == "" && raw.Delta == "" {
		return page{}, odd("a page that neither goes on nor ends")
	}
	if raw.Next != "" {
		raw.Delta = "" // a page with both goes on
	}
	items, err := lastOfEach(raw.Value)
	return page{items: items, next: raw.Next, delta: raw.Delta}, err
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
	if f.sharing && errors.As(err, &refusal) && (refusal.Status == http.StatusBadRequest || refusal.Status == http.StatusNotImplemented) && !refusal.resync() {
		f.sharing = false // this tenant does not tell what changed in sharing
		body, err = ask()
	}
	if errors.As(err, &refusal) && stored && (refusal.Status == http.StatusGone || refusal.Status == http.StatusBadRequest) {
		return nil, errors.Join(sources.ErrCursorExpired, err)
	}
	return body, err
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
