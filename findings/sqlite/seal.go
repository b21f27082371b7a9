package sqlite

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/molnvakt/molnvakt/findings"
)

// sealer encrypts what tells about people: AES-256-GCM with a random nonce in
// front. The identity of the row is additional data, so that a sealed value
// cannot be moved to another row.
type sealer struct{ aead cipher.AEAD }

func newSealer(key findings.Key) sealer {
	block, err := aes.NewCipher(key.Subkey("evidence"))
	if err != nil {
		panic(err) // the subkey has 32 bytes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return sealer{aead}
}

// seal encrypts value as JSON; nil stays nil.
func (s sealer) seal(value any, what string, row any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil || string(text) == "null" {
		return nil, err
	}
	return s.aead.Seal(nil, nil, text, identity(what, row)), nil
}

// open decrypts into value; nil leaves it as it is.
func (s sealer) open(sealed []byte, value any, what string, row any) error {
	if sealed == nil {
		return nil
	}
	text, err := s.aead.Open(nil, nil, sealed, identity(what, row))
	if err != nil {
		return fmt.Errorf("%s of %v does not open: %w", what, row, findings.ErrDamaged)
	}
	return json.Unmarshal(text, value)
}

func identity(what string, row any) []byte { return fmt.Appendf(nil, "%s %v", what, row) }

// bindKey ties a new database to the key and refuses another key later.
func (db *DB) bindKey(ctx context.Context, key findings.Key) error {
	if _, err := db.write.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES ('key', $1) ON CONFLICT (name) DO NOTHING", key.ID()); err != nil {
		return err
	}
	return sameKey(ctx, db.write, key)
}

func (db *DB) checkKey(ctx context.Context, key findings.Key) error {
	return sameKey(ctx, db.read, key)
}

func sameKey(ctx context.Context, pool *sql.DB, key findings.Key) error {
	var id string
	err := pool.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = 'key'").Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("no key is noted: %w", findings.ErrDamaged)
	}
	if err != nil {
		return err
	}
	if id != key.ID() {
		return fmt.Errorf("it was written with key %s, this one is %s: %w", id, key.ID(), findings.ErrWrongKey)
	}
	return nil
}
