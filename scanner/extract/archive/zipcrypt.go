package archive

import (
	"archive/zip"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// decryptZip opens an encrypted entry with one of the passwords: the
// traditional encryption of PKWARE (APPNOTE.TXT 6) or WinZip's AES.
func (u *unpacking) decryptZip(f *zip.File) (io.ReadCloser, error) {
	offset, err := f.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("zip: entry: %w", extract.ErrDamaged)
	}
	raw := func() io.Reader { return io.NewSectionReader(u.in, offset, int64(f.CompressedSize64)) }
	for _, password := range append([]string{""}, u.in.Passwords...) {
		plain, method := decryptTraditional(raw(), f, password), f.Method
		if f.Method == 99 {
			plain, method = decryptAES(raw(), f, password)
		}
		if plain == nil {
			continue
		}
		open := inflater(method)
		if open == nil {
			return nil, fmt.Errorf("zip: compression method %d: %w", method, extract.ErrUnsupported)
		}
		return open(plain), nil
	}
	return nil, fmt.Errorf("zip: entry: %w", extract.ErrEncrypted)
}

// decryptTraditional returns nil if the password is wrong, or with a chance
// of 1 in 256 not even then; reading fails then.
func decryptTraditional(raw io.Reader, f *zip.File, password string) io.Reader {
	d := &traditional{raw: raw, keys: [3]uint32{0x12345678, 0x23456789, 0x34567890}}
	for _, c := range []byte(password) {
		d.update(c)
	}
	var head [12]byte
	if _, err := io.ReadFull(d, head[:]); err != nil {
		return nil
	}
	check := byte(f.CRC32 >> 24)
	if f.Flags&8 != 0 {
		check = byte(f.ModifiedTime >> 8) //nolint:staticcheck // the field of the header, not a time
	}
	if head[11] != check {
		return nil
	}
	return d
}

type traditional struct {
	raw  io.Reader
	keys [3]uint32
}

func (d *traditional) update(c byte) {
	step := func(crc uint32, c byte) uint32 { return crc32.IEEETable[byte(crc)^c] ^ crc>>8 }
	d.keys[0] = step(d.keys[0], c)
	d.keys[1] = (d.keys[1]+d.keys[0]&0xFF)*134775813 + 1
	d.keys[2] = step(d.keys[2], byte(d.keys[1]>>24))
}

// Read implements io.Reader.
func (d *traditional) Read(p []byte) (int, error) {
	n, err := d.raw.Read(p)
	for i, c := range p[:n] {
		t := d.keys[2] | 2
		p[i] = c ^ byte(t*(t^1)>>8)
		d.update(p[i])
	}
	return n, err
}

// decryptAES returns nil if the password is wrong, and the method with which
// the content is compressed (WinZip, AE-1 and AE-2). The authentication code
// at the end is left to the checks of the content.
func decryptAES(raw io.Reader, f *zip.File, password string) (io.Reader, uint16) {
	strength, method := aesExtra(f.Extra)
	if strength < 1 || strength > 3 {
		return nil, 0
	}
	keySize, saltSize := 8+8*strength, 4+4*strength
	head := make([]byte, saltSize+2)
	if _, err := io.ReadFull(raw, head); err != nil {
		return nil, 0
	}
	derived, err := pbkdf2.Key(sha1.New, password, head[:saltSize], 1000, 2*keySize+2)
	if err != nil || !bytes.Equal(derived[2*keySize:], head[saltSize:]) {
		return nil, 0
	}
	block, err := aes.NewCipher(derived[:keySize])
	if err != nil {
		return nil, 0
	}
	length := int64(f.CompressedSize64) - int64(saltSize) - 2 - 10
	return &littleEndianCTR{raw: io.LimitReader(raw, length), block: block, used: aes.BlockSize}, method
}

func aesExtra(extra []byte) (strength int, method uint16) {
	for len(extra) >= 4 {
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if 4+size > len(extra) {
			return 0, 0
		}
		if id == 0x9901 && size >= 7 {
			return int(extra[8]), binary.LittleEndian.Uint16(extra[9:])
		}
		extra = extra[4+size:]
	}
	return 0, 0
}

// littleEndianCTR is AES in counter mode with a counter that starts at 1 and
// whose first byte is the lowest.
type littleEndianCTR struct {
	raw     io.Reader
	block   cipher.Block
	counter [aes.BlockSize]byte
	pad     [aes.BlockSize]byte
	used    int
}

// Read implements io.Reader.
func (c *littleEndianCTR) Read(p []byte) (int, error) {
	n, err := c.raw.Read(p)
	for i := range p[:n] {
		if c.used == aes.BlockSize {
			for j := range c.counter {
				if c.counter[j]++; c.counter[j] != 0 {
					break
				}
			}
			c.block.Encrypt(c.pad[:], c.counter[:])
			c.used = 0
		}
		p[i] ^= c.pad[c.used]
		c.used++
	}
	return n, err
}
