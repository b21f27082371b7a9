package mail

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// Mbox reads a mailbox of messages one after the other (RFC 4155), whatever
// its size. Each message is handed on as a file.
type Mbox struct{}

var _ extract.Extractor = Mbox{}

// NewMbox returns the reader of mailboxes.
func NewMbox() Mbox { return Mbox{} }

// Name implements extract.Extractor.
func (Mbox) Name() string { return "mbox" }

// Version implements extract.Extractor.
func (Mbox) Version() int { return 1 }

// Accepts implements extract.Extractor.
func (Mbox) Accepts(_, mediaType string) bool { return mediaType == "application/mbox" }

// Extract implements extract.Extractor.
func (Mbox) Extract(ctx context.Context, in extract.Input, out extract.Sink) error {
	number, start := 0, int64(-1)
	message := func(end int64) error {
		if start < 0 {
			return ctx.Err()
		}
		if number++; number > in.Limits.Entries {
			return fmt.Errorf("mbox: messages: %w", extract.ErrLimit)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return out.File(extract.File{
			Name: "message " + strconv.Itoa(number) + ".eml", Role: extract.Entry, MediaType: "message/rfc822",
			Content: io.NewSectionReader(in, start, end-start),
		})
	}
	lines := bufio.NewReaderSize(in.Reader(), lineBuffer)
	lineStart, afterEmpty := true, true
	for at, n := int64(0), 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line, err := lines.ReadSlice('\n')
		if lineStart && afterEmpty && isFromLine(line) {
			if err := message(at); err != nil {
				return err
			}
			start = at + int64(len(line))
		}
		at += int64(len(line))
		afterEmpty = lineStart && len(bytes.TrimRight(line, "\r\n")) == 0
		lineStart = !errors.Is(err, bufio.ErrBufferFull)
		switch {
		case err == nil || !lineStart:
		case errors.Is(err, io.EOF):
			return message(at)
		default:
			return extract.Damaged(err)
		}
	}
}

// isFromLine tells "From someone Mon Oct  6 10:00:00 2025" from a sentence.
func isFromLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) && len(line) < 400 && bytes.Count(line, []byte(":")) >= 1 && bytes.ContainsAny(line, "0123456789")
}
