//go:build !unix

package folder

import (
	"fmt"
	"io/fs"
	"os"
)

func version(info fs.FileInfo) string {
	return fmt.Sprintf("%x-%s", info.Size(), stamp(info.ModTime()))
}

type owners struct{}

func (*owners) of(fs.FileInfo) string { return "" }

func openQuietly(root *os.Root, rel string) (*os.File, error) { return root.Open(rel) }
