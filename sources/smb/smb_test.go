package smb_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/smb"
	"github.com/molnvakt/molnvakt/sources/sourcetest"
)

func TestConformance(t *testing.T) {
	server := startSamba(t)
	n := 0
	sourcetest.Run(t, func(t *testing.T) sourcetest.World {
		n++
		dir := fmt.Sprintf("world%d", n) // one server for all: each test has a share's folder of its own
		must(t, os.RemoveAll(filepath.Join(server.dir, "files")))
		must(t, os.MkdirAll(filepath.Join(server.dir, "files", dir), 0o755))
		return &world{server: server, dir: dir}
	})
}

type world struct {
	server *samba
	dir    string
}

func (w *world) file(path string) string { return filepath.Join(w.server.dir, "files", w.dir, path) }

func (w *world) Open(t *testing.T) sources.Source { return open(t, w.server, "files") }

func (w *world) Write(t *testing.T, path string, content []byte) {
	w.server.write(t, filepath.Join("files", w.dir, path), content)
}

func (w *world) Rename(t *testing.T, from, to string) { must(t, os.Rename(w.file(from), w.file(to))) }
func (w *world) Remove(t *testing.T, path string)     { must(t, os.Remove(w.file(path))) }
func (w *world) Path(path string) string              { return "files/" + w.dir + "/" + path }

func (w *world) Abilities() sourcetest.Abilities {
	return sourcetest.Abilities{StableIDs: true, Deny: func(t *testing.T, path string) func() {
		must(t, os.Chmod(w.file(path), 0o700)) // root's alone
		return func() { must(t, os.Chmod(w.file(path), 0o755)) }
	}}
}

func TestShares(t *testing.T) {
	server := startSamba(t)
	server.write(t, "enc/hemlig.txt", []byte("krypterad på vägen"))
	src := open(t, server)
	var names []string
	reasons := map[string]error{}
	must(t, src.Scopes(t.Context(), func(s sources.Scope) error {
		names = append(names, s.Path)
		reasons[s.Path] = s.Reason
		return nil
	}))
	slices.Sort(names)
	if want := []string{"arkiv$", "closed", "enc", "files"}; !slices.Equal(names, want) {
		t.Errorf("shares %v, want %v", names, want)
	}
	if !errors.Is(reasons["closed"], sources.ErrDenied) {
		t.Errorf("closed: %v, want ErrDenied as its reason", reasons["closed"])
	}
	if text := read(t, src, sources.Item{Path: "enc/hemlig.txt"}); text != "krypterad på vägen" {
		t.Errorf("the encrypted share reads %q", text)
	}
}

func TestWhatCannotBeFollowedIsAGap(t *testing.T) {
	server := startSamba(t)
	server.write(t, "files/a.txt", []byte("a"))
	must(t, os.Symlink("msdfs:other\\share", filepath.Join(server.dir, "files", "dfs")))
	must(t, os.Symlink("/etc", filepath.Join(server.dir, "files", "ut")))
	must(t, os.Symlink(".", filepath.Join(server.dir, "files", "loop")))
	present, gaps := list(t, open(t, server, "files"))
	if _, ok := present["files/a.txt"]; !ok {
		t.Errorf("a.txt is missing: %v", present)
	}
	if !errors.Is(gaps["files/dfs"], sources.ErrUnsupported) {
		t.Errorf("the DFS link: %v, want a gap", gaps["files/dfs"])
	}
	if !errors.Is(gaps["files/loop"], sources.ErrUnsupported) {
		t.Errorf("the loop: %v, want a gap", gaps["files/loop"])
	}
	for path := range present {
		if strings.Contains(path, "passwd") || strings.Count(path, "loop") > 1 {
			t.Errorf("followed a link to %s", path)
		}
	}
}

func TestHiddenLongAndOddNames(t *testing.T) {
	server := startSamba(t)
	long := strings.Repeat("en ganska lång mapp/", 20)
	for _, p := range []string{".dold", "System Volume Information/x.txt", long + "djup.txt", "~$lås.docx", "Ünï/😀.txt"} {
		server.write(t, "files/"+p, []byte(p))
	}
	src := open(t, server, "files")
	present, _ := list(t, src)
	for _, p := range []string{".dold", "System Volume Information/x.txt", long + "djup.txt", "~$lås.docx", "Ünï/😀.txt"} {
		item, ok := present["files/"+p]
		if !ok {
			t.Errorf("%s is missing", p)
			continue
		}
		if text := read(t, src, item); text != p {
			t.Errorf("%s reads %q", p, text)
		}
	}
}

func TestABrokenConnectionIsResumed(t *testing.T) {
	server := startSamba(t)
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
	server.write(t, "files/stor.bin", content)
	src := open(t, server, "files")
	src.SetPatience(20 * time.Second)
	r, err := src.Open(t.Context(), sources.Item{Path: "files/stor.bin"})
	must(t, err)
	defer r.Close()
	head := make([]byte, 1<<20)
	_, err = io.ReadFull(r, head)
	must(t, err)
	server.dropConnections()
	rest, err := io.ReadAll(r)
	must(t, err)
	if !bytes.Equal(append(head, rest...), content) {
		t.Error("the content is not whole after the connection broke")
	}
}

