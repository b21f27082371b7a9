package picture

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// libheif, compiled to WebAssembly, decodes the photos of telephones: see
// libheif/README.md. A broken picture breaks only the memory of its instance,
// which is made for one picture and thrown away.
//
//go:embed libheif/heif.wasm.gz
var libheif []byte

const (
	// heifMemory bounds an instance, in pages of 64 KiB: 512 MiB.
	heifMemory = 8 << 10
	// heifLargest is the area, in pixels, of which an instance can hold the
	// several copies that decoding makes.
	heifLargest = 60e6
)

// heif decodes HEIC and HEIF. The zero value without a cache is ready.
type heif struct {
	cache string // folder of compiled code; "": none

	mu      sync.Mutex
	runtime wazero.Runtime
	code    wazero.CompiledModule
	memory  extract.LinearMemory
}

// compiled compiles the decoder, once: in hundredths of a second with a
// cache that is full, in a second without.
func (h *heif) compiled(ctx context.Context) (wazero.Runtime, wazero.CompiledModule, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.code != nil {
		return h.runtime, h.code, nil
	}
	c := wazero.NewRuntimeConfig().WithMemoryLimitPages(heifMemory)
	if h.cache != "" {
		if cache, err := wazero.NewCompilationCacheWithDir(h.cache); err == nil {
			c = c.WithCompilationCache(cache)
		}
	}
	wasm, err := gunzip(libheif)
	if err != nil {
		return nil, nil, fmt.Errorf("libheif: %w", err)
	}
	r := wazero.NewRuntimeWithConfig(ctx, c)
	code, err := r.CompileModule(ctx, wasm)
	if err == nil {
		_, err = wasi_snapshot_preview1.Instantiate(ctx, r)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("libheif: %w", errors.Join(err, r.Close(ctx)))
	}
	h.runtime, h.code = r, code
	debug.FreeOSMemory() // what compiling or the cache's file took
	return r, code, nil
}

func gunzip(b []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// fill compiles the decoder into the cache, unless that was done.
func (h *heif) fill(ctx context.Context) error {
	if h.cache == "" {
		return nil
	}
	mark := filepath.Join(h.cache, fmt.Sprintf("libheif-%x", heifBuild()))
	if _, err := os.Stat(mark); err == nil {
		return nil
	}
	if err := os.MkdirAll(h.cache, 0o700); err != nil {
		return fmt.Errorf("cache of compiled code: %w", err)
	}
	once := &heif{cache: h.cache}
	r, _, err := once.compiled(ctx)
	if err != nil {
		return err
	}
	if err := r.Close(ctx); err != nil {
		return fmt.Errorf("libheif: %w", err)
	}
	return os.WriteFile(mark, nil, 0o600)
}

// heifBuild names what the compiled code depends on.
func heifBuild() []byte {
	sum := sha256.New()
	sum.Write(libheif)
	fmt.Fprintln(sum, runtime.GOOS, runtime.GOARCH, runtime.Version())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if strings.HasSuffix(d.Path, "/wazero") {
				fmt.Fprintln(sum, d.Version)
			}
		}
	}
	return sum.Sum(nil)[:8]
}

// decode returns the main picture of the file in shades of grey, upright: the
// file itself says how it is turned.
func (h *heif) decode(ctx context.Context, in extract.Input) (*image.Gray, error) {
	if in.Size > heifMemory<<16/4 {
		return nil, fmt.Errorf("heif: %d bytes: %w", in.Size, extract.ErrLimit)
	}
	r, code, err := h.compiled(ctx)
	if err != nil {
		return nil, err
	}
	module, err := r.InstantiateModule(h.memory.In(ctx), code, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, fmt.Errorf("libheif: %w", err)
	}
	defer module.Close(ctx) //nolint:errcheck // its memory goes with it
	i := &heifInstance{module, ctx, 0}
	return i.decode(in)
}

// heifInstance is a decoder with memory of its own, for one picture.
type heifInstance struct {
	api.Module
	ctx  context.Context // of the one call that this lives in
	said uint32          // where the decoder writes what it says of the picture
}

// What the decoder says of a picture: five numbers of four bytes.
const (
	saysWidth = 4 * iota
	saysHeight
	saysColours
	saysChroma
	saysPremultiplied
	saysSize
)

// Colour spaces of libheif.
const (
	heifYCbCr      = 0
	heifRGB        = 1
	heifMonochrome = 2
)

