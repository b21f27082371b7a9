package sandbox_test

import (
	"archive/zip"
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/inspect"
	"github.com/molnvakt/molnvakt/scanner/sandbox"
)

// references are the programs that others read these formats with.
var references = []struct {
	mediaType string
	command   []string
}{
	{"application/pdf", []string{"pdftotext", "-enc", "UTF-8", "FILE", "-"}},
	{"application/msword", []string{"catdoc", "-w", "-dutf-8", "FILE"}},
	{"application/vnd.ms-excel", []string{"xls2csv", "-dutf-8", "FILE"}},
	{"application/vnd.ms-powerpoint", []string{"catppt", "-dutf-8", "FILE"}},
}

// TestBenchExtraction measures extraction through the sandbox, in one run, on
// the real documents: words and time against the usual programs, documents a
// second, peak memory, and a large spreadsheet. It asserts nothing but that
// every document has an end.
func TestBenchExtraction(t *testing.T) {
	if os.Getenv("MOLNVAKT_BENCH") == "" {
		t.Skip("SKIPPED: a measurement, not a test: make bench")
	}
	documents := corpusDocuments(t)
	t.Run("documents", func(t *testing.T) {
		p := pool(t, func(c *sandbox.Config) {
			c.Size, c.Deadline, c.Settings, c.Cache = 2, time.Minute, []byte(`"real"`), pdfCache(t)
		})
		peak := watchChildren()
		againstReferences(t, p, documents)
		wholeCorpus(t, p, documents)
		parent, child, _ := peak()
		fmt.Printf("peak memory (RSS): parent %d MB, largest child %d MB\n", parent>>20, child>>20)
	})
	largeSpreadsheets(t)
}

// benched is one document and what came of it.
type benched struct {
	path   string
	result inspect.Result
	text   string
	took   time.Duration
}

func corpusDocuments(t *testing.T) (list []*benched) {
	for _, folder := range []string{"documents", "more/pdf", "more/office", "swedish"} {
		paths, err := filepath.Glob(filepath.Join(extracttest.Corpus(t), folder, "*.*"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no documents in %s: %v", folder, err)
		}
		for _, path := range paths {
			if filepath.Ext(path) != ".tsv" {
				list = append(list, &benched{path: path})
			}
		}
	}
	return list
}

func (d *benched) read(t *testing.T, p *sandbox.Pool, keep bool) {
	f, err := os.Open(d.path)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	var text strings.Builder
	document := inspect.Document{Name: filepath.Base(d.path), Path: d.path, Size: -1, Content: f, OCR: inspect.OCRDefer}
	if keep {
		document.Text = func(part inspect.TextPart) error {
			text.WriteString(part.Text)
			if part.Row > 0 {
				text.WriteByte('\n')
			}
			return nil
		}
	}
	started := time.Now()
	d.result, err = p.Inspect(t.Context(), document)
	d.took, d.text = time.Since(started), text.String()
	if err != nil || d.result.Status == "" {
		t.Errorf("%s: status %q, %v", d.path, d.result.Status, err)
	}
}

// againstReferences reads one document after the other, each by us and by the
// other program.
func againstReferences(t *testing.T, p *sandbox.Pool, documents []*benched) {
	for _, d := range documents {
		d.read(t, p, true)
	}
	for _, r := range references {
		program, err := exec.LookPath(r.command[0])
		if err != nil {
			fmt.Printf("%s: not installed\n", r.command[0])
			continue
		}
		var ours, theirs time.Duration
		var words, kept, oursRead, theirsRead, n int
		for _, d := range documents {
			if d.result.MediaType != r.mediaType {
				continue
			}
			started := time.Now()
			args := strings.Split(strings.Replace(strings.Join(r.command[1:], "\x00"), "FILE", d.path, 1), "\x00")
			out, _ := exec.CommandContext(t.Context(), program, args...).Output() //nolint:gosec // the test's own words
			theirs += time.Since(started)
			ours += d.took
			got, reference := wordsOf(d.text), wordsOf(strings.ReplaceAll(string(out), "-\n", ""))
			for word, times := range reference {
				words += times
				kept += min(times, got[word])
			}
			n++
			oursRead += min(1, len(got))
			theirsRead += min(1, len(reference))
		}
		fmt.Printf("%s: %d documents, %.3f of its %d words; with text %d, its %d; %.1f ms a document, its %.1f\n",
			r.command[0], n, float64(kept)/float64(max(1, words)), words, oursRead, theirsRead,
			ours.Seconds()*1000/float64(max(1, n)), theirs.Seconds()*1000/float64(max(1, n)))
	}
}

// wholeCorpus reads everything with all children at work.
func wholeCorpus(t *testing.T, p *sandbox.Pool, documents []*benched) {
	for _, what := range []struct {
		name string
		take func(string) bool
	}{
		{"all documents", func(string) bool { return true }},
		{"office documents", func(mediaType string) bool {
			return strings.Contains(mediaType, "office") || strings.Contains(mediaType, "opendocument") || strings.Contains(mediaType, "ms-") ||
				mediaType == "application/msword" || mediaType == "application/rtf"
		}},
	} {
		queue := make(chan *benched)
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for d := range queue {
					d.read(t, p, false)
				}
			})
		}
		ends := map[inspect.Status]int{}
		n, size, started := 0, int64(0), time.Now()
		for _, d := range documents {
			if what.take(d.result.MediaType) {
				n++
				size += d.result.Bytes
				queue <- d
			}
		}
		close(queue)
		readers.Wait()
		took := time.Since(started)
		for _, d := range documents {
			if what.take(d.result.MediaType) {
				ends[d.result.Status]++
			}
		}
		fmt.Printf("%s: %d, %.1f MB in %.2f s: %.0f documents/s; %v\n", what.name, n, float64(size)/1e6, took.Seconds(), float64(n)/took.Seconds(), ends)
	}
}

