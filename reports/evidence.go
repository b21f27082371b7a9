package reports

import (
	"cmp"
	"slices"
	"strings"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
)

// Evidence is what was found by one pattern: "Personnummer", and where.
type Evidence struct {
	What  string
	Items []EvidenceItem // at most evidenceShown
	More  int            // beyond Items
}

// EvidenceItem is one masked match and its place, in words.
type EvidenceItem struct{ Masked, Place string }

// evidenceShown is enough to find the rest in the document.
const evidenceShown = 5

// EvidenceOf returns the evidence of a verdict by pattern: what the verdict is
// about first, then what names people, then the rest. Contact details are left
// out when there is anything else. A sealed verdict has none.
func (w Words) EvidenceOf(v policy.Verdict) []Evidence {
	if v.Sealed {
		return nil
	}
	evidence := slices.Clone(v.Evidence)
	slices.SortStableFunc(evidence, func(a, b patterns.Evidence) int {
		return cmp.Compare(rank(v, a), rank(v, b))
	})
	if len(evidence) > 0 && rank(v, evidence[0]) < contact {
		evidence = slices.DeleteFunc(evidence, func(e patterns.Evidence) bool { return rank(v, e) == contact })
	}
	var groups []Evidence
	at := map[string]int{}
	for _, e := range evidence {
		what := w.Pattern(e.Pattern)
		i, known := at[what]
		if !known {
			i = len(groups)
			at[what] = i
			groups = append(groups, Evidence{What: what})
		}
		if g := &groups[i]; len(g.Items) < evidenceShown {
			g.Items = append(g.Items, EvidenceItem{Masked: e.Masked, Place: w.Place(e.Place)})
		} else {
			g.More++
		}
	}
	return groups
}

// contact is the rank of contact details, which tell the least.
const contact = 4

// rank orders evidence, the most telling first.
func rank(v policy.Verdict, e patterns.Evidence) int {
	switch e.Pattern {
	case "personnummer", "samordningsnummer", "reservnummer", "interimsnummer":
		return 1
	case "telefon", "epost", "postadress":
		return contact
	}
	switch {
	case e.Category != "" && e.Category != patterns.PersonalData && slices.Contains(v.Categories, e.Category):
		return 0
	case e.Category == "":
		return 2
	}
	return 3
}

// String returns the evidence on one line.
func (e Evidence) String() string {
	items := make([]string, 0, len(e.Items)+1)
	for _, i := range e.Items {
		item := i.Masked
		if i.Place != "" {
			item = strings.TrimSpace(item + " (" + i.Place + ")")
		}
		if item != "" {
			items = append(items, item)
		}
	}
	if e.More > 0 {
		items = append(items, "…")
	}
	if len(items) == 0 {
		return e.What
	}
	return e.What + ": " + strings.Join(items, ", ")
}
