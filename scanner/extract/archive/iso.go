package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// uniso opens an image of a disc (ISO 9660, ECMA-119) with the long names of
// Joliet where it has them.
func uniso(u *unpacking) error {
	root, joliet, err := isoRoot(u.in)
	if err != nil {
		return err
	}
	d := &disc{unpacking: u, joliet: joliet, seen: map[int64]bool{}}
	return d.folder("", root, 0)
}

const (
	isoSector  = 2048
	isoDepth   = 64       // of folders
	isoFolder  = 16 << 20 // bytes of a folder's records
	isoRecords = 33       // bytes of a record before its name
)

// isoRoot finds the record of the root folder: of the Joliet volume, or of
// the first.
func isoRoot(in extract.Input) (root []byte, joliet bool, err error) {
	sector := make([]byte, isoSector)
	for at := int64(16 * isoSector); at < in.Size && at < 64*isoSector; at += isoSector {
		if n, _ := in.ReadAt(sector, at); n < isoSector || string(sector[1:6]) != "CD001" || sector[0] == 255 {
			break
		}
		long := sector[0] == 2 && (bytes.Equal(sector[88:91], []byte("%/@")) || bytes.Equal(sector[88:91], []byte("%/C")) || bytes.Equal(sector[88:91], []byte("%/E")))
		if sector[0] == 1 && root == nil || long {
			root, joliet = bytes.Clone(sector[156:190]), long
		}
	}
	if root == nil {
		return nil, false, fmt.Errorf("iso: volume: %w", extract.ErrDamaged)
	}
	return root, joliet, nil
}

// disc is an image being opened.
type disc struct {
	*unpacking
	joliet bool
	seen   map[int64]bool // folders, by where they lie
}

// place is where a record says that its content lies, in bytes.
func place(record []byte) (at, size int64) {
	return int64(binary.LittleEndian.Uint32(record[2:])) * isoSector, int64(binary.LittleEndian.Uint32(record[10:]))
}

// folder hands on what lies in a folder.
func (d *disc) folder(path string, record []byte, depth int) error {
	at, size := place(record)
	if d.seen[at] {
		return nil
	}
	d.seen[at] = true
	if depth > isoDepth || size > isoFolder {
		return fmt.Errorf("iso: folder: %w", extract.ErrLimit)
	}
	records := make([]byte, min(size, max(0, d.in.Size-at)))
	if n, _ := d.in.ReadAt(records, at); int64(n) < size {
		if err := d.gap(path, fmt.Errorf("iso: folder: %w", extract.ErrDamaged)); err != nil {
			return err
		}
	}
	for from := 0; from+isoRecords < len(records); {
		length := int(records[from])
		if length == 0 { // on to the next sector
			from = (from/isoSector + 1) * isoSector
			continue
		}
		if length <= isoRecords || from+length > len(records) {
			return d.gap(path, fmt.Errorf("iso: record: %w", extract.ErrDamaged))
		}
		if err := d.record(path, records[from:from+length], depth); err != nil {
			return err
		}
		from += length
	}
	return nil
}

// record hands on a file, or what lies in a folder.
func (d *disc) record(path string, r []byte, depth int) error {
	const isFolder = 2
	name := r[isoRecords:min(len(r), isoRecords+int(r[32]))]
	if len(name) == 0 || len(name) == 1 && name[0] <= 1 { // the folder itself, and the one above
		return d.ctx.Err()
	}
	full := path + d.name(name)
	if r[25]&isFolder != 0 {
		return d.folder(full+"/", r, depth+1)
	}
	if err := d.next(); err != nil {
		return err
	}
	at, size := place(r)
	if err := d.file(full, io.NewSectionReader(d.in, at, size)); err != nil {
		return err
	}
	if at+size > d.in.Size {
		return d.gap(full, fmt.Errorf("iso: cut off: %w", extract.ErrDamaged))
	}
	return nil
}

// name is a record's name without its version.
func (d *disc) name(b []byte) string {
	name := entryName(string(b))
	if d.joliet {
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(b[2*i:])
		}
		name = string(utf16.Decode(units))
	}
	name, _, _ = strings.Cut(name, ";")
	return strings.TrimSuffix(name, ".")
}
