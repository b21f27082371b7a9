package odf

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"

	"golang.org/x/crypto/blowfish" //nolint:staticcheck // the format's

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// sealed is what the manifest says of an encrypted part (part 2, 3.4).
type sealed struct {
	algorithm, startKey, derivation string
	vector, salt, checksum          []byte
	checksumType                    string
	iterations, keySize             int
}

// read takes over one element inside encryption-data.
func (s *sealed) read(x *extract.XML) {
	bytesOf := func(name string) []byte {
		b, _ := base64.StdEncoding.DecodeString(x.Attr(name))
		return b
	}
	switch x.Name {
	case "encryption-data":
		s.checksumType, s.checksum = x.Attr("checksum-type"), bytesOf("checksum")
	case "algorithm":
		s.algorithm, s.vector = x.Attr("algorithm-name"), bytesOf("initialisation-vector")
	case "start-key-generation":
		s.startKey = x.Attr("start-key-generation-name")
	case "key-derivation":
		s.derivation, s.salt = x.Attr("key-derivation-name"), bytesOf("salt")
		s.iterations, _ = strconv.Atoi(x.Attr("iteration-count"))
		s.keySize, _ = strconv.Atoi(x.Attr("key-size"))
	}
}

const (
	// mostIterations is ten times LibreOffice's; each takes 0.3 µs.
	mostIterations = 1_000_000
	// sealedSize is the most bytes of an encrypted part, which is decrypted
	// in memory.
	sealedSize = 64 << 20
)

// readable tells whether this way of encrypting is known. LibreOffice 24.8's
// (Argon2id, one encrypted package) is not.
func (s *sealed) readable() bool {
	return strings.HasSuffix(strings.ToLower(s.derivation), "pbkdf2") && 0 < s.iterations && s.iterations <= mostIterations && len(s.checksum) > 0 &&
		(strings.HasSuffix(s.algorithm, "#aes256-cbc") && len(s.vector) == aes.BlockSize ||
			s.isBlowfish() && len(s.vector) == blowfish.BlockSize)
}

func (s *sealed) isBlowfish() bool { return strings.Contains(strings.ToLower(s.algorithm), "blowfish") }

// hashed is the hash with this name: SHA-1 unless it says otherwise.
func hashed(name string) hash.Hash {
	if strings.Contains(strings.ToLower(name), "sha256") {
		return sha256.New()
	}
	return sha1.New() //nolint:gosec // the format's
}

// decrypt returns what was encrypted, still deflated; ok where the password is
// the right one.
func (s *sealed) decrypt(content []byte, password string) (plain []byte, ok bool) {
	start := hashed(s.startKey)
	start.Write([]byte(password))
	size := 32
	if s.isBlowfish() {
		size = 16
	}
	if 0 < s.keySize && s.keySize <= 56 {
		size = s.keySize
	}
	key, err := pbkdf2.Key(sha1.New, string(start.Sum(nil)), s.salt, s.iterations, size)
	if err != nil {
		return nil, false
	}
	if s.isBlowfish() {
		plain = s.blowfish(content, key)
	} else {
		plain = s.aes(content, key)
	}
	sum := hashed(s.checksumType) // of the first kilobyte
	sum.Write(plain[:min(len(plain), 1024)])
	return plain, plain != nil && bytes.Equal(sum.Sum(nil), s.checksum)
}

func (s *sealed) blowfish(content, key []byte) []byte {
	block, err := blowfish.NewCipher(key)
	if err != nil {
		return nil
	}
	plain := make([]byte, len(content))
	cipher.NewCFBDecrypter(block, s.vector).XORKeyStream(plain, content) //nolint:staticcheck // the format's
	return plain
}

// aes decrypts and takes away the filling, whose length is its last byte.
func (s *sealed) aes(content, key []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil || len(content) == 0 || len(content)%aes.BlockSize != 0 {
		return nil
	}
	plain := make([]byte, len(content))
	cipher.NewCBCDecrypter(block, s.vector).CryptBlocks(plain, content)
	if n := int(plain[len(plain)-1]); n <= aes.BlockSize {
		plain = plain[:len(plain)-n]
	}
	return plain
}

// unlock finds the password of an encrypted document by its shortest part.
func (d *document) unlock() error {
	var shortest []byte
	var of *sealed
	for _, p := range d.zip.Parts {
		s := d.sealed[p.Name]
		if s == nil || !s.readable() {
			continue
		}
		if content, err := sealedContent(p); err == nil && (of == nil || len(content) < len(shortest)) {
			shortest, of = content, s
		}
	}
	if of != nil {
		for _, password := range append([]string{""}, d.in.Passwords...) {
			if _, ok := of.decrypt(shortest, password); ok {
				d.password = password
				return nil
			}
		}
	}
	return fmt.Errorf("odf: %w", extract.ErrEncrypted)
}

func sealedContent(p *extract.ZipPart) ([]byte, error) {
	r, err := p.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // only read
	content, err := io.ReadAll(io.LimitReader(r, sealedSize+1))
	if err == nil && len(content) > sealedSize {
		err = fmt.Errorf("odf: encrypted part: %w", extract.ErrLimit)
	}
	return content, err
}

// open reads a part, decrypted.
func (d *document) open(p *extract.ZipPart) (io.ReadCloser, error) {
	s := d.sealed[p.Name]
	if s == nil {
		return p.Open()
	}
	if !s.readable() {
		return nil, fmt.Errorf("odf: part: %w", extract.ErrEncrypted)
	}
	content, err := sealedContent(p)
	if err != nil {
		return nil, err
	}
	plain, ok := s.decrypt(content, d.password)
	if !ok {
		return nil, fmt.Errorf("odf: part: %w", extract.ErrEncrypted)
	}
	return io.NopCloser(&inflated{extract.DamagedReader(flate.NewReader(bytes.NewReader(plain))), d}), nil
}

// inflated holds what decrypted parts hold together to Limits.Inflate.
type inflated struct {
	io.Reader
	d *document
}

func (r *inflated) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if r.d.unsealed += int64(n); r.d.unsealed > r.d.in.Limits.Inflate {
		return n, fmt.Errorf("odf: inflated size: %w", extract.ErrLimit)
	}
	return n, err
}
