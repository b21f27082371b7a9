// Package folder is the source for a local folder or a mounted share.
package folder

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/molnvakt/molnvakt/sources"
)

// Config is what the configuration says of a folder.
type Config struct {
	Path     string   `yaml:"path" json:"path" jsonschema:"description=The folder to scan"`
	Exclude  []string `yaml:"exclude,omitempty" json:"exclude,omitempty" jsonschema:"description=Globs of paths below the folder that are left out; each is a gap"`
	LinkBase string   `yaml:"link_base,omitempty" json:"link_base,omitempty" jsonschema:"description=How people reach the folder (\\\\server\\share or https://…); default file://"`
}

// Folder lists and reads the files below one directory. It keeps no history:
// every crawl walks the metadata of all files, and what is unchanged is known
// by its Version (file id, size, write and change time).
//
// Nothing outside the directory is ever read: a symbolic link is not followed
// in the walk; what lies inside is met where it lies, and a link that leads
// out is a gap.
type Folder struct {
	config Config
	root   *os.Root
	abs    string
	owners owners
}

var (
	_ sources.Source  = (*Folder)(nil)
	_ sources.Checker = (*Folder)(nil)
)

// pageSize bounds the changes of one Page.
const pageSize = 1000

// Open opens a folder. The errors wrap sources.ErrConfig when the
// configuration is wrong and sources.ErrUnavailable or ErrDenied when the
// folder cannot be had.
func Open(c Config) (*Folder, error) {
	if c.Path == "" {
		return nil, fmt.Errorf("%w: path is missing", sources.ErrConfig)
	}
	for _, glob := range c.Exclude {
		if _, err := path.Match(glob, "x"); err != nil {
			return nil, fmt.Errorf("%w: exclude: %q is not a glob", sources.ErrConfig, glob)
		}
	}
	abs, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", sources.ErrConfig, err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: %w", sources.ErrUnavailable, err)
		}
		return nil, translate(err)
	}
	return &Folder{config: c, root: root, abs: abs}, nil
}

// Close frees the directory.
func (f *Folder) Close() error { return f.root.Close() }

// Scopes implements sources.Source: the folder is one scope.
func (f *Folder) Scopes(ctx context.Context, visit func(sources.Scope) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return visit(sources.Scope{ID: ".", Site: filepath.Base(f.abs), WebURL: f.link("")})
}

// Changes implements sources.Source with a walk of the whole folder.
func (f *Folder) Changes(ctx context.Context, scope sources.Scope, _ sources.Cursor, visit func(sources.Page) error) error {
	w := walk{Folder: f, ctx: ctx, scope: scope.ID, visit: visit, pending: []string{"."}}
	for len(w.pending) > 0 {
		dir := w.pending[len(w.pending)-1]
		w.pending = w.pending[:len(w.pending)-1]
		if err := w.dir(dir); err != nil {
			return err
		}
	}
	return w.flush()
}

type walk struct {
	*Folder
	ctx     context.Context
	scope   sources.ScopeID
	visit   func(sources.Page) error
	pending []string
	page    []sources.Change
}

func (w *walk) dir(dir string) error {
	d, err := w.root.Open(dir)
	if err != nil {
		return w.unreadable(dir, err)
	}
	defer d.Close()
	for {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		entries, err := d.ReadDir(pageSize) // unsorted and bounded: a folder may hold a million files
		for _, e := range entries {
			if err := w.entry(path.Join(dir, e.Name()), e); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return w.unreadable(dir, err)
		}
	}
}

func (w *walk) entry(rel string, e fs.DirEntry) error {
	if glob, ok := w.excluded(rel); ok {
		return w.gap(rel, fmt.Errorf("%w: excluded by %q", sources.ErrUnsupported, glob))
	}
	switch mode := e.Type(); {
	case mode.IsDir():
		w.pending = append(w.pending, rel)
		return nil
	case mode&fs.ModeSymlink != 0:
		return w.link(rel)
	case !mode.IsRegular():
		return w.gap(rel, fmt.Errorf("%w: %s", sources.ErrUnsupported, kind(mode)))
	}
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // vanished since it was listed: the next crawl would not meet it either
	}
	if err != nil {
		return w.gap(rel, translate(err))
	}
	return w.add(sources.Change{Item: w.item(rel, info)})
}

// link reports a symbolic link that leads out of the folder. Where it leads
// inside, or nowhere, there is nothing that would be missed.
func (w *walk) link(rel string) error {
	_, err := w.root.Stat(rel)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := os.Stat(filepath.Join(w.abs, filepath.FromSlash(rel))); err != nil {
		return nil
	}
	return w.gap(rel, fmt.Errorf("%w: symbolic link out of the folder", sources.ErrUnsupported))
}

// unreadable reports a folder that cannot be listed. The outermost one cannot
// be a gap: without it nothing is known, so the crawl fails.
func (w *walk) unreadable(dir string, err error) error {
	if dir == "." {
		return fmt.Errorf("%s: %w", w.abs, translate(err))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return w.gap(dir, translate(err))
}

func (w *walk) gap(rel string, reason error) error {
	return w.add(sources.Change{
		Kind:   sources.Unreadable,
		Item:   sources.Item{ID: id(rel), Scope: w.scope, Path: shown(rel), WebURL: w.Folder.link(rel)},
		Reason: reason,
	})
}

func (w *walk) add(c sources.Change) error {
	c.Item.Scope = w.scope
	w.page = append(w.page, c)
	if len(w.page) < pageSize {
		return nil
	}
	return w.flush()
}

func (w *walk) flush() error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	page := sources.Page{Changes: w.page}
	w.page = nil
	return w.visit(page)
}

