package csv_test

import (
	"bytes"
	stdcsv "encoding/csv"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/reports"
	"github.com/molnvakt/molnvakt/reports/csv"
	"github.com/molnvakt/molnvakt/reports/reporttest"
)

func TestFindings(t *testing.T) { reporttest.Run(t, csv.Findings{}) }
func TestFindingsStandard(t *testing.T) {
	reporttest.Run(t, named{csv.Findings{Dialect: csv.Standard}})
}
func TestGaps(t *testing.T) { reporttest.Run(t, csv.Gaps{}) }

// named keeps the golden files of the two dialects apart.
type named struct{ reports.Report }

func (n named) Name() string { return n.Report.Name() + "-standard" }

func read(t *testing.T, text []byte, comma rune) [][]string {
	t.Helper()
	r := stdcsv.NewReader(bytes.NewReader(text))
	r.Comma, r.FieldsPerRecord = comma, -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestExcel(t *testing.T) {
	text := reporttest.Write(t, csv.Findings{}, reporttest.Example(), "sv")
	if !bytes.HasPrefix(text, []byte("\ufeffAllvar;Bedömning;Klass;")) {
		t.Errorf("begins with %q", text[:40])
	}
	if bytes.Count(text, []byte("\r\n")) != bytes.Count(text, []byte("\n")) {
		t.Error("lines do not end in CR LF")
	}
	standard := reporttest.Write(t, csv.Findings{Dialect: csv.Standard}, reporttest.Example(), "en")
	if !bytes.HasPrefix(standard, []byte("Severity,Verdict,Class,")) {
		t.Errorf("standard begins with %q", standard[:40])
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	register := reporttest.Example()
	for i, start := range []string{"=", "+", "-", "@", "\t=", "\r@", "＝", "＋", "－", "＠", " =", "\u200b=", "\ufeff+", "\u00a0-"} {
		f := register.AllFindings[3]
		f.Item.Path, f.Head, f.Site = start+"cmd|' /C calc'!A0", start+"1+1", start
		f.Item.Owner = strings.Repeat(start, i+1)
		register.AllFindings = append(register.AllFindings, f)
		register.AllGaps[0].Path, register.AllGaps[0].Detail = start+"x", start
	}
	for _, report := range []reports.Report{csv.Findings{}, csv.Gaps{}} {
		for _, row := range read(t, reporttest.Write(t, report, register, "sv"), ';') {
			for _, cell := range row {
				shown := strings.TrimLeft(cell, " \t\r\n\u200b\ufeff\u00a0")
				if shown != "" && strings.ContainsRune("=+-@＝＋－＠−", []rune(shown)[0]) {
					t.Errorf("%s: cell %q is a formula", report.Name(), cell)
				}
				if strings.ContainsAny(cell, "\t\r\n\x00") {
					t.Errorf("%s: cell %q holds control characters", report.Name(), cell)
				}
			}
		}
	}
}

func TestSealedFindingsAreCountedNotShown(t *testing.T) {
	rows := read(t, reporttest.Write(t, csv.Findings{}, reporttest.Example(), "sv"), ';')
	last := rows[len(rows)-1]
	if !strings.HasPrefix(last[0], "1 fynd rör säkerhetsskydd") {
		t.Errorf("the last row says %q", last[0])
	}
	if len(rows) != 1+7+1 {
		t.Errorf("%d rows", len(rows))
	}
	for _, row := range rows[1 : len(rows)-1] {
		if strings.Contains(strings.Join(row, ";"), "Krisberedskap") {
			t.Error("the path of a sealed finding is shown")
		}
	}
}

func TestLongCellsFitASpreadsheet(t *testing.T) {
	register := reporttest.Example()
	register.AllFindings[1].Item.Path = strings.Repeat("å", 40_000)
	rows := read(t, reporttest.Write(t, csv.Findings{}, register, "sv"), ';')
	for _, cell := range rows[1] {
		if len(cell) > 32_767 {
			t.Errorf("a cell of %d bytes", len(cell))
		}
	}
}
