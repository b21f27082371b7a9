package findings

import (
	"errors"

	"github.com/molnvakt/molnvakt/sources"
)

// SourceReason returns the code under which a source's error is kept as a gap.
func SourceReason(err error) string {
	for _, known := range []struct {
		err  error
		code string
	}{
		{sources.ErrGone, "gone"},
		{sources.ErrDenied, "denied"},
		{sources.ErrMalware, "malware"},
		{sources.ErrUnavailable, "unavailable"},
		{sources.ErrChanged, "changed"},
		{sources.ErrUnsupported, "no-content"},
		{sources.ErrRefused, "refused"},
	} {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	return "failed"
}
