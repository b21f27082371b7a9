package smb

import (
	"context"
	"time"
)

// SetPatience shortens how long a test's server may owe an answer, and the
// waits between tries.
func (s *Server) SetPatience(d time.Duration) {
	s.pool.patience = d
	s.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
}
