package sandbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/molnvakt/molnvakt/scanner/inspect"
)

// child is the parent's end of one child process.
type child struct {
	cmd         *exec.Cmd
	wire        *wire
	stdin       *os.File
	stdout      *os.File
	words       *lastWords
	scratch     string
	protections []Protection
	spent       bool // takes no more documents
	gone        sync.Once
	reaped      atomic.Bool
}

// starter starts children, with as much isolation as the system turned out to
// allow.
type starter struct {
	mu       sync.Mutex
	isolated isolation
}

func (s *starter) start(ctx context.Context, config Config, scratch string) (*child, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		c, err := launch(ctx, config, scratch, s.isolated)
		if err == nil || !s.isolated.weaken(err) {
			return c, err
		}
	}
}

// launch starts one child and waits until it is ready.
func launch(ctx context.Context, config Config, scratch string, isolated isolation) (*child, error) {
	folder, err := os.MkdirTemp(scratch, "child-*")
	if err != nil {
		return nil, err
	}
	c := &child{scratch: folder, words: &lastWords{}}
	if err := c.exec(config, isolated); err != nil {
		_ = os.RemoveAll(folder)
		return nil, err
	}
	if err := c.greet(ctx, config); err != nil {
		c.end()
		return nil, err
	}
	return c, nil
}

// exec starts the process with nothing but three pipes and a few harmless
// variables: secrets come in variables and descriptors.
func (c *child) exec(config Config, isolated isolation) error {
	childIn, stdin, err := os.Pipe()
	if err != nil {
		return err
	}
	defer childIn.Close()
	stdout, childOut, err := os.Pipe()
	if err != nil {
		stdin.Close()
		return err
	}
	defer childOut.Close()
	c.stdin, c.stdout = stdin, stdout
	widen(stdin, stdout)
	c.wire = newWire(stdout, stdin)

	c.cmd = exec.Command(config.Command[0], config.Command[1:]...)
	c.cmd.Dir = c.scratch
	c.cmd.Env = environment(c.scratch, config.Memory)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = childIn, childOut, c.words
	c.cmd.WaitDelay = time.Second // a grandchild may hold on to standard error
	isolated.apply(c.cmd)
	if err := c.cmd.Start(); err != nil {
		stdin.Close()
		stdout.Close()
		return err
	}
	return nil
}

