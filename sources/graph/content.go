package graph

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/molnvakt/molnvakt/sources"
)

const (
	stall       = 60 * time.Second // without a byte, a download is broken off and resumed
	maxResumes  = 6                // in a row, without a byte gained
	discardSize = 64 << 10
)

// Open implements sources.Source. The content is streamed from the address
// that the service hands out for it, resumed when it breaks off, and compared
// with the published hash at its end: content that does not match fails the
// last Read with sources.ErrChanged if the document was changed meanwhile and
// with sources.ErrUnavailable if not.
func (s *Source) Open(ctx context.Context, item sources.Item) (io.ReadCloser, error) {
	driveID, id := splitID(item.ID)
	d := &download{source: s, ctx: ctx, drive: driveID, id: id, item: item, sum: NewQuickXor()}
	if err := d.begin(); err != nil {
		return nil, err
	}
	return d, nil
}

// download is the content of one document as it comes in.
type download struct {
	source    *Source
	ctx       context.Context // of Open: the reader lives no longer than the call that made it allows
	drive, id string
	item      sources.Item

	address string
	body    io.ReadCloser
	cancel  context.CancelFunc
	timer   *time.Timer
	etag    string // strong, of the first answer; "": none
	size    int64  // as the first answer said; -1: unknown
	packed  bool   // the answer is unpacked on the way, so it cannot be resumed in its middle
	offset  int64  // bytes handed out
	sum     hash.Hash
	failed  error
	idle    int // resumes in a row that gained nothing
}

// begin asks for the address and the first byte.
func (d *download) begin() error {
	d.size = -1
	for attempt := 1; ; attempt++ {
		err := d.locate()
		if err == nil {
			if err = d.connect(0); err == nil {
				return nil
			}
		}
		var refusal *Error
		if d.ctx.Err() != nil {
			return d.ctx.Err()
		}
		expired := errors.As(err, &refusal) && (refusal.Status == 401 || refusal.Status == 410) && attempt < 3
		if !expired && (!transient(err) || attempt >= maxAttempts) {
			return d.translate(err)
		}
		if err := sleep(d.ctx, d.source.governor.Failed(attempt)); err != nil {
			return err
		}
	}
}

// locate asks Graph for a fresh pre-authenticated address.
func (d *download) locate() (err error) {
	d.address, err = d.source.client.Content(d.ctx, d.drive, d.id)
	return err
}

// transient says whether asking again may help.
func transient(err error) bool {
	var refusal *Error
	if errors.As(err, &refusal) {
		return refusal.Status == 429 || refusal.Status >= 500 || refusal.Status == 408
	}
	return !errors.Is(err, sources.ErrRefused) && !errors.Is(err, sources.ErrChanged) && !errors.Is(err, sources.ErrUnavailable)
}

// translate says what a refused download means.
func (d *download) translate(err error) error {
	var refusal *Error
	if !errors.As(err, &refusal) {
		if transient(err) && d.ctx.Err() == nil {
			return fmt.Errorf("graph: %w", errors.Join(sources.ErrUnavailable, err))
		}
		return err
	}
	switch {
	case refusal.Virus, refusal.Is(sources.ErrMalware),
		refusal.Status == http.StatusForbidden && refusal.HTML,
		refusal.Status == http.StatusBadRequest && refusal.Empty:
		return fmt.Errorf("%w: %w", sources.ErrMalware, err)
	case refusal.Status == http.StatusGone:
		return fmt.Errorf("%w: %w", sources.ErrGone, err)
	case refusal.codeHas("notsupported"):
		return fmt.Errorf("%w: %w", sources.ErrUnsupported, err)
	}
	return err
}

// connect asks for the content from an offset on. An offset above zero is
// asked for on condition that the version is still the one that was begun.
func (d *download) connect(offset int64) error {
	done, err := d.source.governor.Wait(d.ctx, 0)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithCancel(d.ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.address, nil)
	if err != nil || req.URL.Scheme != "https" {
		cancel()
		return untrusted("the address of a download is none")
	}
	req.Header.Set("User-Agent", d.source.config.UserAgent())
	req.Header.Set("Accept", "*/*")
	req.Header.Set("Accept-Encoding", "identity")
	if offset > 0 && d.etag != "" && !d.packed {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
		req.Header.Set("If-Range", d.etag)
	}
	resp, err := d.source.download.Do(req)
	if err != nil {
		cancel()
		return withoutURL(err)
	}
	d.source.governor.Learn(resp)
	if resp.StatusCode >= 300 {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		resp.Body.Close()
		cancel()
		return newError(resp.StatusCode, resp.Header, body)
	}
	d.body, d.cancel = resp.Body, cancel
	d.timer = time.AfterFunc(stall, cancel)
	if err := d.accept(resp, offset); err != nil {
		d.hangUp()
		return err
	}
	return nil
}

// accept takes the answer only if it continues what was begun.
func (d *download) accept(resp *http.Response, offset int64) error {
	etag := resp.Header.Get("ETag")
	if strings.HasPrefix(etag, "W/") {
		etag = ""
	}
	if offset == 0 {
		d.etag, d.size = etag, resp.ContentLength
		return d.unpack(resp)
	}
	if d.etag != "" && etag != "" && etag != d.etag {
		return d.changed()
	}
	if resp.StatusCode == http.StatusPartialContent {
		start, total, ok := contentRange(resp.Header.Get("Content-Range"))
		if !ok || start != offset || d.size >= 0 && total >= 0 && total != d.size {
			return d.changed()
		}
		return nil
	}
	if d.size >= 0 && resp.ContentLength >= 0 && resp.ContentLength != d.size {
		return d.changed()
	}
	if err := d.unpack(resp); err != nil {
		return err
	}
	return d.skip(offset)
}

