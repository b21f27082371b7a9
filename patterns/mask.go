package patterns

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"log/slog"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Raw is a value found in a document. It prints as ••• for every verb, in
// logs and in JSON; only Reveal gives the value away.
type Raw struct {
	// A pointer, because fmt calls no methods on unexported fields of other
	// structs: there it prints an address.
	value *string
}

// NewRaw wraps a value.
func NewRaw(value string) Raw { return Raw{&value} }

// Reveal returns the value. Whoever calls it keeps it in memory only.
func (r Raw) Reveal() string {
	if r.value == nil {
		return ""
	}
	return *r.value
}

const bullets = "•••"

// Format implements fmt.Formatter.
func (Raw) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(bullets)) }

// String returns bullets.
func (Raw) String() string { return bullets }

// GoString returns bullets.
func (Raw) GoString() string { return bullets }

// LogValue implements slog.LogValuer.
func (Raw) LogValue() slog.Value { return slog.StringValue(bullets) }

// MarshalText implements encoding.TextMarshaler, which JSON uses too.
func (Raw) MarshalText() ([]byte, error) { return []byte(bullets), nil }

// Masker turns raw values into what may be kept: a masked text and a keyed
// fingerprint. It is safe for concurrent use.
//
// Fingerprints are HMAC-SHA256 with a subkey for each purpose (RFC 5869), so
// that equal values can be counted but not found by trial without the key.
type Masker struct {
	value, person keyedHash
	key           []byte
}

// MinKey is the shortest key of a Masker, in bytes.
const MinKey = 16

// NewMasker returns a Masker; the key is secret and at least MinKey bytes.
func NewMasker(key []byte) (*Masker, error) {
	if len(key) < MinKey {
		return nil, fmt.Errorf("masking key: %d bytes, want at least %d", len(key), MinKey)
	}
	m := &Masker{key: append([]byte(nil), key...)}
	m.value = newKeyedHash(m.Subkey("fingerprint of a value"))
	m.person = newKeyedHash(m.Subkey("key of a person"))
	return m, nil
}

// Subkey derives a 32-byte key for another purpose.
func (m *Masker) Subkey(purpose string) []byte {
	k, err := hkdf.Key(sha256.New, m.key, nil, "molnvakt: "+purpose, 32)
	if err != nil {
		panic(err) // only for lengths above 8160 bytes
	}
	return k
}

// Fingerprint returns the keyed fingerprint of a value: 32 hex digits. kind
// keeps equal values of different types apart.
func (m *Masker) Fingerprint(kind string, v Raw) string {
	return keyedSum(m.value, kind, v.Reveal())
}

// PersonKey returns the key by which an individual is counted. Personnummer
// and samordningsnummer give the same key in every way of writing them.
func (m *Masker) PersonKey(id Identifier, v Raw) string {
	return keyedSum(m.person, id.personKind(), v.Reveal())
}

// personKind is what keeps the keys of people of different numbers apart.
func (i Identifier) personKind() string {
	if i == Samordningsnummer || i == Interimsnummer {
		i = Personnummer
	}
	return i.String()
}

// PersonNameKey returns the key of an individual known by name only; what is
// given besides the name (birth year, class) keeps namesakes apart.
func (m *Masker) PersonNameKey(name, besides string) string {
	fold := func(s string) string {
		return strings.Join(strings.Fields(strings.ToLower(s)), " ")
	}
	return keyedSum(m.person, "name", fold(name)+"\x00"+fold(besides))
}

// keyedHash is an HMAC whose state is reused.
type keyedHash struct{ pool *sync.Pool }

type keyedState struct {
	hash   hash.Hash
	buffer []byte
}

func newKeyedHash(key []byte) keyedHash {
	return keyedHash{&sync.Pool{New: func() any { return &keyedState{hash: hmac.New(sha256.New, key)} }}}
}

