package smb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudsoda/go-smb2"
	"github.com/cloudsoda/sddl"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/smb"
)

// through opens the server's share "files" through a proxy.
func through(t *testing.T, server *samba, p *proxy, sessions int) *smb.Server {
	t.Helper()
	c := config(t, server)
	c.Server, c.Shares, c.Sessions = p.addr, []string{"files"}, sessions
	src, err := smb.Open(c)
	must(t, err)
	t.Cleanup(func() { src.Close() })
	return src
}

// walk lists the share "files" and returns how many documents it met.
func walk(ctx context.Context, src sources.Source) (int, error) {
	seen := map[sources.ItemID]bool{}
	err := src.Changes(ctx, sources.Scope{ID: "files", Path: "files"}, "", func(p sources.Page) error {
		for _, c := range p.Changes {
			seen[c.Item.ID] = true
		}
		return nil
	})
	return len(seen), err
}

// TestCutAnywhere cuts the connection after a random number of bytes: half of
// the times once, half of the times every new connection too. What comes back
// is the whole listing or an error.
func TestCutAnywhere(t *testing.T) {
	server := startSamba(t)
	const files = 600
	for i := range files {
		server.write(t, fmt.Sprintf("files/d%02d/ett ganska långt namn på en fil %04d.txt", i%12, i), []byte("x"))
	}
	p := startProxy(t, server.addr)
	src := through(t, server, p, 1)
	src.SetPatience(5 * time.Second)
	n, err := walk(t.Context(), src)
	must(t, err)
	if n != files {
		t.Fatalf("undisturbed: %d files, want %d", n, files)
	}
	whole := p.passed.Load()
	random := rand.New(rand.NewPCG(1, 2))
	complete, failed := 0, 0
	for round := range 50 {
		src := through(t, server, p, 1)
		src.SetPatience(5 * time.Second)
		p.once.Store(round%2 == 0)
		p.cutAt.Store(1 + random.Int64N(whole))
		n, err := walk(t.Context(), src)
		switch {
		case err == nil && n == files:
			complete++
		case err == nil:
			t.Fatalf("round %d: a listing cut off after %d of %d bytes looks complete with %d of %d files", round, p.cutAt.Load(), whole, n, files)
		case !errors.Is(err, sources.ErrUnavailable):
			t.Fatalf("round %d: %v, want ErrUnavailable", round, err)
		default:
			failed++
		}
		p.cutAt.Store(math.MaxInt64)
	}
	t.Logf("%d listings complete, %d failed", complete, failed)
	if complete < 25 {
		t.Errorf("only %d listings were resumed; each that was cut once must be", complete)
	}
}

func TestCutWhileReading(t *testing.T) {
	server := startSamba(t)
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
	server.write(t, "files/stor.bin", content)
	p := startProxy(t, server.addr)
	random := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		src := through(t, server, p, 1)
		src.SetPatience(5 * time.Second)
		p.once.Store(true)
		p.cutAt.Store(2000 + random.Int64N(int64(len(content))))
		text := read(t, src, sources.Item{Path: "files/stor.bin"})
		p.cutAt.Store(math.MaxInt64)
		if text != string(content) {
			t.Fatalf("read %d bytes, not the %d written", len(text), len(content))
		}
	}
}

func TestAServerThatHangs(t *testing.T) {
	server := startSamba(t)
	server.write(t, "files/a/b.txt", bytes.Repeat([]byte("x"), 1<<20))
	p := startProxy(t, server.addr)
	promptly := func(what string, want error, do func(ctx context.Context) error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		began := time.Now()
		if err := do(ctx); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: ended after %v", what, took)
		}
	}
	src := through(t, server, p, 2)
	present, _ := list(t, src)
	r, err := src.Open(t.Context(), present["files/a/b.txt"])
	must(t, err)
	p.stalled.Store(true)
	cancelled := context.DeadlineExceeded
	promptly("listing", cancelled, func(ctx context.Context) error { _, err := walk(ctx, src); return err })
	promptly("opening", cancelled, func(ctx context.Context) error { _, err := src.Open(ctx, present["files/a/b.txt"]); return err })
	promptly("signing in", cancelled, func(ctx context.Context) error {
		_, err := walk(ctx, through(t, server, p, 1))
		return err
	})
	promptly("exposure", cancelled, func(ctx context.Context) error { _, err := src.Exposure(ctx, present["files/a/b.txt"]); return err })

	fresh := through(t, server, p, 1)
	fresh.SetPatience(300 * time.Millisecond)
	promptly("nobody cancels a listing", sources.ErrUnavailable, func(context.Context) error { _, err := walk(t.Context(), fresh); return err })
	src.SetPatience(300 * time.Millisecond)
	promptly("nobody cancels a read", nil, func(context.Context) error { return src.Close() })
	p.stalled.Store(false)
	_ = r.Close()
}

