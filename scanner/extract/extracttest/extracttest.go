// Package extracttest holds the tests that every reader of documents passes.
//
// A reader's package keeps one folder a case: testdata/<case>/input.* is the
// document, want.txt what must come out of it, passwords.txt (optional) the
// passwords to try, one a line. Run with -update to accept what comes out.
package extracttest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

var update = flag.Bool("update", false, "rewrite the golden files of extractors")

// Canary is one of Skatteverket's published test numbers. At least one input
// of every reader holds it; no error may ever quote it.
const Canary = "19850709-2388"

// Patience is how long one small document may take before a test calls it a
// hang.
const Patience = 20 * time.Second

// Run tests e with every testdata/*/input.*. A package of several readers
// names the folder of each: "testdata/msg".
func Run(t *testing.T, e extract.Extractor, folder ...string) {
	cases := load(t, folder)
	planted := false
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Run("is accepted", func(t *testing.T) { accepted(t, e, c) })
			t.Run("gives the golden text", func(t *testing.T) { golden(t, e, c) })
			t.Run("keeps no state", func(t *testing.T) { stateless(t, e, c) })
			t.Run("survives being cut off", func(t *testing.T) { cutOff(t, e, c) })
			t.Run("survives damage", func(t *testing.T) { damaged(t, e, c) })
			t.Run("returns the sink's error", func(t *testing.T) { sinkError(t, e, c) })
			t.Run("obeys a cancel", func(t *testing.T) { cancelled(t, e, c) })
			t.Run("obeys small limits", func(t *testing.T) { limited(t, e, c) })
		})
		r, _ := Read(t.Context(), e, c.input(t))
		planted = planted || strings.Contains(r.String(), Canary)
		for _, f := range r.Files {
			planted = planted || bytes.Contains(f.Bytes, []byte(Canary))
		}
	}
	if !planted {
		t.Errorf("no input holds the canary %s: leaks would go unseen", Canary)
	}
}

// Fuzz feeds e with damaged inputs; the golden ones are its seeds. The folder
// is that of Run.
func Fuzz(f *testing.F, e extract.Extractor, folder ...string) {
	for _, c := range load(f, folder) {
		if len(c.content) < 64<<10 {
			f.Add(c.content)
		}
	}
	scratch := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		in := Input("input", content)
		in.Scratch = scratch
		in.Limits.Inflate, in.Limits.Text = 32<<20, 4<<20
		start := time.Now()
		r, err := Read(t.Context(), e, in)
		sound(t, r, err)
		if took := time.Since(start); took > Patience {
			t.Errorf("took %v", took)
		}
	})
}

// Corpus returns the folder of real documents that MOLNVAKT_CORPUS names, or
// skips the test, saying so.
func Corpus(t testing.TB) string {
	dir := os.Getenv("MOLNVAKT_CORPUS")
	if dir == "" {
		t.Skip("SKIPPED: real documents are not tried; set MOLNVAKT_CORPUS to the folder that holds them")
	}
	return dir
}

// Input makes an extract.Input of content, sniffed and with DefaultLimits.
func Input(name string, content []byte) extract.Input {
	r := bytes.NewReader(content)
	return extract.Input{
		Name:      name,
		MediaType: extract.Sniff(name, r, r.Size()),
		Size:      r.Size(),
		ReaderAt:  r,
		Limits:    extract.DefaultLimits(),
	}
}

// Read extracts in and records what comes out. What was recorded before an
// error is returned with it.
func Read(ctx context.Context, e extract.Extractor, in extract.Input) (*Recording, error) {
	r := &Recording{ctx: ctx, limits: in.Limits}
	return r, e.Extract(ctx, in, r)
}

type testcase struct {
	name, path string
	content    []byte
	passwords  []string
}

func load(t testing.TB, folder []string) []testcase {
	t.Helper()
	pattern := filepath.Join(append(append([]string{}, folder...), "*", "input.*")...)
	if len(folder) == 0 {
		pattern = "testdata/*/input.*"
	}
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s found (%v)", pattern, err)
	}
	var cases []testcase
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c := testcase{name: filepath.Base(filepath.Dir(path)), path: path, content: content}
		if list, err := os.ReadFile(filepath.Join(filepath.Dir(path), "passwords.txt")); err == nil {
			c.passwords = strings.Split(strings.TrimSpace(string(list)), "\n")
		}
		cases = append(cases, c)
	}
	return cases
}

func (c testcase) input(t testing.TB) extract.Input { return c.cut(t, len(c.content)) }

// cut is the input as far as byte n, still taken for what the whole is.
func (c testcase) cut(t testing.TB, n int) extract.Input {
	in := Input(filepath.Base(c.path), c.content)
	in.ReaderAt, in.Size = bytes.NewReader(c.content[:n]), int64(n)
	in.Passwords = c.passwords
	in.Scratch = t.TempDir()
	return in
}