func keyedSum[V string | []byte](k keyedHash, kind string, value V) string {
	s := k.pool.Get().(*keyedState)
	defer k.pool.Put(s)
	s.buffer = append(append(append(s.buffer[:0], kind...), 0), value...)
	s.hash.Reset()
	_, _ = s.hash.Write(s.buffer)
	clear(s.buffer) // values are not kept
	s.buffer = s.hash.Sum(s.buffer[:0])
	var text [32]byte
	hex.Encode(text[:], s.buffer[:16])
	return string(text[:])
}

// Mask returns the text of a value as it may be shown: enough to find it
// again in its document, not enough to learn it.
func Mask(id Identifier, text string) string {
	switch id {
	case Personnummer, Samordningsnummer, Interimsnummer:
		return maskEnds(text, centuryLength(text), 2)
	case Reservnummer, Fodselsnummer, CPR, HETU, Bankkonto, Pass, Korkort, LMA, Telefon, Betalkort, IBAN, MAC:
		return maskEnds(text, 0, 2)
	case Organisationsnummer, Momsnummer, Bankgiro, Plusgiro, HSAID, Registreringsnummer:
		return maskEnds(text, 2, 2)
	case Diarienummer, ICD10, ATC, KVA, Fastighetsbeteckning:
		return maskEnds(text, 1, 1)
	case Epost:
		return maskMail(text)
	case IP:
		return maskEnds(text, firstIndexAny(text, ".:"), 0)
	case Postadress, Koordinat:
		return maskWords(text)
	}
	if id.Secret() {
		return bullets + bullets
	}
	return maskWords(text)
}

// Mask returns the masked text of a hit; text is what was scanned.
func (h Hit) Mask(text []byte) string {
	return Mask(h.Identifier, string(text[h.Start:h.End]))
}

func firstIndexAny(s, chars string) int {
	return max(0, strings.IndexAny(s, chars))
}

// centuryLength is 2 when a personnummer begins with its century.
func centuryLength(text string) int {
	n := 0
	for _, r := range text {
		if unicode.IsDigit(r) || unicode.IsLetter(r) {
			n++
		}
	}
	if n == 12 {
		return 2
	}
	return 0
}

// maskEnds hides letters and digits except the first and last few; hyphens
// and the like stay, so that the way of writing can be recognised.
func maskEnds(text string, first, last int) string {
	total := 0
	for _, r := range text {
		if unicode.IsDigit(r) || unicode.IsLetter(r) {
			total++
		}
	}
	if first+last >= total {
		first, last = 0, 0
	}
	var b strings.Builder
	b.Grow(len(text) + total*(len("•")-1))
	i := 0
	for _, r := range text {
		switch {
		case !unicode.IsDigit(r) && !unicode.IsLetter(r):
			if unicode.IsPrint(r) {
				b.WriteRune(r)
			}
			continue
		case i < first || i >= total-last:
			b.WriteRune(r)
		default:
			b.WriteString("•")
		}
		i++
	}
	return b.String()
}

// maskWords keeps the first letter of each word: "S••••••• 1•".
func maskWords(text string) string {
	var b strings.Builder
	inWord := false
	for _, r := range text {
		word := unicode.IsLetter(r) || unicode.IsDigit(r)
		switch {
		case !word && unicode.IsSpace(r):
			b.WriteRune(' ')
		case !word:
			b.WriteRune(r)
		case inWord || unicode.IsDigit(r):
			b.WriteRune('•')
		default:
			b.WriteRune(r)
		}
		inWord = word
	}
	return b.String()
}

// maskMail keeps the first letter of both parts and the top domain.
func maskMail(text string) string {
	at := strings.LastIndexByte(text, '@')
	dot := strings.LastIndexByte(text, '.')
	if at < 1 || dot < at {
		return maskEnds(text, 1, 0)
	}
	return firstThenBullets(text[:at]) + "@" + firstThenBullets(text[at+1:dot]) + text[dot:]
}

func firstThenBullets(s string) string {
	if s == "" {
		return s
	}
	_, n := utf8.DecodeRuneInString(s)
	return s[:n] + bullets
}