func TestABreakInTheListingLosesNothing(t *testing.T) {
	server := startSamba(t)
	const files = 3000
	for i := range files {
		server.write(t, fmt.Sprintf("files/d%d/%04d.txt", i%5, i), []byte("x"))
	}
	src := open(t, server, "files")
	src.SetPatience(20 * time.Second)
	seen := map[sources.ItemID]bool{}
	pages := 0
	must(t, src.Changes(t.Context(), sources.Scope{ID: "files", Path: "files"}, "", func(p sources.Page) error {
		if pages++; pages%2 == 1 {
			server.dropConnections()
		}
		for _, c := range p.Changes {
			if c.Kind != sources.Present {
				t.Errorf("%s: %v", c.Item.Path, c.Reason)
			}
			seen[c.Item.ID] = true
		}
		return nil
	}))
	if len(seen) != files {
		t.Errorf("%d files, want %d", len(seen), files)
	}
}

func TestAServerThatIsGoneFailsTheCrawl(t *testing.T) {
	server := startSamba(t)
	server.write(t, "files/a.txt", []byte("a"))
	src := open(t, server, "files")
	src.SetPatience(20 * time.Second)
	list(t, src)
	server.stop()
	err := src.Changes(t.Context(), sources.Scope{ID: "files", Path: "files"}, "", func(sources.Page) error { return nil })
	if !errors.Is(err, sources.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

func TestRefusalsAreNamed(t *testing.T) {
	server := startSamba(t)
	wrong := filepath.Join(t.TempDir(), "pw")
	must(t, os.WriteFile(wrong, []byte("wrong\n"), 0o600))
	good := config(t, server)
	for name, c := range map[string]struct {
		config smb.Config
		want   error
	}{
		"wrong password":  {smb.Config{Server: server.addr, User: account, Password: smb.Secret{File: wrong}}, sources.ErrRefused},
		"unknown account": {smb.Config{Server: server.addr, User: "nobody-here", Password: good.Password}, sources.ErrRefused},
		"no such server":  {smb.Config{Server: freeAddress(t), User: account, Password: good.Password}, sources.ErrUnavailable},
		"no such secret":  {smb.Config{Server: server.addr, User: account, Password: smb.Secret{Env: "MOLNVAKT_NOT_SET"}}, sources.ErrConfig},
	} {
		src, err := smb.Open(c.config)
		must(t, err)
		err = src.Scopes(t.Context(), func(sources.Scope) error { return nil })
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("%s: the error holds the password", name)
		}
		src.Close()
	}
	for name, c := range map[string]smb.Config{
		"no server": {User: "a"}, "no user": {Server: "a"}, "bad glob": {Server: "a", User: "a", Exclude: []string{"["}},
		"keytab without realm": {Server: "a", User: "a", Kerberos: smb.Kerberos{Keytab: "x"}},
	} {
		if _, err := smb.Open(c); !errors.Is(err, sources.ErrConfig) {
			t.Errorf("%s: %v, want ErrConfig", name, err)
		}
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", good, good, good.Password)} {
		if strings.Contains(text, good.Password.File) {
			t.Errorf("the configuration prints where the secret stands: %s", text)
		}
	}
}

func TestExposure(t *testing.T) {
	server := startSamba(t)
	server.write(t, "files/a.txt", []byte("a"))
	src := open(t, server, "files")
	present, _ := list(t, src)
	e, err := src.Exposure(t.Context(), present["files/a.txt"])
	must(t, err)
	if e.Widest() != sources.Organisation { // mode 0644: everyone may read
		t.Errorf("widest is %q, want organisation: %+v", e.Widest(), e)
	}
	must(t, os.Chmod(filepath.Join(server.dir, "files", "a.txt"), 0o600))
	if e, err = src.Exposure(t.Context(), present["files/a.txt"]); err == nil && e.Widest() == sources.Organisation {
		t.Errorf("mode 0600, and still reached by everyone: %+v", e)
	}
}

func TestCheck(t *testing.T) {
	server := startSamba(t)
	checks := open(t, server).Check(t.Context())
	if len(checks) != 5 || checks[0].ID != "smb.server" || checks[0].Status != sources.CheckOK {
		t.Errorf("checks %+v", checks)
	}
}

func config(t *testing.T, server *samba) smb.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pw")
	must(t, os.WriteFile(file, []byte(password+"\n"), 0o600))
	return smb.Config{Server: server.addr, User: account, Password: smb.Secret{File: file}}
}

func open(t *testing.T, server *samba, shares ...string) *smb.Server {
	t.Helper()
	c := config(t, server)
	c.Shares = shares
	src, err := smb.Open(c)
	must(t, err)
	t.Cleanup(func() { src.Close() })
	return src
}

func list(t *testing.T, src sources.Source) (map[string]sources.Item, map[string]error) {
	t.Helper()
	present, gaps := map[string]sources.Item{}, map[string]error{}
	must(t, src.Changes(t.Context(), sources.Scope{ID: "files", Path: "files"}, "", func(p sources.Page) error {
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

func read(t *testing.T, src sources.Source, item sources.Item) string {
	t.Helper()
	r, err := src.Open(t.Context(), item)
	must(t, err)
	defer r.Close()
	text, err := io.ReadAll(r)
	must(t, err)
	return string(text)
}
