package archive

import (
	"bufio"
	"errors"
	"io"
)

// Deflate64 is zip's method 9, in which Windows packs large files: Deflate
// (RFC 1951) with a window of 64 KiB, distances up to it, and lengths up to
// 65,538.

const (
	window64  = 64 << 10
	maxBits64 = 15
)

var errInflate64 = errors.New("deflate64: damaged")

// inflate64 decompresses a stream.
type inflate64 struct {
	r     *bufio.Reader
	bits  uint32
	count uint // of bits

	window [window64]byte
	filled int // bytes ever written
	read   int // bytes ever handed out

	length, distance int // of a copy under way
	stored           int // bytes left of a stored block
	inBlock, last    bool
	lengths          *huffman64 // nil in a stored block
	distances        *huffman64
	err              error
}

func newInflate64(r io.Reader) *inflate64 { return &inflate64{r: bufio.NewReader(r)} }

// Read implements io.Reader.
func (f *inflate64) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if f.read == f.filled {
			if f.err != nil {
				break
			}
			f.err = f.fill()
			continue
		}
		p[n] = f.window[f.read%window64]
		f.read++
		n++
	}
	if n == 0 && f.read == f.filled {
		return 0, f.err
	}
	return n, nil
}

// fill writes up to half a window; what is in it has been handed out.
func (f *inflate64) fill() error {
	for limit := f.filled + window64/2; f.filled < limit; {
		var err error
		switch {
		case f.length > 0:
			f.put(f.window[(f.filled-f.distance)%window64])
			f.length--
		case f.stored > 0:
			var b int
			if b, err = f.take(8); err == nil {
				f.put(byte(b))
				f.stored--
			}
		case f.inBlock && f.lengths == nil:
			f.inBlock = false
		case f.inBlock:
			err = f.symbol()
		case f.last:
			return io.EOF
		default:
			err = f.block()
		}
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *inflate64) put(b byte) {
	f.window[f.filled%window64] = b
	f.filled++
}

func (f *inflate64) take(n uint) (int, error) {
	for f.count < n {
		b, err := f.r.ReadByte()
		if err != nil {
			return 0, err
		}
		f.bits |= uint32(b) << f.count
		f.count += 8
	}
	v := int(f.bits & (1<<n - 1))
	f.bits >>= n
	f.count -= n
	return v, nil
}

// block begins a block.
func (f *inflate64) block() error {
	head, err := f.take(3)
	if err != nil {
		return err
	}
	f.last, f.inBlock = head&1 != 0, true
	switch head >> 1 {
	case 0:
		return f.storedBlock()
	case 1:
		return f.fixedBlock()
	case 2:
		return f.dynamicBlock()
	}
	return errInflate64
}

func (f *inflate64) storedBlock() error {
	f.lengths = nil
	f.bits, f.count = f.bits>>(f.count%8), f.count-f.count%8
	size, err := f.take(16)
	if err != nil {
		return err
	}
	check, err := f.take(16)
	if err != nil {
		return err
	}
	if size != check^0xFFFF {
		return errInflate64
	}
	f.stored = size
	return nil
}

func (f *inflate64) fixedBlock() error {
	var sizes [288 + 32]byte
	for i := range sizes {
		switch {
		case i < 144:
			sizes[i] = 8
		case i < 256:
			sizes[i] = 9
		case i < 280:
			sizes[i] = 7
		case i < 288:
			sizes[i] = 8
		default:
			sizes[i] = 5
		}
	}
	f.lengths, f.distances = newHuffman64(sizes[:288]), newHuffman64(sizes[288:])
	return nil
}

// codeOrder is the order in which the lengths of code lengths stand.
var codeOrder = [19]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

func (f *inflate64) dynamicBlock() error {
	counts, err := f.take(14)
	if err != nil {
		return err
	}
	literals, distances, codes := counts&31+257, counts>>5&31+1, counts>>10+4
	var order [19]byte
	for i := range codes {
		n, err := f.take(3)
		if err != nil {
			return err
		}
		order[codeOrder[i]] = byte(n)
	}
	sizes, err := f.sizes(newHuffman64(order[:]), literals+distances)
	if err != nil {
		return err
	}
	f.lengths, f.distances = newHuffman64(sizes[:literals]), newHuffman64(sizes[literals:])
	return nil
}

// sizes reads the lengths of n codes, which are themselves coded.
func (f *inflate64) sizes(code *huffman64, n int) ([]byte, error) {
	sizes := make([]byte, 0, n+138)
	for len(sizes) < n {
		symbol, err := f.decode(code)
		if err != nil {
			return nil, err
		}
		var value byte
		base, bits := 1, uint(0)
		switch symbol {
		case 16:
			if len(sizes) == 0 {
				return nil, errInflate64
			}
			value, base, bits = sizes[len(sizes)-1], 3, 2
		case 17:
			base, bits = 3, 3
		case 18:
			base, bits = 11, 7
		default:
			value = byte(symbol)
		}
		more, err := f.take(bits)
		if err != nil {
			return nil, err
		}
		for range base + more {
			sizes = append(sizes, value)
		}
	}
	if len(sizes) > n {
		return nil, errInflate64
	}
	return sizes, nil
}

// symbol acts on the next symbol of a block: a byte, its end, or a copy.
func (f *inflate64) symbol() error {
	s, err := f.decode(f.lengths)
	switch {
	case err != nil:
		return err
	case s < 256:
		f.put(byte(s))
		return nil
	case s == 256:
		f.inBlock = false
		return nil
	}
	base, bits := lengthCode64(s - 257)
	if base == 0 {
		return errInflate64
	}
	more, err := f.take(bits)
	if err != nil {
		return err
	}
	length := base + more
	if s, err = f.decode(f.distances); err != nil {
		return err
	}
	base, bits = distanceCode64(s)
	if more, err = f.take(bits); err != nil {
		return err
	}
	if base+more > f.filled {
		return errInflate64
	}
	f.length, f.distance = length, base+more
	return nil
}

// lengthCode64 is the smallest length of a code and how many bits are added
// to it; code 28 differs from Deflate's.
func lengthCode64(code int) (base int, bits uint) {
	switch {
	case code < 8:
		return code + 3, 0
	case code < 28:
		bits = uint(code/4 - 1)
		return 3 + (4+code%4)<<bits, bits
	case code == 28:
		return 3, 16
	}
	return 0, 0
}

func distanceCode64(code int) (base int, bits uint) {
	if code < 4 {
		return code + 1, 0
	}
	bits = uint(code/2 - 1)
	return 1 + (2+code%2)<<bits, bits
}

// huffman64 is a canonical prefix code.
type huffman64 struct {
	counts  [maxBits64 + 1]int // codes of each length
	symbols []uint16           // in the order of their codes
}

func newHuffman64(sizes []byte) *huffman64 {
	h := &huffman64{symbols: make([]uint16, len(sizes))}
	for _, n := range sizes {
		h.counts[n]++
	}
	h.counts[0] = 0
	var from [maxBits64 + 2]int
	for i, n := range h.counts {
		from[i+1] = from[i] + n
	}
	for symbol, n := range sizes {
		if n > 0 {
			h.symbols[from[n]] = uint16(symbol)
			from[n]++
		}
	}
	return h
}

// decode reads one code, bit by bit.
func (f *inflate64) decode(h *huffman64) (int, error) {
	code, first, index := 0, 0, 0
	for n := 1; n <= maxBits64; n++ {
		bit, err := f.take(1)
		if err != nil {
			return 0, err
		}
		code |= bit
		if count := h.counts[n]; code-first < count {
			return int(h.symbols[index+code-first]), nil
		}
		index += h.counts[n]
		first = (first + h.counts[n]) << 1
		code <<= 1
	}
	return 0, errInflate64
}
