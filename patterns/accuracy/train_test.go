package accuracy

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/molnvakt/molnvakt/patterns/library"
)

// TestGistIsFresh: the table that is shipped is what training makes of the
// corpus as it is.
func TestGistIsFresh(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("other processors fuse multiplications and additions: the last bits of the weights differ")
	}
	docs, err := ReadCorpus("corpus", "testdata/testnumbers.txt")
	if err != nil {
		t.Fatal(err)
	}
	lib, err := library.Read()
	if err != nil {
		t.Fatal(err)
	}
	examples, err := Examples(lib, docs)
	if err != nil {
		t.Fatal(err)
	}
	table := Train(examples)
	if shipped := library.Gist(); !bytes.Equal(table.Bytes(), shipped) {
		t.Errorf("the shipped gist (%d bytes) is not what training makes (%d bytes): run make gist", len(shipped), len(table.Bytes()))
	}
}
