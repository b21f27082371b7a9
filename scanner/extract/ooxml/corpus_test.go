package ooxml_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/odf"
	"github.com/molnvakt/molnvakt/scanner/extract/ole"
	"github.com/molnvakt/molnvakt/scanner/extract/onenote"
	"github.com/molnvakt/molnvakt/scanner/extract/ooxml"
	"github.com/molnvakt/molnvakt/scanner/extract/rtf"
)

// office are all readers of office documents: what they share is tested once.
var office = []extract.Extractor{ooxml.Extractor{}, odf.Extractor{}, ole.Extractor{}, rtf.Extractor{}, onenote.Extractor{}}

func reader(in extract.Input) extract.Extractor {
	for _, e := range office {
		if e.Accepts(in.Name, in.MediaType) {
			return e
		}
	}
	return nil
}

// counter is a Sink that keeps nothing but numbers, and obeys the limits as
// the inspection does.
type counter struct {
	text, files, gaps int
	limit             int64
}

func (c *counter) Text(_ extract.Part, text string) error { return c.count(len(text)) }

func (c *counter) Row(_ extract.Part, r extract.Row) error {
	n := 0
	for _, cell := range r.Cells {
		n += len(cell)
	}
	return c.count(n)
}

func (c *counter) count(n int) error {
	if c.text += n; int64(c.text) > c.limit {
		return extract.ErrLimit
	}
	return nil
}

func (c *counter) File(f extract.File) error {
	c.files++
	_, err := io.Copy(io.Discard, f.Content)
	if errors.Is(err, extract.ErrLimit) {
		return err
	}
	return nil
}

func (c *counter) Gap(string, error) error { c.gaps++; return nil }

func open(t testing.TB, path string) extract.Input {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return extracttest.Input(filepath.Base(path), content)
}

func TestExpectedTexts(t *testing.T) {
	dir := filepath.Join(extracttest.Corpus(t), "documents")
	list, err := os.ReadFile(filepath.Join(dir, "EXPECTED.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for line := range strings.Lines(string(list)) {
		fields := strings.Split(line, "\t")
		if len(fields) < 2 || fields[0] == "file" {
			continue
		}
		in := open(t, filepath.Join(dir, fields[0]))
		e := reader(in)
		if e == nil {
			continue
		}
		tried++
		if fields[1] == "" { // made to hurt: TestHostileDocuments
			continue
		}
		r, err := extracttest.Read(t.Context(), e, in)
		if err != nil {
			t.Errorf("%s: %v", in.Name, err)
		}
		text := strings.Join(strings.Fields(r.PlainText()), " ")
		for _, want := range strings.Split(fields[1], "|") {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in its text", in.Name, want)
			}
		}
	}
	if tried < 10 {
		t.Errorf("only %d office documents were tried", tried)
	}
}

func TestEveryDocumentEndsWithTextOrAReason(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(extracttest.Corpus(t), "more", "office", "*"))
	if err != nil || len(paths) < 100 {
		t.Fatalf("%d documents, %v", len(paths), err)
	}
	statuses := map[string]int{}
	for _, path := range paths {
		in := open(t, path)
		e := reader(in)
		if e == nil {
			statuses["nobody's"]++
			continue
		}
		r, err := extracttest.Read(t.Context(), e, in)
		switch {
		case err != nil && !extracttest.Named(err):
			t.Errorf("%s: unnamed error %v", in.Name, err)
		case err != nil:
			statuses["error"]++
		case strings.TrimSpace(r.PlainText()) != "" || len(r.Files) > 0:
			statuses["read"]++
		case len(r.Gaps) > 0:
			statuses["gap"]++
		default:
			statuses["empty"]++
			t.Logf("%s: nothing in it", in.Name)
		}
	}
	t.Logf("%v", statuses)
	if statuses["empty"] > 5 {
		t.Errorf("%d documents gave nothing", statuses["empty"])
	}
}

