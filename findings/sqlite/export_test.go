package sqlite

import (
	"context"
	"fmt"
)

// Limit lets the file grow by so many pages more, as a disk that fills would.
func (db *DB) Limit(ctx context.Context, more int) error {
	var pages int
	if err := db.write.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return err
	}
	_, err := db.write.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages+more))
	return err
}
