package scanner

import (
	"context"
	"errors"
	"time"

	"github.com/molnvakt/molnvakt/scanner/inspect"
	"github.com/molnvakt/molnvakt/sources"
)

// gaps is the one place where errors become decisions: how the gap is called,
// and how often the document is tried before it stays one until it changes.
var gaps = []struct {
	err      error
	reason   string
	attempts int
}{
	{sources.ErrGone, "gone", 1},
	{sources.ErrDenied, "denied", 2},
	{sources.ErrMalware, "malware", 1},
	{sources.ErrUnsupported, "no-content", 1},
	{sources.ErrChanged, "changed", 5},
	{sources.ErrUnavailable, "unavailable", 8},
	{sources.ErrRefused, "refused", 8},
	{sources.ErrCursorExpired, "cursor", 1},
	{sources.ErrConfig, "configuration", 1},
	{ErrEmpty, "empty", 1},
	{errTooLarge, "too-large", 1},
	{inspect.ErrCrashed, "crashed", 1},
	{inspect.ErrStalled, "timeout", 1},
	{context.DeadlineExceeded, "timeout", 3},
}

var errTooLarge = errors.New("larger than the configured limit")

// reasonOf names an error as a gap and says how often to try.
func reasonOf(err error) (reason string, attempts int) {
	for _, g := range gaps {
		if errors.Is(err, g.err) {
			return g.reason, g.attempts
		}
	}
	return "failed", 5
}

// retryAt returns when to try again after the attempt (from 1) failed; zero
// when the gap stays. The waits grow from a minute to about four hours.
func retryAt(err error, attempt int, now time.Time) time.Time {
	if _, attempts := reasonOf(err); attempt >= attempts {
		return time.Time{}
	}
	return now.Add(time.Minute << min(attempt-1, 8))
}
