package sqlite

import (
	"context"
	"fmt"
	"strings"

	"github.com/molnvakt/molnvakt/findings"
)

// Plans returns how SQLite would run the queries that are asked often, by
// their text.
func (db *DB) Plans(ctx context.Context) (map[string]string, error) {
	plans := map[string]string{}
	whole, _ := documentsQuery(findings.Filter{})
	some, _ := documentsQuery(findings.Filter{Source: "s", OtherPolicy: "p"})
	for _, query := range []string{queueQuery, waitingQuery, knownQuery, copiesQuery, requeueQuery, whole, some} {
		var args []any
		for n := 1; strings.Contains(query, fmt.Sprint("$", n)); n++ {
			args = append(args, "1")
		}
		rows, err := db.read.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			return nil, err
		}
		var id, parent, unused int
		var step string
		for rows.Next() {
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				return nil, err
			}
			plans[query] += step + "\n"
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
	}
	return plans, nil
}

// Limit lets the file grow by so many pages more, as a disk that fills would.
func (db *DB) Limit(ctx context.Context, more int) error {
	var pages int
	if err := db.write.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return err
	}
	_, err := db.write.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages+more))
	return err
}
