package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// uncompress reads .Z, as compress(1) of Unix writes it.
func uncompress(u *unpacking) error {
	r := bufio.NewReader(u.in.Reader())
	head := make([]byte, 3)
	if _, err := io.ReadFull(r, head); err != nil {
		return fmt.Errorf("compress: header: %w", extract.ErrDamaged)
	}
	widest := uint(head[2] & 0x1F)
	if widest < minWidth || widest > maxWidth {
		return fmt.Errorf("compress: codes of %d bits: %w", widest, extract.ErrDamaged)
	}
	return u.file(baseName(u.in.Name), newLZW(r, widest, head[2]&0x80 != 0))
}

const (
	minWidth, maxWidth = 9, 16
	clearCode          = 256
)

// lzw undoes the compression of Lempel, Ziv and Welch in compress's variant:
// codes of growing width, lowest bit first, in groups of eight that are filled
// up with nothing when the width changes.
type lzw struct {
	in     io.ByteReader
	widest uint
	clears bool // code 256 starts anew

	prefix [1 << maxWidth]uint16
	suffix [1 << maxWidth]byte
	next   int // code that the next string gets
	width  uint
	last   int // code before; -1 at the start
	first  byte

	bits  uint32
	have  uint
	taken uint // codes of the present group

	out   [1 << maxWidth]byte // what a code stands for, filled from its end
	ready []byte
	err   error
}

func newLZW(in io.ByteReader, widest uint, clears bool) *lzw {
	l := &lzw{in: in, widest: widest, clears: clears}
	l.restart()
	return l
}

func (l *lzw) restart() {
	l.next, l.width, l.last = 256, minWidth, -1
	if l.clears {
		l.next = clearCode + 1
	}
}

// Read implements io.Reader.
func (l *lzw) Read(p []byte) (int, error) {
	for len(l.ready) == 0 {
		if l.err != nil {
			return 0, l.err
		}
		l.err = l.step()
	}
	n := copy(p, l.ready)
	l.ready = l.ready[n:]
	return n, nil
}

// step reads a code and makes ready what it stands for.
func (l *lzw) step() error {
	code, err := l.code()
	if err != nil {
		return err
	}
	if code == clearCode && l.clears {
		if err := l.endGroup(); err != nil {
			return err
		}
		l.restart()
		return nil
	}
	if l.last < 0 {
		if code > 255 {
			return errLZW
		}
		l.last, l.first = code, byte(code)
		l.ready = append(l.ready[:0], byte(code))
		return nil
	}
	if code > l.next || code == l.next && l.next >= 1<<l.widest {
		return errLZW
	}
	at, c := len(l.out), code
	if code == l.next { // the string before and its first letter again
		at--
		l.out[at] = l.first
		c = l.last
	}
	for ; c > 255; c = int(l.prefix[c]) {
		at--
		l.out[at] = l.suffix[c]
	}
	at--
	l.out[at] = byte(c)
	l.first = byte(c)
	l.ready = l.out[at:]
	if l.next < 1<<l.widest {
		l.prefix[l.next], l.suffix[l.next] = uint16(l.last), l.first //nolint:gosec // at most 16 bits
		l.next++
		if l.next == 1<<l.width && l.width < max(l.widest, minWidth+1) { // of nine bits at most, compress writes ten
			if err := l.endGroup(); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			l.width++
		}
	}
	l.last = code
	return nil
}

var errLZW = fmt.Errorf("compress: a code that means nothing: %w", extract.ErrDamaged)

func (l *lzw) code() (int, error) {
	for l.have < l.width {
		b, err := l.in.ReadByte()
		if err != nil {
			return 0, err
		}
		l.bits |= uint32(b) << l.have
		l.have += 8
	}
	code := int(l.bits & (1<<l.width - 1))
	l.bits >>= l.width
	l.have -= l.width
	l.taken = (l.taken + 1) % 8
	return code, nil
}

// endGroup passes over the rest of a group of eight codes.
func (l *lzw) endGroup() error {
	for l.taken != 0 {
		if _, err := l.code(); err != nil {
			return err
		}
	}
	l.bits, l.have = 0, 0
	return nil
}
