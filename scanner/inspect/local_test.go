package inspect_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/inspect"
)

// script is an Extractor whose documents say what it shall do, a line each:
// "text WORDS", "row A|B", "file NAME:CONTENT" (\n in it as ";"), "picture
// NAME", "scan PLACE", "fail REASON", "gap PLACE:REASON", "sleep", "hang",
// "panic". Anything else is text.
type script struct{}

func (script) Name() string                 { return "script" }
func (script) Version() int                 { return 1 }
func (script) Accepts(_, media string) bool { return media == "text/x-script" }

func (script) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	content, err := io.ReadAll(in.Reader())
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(content)) {
		if err := play(ctx, strings.TrimSuffix(line, "\n"), out); err != nil {
			return err
		}
	}
	return nil
}

var reasons = map[string]error{
	"encrypted": extract.ErrEncrypted, "rights": extract.ErrRights, "damaged": extract.ErrDamaged,
	"limit": extract.ErrLimit, "unsupported": extract.ErrUnsupported, "no-ocr": extract.ErrNoOCR,
	"other": errors.New("19850709-2388 is not a number"),
}

func play(ctx context.Context, line string, out extract.Sink) error {
	verb, arg, _ := strings.Cut(line, " ")
	switch verb {
	case "row":
		return out.Row(extract.Part{Kind: extract.Body, Place: "Blad1"}, extract.Row{Number: 1, Cells: strings.Split(arg, "|")})
	case "file":
		name, content, _ := strings.Cut(arg, ":")
		return out.File(extract.File{Name: name, Role: extract.Entry, Content: strings.NewReader(strings.ReplaceAll(content, ";", "\n"))})
	case "picture":
		return out.File(extract.File{Name: arg, Place: "page 1", Role: extract.Picture, Content: strings.NewReader("image")})
	case "scan":
		return out.File(extract.File{Name: "p.png", Place: arg, Role: extract.Scan, Content: strings.NewReader("image")})
	case "zeros":
		return out.File(extract.File{Name: "zeros", Role: extract.Entry, Content: io.LimitReader(zeros{}, 1<<40)})
	case "fail":
		return fmt.Errorf("%s: %w", arg, reasons[arg])
	case "gap":
		place, reason, _ := strings.Cut(arg, ":")
		return out.Gap(place, reasons[reason])
	case "sleep":
		<-ctx.Done()
		return ctx.Err()
	case "hang":
		time.Sleep(time.Hour)
	case "panic":
		panic("19850709-2388")
	}
	return out.Text(extract.Part{Kind: extract.Body, Place: "line 1"}, line+"\n")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// camera is an Extractor for pictures: it recognises "seen".
type camera struct{}

func (camera) Name() string                 { return "camera" }
func (camera) Version() int                 { return 1 }
func (camera) Accepts(_, media string) bool { return media == "image/png" }
func (camera) Extract(_ context.Context, in extract.Input, out extract.Sink) error {
	if !in.OCR {
		return extract.ErrOCRDeferred
	}
	return out.Text(extract.Part{Kind: extract.Recognised}, "seen\n")
}

// keeper is a patterns.Reader that keeps what it reads.
type keeper struct {
	subject patterns.Subject
	read    []string
}

func (k *keeper) Begin(s patterns.Subject, _ patterns.Options) { *k = keeper{subject: s} }
func (k *keeper) Text(kind, place, text string) {
	k.read = append(k.read, kind+"@"+place+"="+strings.TrimSpace(text))
}
func (k *keeper) Row(kind, place string, n int, _ bool, cells []string) {
	k.read = append(k.read, fmt.Sprint(kind, "@", place, "#", n, "=", strings.Join(cells, "|")))
}
func (k *keeper) Finish() (patterns.Content, []patterns.Step) {
	return patterns.Content{Innocence: append([]string{k.subject.Path}, k.read...)}, nil
}

func sniff(name string, r io.ReaderAt, _ int64) string {
	head := make([]byte, 5)
	n, _ := r.ReadAt(head, 0)
	switch {
	case string(head[:n]) == "image":
		return "image/png"
	case strings.HasSuffix(name, ".bin"):
		return "application/x-thing"
	}
	return "text/x-script"
}

func local(t *testing.T, change func(*inspect.Config)) *inspect.Local {
	c := inspect.DefaultConfig()
	c.Extractors = []extract.Extractor{script{}, camera{}}
	c.Readers = func() patterns.Reader { return &keeper{} }
	c.Sniff = sniff
	c.Scratch = t.TempDir()
	c.Grace = 50 * time.Millisecond
	if change != nil {
		change(&c)
	}
	return inspect.NewLocal(c)
}

func inspectText(t *testing.T, l *inspect.Local, ocr inspect.OCR, text string) inspect.Result {
	t.Helper()
	r, err := l.Inspect(t.Context(), inspect.Document{
		Name: "a.txt", Path: "HR/a.txt", Size: int64(len(text)), OCR: ocr, Content: strings.NewReader(text),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		text   string
		status inspect.Status
		gaps   string
	}{
		{"", inspect.OK, ""},
		{"hej", inspect.OK, ""},
		{"fail encrypted", inspect.Encrypted, ":encrypted:script"},
		{"fail rights", inspect.Encrypted, ":rights:script"},
		{"fail damaged", inspect.Damaged, ":damaged:script"},
		{"hej\nfail damaged", inspect.Partial, ":damaged:script"},
		{"fail unsupported", inspect.Unsupported, ":unsupported:text/x-script"},
		{"fail limit", inspect.Limit, ":limit:script"},
		{"fail other", inspect.Damaged, ":damaged:script"},
		{"fail no-ocr", inspect.Partial, ":no-ocr:1 pictures"},
		{"gap page 3:damaged", inspect.Partial, "page 3:damaged:"},
		{"file b.txt:fail encrypted", inspect.Partial, "b.txt:encrypted:script"},
		{"file b.bin:x", inspect.Partial, "b.bin:unsupported:application/x-thing"},
		{"file b.txt:file c.txt:gap Blad1:damaged", inspect.Partial, "b.txt › c.txt › Blad1:damaged:"},
	} {
		t.Run(c.text, func(t *testing.T) {
			r := inspectText(t, local(t, nil), inspect.OCROff, c.text)
			var gaps []string
			for _, g := range r.Gaps {
				gaps = append(gaps, g.Place+":"+g.Reason+":"+g.Detail)
			}
			if r.Status != c.status || strings.Join(gaps, ";") != c.gaps {
				t.Errorf("status %s, gaps %q; want %s, %q", r.Status, gaps, c.status, c.gaps)
			}
			if strings.Contains(fmt.Sprint(r.Gaps), "19850709") {
				t.Error("a gap quotes the document")
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	r := inspectText(t, local(t, nil), inspect.OCROff, "hej\nrow a|b\nfile x.zip:file y.txt:da")
	want := []string{
		"HR/a.txt", "body@line 1=hej", "body@Blad1#1=a|b",
		"title@x.zip=x.zip", "title@x.zip › y.txt=y.txt", "body@x.zip › y.txt › line 1=da",
	}
	if !slices.Equal(r.Content.Innocence, want) {
		t.Errorf("got %q, want %q", r.Content.Innocence, want)
	}
	if r.Files != 2 || r.Extractor != "script" || r.MediaType != "text/x-script" || r.Chars == 0 {
		t.Errorf("got %+v", r)
	}
}

func TestOCR(t *testing.T) {
	long := strings.Repeat("long text ", 30) + "\n"
	for _, c := range []struct {
		text              string
		ocr               inspect.OCR
		pending, pictures int
		seen              int
		gap               string
	}{
		{"image", inspect.OCRDefer, 1, 0, 0, "ocr-pending"},
		{"image", inspect.OCRScans, 0, 0, 1, ""},
		{"image", inspect.OCROff, 0, 0, 0, "ocr-off"},
		{"scan page 1\nscan page 2", inspect.OCRDefer, 2, 0, 0, "ocr-pending"},
		{"scan page 1\nscan page 2", inspect.OCRScans, 0, 0, 2, ""},
		{"scan page 1\nscan page 2", inspect.OCROff, 0, 0, 0, "ocr-off"},
		{long + "picture a.png", inspect.OCRDefer, 0, 1, 0, ""},
		{long + "picture a.png", inspect.OCRScans, 0, 0, 0, ""},
		{long + "picture a.png", inspect.OCRAll, 0, 0, 1, ""},
		{"picture a.png", inspect.OCRScans, 0, 0, 1, ""}, // a document that is nothing but its picture
		{"file a.png:image", inspect.OCRScans, 0, 0, 1, ""},
		{"file a.png:image", inspect.OCRDefer, 1, 0, 0, "ocr-pending"},
	} {
		t.Run(fmt.Sprint(c.ocr, " ", c.text[max(0, len(c.text)-30):]), func(t *testing.T) {
			r := inspectText(t, local(t, nil), c.ocr, c.text)
			seen := strings.Count(strings.Join(r.Content.Innocence, "\n"), "recognised@")
			gap := ""
			if len(r.Gaps) > 0 {
				gap = r.Gaps[0].Reason
			}
			if r.PendingOCR != c.pending || r.PendingPictures != c.pictures || seen != c.seen || gap != c.gap || len(r.Gaps) > 1 {
				t.Errorf("pending %d and %d, seen %d, gaps %v; want %+v", r.PendingOCR, r.PendingPictures, seen, r.Gaps, c)
			}
			if (gap == "") != (r.Status == inspect.OK) {
				t.Errorf("status %s with gaps %v", r.Status, r.Gaps)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*inspect.Config)
		text   string
		detail string
	}{
		"text":    {func(c *inspect.Config) { c.Limits.Text = 100 }, strings.Repeat("0123456789\n", 20), "text"},
		"entries": {func(c *inspect.Config) { c.Limits.Entries = 3 }, strings.Repeat("file a:b\n", 9), "entries"},
		"inflate": {func(c *inspect.Config) { c.Limits.Inflate = 1 << 20 }, "zeros\nafter", "inflate"},
		"size":    {func(c *inspect.Config) { c.MaxSize = 4 }, "12345", "size"},
		"memory":  {func(c *inspect.Config) { c.Memory = 4; c.Scratch = "" }, "12345", "memory"},
	} {
		t.Run(name, func(t *testing.T) {
			r := inspectText(t, local(t, c.change), inspect.OCROff, c.text)
			if r.Status != inspect.Limit || len(r.Gaps) != 1 || r.Gaps[0].Detail != c.detail {
				t.Errorf("got %s %+v", r.Status, r.Gaps)
			}
			if name == "text" && r.Chars != 100 {
				t.Errorf("took %d bytes of text, want 100", r.Chars)
			}
		})
	}
	r := inspectText(t, local(t, func(c *inspect.Config) { c.Limits.Depth = 1 }), inspect.OCROff, "file a:file b:hej\ntext after")
	if r.Status != inspect.Partial || r.Gaps[0].Detail != "depth" || !strings.Contains(fmt.Sprint(r.Content), "text after") {
		t.Errorf("depth: %s %+v %v", r.Status, r.Gaps, r.Content)
	}
}

func TestDeadline(t *testing.T) {
	l := local(t, func(c *inspect.Config) { c.Deadline = 50 * time.Millisecond })
	r := inspectText(t, l, inspect.OCROff, "before\nsleep")
	if r.Status != inspect.Timeout || !strings.Contains(fmt.Sprint(r.Content), "before") {
		t.Errorf("obedient: %s %v", r.Status, r.Content)
	}
	for text, c := range map[string]struct {
		status inspect.Status
		err    error
	}{
		"before\nhang":  {inspect.Timeout, inspect.ErrStalled},
		"before\npanic": {inspect.Crashed, inspect.ErrCrashed},
	} {
		r, err := l.Inspect(t.Context(), inspect.Document{Name: "a", Content: strings.NewReader(text)})
		if r.Status != c.status || !errors.Is(err, c.err) || !strings.Contains(fmt.Sprint(r.Content), "before") {
			t.Errorf("%q: %s %v %v", text, r.Status, r.Content, err)
		}
	}
}

func TestCancelAndContent(t *testing.T) {
	l := local(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := l.Inspect(ctx, inspect.Document{Content: strings.NewReader("sleep")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled: %v", err)
	}
	lost := errors.New("connection lost")
	if _, err := l.Inspect(t.Context(), inspect.Document{Content: iotest.ErrReader(lost)}); !errors.Is(err, lost) {
		t.Errorf("content failed: %v", err)
	}
}

func TestSpoolsToScratch(t *testing.T) {
	scratch := t.TempDir()
	l := local(t, func(c *inspect.Config) { c.Memory = 1 << 10; c.Scratch = scratch })
	text := strings.Repeat("0123456789\n", 10_000)
	r := inspectText(t, l, inspect.OCROff, text)
	if r.Status != inspect.OK || r.Bytes != int64(len(text)) || r.Chars != r.Bytes {
		t.Errorf("got %+v", r)
	}
	if left, _ := os.ReadDir(scratch); len(left) > 0 {
		t.Errorf("left in the scratch folder: %v", left)
	}
}

func TestTextCallback(t *testing.T) {
	var got bytes.Buffer
	_, err := local(t, nil).Inspect(t.Context(), inspect.Document{
		Content: strings.NewReader("hej\nrow a|b"),
		Text: func(p inspect.TextPart) error {
			fmt.Fprintf(&got, "[%s %s %d] %s", p.Kind, p.Place, p.Row, p.Text)
			return nil
		},
	})
	if want := "[body line 1 0] hej\n[body Blad1 1] a\tb"; err != nil || got.String() != want {
		t.Errorf("%q, %v", got.String(), err)
	}
}

func BenchmarkLocal(b *testing.B) {
	c := inspect.DefaultConfig()
	c.Extractors, c.Sniff = []extract.Extractor{script{}}, sniff
	c.Readers = func() patterns.Reader { return &keeper{} }
	l := inspect.NewLocal(c)
	text := strings.Repeat("0123456789\n", 100)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Inspect(b.Context(), inspect.Document{Size: int64(len(text)), Content: strings.NewReader(text)}); err != nil {
			b.Fatal(err)
		}
	}
}