func accepted(t *testing.T, e extract.Extractor, c testcase) {
	in := c.input(t)
	if !e.Accepts(in.Name, in.MediaType) {
		t.Errorf("%s was sniffed as %q, which %s does not accept", c.path, in.MediaType, e.Name())
	}
}

func golden(t *testing.T, e extract.Extractor, c testcase) {
	r, err := Read(t.Context(), e, c.input(t))
	sound(t, r, err)
	got := r.String()
	if err != nil {
		got += fmt.Sprintf("== error: %v\n", err)
	}
	path := filepath.Join(filepath.Dir(c.path), "want.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not what %s says (run with -update to accept it); got:\n%s", path, got)
	}
}

func stateless(t *testing.T, e extract.Extractor, c testcase) {
	var group sync.WaitGroup
	got := make([]string, 3)
	for i := range got {
		in := c.input(t)
		group.Go(func() {
			r, err := Read(t.Context(), e, in)
			got[i] = fmt.Sprint(r, err)
		})
	}
	group.Wait()
	for _, g := range got {
		if g != got[0] {
			t.Fatalf("three readings at once differ:\n%s\n---\n%s", got[0], g)
		}
	}
}

func cutOff(t *testing.T, e extract.Extractor, c testcase) {
	for _, percent := range []int{0, 1, 10, 33, 50, 75, 90, 99} {
		patiently(t, fmt.Sprintf("cut at %d %%", percent), func() {
			r, err := Read(t.Context(), e, c.cut(t, len(c.content)*percent/100))
			sound(t, r, err)
		})
	}
}

// damaged overwrites bytes at places that are the same in every run.
func damaged(t *testing.T, e extract.Extractor, c testcase) {
	if len(c.content) == 0 {
		return
	}
	seed := uint32(2463534242)
	for round := range 12 {
		in := c.input(t)
		content := bytes.Clone(c.content)
		for range 1 + round*len(content)/2000 {
			seed ^= seed << 13
			seed ^= seed >> 17
			seed ^= seed << 5
			content[int(seed)%len(content)] = byte(seed >> 11)
		}
		in.ReaderAt = bytes.NewReader(content)
		patiently(t, fmt.Sprintf("damage %d", round), func() {
			r, err := Read(t.Context(), e, in)
			sound(t, r, err)
		})
	}
}

func sinkError(t *testing.T, e extract.Extractor, c testcase) {
	whole, _ := Read(t.Context(), e, c.input(t))
	full := errors.New("sink is full")
	for calls := range min(whole.calls, 40) {
		r := &Recording{ctx: t.Context(), limits: extract.DefaultLimits(), fail: full, failAfter: calls}
		err := e.Extract(t.Context(), c.input(t), r)
		if !errors.Is(err, full) {
			t.Errorf("call %d of the sink failed, Extract returned %v", calls+1, err)
		}
		if r.calls > calls+1 {
			t.Errorf("the sink was called %d times after it had failed", r.calls-calls-1)
		}
	}
}

func cancelled(t *testing.T, e extract.Extractor, c testcase) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, e, c.input(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("Extract returned %v, want context.Canceled", err)
	}
}

func limited(t *testing.T, e extract.Extractor, c testcase) {
	in := c.input(t)
	in.Limits = extract.Limits{Text: 100, Inflate: 200, Entries: 1, Depth: 1, XML: 2, Token: 20}
	patiently(t, "small limits", func() {
		r, err := Read(t.Context(), e, in)
		sound(t, r, err)
	})
}

func patiently(t *testing.T, what string, do func()) {
	t.Helper()
	start := time.Now()
	do()
	if took := time.Since(start); took > Patience {
		t.Errorf("%s took %v", what, took)
	}
}

// sound checks what must hold however bad the document is.
func sound(t *testing.T, r *Recording, err error) {
	t.Helper()
	for _, e := range append(r.gaps, err) {
		if e == nil {
			continue
		}
		if !Named(e) {
			t.Errorf("error without one of extract's reasons: %v", e)
		}
		if strings.Contains(e.Error(), Canary) {
			t.Errorf("error quotes the content: %v", e)
		}
	}
	for _, p := range r.problems {
		t.Error(p)
	}
}

// Named says whether err wraps one of the reasons of package extract, or is
// the context's.
func Named(err error) bool {
	for _, reason := range []error{
		extract.ErrUnsupported, extract.ErrEncrypted, extract.ErrRights, extract.ErrCertificate,
		extract.ErrDamaged, extract.ErrLimit, extract.ErrNoOCR, extract.ErrOCRDeferred, extract.ErrOCROff,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}
