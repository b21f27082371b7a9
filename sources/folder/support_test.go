package folder_test

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/folder"
)

func open(t *testing.T, c folder.Config) *folder.Folder {
	t.Helper()
	src, err := folder.Open(c)
	must(t, err)
	t.Cleanup(func() { src.Close() })
	return src
}

func list(t *testing.T, src sources.Source) (map[string]sources.Item, map[string]error) {
	t.Helper()
	present, gaps := map[string]sources.Item{}, map[string]error{}
	must(t, src.Changes(t.Context(), sources.Scope{ID: "."}, "", func(p sources.Page) error {
		for _, c := range p.Changes {
			if c.Kind == sources.Unreadable {
				gaps[c.Item.Path] = c.Reason
			} else {
				present[c.Item.Path] = c.Item
			}
		}
		return nil
	}))
	return present, gaps
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func appendTo(file, text string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}

func overwrite(file string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt([]byte("x"), 5000)
	return err
}

func stampOf(day string) time.Time {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return t
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
