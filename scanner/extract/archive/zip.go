package archive

import (
	"archive/zip"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/molnvakt/molnvakt/scanner/extract"
)

func unzip(u *unpacking) error {
	directory, err := zip.NewReader(u.in, u.in.Size)
	if err != nil || leavesOut(u.in, directory) {
		return unzipSalvaged(u)
	}
	for method := range uint16(100) {
		if open := inflater(method); open != nil && method != zip.Store {
			directory.RegisterDecompressor(method, open)
		}
	}
	directory.RegisterDecompressor(zip.Deflate, u.inflate)
	for _, f := range directory.File {
		name := zipName(f)
		if litter(name) {
			continue
		}
		if err := u.next(); err != nil {
			return err
		}
		if err := u.zipEntry(f, name); err != nil {
			return err
		}
	}
	return nil
}

// leavesOut tells whether the directory is not of the whole archive: it lists
// nothing, or not what the file begins with, as where two archives were joined.
func leavesOut(in extract.Input, directory *zip.Reader) bool {
	if len(directory.File) == 0 {
		return in.Size > int64(22+len(directory.Comment))
	}
	head := make([]byte, 30)
	if n, _ := in.ReadAt(head, 0); n < len(head) || string(head[:4]) != "PK\x03\x04" {
		return false
	}
	first := 30 + int64(binary.LittleEndian.Uint16(head[26:])) + int64(binary.LittleEndian.Uint16(head[28:]))
	for _, f := range directory.File {
		if at, err := f.DataOffset(); err != nil || at == first {
			return false // one that is broken says so itself
		}
	}
	return true
}

func (u *unpacking) zipEntry(f *zip.File, name string) error {
	content, err := u.openZipEntry(f)
	if err != nil {
		return u.gap(name, err)
	}
	defer content.Close()
	return u.file(name, content)
}

func (u *unpacking) openZipEntry(f *zip.File) (io.ReadCloser, error) {
	if f.Flags&1 != 0 {
		return u.decryptZip(f)
	}
	content, err := f.Open()
	switch {
	case errors.Is(err, zip.ErrAlgorithm):
		return nil, fmt.Errorf("zip: compression method %d: %w", f.Method, extract.ErrUnsupported)
	case err != nil:
		return nil, fmt.Errorf("zip: entry: %w", extract.ErrDamaged)
	}
	return content, nil
}

// unzipSalvaged reads an archive whose directory is missing or leaves entries
// out, as of a download that broke off.
func unzipSalvaged(u *unpacking) error {
	z, err := extract.SalvageZip(u.ctx, u.in)
	if err != nil {
		return err
	}
	for _, p := range z.Parts {
		name := entryName(p.Name)
		if litter(name) {
			continue
		}
		if err := u.next(); err != nil {
			return err
		}
		if err := u.salvaged(p, name); err != nil {
			return err
		}
	}
	return fmt.Errorf("zip: no directory: %w", extract.ErrDamaged)
}

func (u *unpacking) salvaged(p *extract.ZipPart, name string) error {
	content, err := p.Open()
	if err != nil {
		return u.gap(name, err)
	}
	defer content.Close()
	return u.file(name, content)
}

// inflate uses one decompressor for all entries: its tables are large, and
// they are read one after the other.
func (u *unpacking) inflate(r io.Reader) io.ReadCloser {
	fr := u.inflater
	u.inflater = nil
	if resetter, ok := fr.(flate.Resetter); !ok || resetter.Reset(r, nil) != nil {
		fr = flate.NewReader(r)
	}
	return &lentInflater{fr, u}
}

// lentInflater goes back where it came from when it is closed.
type lentInflater struct {
	io.ReadCloser
	u *unpacking
}

// Close implements io.Closer.
func (l *lentInflater) Close() error {
	if l.u != nil {
		l.u.inflater, l.u = l.ReadCloser, nil
	}
	return nil
}

// zipName prefers the Unicode name that Info-ZIP adds (APPNOTE.TXT 4.6.9);
// other names without the UTF-8 flag are in the code page of their time.
func zipName(f *zip.File) string {
	for extra := f.Extra; len(extra) >= 4; {
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if 4+size > len(extra) {
			break
		}
		if id == 0x7075 && size > 5 {
			return entryName(string(extra[9 : 4+size]))
		}
		extra = extra[4+size:]
	}
	return entryName(f.Name)
}

// inflater returns the decompressor of a zip method, or nil.
func inflater(method uint16) func(io.Reader) io.ReadCloser {
	switch method {
	case zip.Store:
		return io.NopCloser
	case zip.Deflate:
		return flate.NewReader
	case 12:
		return func(r io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(r)) }
	case 9:
		return func(r io.Reader) io.ReadCloser { return io.NopCloser(newInflate64(r)) }
	case 14:
		return openLZMA
	case 95:
		return openXZ
	case zstd.ZipMethodWinZip, zstd.ZipMethodPKWare:
		return zstd.ZipDecompressor(zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxDictionary))
	}
	return nil
}
