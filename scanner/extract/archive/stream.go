package archive

import (
	"archive/tar"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

// maxDictionary bounds the memory that a compressed file may ask for, in
// bytes; the strongest usual settings ask for 64 MiB.
const maxDictionary = 256 << 20

func gunzip(u *unpacking) error {
	r, err := gzip.NewReader(u.in.Reader())
	if err != nil {
		return fmt.Errorf("gzip: %w", extract.ErrDamaged)
	}
	name := baseName(u.in.Name)
	if name == u.in.Name && r.Name != "" {
		name = entryName(r.Name)
	}
	return u.file(name, r)
}

func bunzip2(u *unpacking) error {
	return u.file(baseName(u.in.Name), bzip2.NewReader(u.in.Reader()))
}

func unxz(u *unpacking) error {
	head := make([]byte, xzHead)
	n, _ := u.in.ReadAt(head, 0)
	if xzDictionary(head[:n]) > maxDictionary {
		return fmt.Errorf("xz: dictionary: %w", extract.ErrLimit)
	}
	r, err := xz.NewReader(u.in.Reader())
	if err != nil {
		return fmt.Errorf("xz: %w", extract.ErrDamaged)
	}
	return u.file(baseName(u.in.Name), r)
}

// xzHead is how much of an .xz file its first block's properties lie in.
const xzHead = 12 + 64

// xzDictionary is the size of dictionary that the first block asks for
// (the .xz file format, 3.1 and 5.3.1).
func xzDictionary(head []byte) int64 {
	i := bytes.Index(head[min(len(head), 12):], []byte{0x21, 0x01})
	if i < 0 || 12+i+2 >= len(head) {
		return 0
	}
	return lzma2Dictionary(head[12+i+2])
}

func lzma2Dictionary(code byte) int64 {
	if code > 40 {
		return 1 << 40
	}
	return int64(2|code&1) << (code/2 + 11)
}

func unzstd(u *unpacking) error {
	r, err := zstd.NewReader(u.in.Reader(), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxDictionary))
	if err != nil {
		return fmt.Errorf("zstd: %w", extract.ErrDamaged)
	}
	defer r.Close()
	return u.file(baseName(u.in.Name), r)
}

func unlz4(u *unpacking) error {
	return u.file(baseName(u.in.Name), lz4.NewReader(u.in.Reader()))
}

func untar(u *unpacking) error {
	r := tar.NewReader(u.in.Reader())
	for {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("tar: header: %w", extract.ErrDamaged)
		}
		name := entryName(h.Name)
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeGNUSparse || litter(name) {
			if err := u.ctx.Err(); err != nil {
				return err
			}
			continue
		}
		if err := u.next(); err != nil {
			return err
		}
		if err := u.file(name, r); err != nil {
			return err
		}
	}
}
