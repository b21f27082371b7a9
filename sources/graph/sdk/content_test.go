package sdk

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/graph/graphtest"
)

func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	return b
}

func TestDownloadsSurvive(t *testing.T) {
	want := content(3 << 20)
	noETag := func(w http.ResponseWriter, status int, h http.Header, body []byte) {
		h.Del("ETag")
		graphtest.BreakOff(w, status, h, body)
	}
	for name, faults := range map[string][]graphtest.Fault{
		"breaks":             {{Content: true, Times: 3, After: graphtest.BreakOff}},
		"a break, no range":  {{Content: true, Times: 1, After: graphtest.BreakOff}, {Content: true, Times: 1, After: whole(want)}},
		"breaks, no etag":    {{Content: true, Times: 2, After: noETag}},
		"resets":             {{Content: true, Times: 3, Before: graphtest.Reset}},
		"server errors":      {{Content: true, Times: 3, Before: graphtest.Status(500, "oops")}},
		"gzip":               {{Content: true, After: graphtest.Gzip}},
		"false gzip":         {{Content: true, After: graphtest.FalseGzip}},
		"breaks in gzip":     {{Content: true, Times: 1, After: halfGzip}},
		"short, then right":  {{Content: true, Times: 1, After: shortLength}},
		"expired address":    {{Content: true, Times: 1, Before: graphtest.Status(401, "expired")}},
		"expired on a break": {{Content: true, Times: 1, After: graphtest.BreakOff}, {Content: true, Times: 1, Before: graphtest.Status(403, "expired")}},
	} {
		t.Run(name, func(t *testing.T) {
			tenant, drive := oneDrive(t, graphtest.Options{})
			drive.Put("stor.bin", want)
			src := open(t, tenant)
			r := newRegister()
			r.crawl(t, src)
			for _, f := range faults {
				tenant.Inject(f)
			}
			for _, item := range r.items {
				got, err := read(t, src, item)
				if name == "short, then right" {
					// Nothing tells such an answer from a whole one but its hash.
					if !errors.Is(err, sources.ErrUnavailable) {
						t.Errorf("got %v, want ErrUnavailable", err)
					}
					got, err = read(t, src, item)
				}
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			}
		})
	}
}

// whole answers a request for a range with everything.
func whole(all []byte) func(http.ResponseWriter, int, http.Header, []byte) {
	return func(w http.ResponseWriter, _ int, h http.Header, _ []byte) {
		h.Del("Content-Range")
		h.Del("Content-Length")
		w.WriteHeader(http.StatusOK)
		w.Write(all)
	}
}

func halfGzip(w http.ResponseWriter, status int, h http.Header, body []byte) {
	var packed recorder
	packed.header = h
	graphtest.Gzip(&packed, status, h, body)
	w.WriteHeader(status)
	w.Write(packed.Bytes()[:packed.Len()/2])
	panic(http.ErrAbortHandler)
}

type recorder struct {
	bytes.Buffer
	header http.Header
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(int)     {}

func shortLength(w http.ResponseWriter, status int, h http.Header, body []byte) {
	h.Set("Content-Length", "1000")
	w.WriteHeader(status)
	w.Write(body[:1000])
}

func TestVersionsAreNeverSpliced(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{})
	a, b := content(1<<20), bytes.Repeat([]byte("ny"), 1<<19) // equally long
	drive.PutFile("x.bin", graphtest.File{Content: a, GrowsTo: b})
	src := open(t, tenant)
	r := newRegister()
	r.crawl(t, src)
	for _, item := range r.items {
		if got, err := read(t, src, item); !errors.Is(err, sources.ErrChanged) {
			t.Errorf("%d bytes, %v, want ErrChanged", len(got), err)
		}
		// What is there now reads well, though it is not what was listed.
		if got, err := read(t, src, item); err != nil || !bytes.Equal(got, b) {
			t.Errorf("the new version: %d bytes, %v", len(got), err)
		}
	}
}

func TestGarbledContentIsNoticed(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{})
	drive.Put("x.bin", content(100_000))
	src := open(t, tenant)
	r := newRegister()
	r.crawl(t, src)
	tenant.Inject(graphtest.Fault{Content: true, After: graphtest.Garble})
	for _, item := range r.items {
		if _, err := read(t, src, item); !errors.Is(err, sources.ErrUnavailable) {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
	}
}

func TestDownloadThatNeverGoesOnEnds(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{})
	drive.Put("x.bin", content(100_000))
	src := open(t, tenant)
	r := newRegister()
	r.crawl(t, src)
	tenant.Inject(graphtest.Fault{Content: true, Times: 1, After: graphtest.BreakOff})
	tenant.Inject(graphtest.Fault{Content: true, Before: graphtest.Reset})
	for _, item := range r.items {
		if _, err := read(t, src, item); !errors.Is(err, sources.ErrUnavailable) {
			t.Errorf("got %v, want ErrUnavailable", err)
		}
	}
}

func TestErrorsHoldNoContent(t *testing.T) {
	const canary = "19121212-1212"
	tenant, drive := oneDrive(t, graphtest.Options{})
	drive.Put("x "+canary+".txt", []byte(canary))
	src := open(t, tenant)
	r := newRegister()
	r.crawl(t, src)
	for _, f := range []graphtest.Fault{
		{Content: true, After: graphtest.Garble},
		{Content: true, Before: graphtest.Status(403, `{"error":{"code":"accessDenied `+canary+`","message":"`+canary+`"}}`)},
		{Match: graphtest.Path("/content"), Before: graphtest.Status(400, canary, "request-id", canary)},
	} {
		tenant.Heal()
		tenant.Inject(f)
		for _, item := range r.items {
			body, err := src.Open(t.Context(), item)
			if err == nil {
				_, err = io.ReadAll(body)
				body.Close()
			}
			if err == nil || strings.Contains(err.Error(), canary) {
				t.Errorf("got %v", err)
			}
		}
	}
}
