package patterns

import (
	"fmt"
	"slices"
	"sort"
)

// maxSteps bounds an explanation.
const maxSteps = 2000

// explain keeps a step if the caller asked for an explanation.
func (r *reader) explain(s Step) {
	if r.options.Explain && len(r.steps) < maxSteps {
		r.steps = append(r.steps, s)
	}
}

func (r *reader) explainIdentifier(s *scene, f *Found, counted bool) {
	if !r.options.Explain {
		return
	}
	because := f.Because
	if f.Test {
		because = append(because[:len(because):len(because)], "test-number")
	}
	r.explain(Step{
		Pattern: f.Identifier.String(), Place: s.place(f.Start), Masked: f.Mask(s.text),
		Counted: counted, Confidence: f.Confidence, Because: because,
	})
}

func (r *reader) explainClaim(c Category, cl *claim, score, limit float64, because []string) {
	if !r.options.Explain {
		return
	}
	step := Step{Pattern: string(c), Category: c, Place: cl.place, Masked: evidenceText(c, cl), Counted: score >= limit}
	if step.Counted {
		step.Confidence = confidenceOf(score, limit, cl)
	}
	step.Because = slices.Concat(because, []string{fmt.Sprintf("score:%.1f", score), fmt.Sprintf("needs:%.1f", limit)})
	r.explain(step)
}

// evidenceKeeper keeps the best evidence of each pattern.
type evidenceKeeper struct{ kept map[string][]keptEvidence }

// keptEvidence also knows a hash of the value, by which one that comes again is
// known before its fingerprint is made; 0: unknown.
type keptEvidence struct {
	Evidence
	value uint64
}

// wants reports whether there is room for evidence of a pattern and value, or
// something weaker to drop.
func (k *evidenceKeeper) wants(pattern string, c Confidence, value uint64) bool {
	list := k.kept[pattern]
	if value != 0 {
		for i := range list {
			if list[i].value == value {
				return list[i].Confidence < c
			}
		}
	}
	return len(list) < MaxEvidence || list[len(list)-1].Confidence < c
}

// add keeps e if there is room or something weaker to drop. The fingerprint
// is made only then.
func (k *evidenceKeeper) add(e Evidence, value uint64, fingerprint func() string) {
	if k.kept == nil {
		k.kept = map[string][]keptEvidence{}
	}
	if !k.wants(e.Pattern, e.Confidence, value) {
		return
	}
	list := k.kept[e.Pattern]
	e.Fingerprint = fingerprint()
	for i := range list {
		if list[i].Fingerprint == e.Fingerprint && e.Fingerprint != "" {
			if list[i].Confidence < e.Confidence {
				list[i] = keptEvidence{e, value}
			}
			return
		}
	}
	list = append(list, keptEvidence{e, value})
	slices.SortStableFunc(list, func(a, b keptEvidence) int { return int(b.Confidence - a.Confidence) })
	k.kept[e.Pattern] = list[:min(len(list), MaxEvidence)]
}

// best returns all that was kept, the surest first.
func (k *evidenceKeeper) best(c Content) []Evidence {
	var all []Evidence
	for _, list := range k.kept {
		for _, e := range list {
			all = append(all, e.Evidence)
		}
	}
	sort.SliceStable(all, func(i, j int) bool {
		if all[i].Confidence != all[j].Confidence {
			return all[i].Confidence > all[j].Confidence
		}
		if all[i].Pattern != all[j].Pattern {
			return all[i].Pattern < all[j].Pattern
		}
		return all[i].Place < all[j].Place
	})
	if c.sealed() {
		for i := range all {
			all[i].Masked = ""
		}
	}
	return all
}

// sealed reports whether no excerpt may be kept: säkerhetsskydd.
func (c Content) sealed() bool {
	for _, f := range c.Categories {
		if f.Category == NationalSecurity {
			return true
		}
	}
	return false
}
