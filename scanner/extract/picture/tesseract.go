package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// recogniser runs tesseract. It is safe for concurrent use.
type recogniser struct {
	config Config

	mu        sync.Mutex
	path      string
	languages []string
}

// Page segmentation modes of tesseract.
const (
	psmTurned = "1" // finds out which way is up
	psmPage   = "3"
	psmBlock  = "6"
)

// ready finds the program and which languages it knows, once.
func (r *recogniser) ready(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.path != "" {
		return nil
	}
	path, err := exec.LookPath(r.config.Program)
	if err != nil {
		return fmt.Errorf("tesseract is not installed: %w", extract.ErrNoOCR)
	}
	listed, err := command(ctx, path, "--list-langs").Output()
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("tesseract does not start: %w", extract.ErrNoOCR)
	}
	installed := strings.Fields(string(listed))
	var languages []string
	for _, l := range r.config.Languages {
		if slices.Contains(installed, l) {
			languages = append(languages, l)
		}
	}
	if len(languages) == 0 {
		return fmt.Errorf("tesseract knows none of the languages %s: %w", strings.Join(r.config.Languages, ", "), extract.ErrNoOCR)
	}
	r.path, r.languages = path, languages
	return nil
}

func (r *recogniser) version(ctx context.Context) string {
	out, _ := command(ctx, r.path, "--version").CombinedOutput()
	first, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(first)
}

// command starts nothing but tesseract, with one thread: its own threads take
// four times the work for the same text.
func command(ctx context.Context, path string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, path, args...)
	c.Env = []string{"OMP_THREAD_LIMIT=1", "LANG=C.UTF-8"}
	for _, name := range []string{"PATH", "TESSDATA_PREFIX", "TMPDIR", "SystemRoot"} {
		if v, ok := os.LookupEnv(name); ok {
			c.Env = append(c.Env, name+"="+v)
		}
	}
	dieTogether(c)
	return c
}

// read recognises a prepared page. It tries again in another way when little
// comes of the first, and returns the best it got.
func (r *recogniser) read(ctx context.Context, page *image.Gray) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience*r.config.PageTime, errPageTime)
	defer cancel()
	picture := pnm(page)
	best, err := r.run(ctx, picture, dots(page), psmPage)
	if err != nil {
		return "", err
	}
	if len(best) == 0 && !paper(page) {
		return "", nil // a photo of something: no other way will find text
	}
	if best.words() < fewWords {
		best, err = r.better(ctx, best, picture, dots(page), psmBlock)
	}
	if err == nil && best.doubtful() {
		best, err = r.better(ctx, best, picture, dots(page), psmTurned)
	}
	text := best.text()
	if err == nil && looksLikeZone(text) {
		var zone string
		zone, err = r.zone(ctx, best, page)
		text += zone
	}
	return text, err
}

// fewWords are so few that a table or a lone line may have been missed.
const fewWords = 8

// better tries another mode and keeps what is more credible.
func (r *recogniser) better(ctx context.Context, than reading, picture []byte, dpi int, psm string) (reading, error) {
	again, err := r.run(ctx, picture, dpi, psm)
	if errors.Is(err, errPageTime) || ctx.Err() != nil {
		return than, err
	}
	if err == nil && again.credit() > than.credit() {
		return again, nil
	}
	return than, nil // a mode that is not installed, for one
}

// readFile lets tesseract decode the picture, all pages of it.
func (r *recogniser) readFile(ctx context.Context, file io.Reader) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience*r.config.PageTime, errPageTime)
	defer cancel()
	picture, err := io.ReadAll(file)
	if err != nil {
		return "", extract.Damaged(err)
	}
	got, err := r.run(ctx, picture, 0, psmPage)
	return got.text(), err
}

// patience is how much longer than a tesseract alone on the machine all
// attempts on a picture may take.
const patience = 4

var errPageTime = fmt.Errorf("recognition takes too long: %w", extract.ErrLimit)

