package iwork

import (
	"encoding/binary"
	"iter"
)

// field is one field of a message in Protocol Buffers.
type field struct {
	number  uint64
	integer uint64 // of a number
	value   []byte // of a string, bytes or message; nil for numbers
}

// fields walks a message until its end or to where it is damaged.
func fields(b []byte) iter.Seq[field] {
	return func(yield func(field) bool) {
		for len(b) > 0 {
			tag, n := varint(b)
			if n == 0 {
				return
			}
			b = b[n:]
			f := field{number: tag >> 3}
			size := 0
			switch tag & 7 {
			case 0:
				if f.integer, size = varint(b); size == 0 {
					return
				}
			case 1:
				size = 8
			case 5:
				size = 4
			case 2:
				length, n := varint(b)
				if n == 0 || length > uint64(len(b)-n) {
					return
				}
				size = n + int(length)
				f.value = b[n:size:size]
			default:
				return
			}
			if size > len(b) || !yield(f) {
				return
			}
			b = b[size:]
		}
	}
}

// varint returns a number and how many bytes it takes: none if it is damaged.
func varint(b []byte) (v uint64, n int) {
	v, n = binary.Uvarint(b)
	return v, max(n, 0)
}