func (d *download) changed() error {
	return fmt.Errorf("graph: another version came when the download was resumed: %w", sources.ErrChanged)
}

// skip reads the whole content again up to the offset, and makes sure that it
// is what was handed out already.
func (d *download) skip(offset int64) error {
	again := NewQuickXor()
	buf := make([]byte, discardSize)
	for left := offset; left > 0; {
		n, err := d.body.Read(buf[:min(int64(len(buf)), left)])
		again.Write(buf[:n])
		d.timer.Reset(stall)
		left -= int64(n)
		if err != nil && left > 0 {
			if errors.Is(err, io.EOF) {
				return d.changed()
			}
			return err
		}
	}
	if !bytes.Equal(again.Sum(nil), d.sum.Sum(nil)) {
		return d.changed()
	}
	return nil
}

// unpack undoes a compression that was not asked for. An answer can say so
// falsely: it is unpacked only if it is packed and is not as long as the
// document is.
func (d *download) unpack(resp *http.Response) error {
	if !strings.Contains(strings.ToLower(resp.Header.Get("Content-Encoding")), "gzip") || resp.ContentLength == d.item.Size {
		return nil
	}
	body := resp.Body
	buffered := bufio.NewReader(body)
	if magic, _ := buffered.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		d.body = readCloser{buffered, body}
		return nil
	}
	z, err := gzip.NewReader(buffered)
	if err != nil {
		return err
	}
	d.body, d.packed, d.size = readCloser{z, body}, true, -1
	return nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// contentRange reads "bytes 100-199/1000"; total -1: not told.
func contentRange(h string) (start, total int64, ok bool) {
	rest, ok1 := strings.CutPrefix(strings.TrimSpace(h), "bytes ")
	span, size, ok2 := strings.Cut(rest, "/")
	first, _, ok3 := strings.Cut(span, "-")
	start, err := strconv.ParseInt(first, 10, 64)
	total, err2 := strconv.ParseInt(size, 10, 64)
	if err2 != nil {
		total = -1
	}
	return start, total, ok1 && ok2 && ok3 && err == nil
}

// Read implements io.Reader.
func (d *download) Read(p []byte) (int, error) {
	for {
		if d.failed != nil {
			return 0, d.failed
		}
		if err := d.ctx.Err(); err != nil {
			d.failed = err
			continue
		}
		d.timer.Reset(stall) // only while the service has to deliver
		n, err := d.body.Read(p)
		d.timer.Stop()
		if n > 0 {
			d.sum.Write(p[:n])
			d.offset += int64(n)
			d.idle = 0
			return n, nil // an error comes again
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && (d.size < 0 || d.offset == d.size):
			d.failed = d.verify()
		default:
			d.failed = d.resume(err)
		}
	}
}

// resume goes on after a break; it returns nil when there is more to read.
func (d *download) resume(cause error) error {
	d.hangUp()
	for {
		if d.ctx.Err() != nil {
			return d.ctx.Err()
		}
		if d.idle++; d.idle > maxResumes {
			return fmt.Errorf("graph: the download broke off at byte %d: %w", d.offset, errors.Join(sources.ErrUnavailable, cause))
		}
		if err := sleep(d.ctx, d.source.governor.Failed(d.idle)); err != nil {
			return err
		}
		err := d.connect(d.offset)
		var refusal *Error
		switch {
		case err == nil:
			return nil
		case errors.As(err, &refusal) && refusal.Status == http.StatusRequestedRangeNotSatisfiable:
			return d.changed()
		case errors.As(err, &refusal) && refusal.Status >= 400 && refusal.Status < 500 && refusal.Status != 429 && refusal.Status != 408:
			if cause = d.locate(); cause != nil && !transient(cause) { // the address lives for about an hour
				return d.translate(cause)
			}
		case !transient(err):
			return err
		default:
			cause = err
		}
	}
}

// verify compares what was read with what the service publishes about it. It
// returns io.EOF when all is well.
func (d *download) verify() error {
	if d.matches(d.item.ContentHash, d.item.Size) {
		return io.EOF
	}
	// Not the version that was listed: is it the current one?
	body, err := d.source.client.Item(d.ctx, d.drive, d.id)
	if err != nil {
		return fmt.Errorf("graph: after a download: %w", err)
	}
	now, ok := parseItem(body)
	if !ok {
		return untrusted("an item is not what is documented")
	}
	switch {
	case d.matches(now.Hash, now.Size):
		return io.EOF
	case now.version() != d.item.Version:
		return fmt.Errorf("graph: %w", sources.ErrChanged)
	}
	return fmt.Errorf("graph: the content does not match its published hash or size: %w", sources.ErrUnavailable)
}

// matches says whether what was read has this hash, or, where the service
// publishes none, this size.
func (d *download) matches(published string, size int64) bool {
	if want, ok := strings.CutPrefix(published, "quickxor:"); ok {
		return want == quickXorText(d.sum)
	}
	return d.offset == size
}

func (d *download) hangUp() {
	if d.timer != nil {
		d.timer.Stop()
	}
	if d.cancel != nil {
		d.cancel()
	}
	if d.body != nil {
		d.body.Close()
	}
}

// Close implements io.Closer.
func (d *download) Close() error {
	d.hangUp()
	if d.failed == nil {
		d.failed = errors.New("graph: read after close")
	}
	return nil
}
