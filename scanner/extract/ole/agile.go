package ole

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// decryptPackage opens an OOXML document that lies encrypted in a compound
// file, and hands it over as a file ([MS-OFFCRYPTO] 2.3.4).
func (d *document) decryptPackage() error {
	encrypted := fmt.Errorf("ooxml: %w", extract.ErrEncrypted)
	info := d.file.find("", "EncryptionInfo").bytes()
	content := d.file.find("", "EncryptedPackage")
	if len(info) < 8 {
		return encrypted
	}
	size := make([]byte, 8)
	if n, _ := content.ReadAt(size, 0); n < 8 {
		return fmt.Errorf("ooxml: encrypted package: %w", extract.ErrDamaged)
	}
	length := int64(min(le.Uint64(size), uint64(max(0, content.size-8))))
	body := io.NewSectionReader(content, 8, content.size-8)
	var plain io.Reader
	var err error
	if le.Uint16(info) == 4 && le.Uint16(info[2:]) == 4 {
		plain, err = d.agile(info[8:], body)
	} else {
		plain, err = d.standard(info, body)
	}
	if err != nil {
		return err
	}
	if plain == nil {
		return encrypted
	}
	d.flow.File(extract.File{Name: d.in.Name, Role: extract.Embedded, Content: io.LimitReader(plain, length)})
	return d.flow.Err()
}

// agileInfo is the part of the encryption's description that is needed.
type agileInfo struct {
	KeyData agileKey `xml:"keyData"`
	Keys    []struct {
		Encrypted struct {
			agileKey
			SpinCount int    `xml:"spinCount,attr"`
			Input     string `xml:"encryptedVerifierHashInput,attr"`
			Value     string `xml:"encryptedVerifierHashValue,attr"`
			Key       string `xml:"encryptedKeyValue,attr"`
		} `xml:"encryptedKey"`
	} `xml:"keyEncryptors>keyEncryptor"`
}

type agileKey struct {
	Salt      string `xml:"saltValue,attr"`
	KeyBits   int    `xml:"keyBits,attr"`
	BlockSize int    `xml:"blockSize,attr"`
	Hash      string `xml:"hashAlgorithm,attr"`
	Cipher    string `xml:"cipherAlgorithm,attr"`
	Chaining  string `xml:"cipherChaining,attr"`
}

// usable: AES in the one mode that programs write.
func (k agileKey) usable() bool {
	return k.Cipher == "AES" && k.Chaining == "ChainingModeCBC" && k.BlockSize == aes.BlockSize &&
		(k.KeyBits == 128 || k.KeyBits == 192 || k.KeyBits == 256) && newHash(k.Hash) != nil
}

func newHash(name string) func() hash.Hash {
	return map[string]func() hash.Hash{
		"SHA1": sha1.New, "SHA-1": sha1.New, "SHA256": sha256.New, "SHA384": sha512.New384, "SHA512": sha512.New,
	}[name]
}

// mostSpins bounds the work for one password; programs write 100,000.
const mostSpins = 1_000_000

// agile tries the passwords on agile encryption. It returns nil where none
// fits or the encryption is of an unknown kind.
func (d *document) agile(description []byte, body io.Reader) (io.Reader, error) {
	var info agileInfo
	if xml.Unmarshal(description, &info) != nil || !info.KeyData.usable() {
		return nil, nil
	}
	for _, encryptor := range info.Keys {
		e := encryptor.Encrypted
		if !e.usable() || e.SpinCount < 0 || e.SpinCount > mostSpins {
			continue
		}
		for _, password := range d.passwords()[1:] { // Office knows no empty one
			if err := d.ctx.Err(); err != nil {
				return nil, err
			}
			newHash := newHash(e.Hash)
			h := spin(newHash, unbase64(e.Salt), password, e.SpinCount)
			open := func(value, block string) []byte {
				return cbc(fit(sum(newHash, h, unhex(block)), e.KeyBits/8, 0x36), fit(unbase64(e.Salt), 16, 0x36), unbase64(value))
			}
			input, value := open(e.Input, "fea7d2763b4b9e79"), open(e.Value, "d7aa0f6d3061344e")
			want := sum(newHash, input[:min(len(input), len(unbase64(e.Salt)))])
			if len(value) < len(want) || !bytes.Equal(value[:len(want)], want) {
				continue
			}
			key := open(e.Key, "146e0be7abacd0d6")
			if len(key) < info.KeyData.KeyBits/8 {
				return nil, nil
			}
			return &agileReader{r: body, key: key[:info.KeyData.KeyBits/8], info: info.KeyData}, nil
		}
	}
	return nil, nil
}

