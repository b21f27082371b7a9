package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/molnvakt/molnvakt/sources"
)

// Error is a refusal by the service. It wraps, by errors.Is, the error of
// package sources that says the same. Its text holds no words of the service
// but the code, since they may name people and documents.
type Error struct {
	Status    int
	Code      string // outermost: "itemNotFound"
	Inner     string // innermost: "malwareDetected"
	Message   string // for telling cases apart; not printed
	RequestID string // names the request to Microsoft's support
	HTML      bool   // the body was a web page, not JSON
	Virus     bool   // X-Virus-Infected
	Empty     bool   // there was no body
}

// Error names status, code and request-id.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "graph: status %d", e.Status)
	for _, code := range []string{e.Code, e.Inner} {
		if code != "" {
			fmt.Fprintf(&b, " %s", code)
		}
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request-id %s)", e.RequestID)
	}
	return b.String()
}

// Is maps the refusal to the errors of package sources.
func (e *Error) Is(target error) bool {
	switch target {
	case sources.ErrMalware:
		return e.Virus || e.codeHas("malware") || e.codeHas("virus")
	case sources.ErrCursorExpired:
		return e.resync()
	case sources.ErrGone:
		return e.Status == http.StatusNotFound || e.Status == http.StatusGone && !e.resync()
	case sources.ErrDenied:
		return e.Status == http.StatusForbidden || e.Status == http.StatusLocked
	case sources.ErrRefused:
		return e.Status == http.StatusUnauthorized
	case sources.ErrUnavailable:
		return e.Status == http.StatusTooManyRequests || e.Status >= 500 || e.Status == http.StatusRequestTimeout
	}
	return false
}

func (e *Error) resync() bool { return e.codeHas("resync") }

func (e *Error) codeHas(word string) bool {
	return strings.Contains(strings.ToLower(e.Code+" "+e.Inner), word)
}

// noDrive says whether the refusal means that a user has no OneDrive.
func (e *Error) noDrive() bool {
	m := strings.ToLower(e.Message)
	return e.Status < 500 && (strings.Contains(m, "mysite not found") || strings.Contains(m, "mysite was not found") ||
		strings.Contains(m, "does not have a spo license")) ||
		e.Status == http.StatusNotFound
}

// newError reads a refusal. Bodies are JSON as documented, JSON with other
// letter case, web pages, text or nothing.
func newError(status int, header http.Header, body []byte) *Error {
	e := &Error{
		Status:    status,
		RequestID: safeID(header.Get("request-id")),
		Virus:     strings.EqualFold(header.Get("X-Virus-Infected"), "true"),
		Empty:     len(body) == 0,
	}
	var envelope struct{ Error codes }
	if json.Unmarshal(body, &envelope) == nil {
		e.Code, e.Message = safeCode(envelope.Error.Code), envelope.Error.Message
		for inner := envelope.Error.InnerError; inner != nil; inner = inner.InnerError {
			if inner.Code != "" {
				e.Inner = safeCode(inner.Code)
			}
			if e.RequestID == "" {
				e.RequestID = safeID(inner.RequestID)
			}
		}
		return e
	}
	start := strings.ToLower(strings.TrimSpace(string(body[:min(len(body), 512)])))
	e.HTML = strings.HasPrefix(start, "<") || strings.Contains(header.Get("Content-Type"), "html")
	return e
}

type codes struct {
	Code       string `json:"code"`
	Message    string `json:"message"`
	RequestID  string `json:"request-id"`
	InnerError *codes `json:"innerError"` // also innererror: encoding/json does not tell case apart
}

// safeCode keeps of a code what codes are made of: a code is the service's
// word, and goes into logs.
func safeCode(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '.' {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), 64)]
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// safeID returns a request-id, which is a UUID; anything else is dropped.
func safeID(s string) string {
	if !uuid.MatchString(s) {
		return ""
	}
	return s
}
