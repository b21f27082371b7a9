package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/molnvakt/molnvakt/findings"
)

// Plans returns how SQLite would run the queries that are asked often, by
// their text.
func (db *DB) Plans(ctx context.Context) (plans map[string]string, err error) {
	plans = map[string]string{}
	whole, _ := documentsQuery(findings.Filter{})
	some, _ := documentsQuery(findings.Filter{Source: "s", OtherPolicy: "p"})
	for _, query := range []string{queueQuery, waitingQuery, knownQuery, copiesQuery, requeueQuery, whole, some} {
		if plans[query], err = db.plan(ctx, query); err != nil {
			return nil, err
		}
	}
	return plans, nil
}

func (db *DB) plan(ctx context.Context, query string) (plan string, err error) {
	var args []any
	for n := 1; strings.Contains(query, fmt.Sprint("$", n)); n++ {
		args = append(args, "1")
	}
	rows, err := db.read.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			return "", err
		}
		plan += step + "\n"
	}
	return plan, rows.Err()
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