func TestSilenceWhileReading(t *testing.T) {
	server := startSamba(t)
	server.write(t, "files/b.txt", bytes.Repeat([]byte("x"), 2<<20))
	p := startProxy(t, server.addr)
	src := through(t, server, p, 1)
	src.SetPatience(300 * time.Millisecond)
	r, err := src.Open(t.Context(), sources.Item{Path: "files/b.txt"})
	must(t, err)
	defer r.Close()
	_, err = io.ReadFull(r, make([]byte, 1000))
	must(t, err)
	p.stalled.Store(true)
	began := time.Now()
	if _, err := io.ReadAll(r); !errors.Is(err, sources.ErrUnavailable) || errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("ended after %v", took)
	}
}

// TestAQuietReaderKeepsItsConnection: the watch is over requests, not over how
// long a reader takes to think.
func TestAQuietReaderKeepsItsConnection(t *testing.T) {
	server := startSamba(t)
	content := bytes.Repeat([]byte("x"), 1<<20)
	server.write(t, "files/b.txt", content)
	p := startProxy(t, server.addr)
	src := through(t, server, p, 1)
	src.SetPatience(200 * time.Millisecond)
	r, err := src.Open(t.Context(), sources.Item{Path: "files/b.txt"})
	must(t, err)
	defer r.Close()
	_, err = io.ReadFull(r, make([]byte, 1000))
	must(t, err)
	before := p.passed.Load()
	time.Sleep(500 * time.Millisecond)
	rest, err := io.ReadAll(r)
	must(t, err)
	if len(rest) != len(content)-1000 {
		t.Errorf("%d bytes more", len(rest))
	}
	if p.passed.Load()-before > int64(len(content))+4000 {
		t.Error("signed in anew")
	}
}

func TestMoreReadersThanSessions(t *testing.T) {
	server := startSamba(t)
	for i := range 12 {
		server.write(t, fmt.Sprintf("files/%02d.txt", i), bytes.Repeat([]byte{byte('a' + i)}, 600_000))
	}
	c := config(t, server)
	c.Shares, c.Sessions = []string{"files"}, 2
	src, err := smb.Open(c)
	must(t, err)
	defer src.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var readers []io.ReadCloser
	for i := range 12 {
		r, err := src.Open(ctx, sources.Item{Path: fmt.Sprintf("files/%02d.txt", i)})
		must(t, err)
		defer r.Close()
		readers = append(readers, r)
	}
	if n, err := walk(ctx, src); err != nil || n != 12 {
		t.Errorf("listing beside open files: %d, %v", n, err)
	}
	done := make(chan error, len(readers))
	for i, r := range readers {
		go func() {
			text, err := io.ReadAll(r)
			if err == nil && (len(text) != 600_000 || bytes.Count(text, []byte{byte('a' + i)}) != len(text)) {
				err = fmt.Errorf("reader %d: %d bytes of another file", i, len(text))
			}
			done <- err
		}()
	}
	for range readers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestIdleConnectionsThatEnded: servers end what nobody uses; no document may
// pay for it.
func TestIdleConnectionsThatEnded(t *testing.T) {
	server := startSamba(t)
	server.write(t, "files/a.txt", []byte("a"))
	src := open(t, server, "files")
	present, _ := list(t, src)
	a := present["files/a.txt"]
	for range 3 {
		server.dropConnections()
		began := time.Now()
		if text := read(t, src, a); text != "a" {
			t.Errorf("read %q", text)
		}
		server.dropConnections()
		if _, err := src.Exposure(t.Context(), a); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("took %v", took)
		}
	}
}

func TestManyFilesAndDeepFolders(t *testing.T) {
	server := startSamba(t)
	files, flat := 20_000, 50_000
	if testing.Short() {
		files, flat = 2000, 5000
	}
	for i := range files {
		name := filepath.Join(server.dir, "files", "träd", fmt.Sprint(i/200), fmt.Sprintf("%05d.txt", i))
		if i%200 == 0 {
			must(t, os.MkdirAll(filepath.Dir(name), 0o755))
		}
		must(t, os.WriteFile(name, nil, 0o644))
	}
	must(t, os.Mkdir(filepath.Join(server.dir, "files", "platt"), 0o755))
	for i := range flat {
		must(t, os.WriteFile(filepath.Join(server.dir, "files", "platt", fmt.Sprintf("%05d.txt", i)), nil, 0o644))
	}
	deep := "files/" + strings.Repeat("d/", 400)
	server.write(t, deep+"botten.txt", []byte("djupt"))
	src := open(t, server, "files")
	began := time.Now()
	n, err := walk(t.Context(), src)
	must(t, err)
	t.Logf("%d files listed in %v: %.0f files/s", n, time.Since(began).Round(time.Millisecond), float64(n)/time.Since(began).Seconds())
	if n != files+flat+1 {
		t.Errorf("%d files, want %d", n, files+flat+1)
	}
	if text := read(t, src, sources.Item{Path: deep + "botten.txt"}); text != "djupt" {
		t.Errorf("the deepest file reads %q", text)
	}
}

