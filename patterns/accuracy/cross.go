package accuracy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/patterns/library"
)

// Judged is a document with what was found in it.
type Judged struct {
	Document
	patterns.Content
	Steps []patterns.Step
}

// Cross judges every document with a gist that was trained on those of
// other writers only: what it says of a text must not come from having seen
// it, nor its writer's ways.
func Cross(docs []Document, explain func(Document) bool) ([]Judged, error) {
	lib, err := library.Read()
	if err != nil {
		return nil, err
	}
	masker, err := NewMasker()
	if err != nil {
		return nil, err
	}
	examples, err := Examples(lib, docs)
	if err != nil {
		return nil, err
	}
	var out []Judged
	for _, fold := range folds(docs) {
		table := Train(slices.DeleteFunc(slices.Clone(examples), func(e Example) bool { return fold[e.Writer] }))
		if lib.Gist, err = patterns.ParseGist(table.Bytes()); err != nil {
			return nil, fmt.Errorf("without %v: %w", slices.Sorted(maps.Keys(fold)), err)
		}
		set, err := patterns.NewSet(lib)
		if err != nil {
			return nil, err
		}
		r := set.NewReader(masker)
		for _, d := range docs {
			if !fold[d.Writer] {
				continue
			}
			content, steps := d.Read(r, patterns.Options{Explain: explain(d)})
			out = append(out, Judged{d, content, steps})
		}
	}
	return out, nil
}

// NewMasker returns a masker with the corpus' key.
func NewMasker() (*patterns.Masker, error) {
	return patterns.NewMasker([]byte("accuracy corpus key"))
}

// maxFolds bounds how often Cross trains.
const maxFolds = 5

// folds deals the writers out, in the order of their names.
func folds(docs []Document) []map[string]bool {
	writers := map[string]bool{}
	for _, d := range docs {
		writers[d.Writer] = true
	}
	all := make([]map[string]bool, min(maxFolds, len(writers)))
	for i, w := range slices.Sorted(maps.Keys(writers)) {
		if all[i%len(all)] == nil {
			all[i%len(all)] = map[string]bool{}
		}
		all[i%len(all)][w] = true
	}
	return all
}
