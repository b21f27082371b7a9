package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/cmd/molnvakt/demodata"
)

// TestDemo runs the demo and compares what it found with what was hidden.
func TestDemo(t *testing.T) {
	program, dir := molnvakt(t), filepath.Join(t.TempDir(), "demo")
	out, err := exec.Command(program, "demo", "--reports", dir).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitFindings {
		t.Fatalf("demo: %v\n%s", err, out)
	}
	for _, want := range []string{"Björkfors kommun", "dokument ligger fel", "molnvakt.html", "molnvakt.csv"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the summary lacks %q:\n%s", want, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "molnvakt.json"))
	check(t, err)
	var report struct {
		Documents []struct {
			Path, Class, Verdict, Status string
			Categories                   []string
			People                       int
			Gaps                         []struct{ Reason string }
		}
	}
	check(t, json.Unmarshal(text, &report))
	type known struct {
		class, verdict, status, gaps string
	}
	found := map[string]known{}
	for _, d := range report.Documents {
		k := known{d.Class, d.Verdict, d.Status, ""}
		for _, g := range d.Gaps {
			k.gaps += g.Reason + " "
		}
		found[d.Path] = k
	}
	all, err := demodata.Generate(demoSeed, demoDocuments)
	check(t, err)
	if len(found) != len(all) {
		t.Errorf("%d documents are known, %d were made", len(found), len(all))
	}
	var right, missed, alarms int
	for _, d := range all {
		path := d.Place.Site + "/" + d.Place.Drive + "/" + d.Path
		k, ok := found[path]
		if !ok {
			t.Errorf("%s is not known", path)
			continue
		}
		if d.Truth.Gap != "" {
			if !strings.Contains(k.gaps, d.Truth.Gap) {
				t.Errorf("%s: gaps %q, want %s", path, k.gaps, d.Truth.Gap)
			}
			continue
		}
		if k.status != "ok" {
			t.Errorf("%s (%s) was read as %q: %s", path, d.Truth.Template, k.status, k.gaps)
		}
		switch flagged := k.verdict != "allowed"; {
		case flagged == d.Truth.Misplaced():
			right++
		case flagged:
			alarms++
			t.Logf("false alarm: %s (%s): %s %s, want %s %s", path, d.Truth.Template, k.class, k.verdict, d.Truth.Class, d.Truth.Outcome)
		default:
			missed++
			t.Logf("missed: %s (%s): %s %s, want %s %s", path, d.Truth.Template, k.class, k.verdict, d.Truth.Class, d.Truth.Outcome)
		}
	}
	t.Logf("%d right, %d missed, %d false alarms", right, missed, alarms)
	if missed > right/100 || alarms > right/100 {
		t.Errorf("%d missed and %d false alarms of %d", missed, alarms, right)
	}
	nothingRaw(t, dir, all)
}

// nothingRaw looks for the hidden numbers in everything that the demo left,
// besides the documents themselves.
func nothingRaw(t *testing.T, dir string, all []demodata.Document) {
	t.Helper()
	var numbers [][]byte
	for _, d := range all {
		if n := d.Owner.Number; n != "" {
			numbers = append(numbers, []byte(n), []byte(n[2:8]+"-"+n[8:]))
		}
	}
	check(t, filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			if e != nil && e.Name() == "filserver" {
				return filepath.SkipDir
			}
			return err
		}
		text, err := os.ReadFile(name)
		for _, n := range numbers {
			if bytes.Contains(text, n) {
				t.Errorf("%s holds a personnummer", name)
				break
			}
		}
		return err
	}))
}
