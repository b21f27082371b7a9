package ole

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

var le = binary.LittleEndian

// compound is an opened compound file: a small file system ([MS-CFB]). It
// reads what is left of one that is cut off.
type compound struct {
	ctx       context.Context
	r         io.ReaderAt
	size      int64
	sector    int64 // bytes
	fat       []uint32
	miniFat   []uint32
	mini      *stream // holds the small streams
	miniBelow int64   // size below which a stream is small
	streams   []*stream
	damaged   bool // something points to where there is nothing
}

// stream is one file of a compound file.
type stream struct {
	path, name string // path: the storages it lies in, each with a "/" after it
	size       int64
	chain      []uint32
	file       *compound
	small      bool
}

const (
	noSector  = 0xFFFFFFFA // and above: end of chain, free, FAT
	miniSize  = 64
	entrySize = 128
	rootEntry = 5 // it holds the small streams
)

// openCompound reads the directory of a compound file.
func openCompound(ctx context.Context, in extract.Input) (*compound, error) {
	head := make([]byte, 512)
	if n, _ := in.ReadAt(head, 0); n < 512 || string(head[:8]) != "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" {
		return nil, fmt.Errorf("ole: header: %w", extract.ErrDamaged)
	}
	shift := le.Uint16(head[30:])
	if shift < 7 || shift > 16 {
		return nil, fmt.Errorf("ole: sector size: %w", extract.ErrDamaged)
	}
	c := &compound{ctx: ctx, r: in, size: in.Size, sector: 1 << shift, miniBelow: int64(le.Uint32(head[56:]))}
	c.readFat(head)
	c.miniFat = c.table(c.chain(le.Uint32(head[60:]), c.fat))
	if err := c.readDirectory(le.Uint32(head[48:]), in.Limits.Entries); err != nil {
		return nil, err
	}
	return c, nil
}

// readSector returns a sector's bytes: fewer where the file is cut off.
func (c *compound) readSector(n uint32) []byte {
	b := make([]byte, c.sector)
	got, _ := c.r.ReadAt(b, (int64(n)+1)*c.sector)
	if got < len(b) {
		c.damaged = true
	}
	return b[:got]
}

func (c *compound) within(n uint32) bool {
	return n < noSector && (int64(n)+1)*c.sector < c.size
}

// readFat collects the sectors that the header and its continuations name.
func (c *compound) readFat(head []byte) {
	var sectors []uint32
	for i := range 109 {
		sectors = append(sectors, le.Uint32(head[76+4*i:]))
	}
	next := le.Uint32(head[68:])
	for range c.size/c.sector + 1 {
		if !c.within(next) {
			break
		}
		b := c.readSector(next)
		if int64(len(b)) < c.sector {
			break
		}
		for i := 0; i < len(b)-4; i += 4 {
			sectors = append(sectors, le.Uint32(b[i:]))
		}
		next = le.Uint32(b[len(b)-4:])
	}
	most := int(c.size/c.sector) + 1
	for _, n := range sectors {
		if n >= noSector || len(c.fat) > most {
			continue
		}
		if !c.within(n) {
			c.damaged = true
			continue
		}
		c.fat = append(c.fat, c.table([]uint32{n})...)
	}
}

// table reads sectors as a list of sector numbers.
func (c *compound) table(sectors []uint32) []uint32 {
	var list []uint32
	for _, n := range sectors {
		b := c.readSector(n)
		for len(b) >= 4 {
			list = append(list, le.Uint32(b))
			b = b[4:]
		}
		for int64(len(list))%(c.sector/4) != 0 {
			list = append(list, noSector+4)
		}
	}
	return list
}

// chain follows a chain of sectors as far as it goes.
func (c *compound) chain(start uint32, fat []uint32) []uint32 {
	var sectors []uint32
	for n := start; n < noSector && len(sectors) <= len(fat); {
		sectors = append(sectors, n)
		if int64(n) >= int64(len(fat)) {
			c.damaged = true
			break
		}
		n = fat[n]
	}
	return sectors
}

