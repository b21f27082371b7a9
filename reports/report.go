// Package reports shows people what was found: CSV for spreadsheets, HTML for
// reading and printing, JSON for machines. Each sub-package is one format.
package reports

import (
	"context"
	"io"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/policy"
)

// Report is one format. Implementations hold no more than one finding in
// memory beyond what their format forces, and pass reporttest.Run.
type Report interface {
	Name() string      // "csv", as the command line calls it
	Extension() string // "csv", without the dot
	Write(ctx context.Context, w io.Writer, in Input) error
}

// Input is what a report is about.
type Input struct {
	Register findings.Register
	Filter   findings.Filter
	Policy   *policy.Policy // names of services, classes, organisation
	Language string         // "sv" or "en"
	Now      time.Time
	Version  string // of the program
	Title    string // of the organisation; may be empty
}