// TestNamesThatWindowsReserves: such names come from Unix and Mac clients.
// Samba shows them by a short name; what was mapped to private characters
// keeps them.
func TestNamesThatWindowsReserves(t *testing.T) {
	server := startSamba(t)
	names := []string{"a:b?.txt", "citat\".txt", "punkt.", "blank ", "con.txt", "mac\uf022.txt", "sfu\uf03a.txt", "back\\slash.txt"}
	for _, n := range names {
		server.write(t, "files/"+n, []byte("innehåll"))
	}
	src := open(t, server, "files")
	present, gaps := list(t, src)
	if len(present)+len(gaps) != len(names) {
		t.Errorf("%d documents and %d gaps, want %d in all: %v %v", len(present), len(gaps), len(names), present, gaps)
	}
	for path, item := range present {
		if text := read(t, src, item); text != "innehåll" {
			t.Errorf("%s reads %q", path, text)
		}
	}
	if len(gaps) != 0 {
		t.Errorf("gaps %v", gaps)
	}
}

func TestRefusedFoldersAndFilesAreGaps(t *testing.T) {
	server := startSamba(t)
	server.write(t, "files/öppen/a.txt", []byte("a"))
	server.write(t, "files/stängd/b.txt", []byte("b"))
	server.write(t, "files/öppen/hemlig.txt", []byte("c"))
	must(t, os.Chmod(filepath.Join(server.dir, "files", "stängd"), 0o700))
	must(t, os.Chmod(filepath.Join(server.dir, "files", "öppen", "hemlig.txt"), 0o600))
	src := open(t, server, "files")
	present, gaps := list(t, src)
	if !errors.Is(gaps["files/stängd"], sources.ErrDenied) || len(present) != 2 {
		t.Errorf("gaps %v, present %v", gaps, present)
	}
	if _, err := src.Open(t.Context(), present["files/öppen/hemlig.txt"]); !errors.Is(err, sources.ErrDenied) {
		t.Errorf("the closed file: %v, want ErrDenied", err)
	}
	if text := read(t, src, present["files/öppen/a.txt"]); text != "a" {
		t.Errorf("its neighbour reads %q", text)
	}
}

// TestAccessControlLists sets real lists on a server that keeps Windows' own.
// The owner, who may change the list, is always among the grants.
func TestAccessControlLists(t *testing.T) {
	dir, err := os.MkdirTemp("", "acl")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o777))
	server := startSamba(t, "[acl]", "path = "+dir, "read only = no", "vfs objects = acl_xattr", "acl_xattr:ignore system acls = yes")
	must(t, os.WriteFile(filepath.Join(dir, "a.txt"), []byte("a"), 0o666))
	run(t, "chown", account, filepath.Join(dir, "a.txt"))

	session, err := (&smb2.Dialer{Initiator: &smb2.NTLMInitiator{User: account, Password: password}}).Dial(t.Context(), server.addr)
	must(t, err)
	defer session.Logoff() //nolint:errcheck // the test's own
	share, err := session.Mount("acl")
	must(t, err)
	src := open(t, server, "acl")
	for name, c := range map[string]struct {
		list   string
		widest sources.Audience
		denied int
	}{
		"everyone reads":           {"D:P(A;;FR;;;WD)", sources.Organisation, 0},
		"authenticated users read": {"D:P(A;;FR;;;AU)", sources.Organisation, 0},
		"administrators alone":     {"D:P(A;;FA;;;BA)", sources.Group, 0},
		"a denial before a grant":  {"D:P(D;;FR;;;BG)(A;;FR;;;BG)(A;;FA;;;BA)", sources.Group, 1},
		"a denial to everyone":     {"D:P(D;;FR;;;WD)(A;;FR;;;AU)", sources.User, 1},
		"guests":                   {"D:P(A;;FR;;;BG)(A;;FA;;;BA)", sources.Guest, 0},
	} {
		list, err := sddl.FromString(strings.ReplaceAll(c.list, "(A;;0xA0000;;;%OWNER)", ""))
		must(t, err)
		if err := share.SetSecurityInfo("a.txt", smb2.DACLSecurityInformation, list); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e, err := src.Exposure(t.Context(), sources.Item{ID: "x", Path: "acl/a.txt"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		denied := 0
		for _, g := range e.Grants {
			if g.Denied {
				denied++
			}
		}
		if e.Widest() != c.widest || denied != c.denied {
			t.Errorf("%s: widest %q, %d denials, want %q and %d: %+v", name, e.Widest(), denied, c.widest, c.denied, e)
		}
	}
}
