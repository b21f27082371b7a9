package accuracy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/patterns/library"
)

// TestForeignTexts prints what is found in a folder of texts that hold
// nothing sensitive, for tuning: MOLNVAKT_ACCURACY_TEXTS names it.
func TestForeignTexts(t *testing.T) {
	dir := os.Getenv("MOLNVAKT_ACCURACY_TEXTS")
	if dir == "" {
		t.Skip("MOLNVAKT_ACCURACY_TEXTS names no folder of texts")
	}
	set, err := library.Load(library.Options{})
	if err != nil {
		t.Fatal(err)
	}
	masker, err := patterns.NewMasker([]byte("accuracy corpus key"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	r := set.NewReader(masker)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		r.Begin(patterns.Subject{Name: filepath.Base(f), Path: filepath.Base(f)}, patterns.Options{Explain: true})
		r.Text("body", "", string(text))
		content, steps := r.Finish()
		class, because := classOf(content)
		if class < 2 {
			continue
		}
		t.Logf("%s: K%d %s", filepath.Base(f), class, because)
		for _, s := range steps {
			if s.Counted && s.Category != "" {
				t.Logf("    %s %s %v", s.Pattern, s.Masked, s.Because)
			}
		}
	}
}
