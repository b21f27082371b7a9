// Package archive opens archives and compressed files: ZIP, 7z, RAR, TAR, images
// of discs, GZ, BZ2, XZ, LZMA, ZST, LZ4 and Z. It reads no text itself: every entry is handed on as
// a file.
package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Extractor opens archives. An entry that cannot be read is a gap, the rest
// goes on; where nothing can be read for want of a password, the archive as a
// whole is encrypted. Content that is damaged is handed on as far as it can be
// read.
type Extractor struct{}

var _ extract.Extractor = Extractor{}

// New returns the reader of archives.
func New() Extractor { return Extractor{} }

// Name implements extract.Extractor.
func (Extractor) Name() string { return "archive" }

// Version implements extract.Extractor.
func (Extractor) Version() int { return 3 }

// Accepts implements extract.Extractor.
func (Extractor) Accepts(_, mediaType string) bool { return opener(mediaType) != nil }

// Extract implements extract.Extractor.
func (Extractor) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	open := opener(in.MediaType)
	if open == nil {
		return fmt.Errorf("archive: %s: %w", in.MediaType, extract.ErrUnsupported)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	u := &unpacking{ctx: ctx, in: in, out: out, left: in.Limits.Inflate}
	if err := open(u); err != nil {
		return err
	}
	if u.entries > 0 && u.locked == u.entries {
		return fmt.Errorf("archive: every entry: %w", extract.ErrEncrypted)
	}
	return ctx.Err()
}

func opener(mediaType string) func(*unpacking) error {
	switch mediaType {
	case "application/zip", "application/epub+zip":
		return unzip
	case "application/x-7z-compressed":
		return un7z
	case "application/vnd.rar":
		return unrar
	case "application/x-tar":
		return untar
	case "application/gzip":
		return gunzip
	case "application/x-bzip2":
		return bunzip2
	case "application/x-xz":
		return unxz
	case "application/zstd":
		return unzstd
	case "application/x-lzma":
		return unlzma
	case "application/x-lz4":
		return unlz4
	case "application/x-compress":
		return uncompress
	case "application/x-iso9660-image":
		return uniso
	}
	return nil
}

// unpacking is one archive being opened.
type unpacking struct {
	ctx     context.Context
	in      extract.Input
	out     extract.Sink
	left    int64 // bytes that may still come out
	entries int   // seen so far
	locked  int   // of which for want of a password

	inflater io.ReadCloser // lent to one entry at a time
}

// maxGaps is how many unreadable entries are named one by one.
const maxGaps = 100

// next counts an entry and says whether there may be another.
func (u *unpacking) next() error {
	if u.entries++; u.in.Limits.Entries > 0 && u.entries > u.in.Limits.Entries {
		return fmt.Errorf("archive: entries: %w", extract.ErrLimit)
	}
	return u.ctx.Err()
}

// gap notes an entry that cannot be read.
func (u *unpacking) gap(name string, reason error) error {
	if errors.Is(reason, extract.ErrLimit) || u.ctx.Err() != nil {
		return reason
	}
	if errors.Is(reason, extract.ErrEncrypted) {
		if u.locked++; u.locked > maxGaps {
			return nil
		}
	}
	return u.out.Gap(name, reason)
}

// file hands on an entry's content.
func (u *unpacking) file(name string, content io.Reader) error {
	counted := &countedReader{r: content, u: u}
	if err := u.out.File(extract.File{Name: name, Role: extract.Entry, Content: counted}); err != nil {
		return err
	}
	if counted.broken != nil {
		return u.gap(name, counted.broken)
	}
	return u.ctx.Err()
}

// countedReader holds what comes out to the limit. Content that is damaged
// just ends, so that its Sink reads what there is; why it ended is kept.
type countedReader struct {
	r      io.Reader
	u      *unpacking
	err    error // what every further Read returns
	broken error // why the content is not whole
}

// Read implements io.Reader.
func (c *countedReader) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if err := c.u.ctx.Err(); err != nil {
		c.err = err
		return 0, err
	}
	n, err := c.r.Read(p)
	c.u.left -= int64(n)
	switch {
	case c.u.left < 0:
		c.err = fmt.Errorf("archive: inflated size: %w", extract.ErrLimit)
		c.broken = c.err
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		c.err = io.EOF
	case err != nil:
		c.err, c.broken = io.EOF, reasonOf(err)
	}
	return n, c.err
}

// entryName makes of an archive's own path one that is UTF-8 and has slashes.
func entryName(name string) string {
	return strings.TrimLeft(strings.ReplaceAll(extract.DecodeText([]byte(name), ""), `\`, "/"), "/")
}

// litter is what systems leave in archives by themselves.
func litter(name string) bool {
	return strings.HasPrefix(name, "__MACOSX/") || strings.HasSuffix(name, ".DS_Store") || strings.HasSuffix(name, "/")
}

// baseName is the name of what a compressed file holds: brev.txt of
// brev.txt.gz, säkerhet.tar of säkerhet.tgz.
func baseName(name string) string {
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 {
		return name
	}
	switch strings.ToLower(name[dot+1:]) {
	case "tgz", "tbz", "tbz2", "txz", "tzst", "taz":
		return name[:dot] + ".tar"
	case "gz", "bz2", "bz", "xz", "lzma", "zst", "zstd", "z", "lz4":
		return name[:dot]
	}
	return name
}
