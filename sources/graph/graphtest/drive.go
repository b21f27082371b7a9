package graphtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (t *Tenant) routeDrive(r *http.Request, d *Drive, parts []string) reply {
	if !t.granted("Files.Read.All", "Files.ReadWrite.All", "Sites.Read.All", "Sites.ReadWrite.All", "Sites.FullControl.All", "Sites.Selected") {
		return denied()
	}
	switch {
	case len(parts) == 0:
		return ok(d.json())
	case parts[0] == "root":
		parts = append([]string{"items", "root"}, parts[1:]...)
	case strings.HasPrefix(parts[0], "delta"), len(parts) == 1 && isDelta(parts[0]):
		return t.delta(r, d, parts[0])
	}
	if parts[0] != "items" || len(parts) < 2 {
		return refuse(http.StatusBadRequest, "BadRequest", "Resource not found for the segment.")
	}
	i := d.byID[parts[1]]
	if parts[1] == "root" {
		i = d.root
	}
	if i == nil || i.deleted || i.gone() {
		return refuse(http.StatusNotFound, "itemNotFound", "The resource could not be found.")
	}
	switch {
	case len(parts) == 2:
		return reply{status: http.StatusOK, body: i.append(nil, false)}
	case isDelta(parts[2]):
		if i != d.root {
			return refuse(http.StatusBadRequest, "notSupported", "delta is only supported on the root")
		}
		return t.delta(r, d, parts[2])
	case parts[2] == "children":
		return t.childrenOf(r, i)
	case parts[2] == "permissions":
		all := []any{}
		for _, g := range i.grants {
			all = append(all, g)
		}
		return t.list(r, all, "")
	case parts[2] == "content":
		return t.redirect(i)
	}
	return refuse(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '"+parts[2]+"'.")
}

// gone says whether the item lies in a deleted folder.
func (i *Item) gone() bool {
	for p := i.parent; p != nil; p = p.parent {
		if p.deleted {
			return true
		}
	}
	return false
}

func (t *Tenant) childrenOf(r *http.Request, i *Item) reply {
	names := slices.Sorted(maps.Keys(i.children))
	all := make([]any, len(names))
	for n, name := range names {
		all[n] = json.RawMessage(i.children[name].append(nil, false))
	}
	return t.list(r, all, "")
}

var deltaCall = regexp.MustCompile(`^(?:microsoft\.graph\.)?delta(?:\((?:token='?([^')]*)'?)?\))?$`)

func isDelta(segment string) bool { return deltaCall.MatchString(segment) }

// delta answers one page of a round. A token is
// kind.epoch.since.snapshot.position: kind "f" enumerates everything as of the
// snapshot, "d" what changed after since.
func (t *Tenant) delta(r *http.Request, d *Drive, segment string) reply {
	prefer := r.Header.Get("Prefer")
	if strings.Contains(prefer, "deltashowsharingchanges") && (t.options.NoSharing || !strings.Contains(prefer, "deltatraversepermissiongaps") || !strings.Contains(prefer, "deltashowremovedasdeleted")) {
		return refuse(http.StatusBadRequest, "invalidRequest", "deltashowsharingchanges needs deltatraversepermissiongaps and deltashowremovedasdeleted")
	}
	token := deltaCall.FindStringSubmatch(segment)[1]
	if token == "" {
		token = r.URL.Query().Get("token")
	}
	if token == "latest" {
		return d.page(t, nil, "", d.token("d", d.seq, d.seq, 0), 0)
	}
	if token == "" {
		token = d.token("f", 0, d.seq, 0)
	}
	var epoch, since, snapshot, position int
	kind, rest, _ := strings.Cut(token, ".")
	if n, err := fmt.Sscanf(rest, "%d.%d.%d.%d", &epoch, &since, &snapshot, &position); n != 4 || err != nil {
		return refuse(http.StatusBadRequest, "invalidRequest", "The provided token is malformed.")
	}
	if epoch != d.epoch {
		a := refuse(http.StatusGone, "resyncRequired", "Resync required. Replace any local items with the server's version.")
		if d.resync {
			a.header = map[string]string{"Location": t.BaseURL + "/drives/" + url.PathEscape(d.ID) + "/root/delta"}
		}
		return a
	}
	if kind == "d" && position == 0 && snapshot == since {
		snapshot = d.seq // a delta link begins a new round
	}
	var items []*Item
	if kind == "f" {
		items = d.order
	} else {
		items = t.changed(d, since, snapshot)
	}
	return d.slice(t, r, items, kind, since, snapshot, position)
}

// slice answers the page of a round that begins at a position.
func (d *Drive) slice(t *Tenant, r *http.Request, items []*Item, kind string, since, snapshot, position int) reply {
	size := t.pageSize(r)
	var page []*Item
	at := position
	for ; at < len(items) && len(page) < size; at++ {
		i := items[at]
		if kind == "f" && (i.deleted || i.gone()) {
			continue
		}
		page = append(page, i)
	}
	if at < len(items) {
		return d.page(t, page, d.token(kind, since, snapshot, at), "", since)
	}
	return d.page(t, page, "", d.token("d", snapshot, snapshot, 0), since)
}

// changed returns what changed in (since, snapshot], each once, with the
// folders above; the root always.
func (t *Tenant) changed(d *Drive, since, snapshot int) []*Item {
	key := fmt.Sprintf("%s.%d.%d.%d", d.ID, d.epoch, since, snapshot)
	if items, known := t.rounds[key]; known {
		return items
	}
	seen := map[*Item]bool{d.root: true}
	items := []*Item{d.root}
	for _, i := range d.log[min(since, len(d.log)):min(snapshot, len(d.log))] {
		var above []*Item
		for at := i; at != nil; at = at.parent {
			if !seen[at] && (at == i || !at.deleted) {
				seen[at] = true
				above = append(above, at)
			}
		}
		slices.Reverse(above)
		items = append(items, above...)
	}
	t.rounds[key] = items
	return items
}

func (d *Drive) token(kind string, since, snapshot, position int) string {
	return fmt.Sprintf("%s.%d.%d.%d.%d", kind, d.epoch, since, snapshot, position)
}

// page writes a page. Links are spelt in the ways that were seen.
func (d *Drive) page(t *Tenant, items []*Item, next, delta string, since int) reply {
	b := make([]byte, 0, 700*len(items)+500)
	b = append(b, `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#Collection(driveItem)"`...)
	base := t.BaseURL + "/drives/" + strings.ReplaceAll(d.ID, "!", "%21") + "/"
	for _, link := range []struct{ kind, token string }{{"nextLink", next}, {"deltaLink", delta}} {
		if link.token == "" {
			continue
		}
		t.spelling++
		spelling := []string{"root/delta?token=%s", "root/delta(token='%s')", "root/microsoft.graph.delta(token='%s')", "items/root/delta()?token=%s", "delta(token=%s)"}[t.spelling%5]
		b = append(b, fmt.Sprintf(`,"@odata.%s":%q`, link.kind, base+fmt.Sprintf(spelling, link.token))...)
	}
	b = append(b, `,"value":[`...)
	for n, i := range items {
		if n > 0 {
			b = append(b, ',')
		}
		b = i.append(b, i.shared > since && i.shared > 0)
	}
	return reply{status: http.StatusOK, body: append(b, "]}"...)}
}

// append writes the item as JSON.
func (i *Item) append(b []byte, sharedChanged bool) []byte {
	d := i.drive
	b = append(b, `{"id":"`...)
	b = append(b, i.ID...)
	b = append(b, '"')
	if i.deleted {
		b = append(b, `,"deleted":{"state":"deleted"}`...)
		if i.folder {
			b = append(b, `,"folder":{}`...)
		} else {
			b = append(b, `,"file":{}`...)
		}
		return append(i.appendParent(b), '}')
	}
	b = append(b, `,"name":`...)
	b = appendText(b, i.Name)
	b = append(b, `,"eTag":`...)
	b = appendText(b, i.eTag())
	if !i.file.NoCTag {
		b = append(b, `,"cTag":"\"c:{`...)
		b = append(b, i.ID...)
		b = append(b, '}', ',')
		b = strconv.AppendInt(b, int64(i.edits), 10)
		b = append(b, `\""`...)
	}
	b = append(b, `,"webUrl":`...)
	b = appendText(b, d.WebURL+"/"+i.ID)
	b = append(b, `,"lastModifiedDateTime":"`...)
	b = d.start.Add(time.Duration(i.seq)*time.Second).AppendFormat(b, time.RFC3339)
	b = append(b, `","lastModifiedBy":{"user":{"email":`...)
	b = appendText(b, i.file.Owner)
	b = append(b, `,"id":"u","displayName":"Någon"}}`...)
	b = i.appendParent(b)
	b = i.appendFacets(b)
	if sharedChanged {
		b = append(b, `,"@microsoft.graph.sharedChanged":"True"`...)
	}
	return append(b, '}')
}

// eTag names the version of the item, its name and place included.
func (i *Item) eTag() string { return fmt.Sprintf(`"{%s},%d"`, i.ID, i.seq) }

func (i *Item) appendParent(b []byte) []byte {
	b = append(b, `,"parentReference":{"driveType":"documentLibrary","driveId":"`...)
	b = append(b, i.drive.ID...)
	if i.parent != nil {
		b = append(b, `","id":"`...)
		b = append(b, i.parent.ID...)
	}
	return append(b, `"}`...)
}

func (i *Item) appendFacets(b []byte) []byte {
	if i.parent == nil {
		b = append(b, `,"root":{}`...)
	}
	if i.folder {
		b = append(b, `,"size":0,"folder":{"childCount":`...)
		return append(strconv.AppendInt(b, int64(len(i.children)), 10), '}')
	}
	b = append(b, `,"size":`...)
	b = strconv.AppendInt(b, i.file.Size, 10)
	switch {
	case i.file.Package:
		return append(b, `,"package":{"type":"oneNote"}`...)
	case i.file.Pointer:
		return append(b, `,"remoteItem":{"id":"01REMOTE","parentReference":{"driveId":"b!other"}}`...)
	}
	b = append(b, `,"file":{"mimeType":"application/octet-stream"`...)
	if i.hash != "" && !i.file.NoHash {
		b = append(b, `,"hashes":{"quickXorHash":"`...)
		b = append(b, i.hash...)
		b = append(b, `"}`...)
	}
	b = append(b, '}')
	if i.file.Malware {
		b = append(b, `,"malware":{"description":"simulated"}`...)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	for n := range len(s) {
		if s[n] < ' ' || s[n] == '"' || s[n] == '\\' || s[n] >= 0x7f {
			text, _ := json.Marshal(s)
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