const chromaNone = 0 // of libheif: brightness alone

func (i *heifInstance) decode(in extract.Input) (*image.Gray, error) {
	content, err := i.load(in)
	if err != nil {
		return nil, err
	}
	if i.said, err = i.malloc(saysSize); err != nil {
		return nil, err
	}
	const headerOnly, pixels = 1, 0
	if err := i.call(content, in.Size, headerOnly, 0); err != nil {
		return nil, err
	}
	w, height := uint64(i.says(saysWidth)), uint64(i.says(saysHeight))
	if w == 0 || height == 0 {
		return nil, errUndecoded
	}
	if float64(w)*float64(height) > heifLargest {
		return nil, fmt.Errorf("heif: %d × %d pixels: %w", w, height, extract.ErrLimit)
	}
	if i.says(saysColours) == heifYCbCr && i.says(saysChroma) == chromaNone {
		// Grey tiles of a larger picture: its heif.c asks for what cannot be.
		return nil, fmt.Errorf("heif: grey tiles: %w", extract.ErrUnsupported)
	}
	// Lines are as long as libheif makes them; more than is needed for each
	// kind of picture keeps its copying within bounds.
	stride := (w + 15) &^ 15
	room := uint64(3)
	if i.says(saysColours) == heifRGB {
		room = 4
	}
	out, err := i.malloc((stride + 64) * (height + 64) * room)
	if err != nil {
		return nil, err
	}
	if err := i.call(content, in.Size, pixels, out); err != nil {
		return nil, err
	}
	return i.picture(out, int(w), int(height)) //nolint:gosec // held to heifLargest
}

// load copies the file into the instance.
func (i *heifInstance) load(in extract.Input) (uint32, error) {
	at, err := i.malloc(uint64(in.Size)) //nolint:gosec // not negative
	if err != nil {
		return 0, err
	}
	memory, ok := i.Memory().Read(at, uint32(in.Size)) //nolint:gosec // held to the memory
	if !ok {
		return 0, errUndecoded
	}
	if _, err := io.ReadFull(in.Reader(), memory); err != nil {
		return 0, extract.Damaged(err)
	}
	return at, nil
}

func (i *heifInstance) malloc(size uint64) (uint32, error) {
	got, err := i.ExportedFunction("malloc").Call(i.ctx, size)
	if err != nil || got[0] == 0 {
		return 0, fmt.Errorf("heif: memory: %w", extract.ErrLimit)
	}
	return uint32(got[0]), nil //nolint:gosec // an address of 32 bits
}

// call decodes the header or the pixels. A trap or a refusal is a damaged
// picture, or one of a kind that libheif was built without.
func (i *heifInstance) call(content uint32, size int64, headerOnly uint64, out uint32) error {
	at := func(offset uint32) uint64 { return uint64(i.said + offset) }
	got, err := i.ExportedFunction("decode").Call(i.ctx, uint64(content), uint64(size), headerOnly, //nolint:gosec // not negative
		at(saysWidth), at(saysHeight), at(saysColours), at(saysChroma), at(saysPremultiplied), uint64(out))
	if err != nil || got[0] == 0 {
		return errUndecoded
	}
	return nil
}

func (i *heifInstance) says(what uint32) uint32 {
	v, _ := i.Memory().ReadUint32Le(i.said + what)
	return v
}

// picture takes the pixels out of the instance.
func (i *heifInstance) picture(at uint32, w, h int) (*image.Gray, error) {
	stride := (w + 15) &^ 15
	bounds := image.Rect(0, 0, w, h)
	switch i.says(saysColours) {
	case heifYCbCr, heifMonochrome: // brightness comes first
		pixels, ok := i.Memory().Read(at, uint32(stride*h)) //nolint:gosec // held to heifLargest
		if !ok {
			return nil, errUndecoded
		}
		return grey(&image.Gray{Pix: pixels, Stride: stride, Rect: bounds}), nil
	case heifRGB:
		stride = (4*w + 15) &^ 15
		pixels, ok := i.Memory().Read(at, uint32(stride*h)) //nolint:gosec // held to heifLargest
		if !ok {
			return nil, errUndecoded
		}
		return grey(&image.NRGBA{Pix: pixels, Stride: stride, Rect: bounds}), nil
	}
	return nil, fmt.Errorf("heif: colours: %w", extract.ErrUnsupported)
}
