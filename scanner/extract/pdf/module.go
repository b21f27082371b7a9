package pdf

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// module is PDFium compiled; instances of it have memory of their own.
type module struct{ pool pdfium.Pool }

// memoryPages bounds what one instance may hold, in pages of 64 KiB: 1 GiB.
const memoryPages = 16 << 10

// instances bounds how many documents one process reads at once.
const instances = 16

// compile makes PDFium ready to run: in tenths of a second with the cache, in
// seconds without. A cache that cannot be written is read all the same.
func compile(cache string, memory *extract.LinearMemory) (*module, error) {
	defer debug.FreeOSMemory() // what compiling or the cache's file took
	if cache != "" {
		if m, err := compileWith(cache, memory); err == nil {
			return m, nil
		}
	}
	return compileWith("", memory)
}

func compileWith(cache string, memory *extract.LinearMemory) (*module, error) {
	c := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
		WithMemoryLimitPages(memoryPages)
	if cache != "" {
		compiled, err := wazero.NewCompilationCacheWithDir(cache)
		if err != nil {
			return nil, fmt.Errorf("cache of compiled code: %w", err)
		}
		c = c.WithCompilationCache(compiled)
	}
	pool, err := webassembly.Init(webassembly.Config{
		MaxIdle: instances, MaxTotal: instances, ReuseWorkers: true,
		FSConfig:      wazero.NewFSConfig(), // nothing: the default is /
		RuntimeConfig: c,
		Context:       memory.In(context.Background()), // of instances, which outlive a document
		Stdout:        io.Discard, Stderr: io.Discard,
	})
	if err != nil {
		return nil, fmt.Errorf("start PDFium: %w", err)
	}
	return &module{pool}, nil
}

// engine is one instance of PDFium, for one document at a time.
type engine struct {
	pdfium.Pdfium
	documents int
	bytes     int64
}

// worn tells whether engines have held so much that their memory, which never
// shrinks, is better given back.
func (r *Reader) worn(e *engine) bool {
	return e.documents >= 500 || e.bytes >= 64<<20 || r.memory.Held() >= 64<<20
}

// take returns an engine that is free, or a new one.
func (r *Reader) take() (*engine, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.idle); n > 0 {
		e := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return e, nil
	}
	if r.module == nil {
		m, err := compile(r.config.Cache, &r.memory)
		if err != nil {
			return nil, err
		}
		r.module = m
	}
	instance, err := r.module.pool.GetInstance(time.Minute)
	if err != nil {
		return nil, fmt.Errorf("start PDFium: %w", err)
	}
	return &engine{Pdfium: instance}, nil
}

// give takes an engine back. One that is not fit any more is thrown away with
// its memory.
func (r *Reader) give(e *engine, fit bool) {
	if !fit || r.worn(e) {
		_ = e.Kill()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, e)
}

// Close ends the engines. The Reader may be used again.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = nil
	if r.module == nil {
		return nil
	}
	err := r.module.pool.Close()
	r.module = nil
	return err
}

// Prepare implements extract.Preparer: it fills the cache, unless it is full
// already.
func (r *Reader) Prepare(ctx context.Context) error {
	if r.config.Cache == "" || r.config.Engine == Ledongthuc {
		return nil
	}
	mark := filepath.Join(r.config.Cache, "pdfium-"+build())
	if _, err := os.Stat(mark); err == nil {
		return nil
	}
	if err := os.MkdirAll(r.config.Cache, 0o700); err != nil {
		return fmt.Errorf("cache of compiled code: %w", err)
	}
	m, err := compileWith(r.config.Cache, &r.memory)
	if err != nil {
		return err
	}
	if err := m.pool.Close(); err != nil {
		return fmt.Errorf("stop PDFium: %w", err)
	}
	debug.FreeOSMemory() // the compiler took hundreds of megabytes
	if err := ctx.Err(); err != nil {
		return err
	}
	return os.WriteFile(mark, nil, 0o600)
}

// build names what the compiled code depends on: another version of PDFium or
// its runtime compiles anew.
func build() string {
	h := sha256.New()
	fmt.Fprintln(h, runtime.GOOS, runtime.GOARCH, runtime.Version())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if strings.HasSuffix(d.Path, "/wazero") || strings.HasSuffix(d.Path, "/go-pdfium") {
				fmt.Fprintln(h, d.Path, d.Version)
			}
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}