func (f *Folder) excluded(rel string) (string, bool) {
	for _, glob := range f.config.Exclude {
		if ok, _ := path.Match(glob, rel); ok {
			return glob, true
		}
		if ok, _ := path.Match(glob, path.Base(rel)); ok {
			return glob, true
		}
	}
	return "", false
}

func (f *Folder) item(rel string, info fs.FileInfo) sources.Item {
	return sources.Item{
		ID:       id(rel),
		Path:     shown(rel),
		Version:  version(info),
		Size:     info.Size(),
		Modified: info.ModTime().UTC(),
		Owner:    f.owners.of(info),
		WebURL:   f.link(rel),
	}
}

func (f *Folder) link(rel string) string {
	if base := f.config.LinkBase; strings.HasPrefix(base, `\\`) {
		return strings.TrimSuffix(base, `\`) + `\` + strings.ReplaceAll(shown(rel), "/", `\`)
	} else if base != "" {
		return strings.TrimSuffix(base, "/") + "/" + (&url.URL{Path: shown(rel)}).EscapedPath()
	}
	return (&url.URL{Scheme: "file", Path: path.Join(filepath.ToSlash(f.abs), rel)}).String()
}

// Open implements sources.Source. It reads as many bytes as the file had when
// it was opened: what is appended meanwhile belongs to the next version.
func (f *Folder) Open(ctx context.Context, item sources.Item) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rel, err := relative(item.ID)
	if err != nil {
		return nil, err
	}
	file, err := openQuietly(f.root, rel)
	if err != nil {
		return nil, translate(err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, translate(err)
	}
	if !info.Mode().IsRegular() {
		file.Close()
		return nil, fmt.Errorf("%w: %s", sources.ErrUnsupported, kind(info.Mode()))
	}
	return &reading{ctx: ctx, file: file, before: info, left: info.Size()}, nil
}

// reading is one file being read; it fails rather than mix two versions.
type reading struct {
	ctx    context.Context // of the Open: cancels the reads
	file   *os.File
	before fs.FileInfo
	left   int64
}

func (r *reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if r.left == 0 {
		return 0, r.end()
	}
	n, err := r.file.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF): // shorter than it was
		return n, sources.ErrChanged
	case err != nil:
		return n, translate(err)
	}
	return n, nil
}

func (r *reading) end() error {
	after, err := r.file.Stat()
	if err != nil {
		return translate(err)
	}
	appended := after.Size() > r.before.Size()
	if !appended && !after.ModTime().Equal(r.before.ModTime()) {
		return sources.ErrChanged
	}
	return io.EOF
}

func (r *reading) Close() error { return r.file.Close() }

// Check implements sources.Checker.
func (f *Folder) Check(ctx context.Context) []sources.Check {
	d, err := f.root.Open(".")
	if err == nil {
		_, err = d.ReadDir(1)
		d.Close()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return []sources.Check{{ID: "folder.readable", Status: sources.CheckFail, Detail: err.Error(), Args: []string{f.abs}}}
	}
	if errors.Is(err, io.EOF) {
		return []sources.Check{{ID: "folder.empty", Status: sources.CheckWarn, Args: []string{f.abs}}}
	}
	return []sources.Check{{ID: "folder.readable", Status: sources.CheckOK, Args: []string{f.abs}}}
}

// rawPrefix marks the ID of a path that is not UTF-8: its bytes in hex.
const rawPrefix = "raw:"

func id(rel string) sources.ItemID {
	if utf8.ValidString(rel) && !strings.HasPrefix(rel, rawPrefix) {
		return sources.ItemID(rel)
	}
	return sources.ItemID(rawPrefix + hex.EncodeToString([]byte(rel)))
}

func relative(id sources.ItemID) (string, error) {
	code, raw := strings.CutPrefix(string(id), rawPrefix)
	if !raw {
		return string(id), nil
	}
	b, err := hex.DecodeString(code)
	if err != nil {
		return "", fmt.Errorf("%w: not an ID of this source", sources.ErrGone)
	}
	return string(b), nil
}

// shown is the path for people. Bytes that are not UTF-8 are read as Latin-1,
// which is what old Swedish file servers wrote.
func shown(rel string) string {
	if rel == "." {
		return ""
	}
	if utf8.ValidString(rel) {
		return rel
	}
	var b strings.Builder
	for len(rel) > 0 {
		r, n := utf8.DecodeRuneInString(rel)
		if r == utf8.RuneError && n == 1 {
			r = rune(rel[0])
		}
		b.WriteRune(r)
		rel = rel[n:]
	}
	return b.String()
}

func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeDevice != 0:
		return "device"
	case mode.IsDir():
		return "folder"
	}
	return "not a regular file"
}

// translate names the operating system's errors in this house's words.
func translate(err error) error {
	switch {
	case err == nil, errors.Is(err, sources.ErrUnavailable):
		return err
	}
	// Errors reach logs, and a file's name may hold somebody's number.
	var named *fs.PathError
	if errors.As(err, &named) {
		err = fmt.Errorf("%s: %w", named.Op, named.Err)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", sources.ErrGone, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", sources.ErrDenied, err)
	}
	return fmt.Errorf("%w: %w", sources.ErrUnavailable, err)
}

// stamp is a time as part of a Version.
func stamp(t time.Time) string { return t.UTC().Format("20060102T150405.000000000") }
