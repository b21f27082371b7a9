package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/bodgit/sevenzip"
	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/ulikunitz/xz/lzma"
)

func un7z(u *unpacking) error {
	if dictionary7z(u.in) > maxDictionary {
		return fmt.Errorf("7z: dictionary: %w", extract.ErrLimit)
	}
	archive, err := open7z(u)
	if err != nil {
		return err
	}
	for _, f := range archive.File {
		name := entryName(f.Name)
		if f.FileInfo().IsDir() || litter(name) {
			continue
		}
		if err := u.next(); err != nil {
			return err
		}
		if err := u.entry7z(f, name); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacking) entry7z(f *sevenzip.File, name string) error {
	content, err := openEntry7z(f)
	if err != nil {
		return u.gap(name, reasonOf(err))
	}
	defer content.Close()
	// Whether a password is right shows when the first bytes are read.
	first := make([]byte, 1)
	n, err := content.Read(first)
	if err != nil && !errors.Is(err, io.EOF) {
		return u.gap(name, reasonOf(err))
	}
	return u.file(name, io.MultiReader(bytes.NewReader(first[:n]), content))
}

func openEntry7z(f *sevenzip.File) (io.ReadCloser, error) {
	var content io.ReadCloser
	err := guarded(func() (err error) {
		content, err = f.Open()
		return err
	})
	if err != nil {
		return nil, err
	}
	return guardedReader{content}, nil
}

// guarded calls the library, which panics over damaged headers and damaged
// PPMd. What it was about is dropped.
func guarded(call func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = extract.ErrDamaged
		}
	}()
	return call()
}

type guardedReader struct{ io.ReadCloser }

// Read implements io.Reader.
func (g guardedReader) Read(p []byte) (n int, err error) {
	err = guarded(func() (err error) {
		n, err = g.ReadCloser.Read(p)
		return err
	})
	return n, err
}

// open7z tries the passwords in turn; with the last one that opens the
// directory, entries may still be locked.
func open7z(u *unpacking) (*sevenzip.Reader, error) {
	var last error
	var opened *sevenzip.Reader
	for _, password := range append([]string{""}, u.in.Passwords...) {
		var archive *sevenzip.Reader
		err := guarded(func() (err error) {
			archive, err = sevenzip.NewReaderWithPassword(u.in, u.in.Size, password)
			return err
		})
		if err != nil {
			last = reasonOf(err)
			if !errors.Is(last, extract.ErrEncrypted) {
				break
			}
			continue
		}
		opened = archive
		if readable7z(archive) {
			break
		}
	}
	if opened == nil {
		return nil, last
	}
	return opened, nil
}

// readable7z says whether the first entry with content can be read.
func readable7z(archive *sevenzip.Reader) bool {
	for _, f := range archive.File {
		if f.FileInfo().IsDir() || f.UncompressedSize == 0 {
			continue
		}
		content, err := openEntry7z(f)
		if err != nil {
			return false
		}
		_, err = io.CopyN(io.Discard, content, min(int64(f.UncompressedSize), 1<<20))
		content.Close()
		return err == nil
	}
	return true
}

// reasonOf translates what the libraries of this package fail with.
func reasonOf(err error) error {
	var read7z *sevenzip.ReadError
	switch {
	case errors.As(err, &read7z) && read7z.Encrypted:
		return fmt.Errorf("7z: %w", extract.ErrEncrypted)
	case isLockedRAR(err):
		return fmt.Errorf("rar: %w", extract.ErrEncrypted)
	}
	return extract.Damaged(err)
}

// dictionary7z returns the largest dictionary that the coders of a 7z archive
// ask for, in bytes, or 0 where it cannot tell. The library would allot it
// unasked. (7zFormat.txt: SignatureHeader, EncodedHeader, Coders.)
func dictionary7z(in extract.Input) int64 {
	var start [32]byte
	if _, err := in.ReadAt(start[:], 0); err != nil {
		return 0
	}
	offset, size := int64(binary.LittleEndian.Uint64(start[12:])), int64(binary.LittleEndian.Uint64(start[20:]))
	if offset < 0 || size <= 0 || size > 16<<20 || offset > in.Size-32-size {
		return 0
	}
	header := make([]byte, size)
	if _, err := in.ReadAt(header, 32+offset); err != nil {
		return 0
	}
	largest := largestDictionary(header)
	if header[0] == 0x17 && largest <= maxDictionary {
		if plain := packedHeader7z(in, header); plain != nil {
			largest = max(largest, largestDictionary(plain))
		}
	}
	return largest
}

// largestDictionary looks for the coders' marks: flags and length of the
// method's number, the number, the length of its properties.
func largestDictionary(header []byte) (largest int64) {
	for _, coder := range []struct {
		mark []byte
		size func(properties []byte) int64
	}{
		{[]byte{0x23, 0x03, 0x01, 0x01, 0x05}, func(p []byte) int64 { return int64(binary.LittleEndian.Uint32(p[1:])) }}, // LZMA
		{[]byte{0x23, 0x03, 0x04, 0x01, 0x05}, func(p []byte) int64 { return int64(binary.LittleEndian.Uint32(p[1:])) }}, // PPMd
		{[]byte{0x21, 0x21, 0x01}, func(p []byte) int64 { return lzma2Dictionary(p[0]) }},
	} {
		for rest := header; ; {
			i := bytes.Index(rest, coder.mark)
			if i < 0 || len(rest) < i+len(coder.mark)+5 {
				break
			}
			rest = rest[i+len(coder.mark):]
			largest = max(largest, coder.size(rest))
		}
	}
	return largest
}

// packedHeader7z unpacks a header that is itself compressed by LZMA, as
// nearly all are, or returns nil.
func packedHeader7z(in extract.Input, header []byte) []byte {
	rest := header[1:]
	if len(rest) < 2 || rest[0] != 0x06 {
		return nil
	}
	rest = rest[1:]
	position, rest := number7z(rest)
	streams, rest := number7z(rest)
	if streams != 1 || len(rest) == 0 || rest[0] != 0x09 {
		return nil
	}
	packed, _ := number7z(rest[1:])
	mark := []byte{0x23, 0x03, 0x01, 0x01, 0x05}
	i := bytes.Index(header, mark)
	if i < 0 || len(header) < i+10 || packed > 16<<20 {
		return nil
	}
	properties := header[i+5 : i+10]
	unpacked := bytes.IndexByte(header[i+10:], 0x0C)
	if unpacked < 0 {
		return nil
	}
	length, _ := number7z(header[i+10+unpacked+1:])
	head := append(bytes.Clone(properties), make([]byte, 8)...)
	binary.LittleEndian.PutUint64(head[5:], length)
	if length > 64<<20 {
		return nil
	}
	r, err := lzma.ReaderConfig{DictCap: maxDictionary}.NewReader(io.MultiReader(bytes.NewReader(head), io.NewSectionReader(in, 32+int64(position), int64(packed))))
	if err != nil {
		return nil
	}
	plain, _ := io.ReadAll(io.LimitReader(r, 64<<20)) // what can be read is enough
	return plain
}

// number7z reads a number of one to nine bytes: the leading ones of the first
// say how many follow.
func number7z(b []byte) (uint64, []byte) {
	if len(b) == 0 {
		return 0, nil
	}
	first, mask, value := b[0], byte(0x80), uint64(0)
	b = b[1:]
	for i := range 8 {
		if first&mask == 0 {
			return value + uint64(first&(mask-1))<<(8*i), b
		}
		if len(b) == 0 {
			return 0, nil
		}
		value |= uint64(b[0]) << (8 * i)
		b, mask = b[1:], mask>>1
	}
	return value, b
}
