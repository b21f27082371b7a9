package archive

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"testing"
)

// TestUncompress undoes what Unix's own program did, of any width, over the
// places where its table is full and starts anew.
func TestUncompress(t *testing.T) {
	program, err := exec.LookPath("compress")
	if err != nil {
		t.Skip("SKIPPED: .Z is tried with one file only: apt-get install ncompress")
	}
	random := rand.New(rand.NewPCG(5, 6))
	var text, noise bytes.Buffer
	for text.Len() < 2<<20 {
		fmt.Fprintf(&text, "Rad %d om elev %d i klass %dB\n", text.Len(), random.IntN(900), random.IntN(9))
	}
	for range 300_000 {
		noise.WriteByte(byte(random.Uint32()))
	}
	for name, content := range map[string][]byte{"text": text.Bytes(), "noise": noise.Bytes(), "both": append(text.Bytes(), noise.Bytes()...)} {
		for _, bits := range []string{"10", "12", "16"} {
			c := exec.CommandContext(t.Context(), program, "-f", "-b", bits, "-c")
			c.Stdin = bytes.NewReader(content)
			packed, err := c.Output()
			if err != nil || len(packed) < 3 {
				t.Fatalf("compress -b %s: %v", bits, err)
			}
			got, err := io.ReadAll(newLZW(bufio.NewReader(bytes.NewReader(packed[3:])), uint(packed[2]&0x1F), packed[2]&0x80 != 0))
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s of %s bits: %d bytes instead of %d, %v", name, bits, len(got), len(content), err)
			}
		}
	}
}