// agileReader decrypts segments of 4096 bytes, each with its own start vector.
type agileReader struct {
	r       io.Reader
	key     []byte
	info    agileKey
	segment uint32
	plain   []byte
}

func (a *agileReader) Read(p []byte) (int, error) {
	if len(a.plain) == 0 {
		b := make([]byte, 4096)
		n, err := io.ReadFull(a.r, b)
		if n -= n % aes.BlockSize; n == 0 {
			if errors.Is(err, io.ErrUnexpectedEOF) || err == nil {
				err = io.EOF
			}
			return 0, err
		}
		number := le.AppendUint32(nil, a.segment)
		a.segment++
		a.plain = cbc(a.key, fit(sum(newHash(a.info.Hash), unbase64(a.info.Salt), number), 16, 0x36), b[:n])
	}
	n := copy(p, a.plain)
	a.plain = a.plain[n:]
	return n, nil
}

// standard tries the passwords on the encryption of Office 2007: AES-128 in
// ECB mode ([MS-OFFCRYPTO] 2.3.4.5 to 2.3.4.9).
func (d *document) standard(info []byte, body io.Reader) (io.Reader, error) {
	if len(info) < 12 || le.Uint16(info[2:]) != 2 {
		return nil, nil
	}
	size := int64(le.Uint32(info[8:]))
	if size < 32 || 12+size+4+16+16+4+32 > int64(len(info)) {
		return nil, nil
	}
	keySize := int(le.Uint32(info[12+16:])) / 8
	if keySize != 16 && keySize != 24 && keySize != 32 {
		return nil, nil
	}
	verifier := info[12+size:]
	salt, check, checkHash := verifier[4:20], verifier[20:36], verifier[40:72]
	for _, password := range d.passwords()[1:] {
		if err := d.ctx.Err(); err != nil {
			return nil, err
		}
		h := sum(sha1.New, spin(sha1.New, salt, password, 50_000), []byte{0, 0, 0, 0})
		x1, x2 := bytes.Repeat([]byte{0x36}, 64), bytes.Repeat([]byte{0x5C}, 64)
		for i := range h {
			x1[i] ^= h[i]
			x2[i] ^= h[i]
		}
		key := append(sum(sha1.New, x1), sum(sha1.New, x2)...)[:keySize]
		if bytes.Equal(ecb(key, checkHash)[:20], sum(sha1.New, ecb(key, check))) {
			return &standardReader{r: body, key: key}, nil
		}
	}
	return nil, nil
}

type standardReader struct {
	r     io.Reader
	key   []byte
	plain []byte
}

func (s *standardReader) Read(p []byte) (int, error) {
	if len(s.plain) == 0 {
		b := make([]byte, 4096)
		n, err := io.ReadFull(s.r, b)
		if n -= n % aes.BlockSize; n == 0 {
			if errors.Is(err, io.ErrUnexpectedEOF) || err == nil {
				err = io.EOF
			}
			return 0, err
		}
		s.plain = ecb(s.key, b[:n])
	}
	n := copy(p, s.plain)
	s.plain = s.plain[n:]
	return n, nil
}

// spin makes a password expensive to guess.
func spin(newHash func() hash.Hash, salt []byte, password string, count int) []byte {
	// The count and, behind it, the hash so far: one write for each turn.
	turn := append(make([]byte, 4), sum(newHash, salt, utf16Bytes(password))...)
	hasher := newHash()
	for i := range count {
		le.PutUint32(turn, uint32(i))
		hasher.Reset()
		hasher.Write(turn)
		turn = hasher.Sum(turn[:4])
	}
	return turn[4:]
}

func sum(newHash func() hash.Hash, parts ...[]byte) []byte {
	h := newHash()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// fit cuts or fills a key to its length.
func fit(b []byte, size int, filler byte) []byte {
	b = append([]byte(nil), b[:min(len(b), size)]...)
	for len(b) < size {
		b = append(b, filler)
	}
	return b
}

func cbc(key, start, b []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	plain := make([]byte, len(b)-len(b)%aes.BlockSize)
	cipher.NewCBCDecrypter(block, start).CryptBlocks(plain, b[:len(plain)])
	return plain
}

func ecb(key, b []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		return make([]byte, len(b))
	}
	plain := make([]byte, len(b)-len(b)%aes.BlockSize)
	for i := 0; i < len(plain); i += aes.BlockSize {
		block.Decrypt(plain[i:], b[i:])
	}
	return plain
}

func unbase64(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}

func unhex(s string) []byte {
	var b []byte
	for i := 0; i+1 < len(s); i += 2 {
		var c byte
		if _, err := fmt.Sscanf(s[i:i+2], "%02x", &c); err != nil {
			return nil
		}
		b = append(b, c)
	}
	return b
}
