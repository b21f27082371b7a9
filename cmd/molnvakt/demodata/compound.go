package demodata

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf16"
)

// A compound file ([MS-CFB]) is what .msg and encrypted office documents are:
// streams in a file of 512-byte sectors, short ones in a stream of their own.

const (
	sectorSize = 512
	miniSize   = 64
	miniCutoff = 4096
	endOfChain = 0xfffffffe
	noSector   = 0xffffffff
	fatSector  = 0xfffffffd
	noEntry    = 0xffffffff
)

// compound writes streams into the root of a compound file.
func compound(streams []part) []byte {
	streams = slices.Clone(streams)
	slices.SortFunc(streams, func(a, b part) int {
		return cmp.Or(cmp.Compare(len(a.name), len(b.name)), cmp.Compare(strings.ToUpper(a.name), strings.ToUpper(b.name)))
	})
	c := &compoundWriter{}
	var mini bytes.Buffer
	var miniFAT []uint32
	starts := make([]uint32, len(streams))
	for i, s := range streams {
		if len(s.content) >= miniCutoff {
			starts[i] = c.chain(s.content)
			continue
		}
		starts[i] = uint32(len(miniFAT))
		miniFAT = append(miniFAT, chainOf(len(miniFAT), sectors(len(s.content), miniSize))...)
		mini.Write(pad(s.content, miniSize))
	}
	miniStart := c.chain(mini.Bytes())
	miniFATStart := c.chain(words(miniFAT))
	directory := directoryOf(streams, starts, miniStart, mini.Len())
	directoryStart := c.chain(directory)
	return c.file(directoryStart, miniFATStart, uint32(sectors(len(miniFAT)*4, sectorSize)))
}

type compoundWriter struct {
	body []byte // sectors after the header
	fat  []uint32
}

// chain appends content in sectors and returns the first.
func (c *compoundWriter) chain(content []byte) uint32 {
	if len(content) == 0 {
		return endOfChain
	}
	first := len(c.fat)
	c.fat = append(c.fat, chainOf(first, sectors(len(content), sectorSize))...)
	c.body = append(c.body, pad(content, sectorSize)...)
	return uint32(first)
}

func chainOf(first, n int) []uint32 {
	links := make([]uint32, n)
	for i := range links {
		links[i] = uint32(first + i + 1)
	}
	if n > 0 {
		links[n-1] = endOfChain
	}
	return links
}

