package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/findings/sqlite"
	"github.com/molnvakt/molnvakt/findings/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, folder string, key findings.Key, clock func() time.Time) findings.Store {
		db, err := sqlite.Open(t.Context(), filepath.Join(folder, "register.db"), key, sqlite.Options{Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		return db
	})
}
