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

// Open implements sources.Source. The reader holds one of the connections
// until it is closed; it goes on where it was when the connection breaks.
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

	conn   *connection
	file   *smb2.File
	first  *smb2.FileStat // what the file was when it was first opened
	offset int64
	failed error // how the connection ended
	buf    []byte
	rest   []byte // of buf, not yet handed out
}

func (r *reading) open() error {
	c, err := r.server.pool.take(r.ctx)
	if err != nil {
		return err
	}
	fail := func(err error) error {
		r.server.pool.give(c, err)
		return translate(r.ctx, err)
	}
	share, err := c.share(r.ctx, r.share)
	if err != nil {
		return fail(err)
	}
	file, err := share.Open(windows(r.rel))
	if err != nil {
		return fail(err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return fail(err)
	}
	stat, ok := info.Sys().(*smb2.FileStat)
	if !ok || info.IsDir() {
		file.Close()
		return fail(fmt.Errorf("%w: no longer a file", sources.ErrGone))
	}
	if r.first == nil {
		r.first = stat
	} else if version(stat) != version(r.first) {
		file.Close()
		return fail(sources.ErrChanged)
	}
	r.conn, r.file, r.failed = c, file, nil
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
			n, err := r.file.ReadAt(into, r.offset)
			switch {
			case n > 0:
				return n, nil
			case errors.Is(err, io.EOF):
				return 0, sources.ErrChanged // shorter than it was
			case err == nil:
				err = io.ErrNoProgress
			}
			r.drop(err)
			if answered(err) {
				return 0, translate(r.ctx, err)
			}
		}
		if r.ctx.Err() != nil {
			return 0, r.ctx.Err()
		}
		if try >= tries {
			return 0, translate(r.ctx, r.failed)
		}
		if err := r.server.wait(r.ctx, time.Duration(try)*time.Second); err != nil {
			return 0, err
		}
		if err := r.open(); err != nil && !errors.Is(err, sources.ErrUnavailable) {
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
	info, err := r.file.Stat()
	if err != nil {
		r.drop(err)
		return translate(r.ctx, err)
	}
	now, ok := info.Sys().(*smb2.FileStat)
	appended := ok && now.EndOfFile > r.first.EndOfFile
	if ok && !appended && version(now) != version(r.first) {
		return sources.ErrChanged
	}
	return io.EOF
}

func (r *reading) drop(err error) {
	if r.conn == nil {
		return
	}
	if answered(err) {
		r.file.Close()
	}
	r.server.pool.give(r.conn, err)
	r.conn, r.file, r.failed = nil, nil, err
}

// Close implements io.Closer.
func (r *reading) Close() error {
	if r.conn == nil {
		return nil
	}
	err := r.file.Close()
	r.server.pool.give(r.conn, err)
	r.conn, r.file = nil, nil
	return nil
}