// environment is all a child inherits. The collector runs twice as often as
// usual: children are many, and their garbage is what one document leaves.
func environment(scratch string, memory int64) []string {
	env := []string{
		"LANG=C.UTF-8", "TMPDIR=" + scratch, "TMP=" + scratch, "TEMP=" + scratch,
		"GOMAXPROCS=2", "GOGC=50", "OMP_THREAD_LIMIT=1", "GOTRACEBACK=single",
		fmt.Sprintf("GOMEMLIMIT=%d", memory*3/4),
	}
	for _, name := range []string{"PATH", "TESSDATA_PREFIX", "SystemRoot", "TZ"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

func (c *child) greet(ctx context.Context, config Config) error {
	limit := time.AfterFunc(config.Start, c.kill)
	defer limit.Stop()
	defer context.AfterFunc(ctx, c.kill)()
	err := c.wire.sendJSON(frameHandshake, Handshake{
		Key: config.Key, Settings: config.Settings,
		Scratch: c.scratch, Cache: config.Cache,
		Deadline: config.Deadline, MaxSize: config.MaxSize,
		Programs: config.Programs, Memory: config.Memory, Retire: config.Retire,
	})
	if err == nil {
		err = c.wire.out.Flush()
	}
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	kind, n, err := c.wire.next()
	if err != nil || kind != frameReady {
		return fmt.Errorf("child did not become ready: %w", errors.Join(err, ctx.Err()))
	}
	var r ready
	if err := c.wire.decode(n, &r); err != nil {
		return err
	}
	if r.Error != "" {
		return errors.New(r.Error)
	}
	c.protections = r.Protections
	return nil
}

// ask sends a document and waits for the answer. The limit counts from when
// the child has the whole document. A death is returned as such.
func (c *child) ask(ctx context.Context, doc inspect.Document, held *held, try attempt, limit time.Duration) (inspect.Result, error) {
	c.spent = true // until it answers
	stop := context.AfterFunc(ctx, c.kill)
	defer stop()
	err := c.tell(doc, held, try)
	var content contentError
	var broken unspeakable
	switch {
	case errors.As(err, &broken):
		return inspect.Result{}, broken
	case errors.As(err, &content):
		c.forget()
		return inspect.Result{}, fmt.Errorf("read content: %w", content.error)
	case errors.Is(err, errTooLarge):
		c.forget()
		return tooLarge(max(doc.Size, held.size())), nil
	case err != nil:
		return inspect.Result{}, c.died(false, 0)
	}
	var stalled atomic.Bool
	timer := time.AfterFunc(limit, func() { stalled.Store(true); c.kill() })
	defer timer.Stop()
	a, chars, err := c.listen(doc)
	if err != nil {
		var callers textError
		if errors.As(err, &callers) {
			return inspect.Result{}, callers.error
		}
		return inspect.Result{}, c.died(stalled.Load(), chars)
	}
	if a.Broken != "" {
		return inspect.Result{}, errors.New(a.Broken)
	}
	c.spent = a.Last
	return a.Result, nil
}

func (c *child) tell(doc inspect.Document, held *held, try attempt) error {
	err := c.wire.sendJSON(frameBegin, begin{
		Name: doc.Name, Path: doc.Path, Size: held.knownSize(doc.Size), OCR: doc.OCR, Options: doc.Options,
		Text:  doc.Text != nil && try.number == 0,
		Trace: try.number > 0, StopAfter: try.stopAfter,
	})
	if err != nil {
		return err
	}
	if err := held.send(c.wire); err != nil {
		return err
	}
	if err := c.wire.send(frameEnd, nil); err != nil {
		return err
	}
	return c.wire.out.Flush()
}

// forget tells the child that the document it has begun to get will not come.
func (c *child) forget() {
	err := c.wire.send(frameAbort, nil)
	if err == nil {
		err = c.wire.out.Flush()
	}
	c.spent = err != nil
}

// listen reads what the child says until its answer.
func (c *child) listen(doc inspect.Document) (a answer, chars int64, err error) {
	for {
		kind, n, err := c.wire.next()
		if err != nil {
			return answer{}, chars, err
		}
		switch kind {
		case frameProgress:
			if n != 8 {
				return answer{}, chars, errFrame
			}
			b, err := c.wire.payload(n)
			if err != nil {
				return answer{}, chars, err
			}
			chars = max(chars, int64(binary.BigEndian.Uint64(b)))
		case frameText:
			var part inspect.TextPart
			if doc.Text == nil {
				return answer{}, chars, errFrame
			}
			if err := c.wire.decode(n, &part); err != nil {
				return answer{}, chars, err
			}
			if err := doc.Text(part); err != nil {
				return answer{}, chars, textError{err}
			}
		case frameAnswer:
			if n > maxAnswer {
				return answer{}, chars, errFrame
			}
			err := c.wire.decode(n, &a)
			return a, chars, err
		default:
			return answer{}, chars, errFrame
		}
	}
}

// textError is an error of the caller's Text function.
type textError struct{ error }

// died buries the process and says what it died of.
func (c *child) died(stalled bool, chars int64) death {
	c.end()
	return death{stalled: stalled, memory: c.words.outOfMemory(), chars: chars}
}

// end kills the process and everything it started, and wipes its folder.
func (c *child) end() {
	c.gone.Do(func() {
		_ = c.stdin.Close()
		c.kill()
		_ = c.cmd.Wait()
		c.reaped.Store(true)
		_ = c.stdout.Close()
		_ = os.RemoveAll(c.scratch)
	})
}

// kill ends the process and its group at once.
func (c *child) kill() {
	if !c.reaped.Load() {
		killGroup(c.cmd.Process)
	}
}

// lastWords keeps the beginning of what a child writes to standard error, to
// learn what it died of. They are never shown: a panic may quote a document.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (l *lastWords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if room := 4096 - len(l.text); room > 0 {
		l.text = append(l.text, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func (l *lastWords) outOfMemory() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range []string{"out of memory", "cannot allocate memory", "pthread_create failed", "failed to create new OS thread"} {
		if bytes.Contains(l.text, []byte(w)) {
			return true
		}
	}
	return false
}
