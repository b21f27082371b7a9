package smb

import "time"

// SetPatience shortens how long the tests' servers may owe an answer.
func (s *Server) SetPatience(d time.Duration) { s.pool.patience = d }
