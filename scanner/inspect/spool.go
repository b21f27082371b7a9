package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// errTooLarge means that content went past the size its spooling allowed.
var errTooLarge = &limitError{"size"}

// spooled is a document's content with random access: in memory, or in a file
// that has no name (where the system allows it) and is gone with its handle.
type spooled struct {
	io.ReaderAt
	size    int64
	release func()
}

// spool reads content to its end, at most limit bytes. What the document's
// share of memory cannot hold goes to a scratch file. size is a hint, -1 if
// unknown.
func (in *inspection) spool(content io.Reader, size, limit int64) (spooled, error) {
	if size > limit {
		return spooled{}, errTooLarge
	}
	buf := in.local.buffer()
	if size > in.memory {
		return in.toDisk(buf, content, limit)
	}
	if 0 < size && size <= in.memory {
		buf.Grow(int(size) + bytes.MinRead) // room for the read that meets EOF
	}
	n, err := buf.ReadFrom(io.LimitReader(content, min(in.memory, limit)+1))
	if err != nil {
		in.local.buffers.Put(buf)
		return spooled{}, err
	}
	switch {
	case n > limit:
		in.local.buffers.Put(buf)
		return spooled{}, errTooLarge
	case n > in.memory:
		return in.toDisk(buf, content, limit)
	}
	in.memory -= n
	return spooled{bytes.NewReader(buf.Bytes()), n, func() {
		in.memory += n
		in.local.buffers.Put(buf)
	}}, nil
}

// keptBuffer is the largest buffer worth keeping between documents.
const keptBuffer = 1 << 20

func (l *Local) buffer() *bytes.Buffer {
	if b, ok := l.buffers.Get().(*bytes.Buffer); ok && b.Cap() <= keptBuffer {
		b.Reset()
		return b
	}
	return new(bytes.Buffer)
}

func (in *inspection) toDisk(head *bytes.Buffer, rest io.Reader, limit int64) (spooled, error) {
	defer in.local.buffers.Put(head)
	if in.Scratch == "" {
		return spooled{}, &limitError{"memory"}
	}
	f, err := os.CreateTemp(in.Scratch, "document-*")
	if err != nil {
		return spooled{}, fmt.Errorf("scratch file: %w", err)
	}
	if runtime.GOOS != "windows" {
		_ = os.Remove(f.Name()) // nothing stays behind, whatever happens to this process
	}
	release := func() { _ = f.Close(); _ = os.Remove(f.Name()) }
	n, err := io.Copy(f, io.MultiReader(head, io.LimitReader(rest, limit+1-int64(head.Len()))))
	if err == nil && n > limit {
		err = errTooLarge
	}
	if err != nil {
		release()
		return spooled{}, err
	}
	return spooled{f, n, release}, nil
}

// limitError is an extract.ErrLimit that says which limit.
type limitError struct{ which string }

func (e *limitError) Error() string        { return e.which + ": " + extract.ErrLimit.Error() }
func (e *limitError) Is(target error) bool { return target == extract.ErrLimit }

// detail returns what a Gap may say about err: the limit's name, never an
// error's own words, which could quote the document.
func detail(err error) string {
	var l *limitError
	if errors.As(err, &l) {
		return l.which
	}
	return ""
}
