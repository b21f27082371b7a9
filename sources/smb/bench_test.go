package smb_test

import (
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/smb"
)

// TestBenchSMB measures listing, reading and asking for access lists on
// 20,000 files of 45 kB with mandatory signing. It asserts no times.
func TestBenchSMB(t *testing.T) {
	if os.Getenv("MOLNVAKT_BENCH") == "" {
		t.Skip("SKIPPED: a measurement, not a test: make bench")
	}
	server := startSamba(t)
	const files = 20_000
	content := make([]byte, 45_000)
	for i := range files {
		server.write(t, fmt.Sprintf("files/%d/%05d.bin", i/200, i), content)
	}
	for _, sessions := range []int{1, 4} {
		c := config(t, server)
		c.Shares, c.Sessions = []string{"files"}, sessions
		src, err := smb.Open(c)
		must(t, err)
		began := time.Now()
		present, _ := list(t, src)
		measured(sessions, "listed", len(present), 0, time.Since(began))
		each := func(what string, n int, bytes int64, do func(sources.Item) error) {
			began := time.Now()
			var group errgroup.Group
			group.SetLimit(8)
			left := n
			for _, item := range present {
				if left--; left < 0 {
					break
				}
				group.Go(func() error { return do(item) })
			}
			must(t, group.Wait())
			measured(sessions, what, n, bytes, time.Since(began))
		}
		each("read", files, files*int64(len(content)), func(item sources.Item) error {
			r, err := src.Open(t.Context(), item)
			if err != nil {
				return err
			}
			defer r.Close()
			n, err := io.Copy(io.Discard, r)
			if err == nil && n != item.Size {
				err = fmt.Errorf("%s: %d bytes", item.Path, n)
			}
			return err
		})
		each("access lists", 5000, 0, func(item sources.Item) error { _, err := src.Exposure(t.Context(), item); return err })
		must(t, src.Close())
	}
}

func measured(sessions int, what string, n int, bytes int64, took time.Duration) {
	fmt.Printf("smb, %d sessions, 8 workers: %s %d in %.2f s: %.0f/s", sessions, what, n, took.Seconds(), float64(n)/took.Seconds())
	if bytes > 0 {
		fmt.Printf(", %.0f MB/s", float64(bytes)/1e6/took.Seconds())
	}
	fmt.Println()
}
