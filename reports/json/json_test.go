package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/reports/json"
	"github.com/molnvakt/molnvakt/reports/reporttest"
)

func TestReport(t *testing.T) { reporttest.Run(t, json.Report{}) }

type whole struct {
	Documents []json.Document
	Findings  []json.Finding
	Gaps      []json.Gap
	Coverage  json.Coverage
}

func TestOneObject(t *testing.T) {
	decoder := stdjson.NewDecoder(bytes.NewReader(reporttest.Write(t, json.Report{}, reporttest.Example(), "sv")))
	decoder.DisallowUnknownFields()
	var got whole
	if err := decoder.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if decoder.More() {
		t.Error("something follows the object")
	}
	if len(got.Documents) != 9 || len(got.Findings) != 8 || len(got.Gaps) != 4 || got.Coverage.Documents != 12_480 {
		t.Errorf("%d documents, %d findings, %d gaps, %d met", len(got.Documents), len(got.Findings), len(got.Gaps), got.Coverage.Documents)
	}
	d := got.Documents[1]
	if d.Class != "K3" || d.Verdict == nil || *d.Verdict != "forbidden" || d.Status != "partial" || d.People != 20 ||
		d.Identifiers["personnummer"] != (json.Counts{Low: 1, Medium: 2, High: 20}) || len(d.Gaps) != 1 || d.Audience != "anonymous" {
		t.Errorf("document: %+v", d)
	}
	if len(d.Categories) != 1 || d.Categories[0] != "skyddade_personuppgifter" || len(d.Weak) != 1 {
		t.Errorf("categories %v, weak %v", d.Categories, d.Weak)
	}
	if waiting := got.Documents[8]; waiting.Verdict != nil || waiting.Status != "waiting" {
		t.Errorf("a document that waits: %+v", waiting)
	}
	if f := got.Findings[0]; !f.Sealed || len(f.Evidence) != 0 {
		t.Errorf("sealed finding: %+v", f)
	}
}

// A check and a report speak of a document with the same field names, and
// lists and objects are never null.
func TestCheckDocument(t *testing.T) {
	var out bytes.Buffer
	if err := json.CheckDocument(&out, findings.Document{}); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "\n") != 1 {
		t.Errorf("not one line: %q", out.String())
	}
	var fields map[string]stdjson.RawMessage
	if err := stdjson.Unmarshal(out.Bytes(), &fields); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"path": `""`, "class": `"K0"`, "categories": "[]", "identifiers": "{}", "people": "0", "verdict": "null", "gaps": "[]", "status": `"waiting"`} {
		if got := string(fields[name]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