// readDirectory lists the streams, in the order of the directory, with their
// paths.
func (c *compound) readDirectory(start uint32, limit int) error {
	var raw []byte
	for _, n := range c.chain(start, c.fat) {
		if !c.within(n) {
			c.damaged = true
			break
		}
		raw = append(raw, c.readSector(n)...)
		if len(raw)/entrySize > limit {
			return fmt.Errorf("ole: directory: %w", extract.ErrLimit)
		}
	}
	count := len(raw) / entrySize
	if count == 0 {
		return fmt.Errorf("ole: no directory: %w", extract.ErrDamaged)
	}
	entry := func(i int) []byte { return raw[i*entrySize : (i+1)*entrySize] }
	raw[66] = rootEntry // whatever it says
	c.mini = c.newStream(entry(0), "")
	paths := directoryPaths(count, entry)
	for i := 1; i < count; i++ {
		switch kind := entry(i)[66]; {
		case kind == 2:
			c.streams = append(c.streams, c.newStream(entry(i), paths[i]))
		case kind > rootEntry:
			c.damaged = true
		}
	}
	return nil
}

// directoryPaths finds the storage of every entry: a storage names one child,
// whose siblings hang from it as a tree. Entries nobody names lie at the root.
func directoryPaths(count int, entry func(int) []byte) []string {
	paths := make([]string, count)
	seen := make([]bool, count)
	type visit struct {
		id   uint32
		path string
	}
	todo := []visit{{le.Uint32(entry(0)[76:]), ""}}
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if v.id >= uint32(count) || seen[v.id] {
			continue
		}
		seen[v.id] = true
		e := entry(int(v.id))
		paths[v.id] = v.path
		todo = append(todo, visit{le.Uint32(e[68:]), v.path}, visit{le.Uint32(e[72:]), v.path})
		if e[66] == 1 && len(v.path) < 4096 {
			todo = append(todo, visit{le.Uint32(e[76:]), v.path + entryName(e) + "/"})
		}
	}
	return paths
}

func entryName(e []byte) string {
	n := min(int(le.Uint16(e[64:])), 64)/2 - 1
	if n < 0 {
		return ""
	}
	return utf16String(e[:2*n])
}

func (c *compound) newStream(e []byte, path string) *stream {
	s := &stream{path: path, name: entryName(e), size: int64(le.Uint64(e[120:])), file: c}
	if c.sector == 512 {
		s.size = int64(le.Uint32(e[120:])) // version 3 leaves rubbish above
	}
	if s.size < 0 || s.size > c.size {
		s.size = c.size
	}
	s.small = s.size < c.miniBelow && e[66] != rootEntry
	if s.small {
		s.chain = c.chain(le.Uint32(e[116:]), c.miniFat)
	} else {
		s.chain = c.chain(le.Uint32(e[116:]), c.fat)
	}
	return s
}

// find returns the stream with this name in a storage, whatever its case, or
// nil.
func (c *compound) find(path, name string) *stream {
	for _, s := range c.streams {
		if strings.EqualFold(s.name, name) && strings.EqualFold(s.path, path) {
			return s
		}
	}
	return nil
}

// ReadAt implements io.ReaderAt. Where the file is cut off it ends early.
func (s *stream) ReadAt(p []byte, off int64) (int, error) {
	if err := s.file.ctx.Err(); err != nil {
		return 0, err
	}
	size := s.file.sector
	if s.small {
		size = miniSize
	}
	done := 0
	for done < len(p) {
		at := off + int64(done)
		i := at / size
		if at >= s.size || i >= int64(len(s.chain)) {
			s.file.damaged = s.file.damaged || at < s.size
			return done, io.EOF
		}
		want := p[done:min(int64(len(p)), int64(done)+size-at%size, int64(done)+s.size-at)]
		n, err := 0, error(nil)
		if s.small {
			n, err = s.file.mini.ReadAt(want, int64(s.chain[i])*miniSize+at%size)
		} else {
			n, err = s.file.r.ReadAt(want, (int64(s.chain[i])+1)*size+at%size)
		}
		done += n
		if n < len(want) {
			if err == nil || errors.Is(err, io.EOF) {
				s.file.damaged = true
				err = io.EOF
			}
			return done, err
		}
	}
	return done, nil
}

// reader reads the stream from its beginning.
func (s *stream) reader() *io.SectionReader { return io.NewSectionReader(s, 0, s.size) }

// bytes reads the whole stream, or what is left of it. No stream is nil.
func (s *stream) bytes() []byte {
	if s == nil {
		return nil
	}
	b := make([]byte, min(s.size, int64(len(s.chain))*s.file.sector))
	n, _ := s.ReadAt(b, 0)
	s.file.damaged = s.file.damaged || int64(n) < s.size
	return b[:n]
}

// utf16String decodes UTF-16LE.
func utf16String(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = le.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}
