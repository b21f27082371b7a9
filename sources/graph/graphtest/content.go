package graphtest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// contentGrant is what a pre-authenticated address leads to: one version.
type contentGrant struct {
	item  *Item
	until time.Time
}

// redirect hands out the address of an item's content.
func (t *Tenant) redirect(i *Item) reply {
	switch {
	case i.folder || i.file.Package || i.file.Pointer:
		return refuse(http.StatusBadRequest, "notSupported", "The item has no content.")
	case i.file.Refuse == "403 html":
		return reply{status: http.StatusForbidden, header: map[string]string{"Content-Type": "text/html"}, body: []byte("<html><body>403 Forbidden</body></html>")}
	case i.file.Refuse == "400 empty":
		return reply{status: http.StatusBadRequest}
	case i.file.Malware || i.file.Refuse == "virus header":
		a := refuse(http.StatusForbidden, "accessDenied", "The file is infected.")
		a.header = map[string]string{"X-Virus-Infected": "true"}
		return a
	}
	key := requestID()
	t.content[key] = contentGrant{item: i, until: time.Now().Add(time.Hour)}
	return reply{status: http.StatusFound, header: map[string]string{
		"Location": fmt.Sprintf("https://%s/_layouts/15/download.aspx?UniqueId=%s&tempauth=%s", t.ContentHost, i.ID, key),
	}}
}

// ExpireDownloads makes every address handed out so far refuse.
func (t *Tenant) ExpireDownloads() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.content = map[string]contentGrant{}
}

// answerContent serves downloads. It takes no Authorization: a client that
// sends one here gives its token away.
func (t *Tenant) answerContent(w http.ResponseWriter, r *http.Request) {
	entry := t.arrived(r, true)
	if t.options.Latency > 0 {
		time.Sleep(t.options.Latency)
	}
	if strings.HasPrefix(r.URL.Path, "/monitor/") {
		a := t.monitor(r)
		t.left(entry, a.status, 0)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		w.Write(a.body)
		return
	}
	status := t.sendContent(w, r)
	t.left(entry, status, 0)
}

func (t *Tenant) sendContent(w http.ResponseWriter, r *http.Request) int {
	if r.Header.Get("Authorization") != "" {
		http.Error(w, "this address is authenticated already", http.StatusUnauthorized)
		return http.StatusUnauthorized
	}
	i, file, etag, ok := t.version(r.URL.Query().Get("tempauth"))
	if !ok {
		http.Error(w, "expired", http.StatusUnauthorized)
		return http.StatusUnauthorized
	}
	if f := t.strikes(r, true); f != nil {
		if f.Before != nil {
			f.Before(w, r)
			return -1
		}
		d := &damaged{ResponseWriter: w, how: f.After}
		defer d.finish()
		w = d
	}
	w.Header().Set("ETag", etag)
	w.Header().Set("Content-Type", "application/octet-stream")
	from, status := int64(0), http.StatusOK
	if span := r.Header.Get("Range"); span != "" && (r.Header.Get("If-Range") == "" || r.Header.Get("If-Range") == etag) {
		start, found := strings.CutPrefix(span, "bytes=")
		n, err := strconv.ParseInt(strings.TrimSuffix(start, "-"), 10, 64)
		if !found || err != nil || n >= file.Size {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return http.StatusRequestedRangeNotSatisfiable
		}
		from, status = n, http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, file.Size-1, file.Size))
	}
	w.Header().Set("Content-Length", strconv.FormatInt(file.Size-from, 10))
	w.WriteHeader(status)
	t.copyContent(w, i, file, from)
	return status
}

// version returns the item behind an address as it is now.
func (t *Tenant) version(key string) (*Item, File, string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, ok := t.content[key]
	if !ok || time.Now().After(g.until) || g.item.deleted {
		return nil, File{}, "", false
	}
	return g.item, g.item.file, fmt.Sprintf(`"%s,%d"`, g.item.ID, g.item.edits), true
}

func (t *Tenant) copyContent(w io.Writer, i *Item, file File, from int64) {
	if file.GrowsTo != nil {
		w.Write(file.Content[from : from+(file.Size-from)/2])
		t.mu.Lock()
		i.set(File{Content: file.GrowsTo, Owner: file.Owner})
		i.drive.touch(i)
		t.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	if file.Reader == nil {
		io.Copy(w, bytes.NewReader(file.Content[from:]))
		return
	}
	io.CopyN(w, file.Reader(from), file.Size-from)
}
