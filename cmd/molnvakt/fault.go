package main

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/scanner"
	"github.com/molnvakt/molnvakt/sources"
)

// fault is an error that people meet: a sentence of reports/locale that says
// what is wrong and what to do, and the technical cause if there is one.
type fault struct {
	key  string
	args []any
	n    int64 // what the sentence counts, if it counts
	err  error
}

func (f *fault) Error() string {
	if f.err != nil {
		return f.key + ": " + f.err.Error()
	}
	return f.key
}

func (f *fault) Unwrap() error { return f.err }

// sentences is the one place that says which error is told how.
var sentences = []struct {
	err error
	key string
}{
	{findings.ErrLocked, "fault.locked"},
	{findings.ErrNewer, "fault.newer"},
	{findings.ErrFull, "fault.full"},
	{syscall.ENOSPC, "fault.full"},
	{findings.ErrUnwritable, "fault.unwritable"},
	{findings.ErrWrongKey, "fault.wrong-key"},
	{findings.ErrDamaged, "fault.damaged"},
	{findings.ErrNotFound, "fault.not-found"},
	{findings.ErrConflict, "fault.conflict"},
	{findings.ErrNotAllowed, "fault.not-allowed"},
	{sources.ErrConfig, "fault.source-config"},
	{sources.ErrRefused, "fault.refused"},
	{sources.ErrUnavailable, "fault.unreachable"},
	{sources.ErrDenied, "fault.denied"},
	{scanner.ErrEmpty, "fault.empty"},
	{scanner.ErrIncomplete, "fault.incomplete"},
	{fs.ErrNotExist, "fault.missing"},
	{fs.ErrPermission, "fault.permission"},
}

// say puts an error in words: one sentence with the remedy, then the technical
// cause in parentheses. Errors that were joined get a line each.
func (p *program) say(err error) string {
	if several, ok := err.(interface{ Unwrap() []error }); ok && err.Error() == errors.Join(several.Unwrap()...).Error() {
		var all []string
		for _, one := range several.Unwrap() {
			all = append(all, p.say(one))
		}
		return strings.Join(all, "\n")
	}
	var f *fault
	if errors.As(err, &f) {
		text := p.words.N(f.key, f.n, f.args...)
		if f.err != nil {
			text += " (" + f.err.Error() + ")"
		}
		return text
	}
	var bad *policy.ParseError
	if errors.As(err, &bad) {
		return p.words.T("fault.policy") + "\n" + bad.Error()
	}
	for _, s := range sentences {
		if errors.Is(err, s.err) {
			return p.words.T(s.key) + " (" + err.Error() + ")"
		}
	}
	return p.words.T("fault.other") + " (" + err.Error() + ")"
}
