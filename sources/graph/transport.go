package graph

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/molnvakt/molnvakt/sources"
)

const (
	maxAttempts    = 8                 // for an answer that is no refusal but a failure
	maxBody        = 64 << 20          // bytes of JSON, unpacked: a page of 1,000 items takes 1 MB
	requestTimeout = 100 * time.Second // for one attempt, headers and body
)

// Token returns a bearer token for Graph. The challenge is the claims that the
// service asked for, or "". fresh: the token last returned was refused.
type Token func(ctx context.Context, challenge string, fresh bool) (string, error)

// Transport sends requests to Graph: signed in, paced by the governor, retried
// when that is safe. It answers with what can be a whole JSON object or with a
// redirect; everything else is an error, a refusal by the service an [*Error].
type Transport struct {
	base     http.RoundTripper
	governor *Governor
	token    Token
	graph    *url.URL // its host is the only one that is asked, and gets the token
	agent    string
}

// NewTransport returns the transport for the tenant of config.
func NewTransport(config Config, base http.RoundTripper, governor *Governor, token Token) (*Transport, error) {
	u, err := url.Parse(config.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("base_url: %w: %w", err, sources.ErrConfig)
	}
	return &Transport{base: base, governor: governor, token: token, graph: u, agent: config.UserAgent()}, nil
}

// UserAgent returns how the program names itself to Microsoft.
func (c Config) UserAgent() string {
	return "NONISV|" + c.Organisation + "|Molnvakt/" + c.Version
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !sameHost(req.URL, t.graph) {
		return nil, untrusted("a link leads to another host")
	}
	var (
		challenge  string
		fresh      bool
		signedIn   bool // a 401 was answered with a new token already
		failures   int
		ctx, units = req.Context(), cost(req)
	)
	for {
		token, err := t.token(ctx, challenge, fresh)
		if err != nil {
			return nil, signInError(ctx, err)
		}
		done, err := t.governor.Wait(ctx, units)
		if err != nil {
			return nil, err
		}
		resp, err := t.once(req, token)
		done()
		if err == nil {
			return resp, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var refusal *Error
		errors.As(err, &refusal)
		switch {
		case refusal != nil && refusal.Status == http.StatusUnauthorized && !signedIn:
			challenge, fresh, signedIn = claims(resp), true, true
			continue
		case !repeatable(req, refusal):
			return nil, err
		case refusal != nil && (refusal.Status == 429 || refusal.Status == 503):
			continue // the governor holds everybody, and ends it if need be
		}
		if failures++; failures >= maxAttempts {
			return nil, fmt.Errorf("graph: %d attempts: %w", failures, errors.Join(sources.ErrUnavailable, err))
		}
		if err := sleep(ctx, t.governor.Failed(failures)); err != nil {
			return nil, err
		}
	}
}

// sameHost says whether an address leads to the same host and port over TLS,
// and names no user.
func sameHost(u, graph *url.URL) bool {
	port := func(u *url.URL) string { return cmp.Or(u.Port(), "443") }
	return u.Scheme == "https" && u.User == nil && strings.EqualFold(u.Hostname(), graph.Hostname()) && port(u) == port(graph)
}

// once sends the request and reads the whole answer.
func (t *Transport) once(req *http.Request, token string) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), requestTimeout)
	defer cancel()
	r := req.Clone(ctx)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("User-Agent", t.agent)
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer resp.Body.Close()
	t.governor.Learn(resp)
	body, err := readBody(resp)
	switch {
	case resp.StatusCode >= 400:
		return resp, newError(resp.StatusCode, resp.Header, body)
	case resp.StatusCode >= 300:
		body = nil
	case err != nil:
		return resp, fmt.Errorf("graph: an answer broke off (request-id %s): %w", safeID(resp.Header.Get("request-id")), err)
	default:
		if err := plausible(body); err != nil {
			return resp, fmt.Errorf("graph: %w (request-id %s)", err, safeID(resp.Header.Get("request-id")))
		}
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	return resp, nil
}

// readBody reads and unpacks the body. Whether it is packed is seen from its
// first bytes, not believed from its headers: JSON never begins as gzip does.
func readBody(resp *http.Response) ([]byte, error) {
	var buf bytes.Buffer
	if n := resp.ContentLength; n > 0 && n < maxBody {
		buf.Grow(int(n) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(io.LimitReader(resp.Body, maxBody+1)); err != nil {
		return buf.Bytes(), err
	}
	body := buf.Bytes()
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		if body, err = io.ReadAll(io.LimitReader(z, maxBody+1)); err != nil {
			return nil, err
		}
	}
	if len(body) > maxBody {
		return nil, errors.New("more than 64 MB of JSON")
	}
	return bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), nil
}

// plausible says whether a successful answer can be a whole JSON object that
// is not an error in disguise. What is inside is checked by who decodes it.
func plausible(body []byte) error {
	body = bytes.Trim(body, " \t\r\n")
	if len(body) < 2 || body[0] != '{' || body[len(body)-1] != '}' {
		return errors.New("an answer is not JSON, or broke off")
	}
	if bytes.HasPrefix(bytes.TrimLeft(body[1:], " \t\r\n"), []byte(`"error"`)) {
		return errors.New("an error in a successful answer")
	}
	return nil
}

// repeatable says whether the request may be sent again after the refusal;
// none: after no usable answer. Only requests that change nothing are.
func repeatable(req *http.Request, refusal *Error) bool {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return false
	}
	if refusal == nil {
		return true
	}
	switch refusal.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, 509:
		return true
	}
	return false
}

// cost is what a request costs in resource units: 1 for one item, a download
// and a delta with a token; 2 for a list, a delta without one and every
// change; 5 for permissions.
func cost(req *http.Request) int {
	p := strings.TrimSuffix(req.URL.Path, "()")
	switch {
	case strings.HasSuffix(p, "/permissions"):
		return 5
	case req.Method != http.MethodGet:
		return 2
	case strings.Contains(p, "delta"):
		if strings.Contains(strings.ToLower(p+"?"+req.URL.RawQuery), "token") {
			return 1
		}
		return 2
	case strings.HasSuffix(p, "/content"), strings.HasSuffix(p, "/filesFolder"):
		return 1
	case strings.Contains(req.URL.RawQuery, "skiptoken"):
		return 2
	}
	parts := strings.Split(p, "/")
	if len(parts) >= 2 && (parts[len(parts)-2] == "items" || parts[len(parts)-2] == "sites" && strings.ContainsAny(parts[len(parts)-1], ",.")) {
		return 1
	}
	return 2
}

var claimsParameter = regexp.MustCompile(`(?i)\bclaims="([^"]*)"`)

// claims returns the claims challenge of a 401, as RFC 9470 and Microsoft's
// continuous access evaluation send it; "" if there is none.
func claims(resp *http.Response) string {
	for _, h := range resp.Header.Values("WWW-Authenticate") {
		if m := claimsParameter.FindStringSubmatch(h); m != nil {
			return m[1]
		}
	}
	return ""
}

func signInError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// withoutURL drops the address, which holds tokens, from a transport's error.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
