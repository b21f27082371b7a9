package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// failed is a decompressor that could not begin.
func failed(err error) io.ReadCloser { return io.NopCloser(broken{err}) }

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// openLZMA reads zip's method 14 (APPNOTE.TXT 5.8): a version, the length of
// the properties, the properties, the data.
func openLZMA(r io.Reader) io.ReadCloser {
	var head [9]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || binary.LittleEndian.Uint16(head[2:]) != 5 {
		return failed(fmt.Errorf("lzma: properties: %w", extract.ErrDamaged))
	}
	source := &exhausted{r: bufio.NewReader(r)}
	content := newLZMA(head[4:9], []byte("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), source)
	return io.NopCloser(&ending{content, source})
}

// newLZMA reads the data after the properties of an LZMA stream.
func newLZMA(properties, size []byte, r io.Reader) io.ReadCloser {
	if binary.LittleEndian.Uint32(properties[1:]) > maxDictionary {
		return failed(fmt.Errorf("lzma: dictionary: %w", extract.ErrLimit))
	}
	content, err := lzma.NewReader(io.MultiReader(bytes.NewReader(properties), bytes.NewReader(size), r))
	if err != nil {
		return failed(fmt.Errorf("lzma: %w", extract.ErrDamaged))
	}
	return io.NopCloser(content)
}

// exhausted remembers that its end was reached.
type exhausted struct {
	r   *bufio.Reader
	end bool
}

func (e *exhausted) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.end = e.end || err != nil
	return n, err
}

// ending takes the end of the source for the end of the content: the mark of
// the end may be left out, and the archive's own sum tells whether all is there.
type ending struct {
	io.Reader
	source *exhausted
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if err != nil && e.source.end {
		err = io.EOF
	}
	return n, err
}

// openXZ reads zip's method 95.
func openXZ(r io.Reader) io.ReadCloser {
	buffered := bufio.NewReader(r)
	head, _ := buffered.Peek(xzHead) // as much as there is
	if xzDictionary(head) > maxDictionary {
		return failed(fmt.Errorf("xz: dictionary: %w", extract.ErrLimit))
	}
	content, err := xz.NewReader(buffered)
	if err != nil {
		return failed(fmt.Errorf("xz: %w", extract.ErrDamaged))
	}
	return io.NopCloser(content)
}

// unlzma reads a file of the old LZMA format: properties, size, data.
func unlzma(u *unpacking) error {
	var head [13]byte
	if _, err := u.in.ReadAt(head[:], 0); err != nil {
		return fmt.Errorf("lzma: head: %w", extract.ErrDamaged)
	}
	content := newLZMA(head[:5], head[5:], io.NewSectionReader(u.in, 13, u.in.Size-13))
	return u.file(baseName(u.in.Name), content)
}
