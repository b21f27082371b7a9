package graphtest

import (
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is something that goes wrong with some requests.
type Fault struct {
	// Match says which requests; nil: all. Content requests are those to the
	// content host.
	Match   func(r *http.Request) bool
	Content bool // strikes downloads, not Graph
	// Skip is how many requests that match are spared first; Times is how many
	// then are struck, 0: all; Rate, above 0, is how likely each one is.
	Skip, Times int
	Rate        float64

	// One of these. Before answers instead of the tenant; After changes what
	// the tenant answers.
	Before http.HandlerFunc
	After  func(w http.ResponseWriter, status int, header http.Header, body []byte)

	struck int
}

// Inject adds a fault. Faults are tried in order; the first that strikes does.
func (t *Tenant) Inject(f Fault) *Fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = append(t.faults, &f)
	return &f
}

// Heal removes all faults.
func (t *Tenant) Heal() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = nil
}

// Struck returns how often the fault has struck.
func (t *Tenant) Struck(f *Fault) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return f.struck
}

func (t *Tenant) strikes(r *http.Request, content bool) *Fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.faults {
		if f.Content != content || f.Match != nil && !f.Match(r) || f.Times > 0 && f.struck >= f.Times {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Rate > 0 && rand.Float64() >= f.Rate {
			continue
		}
		f.struck++
		return f
	}
	return nil
}

// damaged holds an answer back until a fault has changed it.
type damaged struct {
	http.ResponseWriter
	how    func(w http.ResponseWriter, status int, header http.Header, body []byte)
	status int
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (d *damaged) WriteHeader(status int) { d.status = status }

// Write implements http.ResponseWriter.
func (d *damaged) Write(p []byte) (int, error) { return d.body.Write(p) }

func (d *damaged) finish() {
	d.how(d.ResponseWriter, d.status, d.Header(), d.body.Bytes())
}

// Path matches requests whose path and query hold a text.
func Path(text string) func(*http.Request) bool {
	return func(r *http.Request) bool { return strings.Contains(r.URL.RequestURI(), text) }
}

// Reset breaks the connection off without an answer.
func Reset(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// Status answers with a status and body, and with headers in pairs.
func Status(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		w.Write([]byte(body))
	}
}

// Throttle answers 429 and notes that nothing may come for as long.
func (t *Tenant) Throttle(retryAfter string, pause time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", retryAfter)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		w.Write([]byte(`{"error":{"code":"activityLimitReached","message":"The request has been throttled","innererror":{"code":"throttledRequest"}}}`))
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.pauseFrom, t.pauseTo = time.Now().Add(100*time.Millisecond), time.Now().Add(pause)
	}
}

// Truncate sends the first half of the body as if it were all.
func Truncate(w http.ResponseWriter, status int, _ http.Header, body []byte) {
	w.WriteHeader(status)
	w.Write(body[:len(body)/2])
}

// BreakOff promises the whole body and breaks off in its middle.
func BreakOff(w http.ResponseWriter, status int, h http.Header, body []byte) {
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body[:len(body)/2])
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

// Garble flips a bit in the middle of the body.
func Garble(w http.ResponseWriter, status int, _ http.Header, body []byte) {
	body = bytes.Clone(body)
	if len(body) > 0 {
		body[len(body)/2] ^= 1
	}
	w.WriteHeader(status)
	w.Write(body)
}

// FalseGzip says that the body is packed, which it is not.
func FalseGzip(w http.ResponseWriter, status int, h http.Header, body []byte) {
	h.Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	w.Write(body)
}

// HiddenGzip packs the body without saying so.
func HiddenGzip(w http.ResponseWriter, status int, h http.Header, body []byte) {
	h.Del("Content-Length")
	w.WriteHeader(status)
	z := gzip.NewWriter(w)
	z.Write(body)
	z.Close()
}

// Gzip packs the body and says so.
func Gzip(w http.ResponseWriter, status int, h http.Header, body []byte) {
	h.Set("Content-Encoding", "gzip")
	HiddenGzip(w, status, h, body)
}

// Replace changes the body's text.
func Replace(old, new string) func(http.ResponseWriter, int, http.Header, []byte) {
	return func(w http.ResponseWriter, status int, _ http.Header, body []byte) {
		w.WriteHeader(status)
		w.Write(bytes.ReplaceAll(body, []byte(old), []byte(new)))
	}
}
