package html_test

import (
	"testing"

	"github.com/molnvakt/molnvakt/reports/html"
	"github.com/molnvakt/molnvakt/reports/reporttest"
)

func TestReport(t *testing.T) { reporttest.Run(t, html.Report{}) }