func TestSwedishDocumentsAgree(t *testing.T) {
	dir := filepath.Join(extracttest.Corpus(t), "swedish")
	for _, family := range [][]string{
		{"brev.odt", "brev.fodt", "brev.docx", "brev.doc", "brev.rtf"},
		{"elever.ods", "elever.fods", "elever.xlsx", "elever.xls"},
		{"bild.odp", "bild.fodp", "bild.pptx", "bild.ppt"},
	} {
		want := []string(nil)
		for _, name := range family {
			in := open(t, filepath.Join(dir, name))
			r, err := extracttest.Read(t.Context(), reader(in), in)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got := words(r)
			if want == nil {
				want = got
				if len(want) < 60 {
					t.Fatalf("%s: only %d words", name, len(want))
				}
			}
			if missing := without(want, got); len(missing) > 0 {
				t.Errorf("%s lacks %q of %s", name, missing, family[0])
			}
			if more := without(got, want); len(more) > 0 {
				t.Errorf("%s has %q more than %s", name, more, family[0])
			}
		}
	}
}

// words are the words of the text, sorted: what stands beside the flow comes
// in no agreed order. What only some formats keep is left out: numbers of
// pages, names of commenters, styles' dates.
func words(r *extracttest.Recording) []string {
	var all []string
	for _, p := range r.Parts {
		if p.Kind == extract.Property || p.Kind == extract.Footer && strings.HasPrefix(p.Text, "Page") {
			continue
		}
		all = append(all, strings.Fields(p.Text)...)
	}
	all = slices.DeleteFunc(all, func(w string) bool {
		return w == "Åsa:" || w == "31237" || w == "1985-07-09" || w == "•" || w == "<number>"
	})
	slices.Sort(all)
	return all
}

func without(list, other []string) []string {
	left := slices.Clone(other)
	var missing []string
	for _, w := range list {
		if i := slices.Index(left, w); i >= 0 {
			left[i] = ""
		} else {
			missing = append(missing, w)
		}
	}
	return missing
}

func TestHostileDocuments(t *testing.T) {
	corpus := extracttest.Corpus(t)
	paths, err := filepath.Glob(filepath.Join(corpus, "hostile", "*"))
	if err != nil {
		t.Fatal(err)
	}
	paths = append(paths, filepath.Join(corpus, "documents", "poc-shared-strings.xlsx"))
	tried := 0
	for _, path := range paths {
		in := open(t, path)
		e := reader(in)
		if e == nil {
			continue
		}
		tried++
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		c := &counter{limit: in.Limits.Text}
		err := e.Extract(context.Background(), in, c)
		runtime.ReadMemStats(&after)
		took, grown := time.Since(start), int64(after.HeapSys)-int64(before.HeapSys)
		t.Logf("%s: %d bytes, %v, %v, heap +%d MB", in.Name, c.text, err, took.Round(time.Millisecond), grown>>20)
		if err != nil && !extracttest.Named(err) {
			t.Errorf("%s: %v", in.Name, err)
		}
		if took > 15*time.Second || grown > 200<<20 {
			t.Errorf("%s took %v and %d MB", in.Name, took, grown>>20)
		}
	}
	if tried < 6 {
		t.Errorf("only %d hostile office documents were tried", tried)
	}
}

// BenchmarkCorpus reads all office documents of the corpus.
func BenchmarkCorpus(b *testing.B) {
	paths, err := filepath.Glob(filepath.Join(extracttest.Corpus(b), "more", "office", "*"))
	if err != nil {
		b.Fatal(err)
	}
	contents := make([][]byte, len(paths))
	for i, path := range paths {
		if contents[i], err = os.ReadFile(path); err != nil {
			b.Fatal(err)
		}
	}
	read := 0
	for b.Loop() {
		for i, content := range contents {
			r := bytes.NewReader(content)
			in := extract.Input{Name: filepath.Base(paths[i]), Size: r.Size(), ReaderAt: r, Limits: extract.DefaultLimits()}
			in.MediaType = extract.Sniff(in.Name, r, r.Size())
			if e := reader(in); e != nil {
				read++
				_ = e.Extract(b.Context(), in, &counter{limit: in.Limits.Text})
			}
		}
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "documents/s")
}
