package patterns

import (
	"fmt"
	"strings"
	"testing"
)

// TestLines: evidence names the line of its own, also behind the first blocks.
func TestLines(t *testing.T) {
	s, err := NewSet(Library{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMasker([]byte("a key for the test of lines"))
	if err != nil {
		t.Fatal(err)
	}
	r := s.NewReader(m)
	for _, at := range []int{0, 3, 5000, 9999} {
		var text strings.Builder
		for i := range 10000 {
			if i == at {
				text.WriteString("Personnummer: 19670314-3435\n")
			}
			fmt.Fprintf(&text, "rad %d handlar om vägar och parker\n", i)
		}
		r.Begin(Subject{Name: "a.txt", Path: "a.txt"}, Options{CountTestNumbers: true})
		r.Text("body", "line 101", text.String())
		c, _ := r.Finish()
		if len(c.Evidence) != 1 || c.Evidence[0].Place != fmt.Sprintf("line %d", at+101) {
			t.Errorf("line %d: %+v", at+101, c.Evidence)
		}
	}
}
