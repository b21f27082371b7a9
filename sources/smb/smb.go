// Package smb is the source for Windows file shares (SMB 3, signed, encrypted
// where the server asks for it), with NTLM or Kerberos.
//
// Every share is a scope. The place keeps no history: each crawl walks the
// metadata of all files, and what is unchanged is known by its Version. An
// item's ID is the server's file id where it gives one, so that a rename keeps
// it; its Path says where to open it.
//
// Reading needs no right to write, and so cannot restore a file's access time:
// servers that keep access times (by default, Windows does not) move it.
package smb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/cloudsoda/go-smb2"

	"github.com/molnvakt/molnvakt/sources"
)

// Server is one file server.
type Server struct {
	config Config
	pool   *pool
	wait   func(context.Context, time.Duration) error
}

var (
	_ sources.Source  = (*Server)(nil)
	_ sources.Exposer = (*Server)(nil)
	_ sources.Checker = (*Server)(nil)
)

const (
	pageSize = 1000
	tries    = 4 // of a folder or read that a broken connection cut off
)

// Attributes and reparse tags ([MS-FSCC] 2.1.2.1 and 2.6).
const (
	attributeOffline      = 0x1000
	attributeRecallOnOpen = 0x40000
	attributeRecallOnData = 0x400000
	attributeReparse      = 0x400

	tagMountPoint = 0xA0000003
	tagSymlink    = 0xA000000C
	tagDFS        = 0x8000000A
	tagDFSR       = 0x80000012
)

// Open checks the configuration; it connects when it is first needed.
func Open(c Config) (*Server, error) {
	c, err := c.checked()
	if err != nil {
		return nil, err
	}
	return &Server{config: c, pool: newPool(c), wait: wait}, nil
}

// Close ends the connections; those in use end with their use.
func (s *Server) Close() error {
	s.pool.close()
	return nil
}

// Scopes implements sources.Source: the named shares, else all disk shares
// that the server lists, hidden ones ("arkiv$") included but not those for
// administration.
func (s *Server) Scopes(ctx context.Context, visit func(sources.Scope) error) error {
	names := s.config.Shares
	if len(names) == 0 {
		err := s.pool.use(ctx, func(l *lease) error {
			names = nil
			shares, err := l.session.WithContext(l.ctx).ListShares()
			for _, share := range shares {
				if share.Type() == smb2.ShareTypeDiskTree && !share.IsSpecial() {
					names = append(names, share.Name)
				}
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("list shares: %w", err)
		}
	}
	for _, name := range names {
		scope := sources.Scope{ID: sources.ScopeID(strings.ToLower(name)), Path: name, Site: name, WebURL: s.link(name)}
		err := s.pool.use(ctx, func(l *lease) error {
			_, err := l.share(name)
			return err
		})
		switch {
		case errors.Is(err, sources.ErrDenied), errors.Is(err, sources.ErrGone):
			scope.Reason = err
		case err != nil:
			return fmt.Errorf("share %s: %w", name, err)
		}
		if err := visit(scope); err != nil {
			return err
		}
	}
	return nil
}

// Changes implements sources.Source with a walk of the whole share.
func (s *Server) Changes(ctx context.Context, scope sources.Scope, _ sources.Cursor, visit func(sources.Page) error) error {
	w := walk{Server: s, scope: scope, visit: visit, pending: []folder{{}}}
	for len(w.pending) > 0 {
		dir := w.pending[len(w.pending)-1]
		w.pending = w.pending[:len(w.pending)-1]
		if err := w.dir(ctx, dir); err != nil {
			return err
		}
	}
	return w.flush(ctx)
}

type walk struct {
	*Server
	scope   sources.Scope
	visit   func(sources.Page) error
	pending []folder
	page    []sources.Change
}

// folder is a folder still to be listed. Its line of file ids up to the
// share's root tells when a link on the server leads back into itself.
type folder struct {
	rel string
	id  uint64
	up  *folder
}

func (f *folder) within(id uint64) bool {
	for ; f != nil; f = f.up {
		if f.id == id && id != 0 {
			return true
		}
	}
	return false
}

// errVisit marks an error of visit on its way through the pool.
var errVisit = errors.New("visit")

type visitError struct{ err error }

func (e *visitError) Error() string { return errVisit.Error() }
func (e *visitError) Unwrap() error { return errVisit }

// dir lists one folder. When the connection breaks, the folder is listed anew:
// reporting an item twice is harmless, taking half a listing for the whole
// would delete the rest.
func (w *walk) dir(ctx context.Context, at folder) error {
	dir := at.rel
	for try := 1; ; try++ {
		before := len(w.pending)
		err := w.pool.use(ctx, func(l *lease) error {
			w.pending = w.pending[:before]
			return w.list(ctx, l, &at)
		})
		var mine *visitError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &mine):
			return mine.err
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, sources.ErrUnavailable) && try < tries:
			if err := w.wait(ctx, time.Duration(try)*time.Second); err != nil {
				return err
			}
			continue
		case dir == "", !isGap(err):
			return fmt.Errorf("%s: %w", w.shown(dir), err)
		case errors.Is(err, sources.ErrGone):
			return nil // deleted since it was listed
		}
		return w.gap(ctx, dir, nil, err)
	}
}

// isGap tells whether an error concerns one folder, not the server.
func isGap(err error) bool {
	return errors.Is(err, sources.ErrDenied) || errors.Is(err, sources.ErrGone) || errors.Is(err, sources.ErrUnsupported)
}

