package extract

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"
)

// Zip is a document that is a package of zipped parts, as OOXML and ODF are.
// A package without a directory (cut off while it was copied) is read by the
// headers of its parts.
type Zip struct {
	Parts []*ZipPart // in the order of the directory
	// Salvaged: the directory is missing; the last part may be cut off.
	Salvaged bool

	ctx      context.Context
	named    map[string]*ZipPart
	left     int64 // bytes that may still be inflated
	inflater io.ReadCloser
}

// ZipPart is one part of a Zip.
type ZipPart struct {
	Name      string // with slashes, without a leading one
	Encrypted bool
	open      func() (io.ReadCloser, error)
	zip       *Zip
}

// OpenZip reads the directory of in. It fails with ErrDamaged where there is
// no part at all, and with ErrLimit where there are more than Limits.Entries.
// What is inflated from all parts together is held to Limits.Inflate.
func OpenZip(ctx context.Context, in Input) (*Zip, error) {
	z := &Zip{ctx: ctx, left: in.Limits.Inflate}
	directory, err := zip.NewReader(in, in.Size)
	if err == nil {
		directory.RegisterDecompressor(zip.Deflate, z.inflate)
		if len(directory.File) > in.Limits.Entries {
			return nil, fmt.Errorf("zip: %d parts: %w", len(directory.File), ErrLimit)
		}
		for _, f := range directory.File {
			z.Parts = append(z.Parts, &ZipPart{partName(f.Name), f.Flags&1 != 0, f.Open, z})
		}
		return z, nil
	}
	return SalvageZip(ctx, in)
}

// SalvageZip is OpenZip for a package whose directory is missing or wrong: the
// parts are those that have headers.
func SalvageZip(ctx context.Context, in Input) (*Zip, error) {
	z := &Zip{ctx: ctx, left: in.Limits.Inflate}
	if err := z.salvage(ctx, in); err != nil {
		return nil, err
	}
	if len(z.Parts) == 0 {
		return nil, fmt.Errorf("zip: no directory and no parts: %w", ErrDamaged)
	}
	z.Salvaged = true
	return z, nil
}

func partName(name string) string {
	return strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "/")
}

// Part finds a part by its name, whatever its case, or returns nil.
func (z *Zip) Part(name string) *ZipPart {
	if z.named == nil {
		z.named = make(map[string]*ZipPart, len(z.Parts))
		for _, p := range slices.Backward(z.Parts) { // the first of a name counts
			z.named[strings.ToLower(p.Name)] = p
		}
	}
	return z.named[strings.ToLower(strings.TrimPrefix(name, "/"))]
}

// Open reads the part. A read fails with ErrDamaged, ErrLimit or the
// context's error; what was read before is good. The caller closes.
func (p *ZipPart) Open() (io.ReadCloser, error) {
	if p.Encrypted {
		return nil, fmt.Errorf("zip: part: %w", ErrEncrypted)
	}
	rc, err := p.open()
	if err != nil {
		return nil, fmt.Errorf("zip: open part: %w", ErrDamaged)
	}
	return &zipReader{rc, p.zip}, nil
}

// zipReader counts what is inflated and translates errors.
type zipReader struct {
	io.ReadCloser
	zip *Zip
}

func (r *zipReader) Read(p []byte) (int, error) {
	if err := r.zip.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.ReadCloser.Read(p)
	r.zip.left -= int64(n)
	switch {
	case r.zip.left < 0:
		return n, fmt.Errorf("zip: inflated size: %w", ErrLimit)
	case err != nil && !errors.Is(err, io.EOF):
		return n, fmt.Errorf("zip: inflate: %w", ErrDamaged)
	}
	return n, err
}

// inflate reuses the one decompressor of a package: parts are read one after
// the other, and its tables are large.
func (z *Zip) inflate(r io.Reader) io.ReadCloser {
	fr := z.inflater
	z.inflater = nil
	if fr == nil {
		fr = flate.NewReader(r)
	} else if err := fr.(flate.Resetter).Reset(r, nil); err != nil {
		fr = flate.NewReader(r)
	}
	return &pooledInflater{fr, z}
}

type pooledInflater struct {
	io.ReadCloser
	zip *Zip
}

func (p *pooledInflater) Read(b []byte) (int, error) {
	if p.ReadCloser == nil {
		return 0, errors.New("closed")
	}
	return p.ReadCloser.Read(b)
}

func (p *pooledInflater) Close() error {
	if p.ReadCloser == nil {
		return nil
	}
	p.zip.inflater, p.ReadCloser = p.ReadCloser, nil
	return nil
}

// salvage walks the local file headers (APPNOTE.TXT 4.3.7).
func (z *Zip) salvage(ctx context.Context, in Input) error {
	signature := []byte("PK\x03\x04")
	window := make([]byte, 256<<10)
	for at := int64(0); at < in.Size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, _ := in.ReadAt(window[:min(int64(len(window)), in.Size-at)], at)
		i := bytes.Index(window[:n], signature)
		if i < 0 {
			if n < len(window) {
				return nil
			}
			at += int64(n - len(signature) + 1)
			continue
		}
		at += int64(i)
		next, part := z.localPart(in, at)
		if part != nil {
			if len(z.Parts) >= in.Limits.Entries {
				return fmt.Errorf("zip: parts: %w", ErrLimit)
			}
			z.Parts = append(z.Parts, part)
		}
		at = next
	}
	return nil
}

// localPart reads the header at a signature, or nil if it is none, and says
// where to look on.
func (z *Zip) localPart(in Input, at int64) (next int64, part *ZipPart) {
	head := make([]byte, 30+512)
	n, _ := in.ReadAt(head, at)
	if n < 30 {
		return at + 4, nil
	}
	le := binary.LittleEndian
	flags, method, size := le.Uint16(head[6:]), le.Uint16(head[8:]), int64(le.Uint32(head[18:]))
	nameLen, extraLen := int(le.Uint16(head[26:])), int(le.Uint16(head[28:]))
	body := at + 30 + int64(nameLen+extraLen)
	if nameLen == 0 || nameLen > 512 || 30+nameLen > n || method != 0 && method != 8 || body > in.Size {
		return at + 4, nil
	}
	name := partName(string(head[30 : 30+nameLen]))
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return at + 4, nil
	}
	next, end := at+4, in.Size
	if flags&8 == 0 && body+size <= in.Size {
		next, end = body+size, body+size
	} else if method == 0 {
		return body, nil // stored without a length: it cannot be told where it ends
	}
	open := func() (io.ReadCloser, error) {
		raw := io.NewSectionReader(in, body, end-body)
		if method == 0 {
			return io.NopCloser(raw), nil
		}
		return z.inflate(raw), nil
	}
	return next, &ZipPart{name, flags&1 != 0, open, z}
}
