package patterns

import (
	"fmt"
	"maps"
	"slices"
)

// Own is what documents are compared with besides patterns: the
// organisation's records and the documents and forms it knows.
type Own struct {
	Exact        []*ExactIndex
	Fingerprints *FingerprintSet // nil: none
}

// NewReaderWith returns a Reader that also compares with what is the
// organisation's own. Its Err tells when an index could not be read.
func (s *Set) NewReaderWith(m *Masker, own Own) *OwnReader {
	r := &reader{set: s, masker: m, scanner: s.engine.NewScanner(), own: own}
	if own.Fingerprints != nil {
		r.matcher = own.Fingerprints.NewMatcher()
	}
	return &OwnReader{r}
}

// OwnReader is a Reader that compares with an Own.
type OwnReader struct{ *reader }

// Err returns why the document that was read last was not compared to its
// end, nil if it was. It wraps ErrExact.
func (r *OwnReader) Err() error { return r.failed }

// unfinished names the patterns that were given up and the indexes that could
// not be read.
func (r *reader) unfinished() []string {
	all := slices.Clone(r.unread)
	for _, id := range r.scanner.Exhausted() {
		m := &r.set.terms[id]
		if m.custom == 0 {
			continue
		}
		if id := r.set.custom[m.custom-1].ID; !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

// ownTally counts what of the organisation's own was met.
type ownTally struct {
	records map[string]map[uint32]Confidence // by index and row
	failed  error
	unread  []string // indexes; see unfinished
}

// compare looks for the organisation's own in a scene.
func (r *reader) compare(s *scene) {
	if r.matcher != nil {
		r.matcher.Write(s.text[min(r.overlap, len(s.text)):])
	}
	for _, x := range r.own.Exact {
		found, err := x.Find(s.text)
		if err != nil {
			r.failed = fmt.Errorf("%w: %s: %w", ErrExact, x.Name(), err)
			if name := "exakt:" + x.Name(); !slices.Contains(r.unread, name) {
				r.unread = append(r.unread, name)
			}
			continue
		}
		for _, f := range found {
			r.record(s, f)
		}
	}
}

func (r *reader) record(s *scene, f ExactFound) {
	if r.records == nil {
		r.records = map[string]map[uint32]Confidence{}
	}
	if r.records[f.Index] == nil {
		r.records[f.Index] = map[uint32]Confidence{}
	}
	rows := r.records[f.Index]
	if old, ok := rows[f.Row]; ok || len(rows) < maxPeople {
		rows[f.Row] = max(old, f.Confidence)
	}
	pattern := "exakt:" + f.Index
	masked := maskEnds(string(s.text[f.Start:f.End]), 0, 2)
	because := []string{"column:" + f.Column, fmt.Sprintf("columns:%d", f.Columns)}
	r.explain(Step{Pattern: pattern, Category: Custom, Place: s.place(f.Start), Masked: masked, Counted: f.Confidence >= Medium, Confidence: f.Confidence, Because: because})
	if f.Confidence >= Medium {
		r.evidence.add(Evidence{Pattern: pattern, Category: Custom, Confidence: f.Confidence, Place: s.place(f.Start), Masked: masked}, 0,
			func() string { return r.masker.Fingerprint(pattern, NewRaw(string(s.text[f.Start:f.End]))) })
	}
}

// concludeOwn returns the records and known documents that were met, and the
// known forms.
func (r *reader) concludeOwn() (found []CategoryFound, forms []DocumentKind) {
	for _, index := range slices.Sorted(maps.Keys(r.records)) {
		f := CategoryFound{Category: Custom, Pattern: "exakt:" + index}
		for _, c := range r.records[index] {
			if c >= Medium {
				f.Count++
				f.Confidence = max(f.Confidence, c)
			}
		}
		if f.People = f.Count; f.Count > 0 {
			found = append(found, f)
		}
	}
	if r.matcher == nil {
		return found, nil
	}
	for _, m := range r.matcher.Matches() {
		r.explain(Step{Pattern: "kopia:" + m.Name, Category: Custom, Counted: m.Confidence >= Medium, Confidence: m.Confidence, Because: []string{fmt.Sprintf("share:%.2f", m.Share), fmt.Sprintf("added:%d", m.Added)}})
		switch {
		case m.Confidence < Medium:
		case m.Kind == KnownForm:
			forms = append(forms, DocumentKind{Kind: m.Name, Confidence: m.Confidence, Filled: m.Added >= filledWords})
		default:
			found = append(found, CategoryFound{Category: Custom, Confidence: m.Confidence, Count: 1, Pattern: "kopia:" + m.Name})
		}
	}
	return found, forms
}

// filledWords more than a blank form make it a filled-in one.
const filledWords = 8
