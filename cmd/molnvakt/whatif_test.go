package main

import (
	"slices"
	"testing"

	"github.com/molnvakt/molnvakt/patterns"
)

// TestNearest: of each category that did not count, the nearest candidate.
func TestNearest(t *testing.T) {
	step := func(c patterns.Category, counted bool, because ...string) patterns.Step {
		return patterns.Step{Pattern: string(c), Category: c, Counted: counted, Because: because}
	}
	got := nearest([]patterns.Step{
		step(patterns.Health, false, "score:0.5", "needs:1.6"),
		step(patterns.Health, false, "words:3.0", "score:1.1", "needs:1.6"),
		step(patterns.HR, false, "score:1.5", "needs:1.6"),
		step(patterns.Religion, false, "score:0.1", "needs:1.6"),       // far from it
		step(patterns.SocialServices, false, "score:1.0", "needs:1.6"), // counted elsewhere
		step(patterns.SocialServices, true, "score:2.0", "needs:1.6"),
		{Pattern: "telefon", Because: []string{"shape"}},
	})
	if len(got) != 2 || got[0].category != patterns.HR || got[1].category != patterns.Health || got[1].score != "1.1" || got[1].needs != "1.6" {
		t.Errorf("got %+v", got)
	}
	content := patterns.Content{Categories: []patterns.CategoryFound{{Category: patterns.Health}, {Category: patterns.HR}, {Category: patterns.Health}}}
	if all := foundCategories(content); !slices.Equal(all, []patterns.Category{patterns.Health, patterns.HR}) {
		t.Errorf("categories %v", all)
	}
	if rest := without(content, patterns.Health); len(rest.Categories) != 1 || len(content.Categories) != 3 {
		t.Errorf("without: %v, the content %v", rest.Categories, content.Categories)
	}
}