// file puts the allocation table and the header around the sectors.
func (c *compoundWriter) file(directory, miniFAT, miniFATs uint32) []byte {
	n := 1
	for sectors((len(c.fat)+n)*4, sectorSize) > n {
		n++
	}
	fatStart := len(c.fat)
	for range n {
		c.fat = append(c.fat, fatSector)
	}
	for len(c.fat)%(sectorSize/4) != 0 {
		c.fat = append(c.fat, noSector)
	}
	var out bytes.Buffer
	out.WriteString("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	out.Write(make([]byte, 16))
	for _, v := range []uint16{0x3e, 3, 0xfffe, 9, 6, 0, 0, 0} {
		_ = binary.Write(&out, binary.LittleEndian, v) // into memory: cannot fail
	}
	out.Write(words([]uint32{0, uint32(n), directory, 0, miniCutoff, miniFAT, miniFATs, endOfChain, 0}))
	for i := range 109 {
		at := uint32(noSector)
		if i < n {
			at = uint32(fatStart + i)
		}
		out.Write(words([]uint32{at}))
	}
	out.Write(c.body)
	out.Write(words(c.fat))
	return out.Bytes()
}

// directoryOf lists the root and its streams, which are sorted, as a balanced
// tree.
func directoryOf(streams []part, starts []uint32, miniStart uint32, miniLength int) []byte {
	left, right := make([]uint32, len(streams)), make([]uint32, len(streams))
	var grow func(from, to int) uint32
	grow = func(from, to int) uint32 {
		if from >= to {
			return noEntry
		}
		middle := (from + to) / 2
		left[middle], right[middle] = grow(from, middle), grow(middle+1, to)
		return uint32(middle + 1)
	}
	root := grow(0, len(streams))
	out := entry("Root Entry", 5, noEntry, noEntry, root, miniStart, miniLength)
	for i, s := range streams {
		out = append(out, entry(s.name, 2, left[i], right[i], noEntry, starts[i], len(s.content))...)
	}
	for len(out)%sectorSize != 0 {
		out = append(out, entry("", 0, noEntry, noEntry, noEntry, 0, 0)...)
	}
	return out
}

func entry(name string, kind byte, left, right, child, start uint32, size int) []byte {
	var out bytes.Buffer
	units := utf16.Encode([]rune(name))
	for i := range 32 {
		unit := uint16(0)
		if i < len(units) {
			unit = units[i]
		}
		_ = binary.Write(&out, binary.LittleEndian, unit) // into memory: cannot fail
	}
	length := uint16(0)
	if name != "" {
		length = uint16(2 * (len(units) + 1))
	}
	_ = binary.Write(&out, binary.LittleEndian, length)
	out.Write([]byte{kind, 1}) // black
	out.Write(words([]uint32{left, right, child}))
	out.Write(make([]byte, 16+4+16)) // class id, state, times
	out.Write(words([]uint32{start, uint32(size), 0}))
	return out.Bytes()
}

func words(of []uint32) []byte {
	var out []byte
	for _, w := range of {
		out = binary.LittleEndian.AppendUint32(out, w)
	}
	return out
}

func sectors(length, size int) int { return (length + size - 1) / size }

func pad(content []byte, size int) []byte {
	return append(slices.Clone(content), make([]byte, sectors(len(content), size)*size-len(content))...)
}

// message writes the sheet as an Outlook message ([MS-OXMSG]).
func message(s sheet) []byte {
	texts := []struct {
		id   uint16
		text string
	}{
		{0x001a, "IPM.Note"}, {0x0037, cmp.Or(s.Title, s.Name)}, {0x0c1a, "Björkfors kansli"},
		{0x0c1f, "kansliet@bjorkfors.example"}, {0x0e04, "Registrator"}, {0x1000, plain(s, "\r\n")},
	}
	properties := make([]byte, 32)
	var streams []part
	for _, t := range texts {
		content := utf16LE(t.text)[2:] // without the byte order mark
		streams = append(streams, part{fmt.Sprintf("__substg1.0_%04X001F", t.id), content})
		properties = append(properties, words([]uint32{uint32(t.id)<<16 | 0x1f, 6, uint32(len(content) + 2), 0})...)
	}
	return compound(append(streams, part{"__properties_version1.0", properties}))
}

// locked is an office document protected by a password ([MS-OFFCRYPTO], agile):
// the description is real, what it protects is noise.
func locked(rng *rand.Rand) []byte {
	info := []byte{4, 0, 4, 0, 0x40, 0, 0, 0}
	info = append(info, xml.Header+`<encryption xmlns="http://schemas.microsoft.com/office/2006/encryption" xmlns:p="http://schemas.microsoft.com/office/2006/keyEncryptor/password"><keyData saltSize="16" blockSize="16" keyBits="256" hashSize="64" cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="SHA512" saltValue="AAAAAAAAAAAAAAAAAAAAAA=="/><keyEncryptors><keyEncryptor uri="http://schemas.microsoft.com/office/2006/keyEncryptor/password"><p:encryptedKey spinCount="100000" saltSize="16" blockSize="16" keyBits="256" hashSize="64" cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="SHA512" saltValue="AAAAAAAAAAAAAAAAAAAAAA==" encryptedVerifierHashInput="AAAAAAAAAAAAAAAAAAAAAA==" encryptedVerifierHashValue="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==" encryptedKeyValue="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="/></keyEncryptor></keyEncryptors></encryption>`...)
	secret := append([]byte{0x88, 0x13, 0, 0, 0, 0, 0, 0}, noise(rng, 5008)...)
	return compound([]part{{"EncryptionInfo", info}, {"EncryptedPackage", secret}})
}
