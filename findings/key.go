package findings

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/molnvakt/molnvakt/sources"
)

// Key is the secret from which everything is derived that must not be
// computable from the database alone: fingerprints of values, ids of findings,
// the seal of evidence. It lives in its own file and prints as •••. The zero
// Key is no key: stores refuse it.
type Key struct{ secret [32]byte }

// The first line of a key file is this name and the key in hexadecimal.
const keyFormat = "molnvakt-key-1"

// Errors of keys.
var (
	ErrNoKey   = errors.New("key file does not exist")
	ErrKeyFile = errors.New("key file is not usable")
)

// NewKey makes a key at random.
func NewKey() Key {
	var k Key
	rand.Read(k.secret[:]) //nolint:errcheck // never fails, see crypto/rand
	return k
}

// LoadKey reads a key file. The error wraps ErrNoKey, or ErrKeyFile if others
// may read the file (not checked on Windows) or if it holds no key.
func LoadKey(path string) (Key, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, fmt.Errorf("%s: %w", path, ErrNoKey)
	}
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	if !info.Mode().IsRegular() {
		return Key{}, fmt.Errorf("%s: not a file: %w", path, ErrKeyFile)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&others(path) != 0 {
		return Key{}, fmt.Errorf("%s: others may read it (mode %04o, must be 0600): %w", path, info.Mode().Perm(), ErrKeyFile)
	}
	text, err := io.ReadAll(io.LimitReader(f, 1024))
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	return parseKey(path, string(text))
}

// others are the mode bits that a key file must not have. A systemd credential
// is given to its service by an access control list, whose mask shows as the
// group's bits.
func others(path string) fs.FileMode {
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" && filepath.Dir(path) == filepath.Clean(dir) {
		return 0o037
	}
	return 0o077
}

func parseKey(path, text string) (Key, error) {
	var k Key
	fields := strings.Fields(text)
	if len(fields) != 2 || fields[0] != keyFormat || len(fields[1]) != hex.EncodedLen(len(k.secret)) {
		return Key{}, fmt.Errorf("%s: does not hold a key: %w", path, ErrKeyFile)
	}
	if _, err := hex.Decode(k.secret[:], []byte(fields[1])); err != nil {
		return Key{}, fmt.Errorf("%s: does not hold a key: %w", path, ErrKeyFile)
	}
	return k, nil
}

// CreateKey makes a new key and writes it to a file that only its owner may
// read. It never overwrites: the error wraps fs.ErrExist.
func CreateKey(path string) (Key, error) {
	k := NewKey()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Key{}, fmt.Errorf("create key: %w", err)
	}
	_, err = fmt.Fprintf(f, "%s %s\n", keyFormat, hex.EncodeToString(k.secret[:]))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return Key{}, errors.Join(fmt.Errorf("create key: %w", err), os.Remove(path))
	}
	return k, nil
}

// IsZero says that there is no key.
func (k Key) IsZero() bool { return k == Key{} }

// Subkey derives a key of 32 bytes for one purpose (HKDF with SHA-256, RFC
// 5869). Subkeys say nothing about each other or about the key.
func (k Key) Subkey(purpose string) []byte {
	sub, err := hkdf.Key(sha256.New, k.secret[:], nil, "molnvakt "+purpose, 32)
	if err != nil {
		panic(err) // only lengths over 8160 bytes fail
	}
	return sub
}

// ID names the key without telling it: 16 hexadecimal digits.
func (k Key) ID() string { return hex.EncodeToString(k.Subkey("id"))[:16] }

const hidden = "•••"

// String hides the key.
func (Key) String() string { return hidden }

// GoString hides the key.
func (Key) GoString() string { return hidden }

// Format hides the key, whatever the verb.
func (Key) Format(s fmt.State, _ rune) { io.WriteString(s, hidden) } //nolint:errcheck // fmt.State keeps the error

// LogValue hides the key.
func (Key) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the key.
func (Key) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// NewID derives the ID of a finding. The same key, document and rule always
// get the same one; without the key it tells nothing. The key is a Subkey.
func NewID(key []byte, source string, item sources.ItemID, rule string) ID {
	mac := hmac.New(sha256.New, key)
	for _, part := range []string{source, string(item), rule} {
		fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return ID(hex.EncodeToString(mac.Sum(nil)[:12]))
}
