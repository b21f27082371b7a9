package archive_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/archive"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
)

func TestExtractor(t *testing.T) { extracttest.Run(t, archive.New()) }

func FuzzExtractor(f *testing.F) { extracttest.Fuzz(f, archive.New()) }

// opener opens what it finds in archives, as inspect does, and drops what is
// no archive.
type opener struct {
	t            *testing.T
	depth, files int
	bytes        int64
}

func (o *opener) Text(extract.Part, string) error     { return nil }
func (o *opener) Row(extract.Part, extract.Row) error { return nil }
func (o *opener) Gap(string, error) error             { return nil }
func (o *opener) File(f extract.File) error {
	limits := extract.DefaultLimits()
	o.files++
	content, err := io.ReadAll(io.LimitReader(f.Content, 64<<20))
	o.bytes += int64(len(content))
	if o.bytes > limits.Inflate || o.files > limits.Entries || o.depth > limits.Depth {
		return extract.ErrLimit
	}
	in := extracttest.Input(f.Name, content)
	if e := archive.New(); err == nil && e.Accepts(in.Name, in.MediaType) {
		o.depth++
		err := e.Extract(o.t.Context(), in, o)
		o.depth--
		return err
	}
	return nil
}

func TestHostileArchives(t *testing.T) {
	for _, name := range []string{"d64.zip", "deep100.zip", "nest42.zip", "dict15g.7z"} {
		start := time.Now()
		content, err := os.ReadFile(filepath.Join(extracttest.Corpus(t), "hostile", name))
		if err != nil {
			t.Fatal(err)
		}
		o := &opener{t: t}
		err = archive.New().Extract(t.Context(), extracttest.Input(name, content), o)
		if err != nil && !extracttest.Named(err) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && o.files == 0 {
			t.Errorf("%s: silence", name)
		}
		t.Logf("%s: %d files, %d bytes, %v, %v", name, o.files, o.bytes, err, time.Since(start))
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// A bomb ends at the limit, whatever its Sink reads.
func TestBombEndsAtTheLimit(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("noll.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(f, zeros{}, 50<<20); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	in := extracttest.Input("a.zip", b.Bytes())
	in.Limits.Inflate = 10 << 20
	r, err := extracttest.Read(t.Context(), archive.New(), in)
	if !errors.Is(err, extract.ErrLimit) {
		t.Errorf("error is %v", err)
	}
	if n := len(r.Files[0].Bytes); n > 10<<20+1 {
		t.Errorf("%d bytes came out", n)
	}
}

// A directory that leaves entries out hides nothing.
func TestUnlistedEntries(t *testing.T) {
	pack := func(name string) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, "Åsa Öberg"); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	one, empty := pack("en.txt"), append([]byte("PK\x05\x06"), make([]byte, 18)...)
	listed := bytes.Index(one, []byte("PK\x01\x02"))
	for name, c := range map[string]struct {
		content []byte
		files   int
		whole   bool
	}{
		"one":                 {one, 1, true},
		"none":                {empty, 0, true},
		"behind a program":    {append([]byte("MZ program "), one...), 1, true},
		"an empty directory":  {append(bytes.Clone(one[:listed]), empty...), 1, false},
		"behind each other":   {append(bytes.Clone(one), pack("två.txt")...), 2, false},
		"directory after all": {append(bytes.Clone(one), empty...), 1, false},
	} {
		in := extracttest.Input("a.zip", c.content)
		in.MediaType = "application/zip"
		r, err := extracttest.Read(t.Context(), archive.New(), in)
		if len(r.Files) != c.files || (err == nil) != c.whole || err != nil && !errors.Is(err, extract.ErrDamaged) {
			t.Errorf("%s: %d files, error %v", name, len(r.Files), err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func BenchmarkZip(b *testing.B) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	letter := strings.Repeat("Handläggare: Åsa Sjöström, telefon 0532-17 00 00.\n", 200)
	for range 500 {
		f, err := w.Create("brev.txt")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.WriteString(f, letter); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	in := extracttest.Input("a.zip", buf.Bytes())
	extracttest.Bench(b, archive.New(), in)
}
