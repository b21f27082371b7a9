package ole

import (
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha1"
	"fmt"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// defaultPassword protects workbooks whose author asked for no password to
// open them: Excel tries it silently ([MS-OFFCRYPTO] 2.4.2.3).
const defaultPassword = "VelvetSweatshop"

// passwords are those to try, in their order.
func (d *document) passwords() []string {
	return append([]string{"", defaultPassword}, d.in.Passwords...)
}

// blockCipher decrypts a stream whose key changes every so many bytes.
type blockCipher struct {
	size  int64 // bytes of a block
	key   func(block uint32) []byte
	block int64
	pad   []byte // key stream of the block
}

// at decrypts b, which lies at this place of the stream.
func (c *blockCipher) at(b []byte, offset int64) {
	for i := range b {
		at := offset + int64(i)
		if c.pad == nil || at/c.size != c.block {
			c.block = at / c.size
			c.pad = make([]byte, c.size)
			if cipher, err := rc4.NewCipher(c.key(uint32(c.block))); err == nil {
				cipher.XORKeyStream(c.pad, c.pad)
			}
		}
		b[i] ^= c.pad[at%c.size]
	}
}

// decryptRecord decrypts a record of a workbook. Some are always plain, and of
// the list of sheets the positions are ([MS-XLS] 2.2.10).
func (c *blockCipher) decryptRecord(kind uint16, b []byte, offset int64) {
	switch kind {
	case 0x809, recordFilePass, 0x194, 0x195, 0x196, 0x138, 0xE1:
	case recordBoundSheet:
		if len(b) > 4 {
			c.at(b[4:], offset+4)
		}
	default:
		c.at(b, offset)
	}
}

// excelCipher finds the password of a workbook.
func (d *document) excelCipher(b []byte) (*blockCipher, error) {
	encrypted := fmt.Errorf("excel: %w", extract.ErrEncrypted)
	if len(b) < 2+4 || le.Uint16(b) != 1 {
		return nil, encrypted // XOR obfuscation
	}
	header := b[2:]
	if le.Uint16(header) == 1 && len(header) >= 4+48 {
		return d.rc4Cipher(header[4:52], 1024, encrypted)
	}
	return d.cryptoAPICipher(header, 1024, encrypted)
}

// rc4Cipher tries the passwords on 40-bit RC4 ([MS-OFFCRYPTO] 2.3.6): salt,
// verifier, and its hash.
func (d *document) rc4Cipher(header []byte, blockSize int64, encrypted error) (*blockCipher, error) {
	salt, verifier := header[:16], header[16:48]
	for _, password := range d.passwords() {
		h := md5.Sum(utf16Bytes(password))
		var repeated []byte
		for range 16 {
			repeated = append(append(repeated, h[:5]...), salt...)
		}
		h = md5.Sum(repeated)
		base := h[:5]
		key := func(block uint32) []byte {
			h := md5.Sum(le.AppendUint32(append([]byte(nil), base...), block))
			return h[:]
		}
		if verified(key(0), verifier, func(b []byte) []byte { h := md5.Sum(b); return h[:] }) {
			return &blockCipher{size: blockSize, key: key}, nil
		}
	}
	return nil, encrypted
}

// cryptoAPICipher tries the passwords on RC4 of CryptoAPI ([MS-OFFCRYPTO]
// 2.3.5).
func (d *document) cryptoAPICipher(b []byte, blockSize int64, encrypted error) (*blockCipher, error) {
	if len(b) < 12+32 || le.Uint16(b[2:]) != 2 {
		return nil, encrypted
	}
	size := int64(le.Uint32(b[8:]))
	if size < 32 || 12+size+4+16+16+4+20 > int64(len(b)) {
		return nil, encrypted
	}
	bits := le.Uint32(b[12+16:])
	verifier := b[12+size:]
	salt, check := verifier[4:20], append(append([]byte(nil), verifier[20:36]...), verifier[40:60]...)
	if bits == 0 {
		bits = 40
	}
	if bits > 128 || bits%8 != 0 || bits < 40 {
		return nil, encrypted
	}
	for _, password := range d.passwords() {
		base := sha1.Sum(append(append([]byte(nil), salt...), utf16Bytes(password)...))
		key := func(block uint32) []byte {
			h := sha1.Sum(le.AppendUint32(append([]byte(nil), base[:]...), block))
			if bits == 40 { // eleven bytes of zeroes follow
				return append(append([]byte(nil), h[:5]...), make([]byte, 11)...)
			}
			return h[:bits/8]
		}
		if verified(key(0), check, func(b []byte) []byte { h := sha1.Sum(b); return h[:] }) {
			return &blockCipher{size: blockSize, key: key}, nil
		}
	}
	return nil, encrypted
}

// verified decrypts a verifier of 16 bytes and its hash, and compares.
func verified(key, encrypted []byte, hash func([]byte) []byte) bool {
	cipher, err := rc4.NewCipher(key)
	if err != nil {
		return false
	}
	plain := make([]byte, len(encrypted))
	cipher.XORKeyStream(plain, encrypted)
	return string(hash(plain[:16])) == string(plain[16:])
}

// decryptWord decrypts the three streams of a Word document: blocks of 512
// bytes, the first 68 bytes of the main one plain ([MS-DOC] 2.2.6).
func (d *document) decryptWord(main, table0, table1 []byte, old bool) ([3][]byte, error) {
	encrypted := fmt.Errorf("word: %w", extract.ErrEncrypted)
	header := table0
	if le.Uint16(main[0x0A:])&0x0200 != 0 {
		header = table1
	}
	obfuscated := le.Uint16(main[0x0A:])&0x8000 != 0
	if old || obfuscated || len(header) < 52 {
		return [3][]byte{}, encrypted
	}
	var cipher *blockCipher
	var err error
	if le.Uint16(header) == 1 {
		cipher, err = d.rc4Cipher(header[4:52], 512, encrypted)
	} else {
		cipher, err = d.cryptoAPICipher(header, 512, encrypted)
	}
	if err != nil {
		return [3][]byte{}, err
	}
	var plain [3][]byte
	for i, b := range [][]byte{main, table0, table1} {
		plain[i] = append([]byte(nil), b...)
		cipher.pad = nil
		cipher.at(plain[i], 0)
	}
	copy(plain[0][:68], main[:68])
	return plain, nil
}

func utf16Bytes(s string) []byte {
	var b []byte
	for _, r := range s {
		if r > 0xFFFF {
			continue // no password of that age has one
		}
		b = le.AppendUint16(b, uint16(r))
	}
	return b
}
