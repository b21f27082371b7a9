package ooxml

import (
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// TestStringTable: what goes in comes out, in any order, from memory and from
// the scratch file, of which nothing stays behind.
func TestStringTable(t *testing.T) {
	for name, scratch := range map[string]string{"memory": "", "scratch": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			table := newStringTable(extract.Input{Scratch: scratch, Limits: extract.DefaultLimits()})
			random := rand.New(rand.NewPCG(1, 2))
			var want []string
			for total := 0; total < 2*stringsMax; {
				s := strings.Repeat("åäö", random.IntN(20))
				if random.IntN(50_000) == 0 {
					s = strings.Repeat("long", textBlock/3)
				}
				want = append(want, s)
				total += len(s)
				if err := table.add([]byte(s)); err != nil {
					t.Fatal(err)
				}
			}
			if scratch != "" && (table.file == nil || len(table.blocks) > 1) {
				t.Error("so many strings stay in memory")
			}
			order := random.Perm(len(want))
			for i := range 5000 {
				order = append(order, i)
			}
			for _, i := range order {
				got, err := table.appendTo([]byte("before "), i)
				if err != nil || string(got) != "before "+want[i] {
					t.Fatalf("string %d has %d bytes, want %d: %v", i, len(got), len(want[i]), err)
				}
			}
			for _, i := range []int{-1, len(want), 1 << 40} {
				if got, err := table.appendTo(nil, i); len(got) > 0 || err != nil {
					t.Errorf("string %d: %d bytes, %v", i, len(got), err)
				}
			}
			table.close()
			if scratch != "" {
				if left, _ := os.ReadDir(scratch); len(left) > 0 {
					t.Errorf("%d files stay behind", len(left))
				}
			}
		})
	}
}

func TestStringTableIsBounded(t *testing.T) {
	table := newStringTable(extract.Input{Limits: extract.Limits{Text: 1 << 20}})
	var err error
	for range 3 << 20 { // of no text at all
		if err = table.add(nil); err != nil {
			break
		}
	}
	if !errors.Is(err, extract.ErrLimit) {
		t.Errorf("millions of strings: %v", err)
	}
}