// largeSpreadsheets reads registers of people, each in a child of its own, and
// the last one in a child that has read a PDF before.
func largeSpreadsheets(t *testing.T) {
	for _, c := range []struct {
		rows, columns int
		shared        bool // strings in the table, as Excel writes them, nearly all different
		after         string
	}{
		{rows: 200_000, columns: 10},
		{rows: 200_000, columns: 10, shared: true},
		{rows: 200_000, columns: 30, shared: true},
		{rows: 1_000_000, columns: 3, shared: true},
		{rows: 200_000, columns: 10, shared: true, after: "../extract/pdf/testdata/letter/input.pdf"},
	} {
		t.Run("spreadsheet", func(t *testing.T) {
			d := &benched{path: filepath.Join(t.TempDir(), "register.xlsx")}
			writeWorkbook(t, d.path, c.rows, c.columns, c.shared)
			p := pool(t, func(p *sandbox.Config) {
				p.Size, p.Deadline, p.Settings, p.Cache, p.Retire = 1, 2*time.Minute, []byte(`"real"`), pdfCache(t), 1<<30
			})
			before := &benched{path: os.DevNull}
			if c.after != "" {
				before.path = c.after
			}
			before.read(t, p, false)
			peak := watchChildren()
			_, _, started := peak()
			peak = watchChildren()
			d.read(t, p, false)
			_, child, ended := peak()
			fmt.Printf("spreadsheet of %d rows of %d cells, shared %t, after %q: %s, %d characters, %.1f s, child %.1f s CPU, %d MB\n",
				c.rows, c.columns, c.shared, filepath.Base(c.after), d.result.Status, d.result.Chars, d.took.Seconds(), (ended - started).Seconds(), child>>20)
		})
	}
}

// writeWorkbook writes a workbook whose every other column holds numbers.
func writeWorkbook(t *testing.T, path string, rows, columns int, shared bool) {
	const head = `<?xml version="1.0"?>`
	f, err := os.Create(path) //nolint:gosec // the test's own
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	part := func(name, content string) *bufio.Writer {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		out := bufio.NewWriter(w)
		fmt.Fprint(out, head, content)
		return out
	}
	finish := func(w *bufio.Writer, content string) {
		fmt.Fprint(w, content)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	finish(part("[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>`), "")
	finish(part("xl/workbook.xml", `<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Blad1" sheetId="1" r:id="rId1"/></sheets></workbook>`), "")
	finish(part("xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`), "")
	sheet, strings := part("xl/worksheets/sheet1.xml", `<worksheet><sheetData>`), 0
	for row := 1; row <= rows; row++ {
		fmt.Fprintf(sheet, `<row r="%d">`, row)
		for column := range columns {
			cell := string(rune('A' + column%26))
			if column >= 26 {
				cell = "A" + cell
			}
			switch {
			case column%2 == 1:
				fmt.Fprintf(sheet, `<c r="%s%d"><v>%d</v></c>`, cell, row, row*7)
			case shared:
				fmt.Fprintf(sheet, `<c r="%s%d" t="s"><v>%d</v></c>`, cell, row, strings)
				strings++
			default:
				fmt.Fprintf(sheet, `<c r="%s%d" t="inlineStr"><is><t>elev %d</t></is></c>`, cell, row, row)
			}
		}
		fmt.Fprint(sheet, `</row>`)
	}
	finish(sheet, `</sheetData></worksheet>`)
	if shared {
		table := part("xl/sharedStrings.xml", `<sst>`)
		for i := range strings {
			fmt.Fprintf(table, `<si><t>elev %d</t></si>`, i)
		}
		finish(table, `</sst>`)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}

// watchChildren samples memory until it is asked: the peak of this process
// and of the largest child, in bytes, and the processor time of the children
// alive then.
func watchChildren() func() (parent, child int64, cpu time.Duration) {
	stop, done := make(chan struct{}), make(chan struct{})
	var own, largest int64
	go func() {
		defer close(done)
		for {
			own = max(own, resident("self"))
			for _, pid := range children() {
				largest = max(largest, resident(pid))
			}
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() (int64, int64, time.Duration) {
		close(stop)
		<-done
		var cpu time.Duration
		for _, pid := range children() {
			cpu += processorTime(pid)
		}
		return own, largest, cpu
	}
}

func children() (pids []string) {
	files, _ := filepath.Glob("/proc/self/task/*/children")
	for _, file := range files {
		text, _ := os.ReadFile(file) //nolint:gosec // of the system
		pids = append(pids, strings.Fields(string(text))...)
	}
	return pids
}

func resident(pid string) int64 {
	command, _ := os.ReadFile("/proc/" + pid + "/cmdline") //nolint:gosec // of the system
	if pid != "self" && !strings.Contains(string(command), "sandbox-child") {
		return 0 // not yet what it will be: it still shows the parent's memory
	}
	text, _ := os.ReadFile("/proc/" + pid + "/statm") //nolint:gosec // of the system
	if fields := strings.Fields(string(text)); len(fields) > 1 {
		pages, _ := strconv.ParseInt(fields[1], 10, 64)
		return pages * int64(os.Getpagesize())
	}
	return 0
}

// processorTime is the user's and the system's share; Linux counts hundredths.
func processorTime(pid string) time.Duration {
	text, _ := os.ReadFile("/proc/" + pid + "/stat") //nolint:gosec // of the system
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}
