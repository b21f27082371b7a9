package graphtest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// change answers requests that change something. A role that may only read is
// refused; others move, rename, delete and copy items and revoke permissions
// as Graph lets them.
func (t *Tenant) change(r *http.Request, parts []string) reply {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err == nil && strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		body, err = unpack(body)
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "BadRequest", "The body is not what Content-Encoding says.")
	}
	if !t.granted("Files.ReadWrite.All", "Sites.ReadWrite.All", "Sites.FullControl.All") {
		return denied()
	}
	i := t.addressed(parts)
	if i == nil {
		return refuse(http.StatusNotFound, "itemNotFound", "The resource could not be found.")
	}
	if tag := r.Header.Get("If-Match"); tag != "" && tag != i.eTag() {
		return refuse(http.StatusPreconditionFailed, "resourceModified", "ETag does not match current item's value")
	}
	if i.file.Locked {
		return refuse(http.StatusLocked, "resourceLocked", "The resource is locked")
	}
	switch action := strings.Join(parts[4:], "/"); {
	case r.Method == http.MethodPatch && action == "":
		return t.move(i, body)
	case r.Method == http.MethodDelete && action == "", r.Method == http.MethodPost && action == "permanentDelete":
		if i.file.Retained {
			return refuse(http.StatusForbidden, "accessDenied", "The item is on hold or under a retention label")
		}
		delete(i.parent.children, i.Name)
		i.delete(true)
		return reply{status: http.StatusNoContent}
	case r.Method == http.MethodPost && action == "copy":
		return t.copy(i, body)
	case r.Method == http.MethodDelete && len(parts) == 6 && parts[4] == "permissions":
		return i.revoke(parts[5])
	}
	return refuse(http.StatusBadRequest, "invalidRequest", "The request is malformed or incorrect.")
}

func unpack(body []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// addressed finds the item of drives/{id}/items/{id}/….
func (t *Tenant) addressed(parts []string) *Item {
	if len(parts) < 4 || parts[0] != "drives" || parts[2] != "items" || t.drives[parts[1]] == nil {
		return nil
	}
	i := t.drives[parts[1]].byID[parts[3]]
	if i == nil || i.deleted || i.gone() || i.parent == nil {
		return nil
	}
	return i
}

// target is what a move or copy is asked for.
type target struct {
	Name            string
	ParentReference struct{ DriveID, ID string }
}

// move renames an item or puts it into another folder of its drive.
func (t *Tenant) move(i *Item, body []byte) reply {
	var to target
	if json.Unmarshal(body, &to) != nil {
		return refuse(http.StatusBadRequest, "invalidRequest", "The body is not JSON.")
	}
	parent := i.parent
	if id := to.ParentReference.ID; id != "" {
		if parent = i.drive.byID[id]; parent == nil || !parent.folder || parent.deleted {
			return refuse(http.StatusNotFound, "itemNotFound", "The folder could not be found.")
		}
	}
	name := i.Name
	if to.Name != "" {
		name = to.Name
	}
	if other := parent.children[name]; other != nil && other != i {
		return refuse(http.StatusConflict, "nameAlreadyExists", "An item with the same name already exists.")
	}
	delete(i.parent.children, i.Name)
	i.Name, i.parent = name, parent
	parent.children[name] = i
	i.drive.touch(i)
	return reply{status: http.StatusOK, body: i.append(nil, false)}
}

// copy begins a copy into a folder of any drive and hands out its monitor.
func (t *Tenant) copy(i *Item, body []byte) reply {
	var to target
	if json.Unmarshal(body, &to) != nil || t.drives[to.ParentReference.DriveID] == nil {
		return refuse(http.StatusBadRequest, "invalidRequest", "The target is missing.")
	}
	d := t.drives[to.ParentReference.DriveID]
	parent := d.byID[to.ParentReference.ID]
	if parent == nil || !parent.folder {
		return refuse(http.StatusNotFound, "itemNotFound", "The folder could not be found.")
	}
	made := d.newItem(parent, i.Name)
	made.file, made.hash = i.file, i.hash // permissions are not copied
	d.touch(made)
	key := requestID()
	t.copies[key] = 0
	return reply{status: http.StatusAccepted, header: map[string]string{
		"Location": "https://" + t.ContentHost + "/monitor/" + key + "?id=" + url.QueryEscape(made.ID),
	}}
}

// monitor tells how far a copy has come. It takes no Authorization.
func (t *Tenant) monitor(r *http.Request) reply {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := strings.TrimPrefix(r.URL.Path, "/monitor/")
	asked, known := t.copies[key]
	switch {
	case r.Header.Get("Authorization") != "":
		return reply{status: http.StatusUnauthorized}
	case !known:
		return reply{status: http.StatusNotFound}
	}
	t.copies[key]++
	if asked < 2 {
		return jsonReply(http.StatusAccepted, map[string]any{"status": "inProgress", "percentageComplete": 40.0 * float64(asked+1)})
	}
	return ok(map[string]any{"status": "completed", "percentageComplete": 100.0, "resourceId": r.URL.Query().Get("id")})
}

// revoke removes a permission that is the item's own.
func (i *Item) revoke(id string) reply {
	n := slices.IndexFunc(i.grants, func(p Permission) bool { return p["id"] == id })
	switch {
	case n < 0:
		return refuse(http.StatusNotFound, "itemNotFound", "The permission could not be found.")
	case i.grants[n]["inheritedFrom"] != nil:
		return refuse(http.StatusForbidden, "accessDenied", "The permission is inherited.")
	}
	i.grants = slices.Delete(slices.Clone(i.grants), n, n+1)
	i.drive.touch(i)
	i.shared = i.seq
	return reply{status: http.StatusNoContent}
}

// Grants returns who can reach an item now.
func (i *Item) Grants() []Permission {
	i.drive.tenant.mu.Lock()
	defer i.drive.tenant.mu.Unlock()
	return slices.Clone(i.grants)
}