func (w *walk) list(ctx context.Context, l *lease, at *folder) error {
	share, err := l.share(w.scope.Path)
	if err != nil {
		return err
	}
	d, err := share.Open(windows(at.rel))
	if err != nil {
		return err
	}
	defer func() { l.asking(); d.Close() }()
	if info, err := d.Stat(); err != nil {
		return err
	} else if stat, ok := info.Sys().(*smb2.FileStat); ok {
		if at.up.within(stat.FileId) {
			return &visitError{w.gap(ctx, at.rel, nil, fmt.Errorf("%w: a link that leads back into itself", sources.ErrUnsupported))}
		}
		at.id = stat.FileId
	}
	for {
		l.asking()
		entries, err := d.Readdir(pageSize)
		l.resting()
		for _, e := range entries {
			if err := w.entry(ctx, at, e); err != nil {
				return &visitError{err}
			}
		}
		if errors.Is(err, io.EOF) || err == nil && len(entries) == 0 || isEmpty(err) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// isEmpty: the root of a disk has no entries for itself and the one above, so
// that Windows finds nothing at all in an empty one.
func isEmpty(err error) bool {
	var refused *smb2.ResponseError
	return errors.As(err, &refused) && refused.Code == statusNoSuchFile
}

func (w *walk) entry(ctx context.Context, in *folder, info fs.FileInfo) error {
	rel := path.Join(in.rel, info.Name())
	stat, ok := info.Sys().(*smb2.FileStat)
	if !ok {
		return fmt.Errorf("%w: the server gave no metadata", sources.ErrUnavailable)
	}
	if glob, out := w.excluded(rel); out {
		return w.gap(ctx, rel, stat, fmt.Errorf("%w: excluded by %q", sources.ErrUnsupported, glob))
	}
	if reason := unreachable(stat); reason != "" {
		return w.gap(ctx, rel, stat, fmt.Errorf("%w: %s", sources.ErrUnsupported, reason))
	}
	if info.IsDir() {
		w.pending = append(w.pending, folder{rel: rel, up: in})
		return nil
	}
	return w.add(ctx, sources.Change{Item: w.item(rel, stat)})
}

// unreachable says why an entry is not followed: links may loop or lead to
// another server, and what lies on tape would be called back by reading.
func unreachable(stat *smb2.FileStat) string {
	if stat.FileAttributes&attributeReparse != 0 {
		switch stat.ReparsePointTag {
		case tagDFS, tagDFSR:
			return "DFS link"
		case tagSymlink:
			return "symbolic link"
		case tagMountPoint:
			return "junction"
		}
	}
	if stat.FileAttributes&(attributeOffline|attributeRecallOnOpen|attributeRecallOnData) != 0 && !stat.IsDir() {
		return "offline: reading would call it back from storage"
	}
	return ""
}

func (w *walk) excluded(rel string) (string, bool) {
	for _, glob := range w.config.Exclude {
		for _, name := range []string{w.shown(rel), path.Base(rel)} {
			if ok, _ := path.Match(glob, name); ok {
				return glob, true
			}
		}
	}
	return "", false
}

func (w *walk) gap(ctx context.Context, rel string, stat *smb2.FileStat, reason error) error {
	item := sources.Item{ID: w.id(rel, stat), Path: w.shown(rel), WebURL: w.link(w.shown(rel))}
	return w.add(ctx, sources.Change{Kind: sources.Unreadable, Item: item, Reason: reason})
}

func (w *walk) add(ctx context.Context, c sources.Change) error {
	c.Item.Scope = w.scope.ID
	w.page = append(w.page, c)
	if len(w.page) < pageSize {
		return nil
	}
	return w.flush(ctx)
}

func (w *walk) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	page := sources.Page{Changes: w.page}
	w.page = nil
	return w.visit(page)
}

func (w *walk) shown(rel string) string { return strings.TrimSuffix(w.scope.Path+"/"+rel, "/") }

func (w *walk) item(rel string, stat *smb2.FileStat) sources.Item {
	return sources.Item{
		ID:       w.id(rel, stat),
		Path:     w.shown(rel),
		Version:  version(stat),
		Size:     stat.EndOfFile,
		Modified: stat.LastWriteTime.UTC(),
		WebURL:   w.link(w.shown(rel)),
	}
}

// id is the file id within the share, or the path where the server gives none.
func (w *walk) id(rel string, stat *smb2.FileStat) sources.ItemID {
	if stat == nil || stat.FileId == 0 || stat.FileId == ^uint64(0) {
		return sources.ItemID(string(w.scope.ID) + "/" + rel)
	}
	return sources.ItemID(string(w.scope.ID) + "#" + strconv.FormatUint(stat.FileId, 16))
}

// version differs when the content may differ. The change time is left out: a
// rename moves it, and so does every change of permissions.
func version(stat *smb2.FileStat) string {
	return fmt.Sprintf("%x-%x-%x", stat.FileId, stat.EndOfFile, stat.LastWriteTime.UnixNano())
}

func (s *Server) link(shown string) string {
	if strings.HasPrefix(s.config.LinkBase, `\\`) {
		return s.config.LinkBase + `\` + strings.ReplaceAll(shown, "/", `\`)
	}
	return strings.TrimSuffix(s.config.LinkBase, "/") + "/" + shown
}

// split tells the share from the path below it.
func split(shown string) (share, rel string) {
	share, rel, _ = strings.Cut(shown, "/")
	return share, rel
}

func windows(rel string) string { return strings.ReplaceAll(rel, "/", `\`) }

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
