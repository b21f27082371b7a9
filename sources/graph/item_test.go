package graph

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestItemIsDecodedWhole(t *testing.T) {
	const text = `{"@odata.type":"#x","id":"01ABC","name":"Å \u00e4 \"x\" \ud83d\ude91","size":107374182400,
		"cTag":"\"c:{X},1\"","eTag":"\"{X},2\"","webUrl":"https://x/%C3%A5","lastModifiedDateTime":"2026-03-02T10:00:00.5Z",
		"lastModifiedBy":{"application":{"displayName":"App"},"user":{"displayName":"Anna","email":"anna@kommun.example"}},
		"parentReference":{"driveType":"business","driveId":"b!1","id":"01P","path":"/drive/root:"},
		"file":{"mimeType":"x","hashes":{"quickXorHash":"Q=","sha1Hash":"S"}},"malware":{"description":null},
		"@microsoft.graph.sharedChanged":"True","folder":null,"deleted":null}`
	got, ok := parseItem([]byte(text))
	want := driveItem{
		ID: "01ABC", Name: `Å ä "x" 🚑`, Size: 100 << 30, CTag: `"c:{X},1"`, ETag: `"{X},2"`, WebURL: "https://x/%C3%A5",
		Modified: time.Date(2026, 3, 2, 10, 0, 0, 5e8, time.UTC), By: "anna@kommun.example", Parent: "01P", ParentDrive: "b!1",
		Hash: "quickxor:Q=", Children: -1, Malware: true, SharedChanged: true,
	}
	if !ok || got != want {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	for _, other := range []struct {
		text string
		want driveItem
	}{
		{`{"id":"1","folder":{"childCount":3},"root":{}}`, driveItem{ID: "1", Folder: true, Root: true, Children: 3}},
		{`{"id":"1","folder":{}}`, driveItem{ID: "1", Folder: true, Children: -1}},
		{`{"id":"1","package":{"type":"oneNote"},"folder":{"childCount":2}}`, driveItem{ID: "1", Package: true, Children: 2}},
		{`{"id":"1","deleted":{"state":"deleted"}}`, driveItem{ID: "1", Deleted: true, Children: -1}},
		{`{"id":"1","remoteItem":{"id":"2"}}`, driveItem{ID: "1", Pointer: true, Children: -1}},
		{`{"id":"1","file":{"hashes":{"sha256Hash":"S"}}}`, driveItem{ID: "1", Hash: "sha256:S", Children: -1}},
	} {
		if got, ok := parseItem([]byte(other.text)); !ok || got != other.want {
			t.Errorf("%s:\n%+v", other.text, got)
		}
	}
	for _, none := range []string{``, `{}`, `[]`, `{"id":""}`, `{"id":"1"`, `null`} {
		if _, ok := parseItem([]byte(none)); ok {
			t.Errorf("%q counts as an item", none)
		}
	}
}

// FuzzPage holds the decoder of pages against encoding/json, which is slower
// and known to be right.
func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"value":[{"id":"1","name":"a","size":3,"parentReference":{"id":"p"}}],"@odata.nextLink":"https://x"}`))
	f.Add([]byte(`{"value":[{"id":"1"},{"id":"1","name":"\u0061"}],"@odata.deltaLink":"x"}`))
	f.Add([]byte(`{"value":null,"@odata.deltaLink":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parsePage(body)
		if err != nil {
			return
		}
		if !json.Valid(body) {
			t.Fatalf("%q is not JSON and was taken", body)
		}
		if got.next == "" && got.delta == "" {
			t.Fatal("a page without links was taken")
		}
		var want struct {
			Value []map[string]json.RawMessage
		}
		if json.Unmarshal(body, &want) != nil {
			return // legal JSON of other types
		}
		if len(got.items) > len(want.Value) {
			t.Fatalf("%d items of %d", len(got.items), len(want.Value))
		}
		for _, i := range got.items {
			if i.ID == "" {
				t.Fatal("an item without id was taken")
			}
		}
	})
}

// TestPublishedExamples decodes Microsoft's published examples of the types
// that are used. MOLNVAKT_GRAPH_PAYLOADS names the folder that holds them.
func TestPublishedExamples(t *testing.T) {
	folder := os.Getenv("MOLNVAKT_GRAPH_PAYLOADS")
	if folder == "" {
		t.Skip("SKIPPED: MOLNVAKT_GRAPH_PAYLOADS names no folder with published examples")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*driveitem*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	items := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var example struct{ Body json.RawMessage }
		if json.Unmarshal(text, &example) != nil || !strings.HasPrefix(string(example.Body), "{") {
			continue
		}
		var want struct {
			ID    string
			Name  string
			Size  int64
			Value []json.RawMessage
			Next  string `json:"@odata.nextLink"`
			Delta string `json:"@odata.deltaLink"`
		}
		if json.Unmarshal(example.Body, &want) != nil {
			continue
		}
		if got, ok := parseItem(example.Body); ok {
			items++
			if got.ID != want.ID || got.Name != want.Name || got.Size != want.Size {
				t.Errorf("%s: %+v", filepath.Base(file), got)
			}
		}
		if strings.Contains(file, "delta") {
			p, err := parsePage(example.Body)
			if err != nil || len(p.items) != len(want.Value) || p.next != want.Next || p.delta != want.Delta {
				t.Errorf("%s: %+v, %v", filepath.Base(file), p, err)
			}
			items += len(p.items)
		}
	}
	if items < 20 {
		t.Errorf("only %d items in %d examples", items, len(files))
	}
}
