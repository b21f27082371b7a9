package smb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cloudsoda/go-smb2"

	"github.com/molnvakt/molnvakt/sources"
)

// readSize is what one request asks for; servers grant up to 8 MiB, and larger
// ones than this gain nothing but memory.
const readSize = 256 << 10

// Open implements sources.Source. The reader goes on where it was when the
// connection breaks.
func (s *Server) Open(ctx context.Context, item sources.Item) (io.ReadCloser, error) {
	r := &reading{ctx: ctx, server: s}
	r.share, r.rel = split(item.Path)
	if err := r.open(); err != nil {
		return nil, err
	}
	return r, nil
}

// reading is one file being read.
type reading struct {
	ctx        context.Context // of the Open: cancels the reads
	server     *Server
	share, rel string

	lease  *lease
	file   *smb2.File
	first  *smb2.FileStat // what the file was when it was first opened
	offset int64
	failed error // how the connection ended
	buf    []byte
	rest   []byte // of buf, not yet handed out
}

// open opens the file on a connection that works.
func (r *reading) open() error {
	for {
		l, err := r.server.pool.take(r.ctx)
		if err != nil {
			return err
		}
		err = r.openOn(l)
		if err == nil {
			return nil
		}
		stale := l.stale(err)
		err = l.end(err)
		if !stale {
			return err
		}
	}
}

func (r *reading) openOn(l *lease) error {
	share, err := l.share(r.share)
	if err != nil {
		return err
	}
	l.asking()
	defer l.resting()
	file, err := share.Open(windows(r.rel))
	if err != nil {
		return err
	}
	if err := r.same(file); err != nil {
		if answered(err) {
			file.Close()
		}
		return err
	}
	r.lease, r.file, r.failed = l, file, nil
	return nil
}

// same checks that the file is the one that was opened first.
func (r *reading) same(file *smb2.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*smb2.FileStat)
	switch {
	case !ok || info.IsDir():
		return fmt.Errorf("%w: no longer a file", sources.ErrGone)
	case r.first == nil:
		r.first = stat
	case version(stat) != version(r.first):
		return sources.ErrChanged
	}
	return nil
}

// Read implements io.Reader.
func (r *reading) Read(p []byte) (int, error) {
	if len(r.rest) > 0 {
		n := copy(p, r.rest)
		r.rest = r.rest[n:]
		return n, nil
	}
	left := r.first.EndOfFile - r.offset
	if left <= 0 {
		return 0, r.end()
	}
	if r.buf == nil {
		r.buf = make([]byte, min(readSize, left))
	}
	n, err := r.fill(r.buf[:min(int64(len(r.buf)), left)])
	r.offset += int64(n)
	r.rest = r.buf[:n]
	if n == 0 {
		return 0, err
	}
	return r.Read(p)
}

// fill reads from the offset, on a new connection if the old one broke.
func (r *reading) fill(into []byte) (int, error) {
	for try := 1; ; try++ {
		if r.file != nil {
			r.lease.asking()
			n, err := r.file.ReadAt(into, r.offset)
			r.lease.resting()
			switch {
			case n > 0:
				return n, nil
			case errors.Is(err, io.EOF):
				return 0, sources.ErrChanged // shorter than it was
			case err == nil:
				err = io.ErrNoProgress
			}
			r.failed = r.drop(err)
			if answered(err) {
				return 0, r.failed
			}
		}
		if r.ctx.Err() != nil {
			return 0, r.ctx.Err()
		}
		if try >= tries {
			return 0, r.failed
		}
		if err := r.server.wait(r.ctx, time.Duration(try)*time.Second); err != nil {
			return 0, err
		}
		if err := r.open(); errors.Is(err, sources.ErrUnavailable) {
			r.failed = err
		} else if err != nil {
			return 0, err
		}
	}
}

// end checks that what was read is one version. What was appended meanwhile
// belongs to the next one.
func (r *reading) end() error {
	if r.file == nil {
		return io.EOF
	}
	r.lease.asking()
	info, err := r.file.Stat()
	r.lease.resting()
	if err != nil {
		return r.drop(err)
	}
	now, ok := info.Sys().(*smb2.FileStat)
	appended := ok && now.EndOfFile > r.first.EndOfFile
	if ok && !appended && version(now) != version(r.first) {
		return sources.ErrChanged
	}
	return io.EOF
}

// drop gives the connection back after an error and names the error.
func (r *reading) drop(err error) error {
	if answered(err) {
		r.lease.asking()
		r.file.Close()
	}
	err = r.lease.end(err)
	r.lease, r.file = nil, nil
	return err
}

// Close implements io.Closer.
func (r *reading) Close() error {
	if r.file == nil {
		return nil
	}
	r.lease.asking()
	err := r.file.Close()
	_ = r.lease.end(err) // everything was read: a failing close loses nothing
	r.lease, r.file = nil, nil
	return nil
}