// run recognises a picture in one mode. Tesseract's own words are dropped:
// they may quote the picture.
func (r *recogniser) run(ctx context.Context, picture []byte, dpi int, psm string, options ...string) (reading, error) {
	args := []string{"stdin", "stdout", "-l", strings.Join(r.languages, "+"), "--psm", psm}
	if dpi > 0 {
		args = append(args, "--dpi", strconv.Itoa(dpi))
	}
	args = append(args, options...)
	args = append(args, "-c", "tessedit_create_tsv=1")
	c := command(ctx, r.path, args...)
	c.Stdin = bytes.NewReader(picture)
	var out bytes.Buffer
	c.Stdout = &out
	err := c.Start()
	if err == nil {
		boundTime(c.Process.Pid, r.config.PageTime)
		err = c.Wait()
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil && outOfTime(c):
		return nil, errPageTime
	case err != nil:
		return nil, fmt.Errorf("tesseract cannot read the picture: %w", extract.ErrDamaged)
	}
	return parse(out.String()), nil
}

// reading is what tesseract read, word by word.
type reading []word

type word struct {
	text       string
	line       string  // page, block, paragraph and line
	confidence float64 // percent
	box        image.Rectangle
}

// parse reads tesseract's table: level, page, block, paragraph, line, word,
// left, top, width, height, confidence, text.
func parse(table string) reading {
	var words reading
	for row := range strings.Lines(table) {
		f := strings.SplitN(strings.TrimRight(row, "\r\n"), "\t", 12)
		if len(f) < 12 || f[0] != "5" || strings.TrimSpace(f[11]) == "" {
			continue
		}
		confidence, err := strconv.ParseFloat(f[10], 64)
		if err != nil {
			continue
		}
		var box [4]int
		for i := range box {
			box[i], _ = strconv.Atoi(f[6+i])
		}
		words = append(words, word{
			text: strings.TrimSpace(f[11]), line: strings.Join(f[1:5], "."), confidence: confidence,
			box: image.Rect(box[0], box[1], box[0]+box[2], box[1]+box[3]),
		})
	}
	return words
}

// text puts the words into lines again, and paragraphs apart.
func (r reading) text() string {
	var b strings.Builder
	for i, w := range r {
		if i > 0 {
			switch {
			case w.line == r[i-1].line:
				b.WriteByte(' ')
			default:
				b.WriteByte('\n')
			}
		}
		b.WriteString(w.text)
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}

// words counts what could be words or numbers.
func (r reading) words() int {
	n := 0
	for _, w := range r {
		letters := 0
		for _, c := range w.text {
			if unicode.IsLetter(c) || unicode.IsDigit(c) {
				letters++
			}
		}
		if letters >= 2 {
			n++
		}
	}
	return n
}

// credit weighs how much was read against how surely: letters times confidence.
func (r reading) credit() float64 {
	sum := 0.0
	for _, w := range r {
		sum += float64(len(w.text)) * max(0, w.confidence-40)
	}
	return sum
}

// doubtful: what is read of a page that lies on its side or head is many
// small words that tesseract itself does not believe.
func (r reading) doubtful() bool {
	if len(r) == 0 {
		return true
	}
	sum := 0.0
	for _, w := range r {
		sum += w.confidence
	}
	return sum/float64(len(r)) < 60
}

// pnm is the picture as a portable graymap, which costs nothing to write.
func pnm(g *image.Gray) []byte {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	b := make([]byte, 0, w*h+32)
	b = fmt.Appendf(b, "P5\n%d %d\n255\n", w, h)
	for y := range h {
		b = append(b, g.Pix[y*g.Stride:][:w]...)
	}
	return b
}

// dots guesses the resolution of a page from its size, as if it were A4.
func dots(g *image.Gray) int {
	const a4 = 11.7 // inches
	return min(600, max(70, int(float64(max(g.Rect.Dx(), g.Rect.Dy()))/a4)))
}
