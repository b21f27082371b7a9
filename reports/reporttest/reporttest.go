// Package reporttest holds the tests that every report must pass, and a small
// register to try reports on.
package reporttest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/reports"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Run tests a report. Golden files lie in the caller's testdata folder, named
// by the report and the language.
func Run(t *testing.T, r reports.Report) {
	if r.Name() == "" || r.Extension() == "" || strings.HasPrefix(r.Extension(), ".") {
		t.Errorf("Name %q, Extension %q", r.Name(), r.Extension())
	}
	t.Run("golden", func(t *testing.T) { golden(t, r) })
	t.Run("empty register", func(t *testing.T) { empty(t, r) })
	t.Run("the same twice", func(t *testing.T) { deterministic(t, r) })
	t.Run("everything in words", func(t *testing.T) { inWords(t, r) })
	t.Run("sealed findings", func(t *testing.T) { sealed(t, r) })
	t.Run("a failing register fails the report", func(t *testing.T) { failingRegister(t, r) })
	t.Run("a failing writer fails the report", func(t *testing.T) { failingWriter(t, r) })
	t.Run("cancel", func(t *testing.T) { cancelled(t, r) })
	t.Run("constant memory", func(t *testing.T) { constantMemory(t, r) })
}

// Write returns a report about a register.
func Write(t *testing.T, r reports.Report, register *Register, language string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := r.Write(t.Context(), &out, Input(register, language)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func golden(t *testing.T, r reports.Report) {
	for _, language := range []string{"sv", "en"} {
		got := Write(t, r, Example(), language)
		name := filepath.Join("testdata", r.Name()+"."+language+"."+r.Extension())
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatalf("%v (write it with -update, then read it)", err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs at %s; -update writes it anew", name, firstDifference(got, want))
		}
	}
}

func firstDifference(got, want []byte) string {
	a, b := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "\n got: " + a[i] + "\nwant: " + b[i]
		}
	}
	return "its length"
}

func empty(t *testing.T, r reports.Report) {
	if got := Write(t, r, &Register{}, "sv"); len(got) == 0 {
		t.Error("an empty register gives an empty report: nobody sees that it was written")
	}
}

func deterministic(t *testing.T, r reports.Report) {
	if !bytes.Equal(Write(t, r, Example(), "sv"), Write(t, r, Example(), "sv")) {
		t.Error("two reports about the same register differ")
	}
}

// A key of the catalogue in a report is a text that somebody forgot.
var key = regexp.MustCompile(`\b(csv|html|reading|gap|status|outcome|severity|reason|advice|exposure|audience|place)\.[a-z][a-z-]+\b`)

func inWords(t *testing.T, r reports.Report) {
	for _, language := range []string{"sv", "en"} {
		if found := key.Find(Write(t, r, Example(), language)); found != nil {
			t.Errorf("%s: a key instead of a text: %s", language, found)
		}
	}
}

func sealed(t *testing.T, r reports.Report) {
	if bytes.Contains(Write(t, r, Example(), "sv"), []byte(Canary)) {
		t.Error("an excerpt of a säkerhetsskydd finding is shown")
	}
	without := Input(Example(), "sv")
	without.Filter.WithoutSealed = true
	var out bytes.Buffer
	if err := r.Write(t.Context(), &out, without); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "f0000001") {
		t.Error("WithoutSealed does not leave out the sealed finding")
	}
}

func failingRegister(t *testing.T, r reports.Report) {
	broken := errors.New("disk on fire")
	for _, after := range []int{-1, 0, 2} {
		register := Example()
		register.Fail, register.FailAfter = broken, after
		err := r.Write(t.Context(), io.Discard, Input(register, "sv"))
		if after < 0 && err == nil {
			continue // the report needs no coverage
		}
		if !errors.Is(err, broken) {
			t.Errorf("after %d records: error %v, want the register's", after, err)
		}
	}
}

func failingWriter(t *testing.T, r reports.Report) {
	whole := Write(t, r, Example(), "sv")
	for _, room := range []int{0, 10, len(whole) / 2, len(whole) - 1} {
		err := r.Write(t.Context(), &smallWriter{room: room}, Input(Example(), "sv"))
		if !errors.Is(err, errNoRoom) {
			t.Errorf("room for %d of %d bytes: error %v", room, len(whole), err)
		}
	}
}

var errNoRoom = errors.New("no room")

type smallWriter struct{ room int }

func (w *smallWriter) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errNoRoom
	}
	return len(p), nil
}

func cancelled(t *testing.T, r reports.Report) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Write(ctx, io.Discard, Input(Example(), "sv")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// allowance is how much more memory a report may hold for 20,000 findings
// than for a few: marks of one bit a document, buffers, not the findings.
const allowance = 8 << 20

func constantMemory(t *testing.T, r reports.Report) {
	heap := func(repeat int) (most uint64) {
		register := Example()
		register.Repeat = repeat
		n := 0
		register.yielded = func() {
			if n++; n%(repeat*2) == 0 {
				most = max(most, liveHeap())
			}
		}
		if err := r.Write(t.Context(), io.Discard, Input(register, "sv")); err != nil {
			t.Fatal(err)
		}
		return most
	}
	few, many := heap(300), heap(2_500)
	t.Logf("heap with 2,400 findings: %d KiB; with 20,000: %d KiB", few>>10, many>>10)
	if few == 0 || many > few+allowance {
		t.Errorf("heap grows from %d to %d KiB", few>>10, many>>10)
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
