package archive

import (
	"errors"
	"fmt"
	"io"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/nwaples/rardecode/v2"
)

func unrar(u *unpacking) error {
	r, err := openRAR(u)
	if err != nil {
		return err
	}
	for {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case errors.Is(err, rardecode.ErrMultiVolume):
			return fmt.Errorf("rar: goes on in another volume: %w", extract.ErrUnsupported)
		case err != nil:
			return reasonRAR(err)
		}
		name := entryName(h.Name)
		if h.IsDir || litter(name) {
			if err := u.ctx.Err(); err != nil {
				return err
			}
			continue
		}
		if err := u.next(); err != nil {
			return err
		}
		if err := u.entryRAR(r, h, name); err != nil {
			return err
		}
	}
}

func (u *unpacking) entryRAR(r *rardecode.Reader, h *rardecode.FileHeader, name string) error {
	if h.Encrypted {
		// Whether the password fits shows at the first read.
		if _, err := r.Read(nil); err != nil && isLockedRAR(err) {
			return u.gap(name, reasonRAR(err))
		}
	}
	return u.file(name, rarContent{r})
}

type rarContent struct{ r *rardecode.Reader }

// Read implements io.Reader.
func (c rarContent) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = reasonRAR(err)
	}
	return n, err
}

// openRAR tries the passwords in turn.
func openRAR(u *unpacking) (*rardecode.Reader, error) {
	var last error
	for _, password := range append([]string{""}, u.in.Passwords...) {
		if last = tryRAR(u, password); last == nil || !errors.Is(last, extract.ErrEncrypted) {
			return newRAR(u, password)
		}
	}
	if r, err := newRAR(u, ""); err == nil {
		return r, nil // some entries may be open
	}
	return nil, last
}

func newRAR(u *unpacking, password string) (*rardecode.Reader, error) {
	options := []rardecode.Option{rardecode.MaxDictionarySize(maxDictionary)}
	if password != "" {
		options = append(options, rardecode.Password(password))
	}
	r, err := rardecode.NewReader(u.in.Reader(), options...)
	if err != nil {
		return nil, reasonRAR(err)
	}
	return r, nil
}

// tryRAR reads the beginning of the first entry.
func tryRAR(u *unpacking, password string) error {
	r, err := newRAR(u, password)
	if err != nil {
		return err
	}
	for {
		h, err := r.Next()
		if err != nil {
			return reasonRAR(err)
		}
		if h.IsDir {
			continue
		}
		if _, err := r.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
			return reasonRAR(err)
		}
		return nil
	}
}

func reasonRAR(err error) error {
	switch {
	case errors.Is(err, rardecode.ErrDictionaryTooLarge):
		return fmt.Errorf("rar: dictionary: %w", extract.ErrLimit)
	case isLockedRAR(err):
		return fmt.Errorf("rar: %w", extract.ErrEncrypted)
	}
	return fmt.Errorf("rar: %w", extract.ErrDamaged)
}

func isLockedRAR(err error) bool {
	return errors.Is(err, rardecode.ErrArchiveEncrypted) || errors.Is(err, rardecode.ErrArchivedFileEncrypted) || errors.Is(err, rardecode.ErrBadPassword)
}
