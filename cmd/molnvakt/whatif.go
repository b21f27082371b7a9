package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/reports"
)

// whatIf judges a document anew as it is not: without what was found, with
// what nearly counted, in other services. It returns a sentence for each
// change that would have changed the outcome.
func (c *checker) whatIf(one checked, at policy.Place) []string {
	w := trialOfChanges{checker: c, words: reports.NewWords(c.words, c.rules), at: at, outcome: policy.Worst(one.verdicts)}
	content := one.result.Content
	for _, f := range foundCategories(content) {
		w.try("whatif.without", without(content, f), at, w.words.Category(string(f)))
	}
	for i, n := range content.Identifiers {
		fewer := content
		fewer.Identifiers = slices.Delete(slices.Clone(content.Identifiers), i, i+1)
		w.try("whatif.without", fewer, at, c.words.Pattern(n.Type))
	}
	for _, n := range nearest(one.result.Steps) {
		more := content
		more.Categories = append(slices.Clone(content.Categories), patterns.CategoryFound{Category: n.category, Confidence: patterns.Medium, People: 1, Count: 1})
		w.try("whatif.with", more, at, w.words.Category(string(n.category)), c.decimal(n.score), c.decimal(n.needs))
	}
	if n := content.TestNumbers; n > 0 {
		more := content
		more.Identifiers = append(slices.Clone(content.Identifiers), patterns.IdentifierCount{Type: patterns.Personnummer.String(), High: n, Register: n >= fewestOfRegister})
		w.try("whatif.tests", more, at)
	}
	w.services(content)
	if len(w.said) == 0 {
		return []string{c.words.T("whatif.nothing")}
	}
	return w.said
}

// decimal writes a number as the language does.
func (c *checker) decimal(number string) string {
	return strings.Replace(number, ".", c.words.T("number.decimal"), 1)
}

// fewestOfRegister is from how many test numbers on a document is taken for a
// register of them.
const fewestOfRegister = 3

// trialOfChanges gathers what would have changed an outcome.
type trialOfChanges struct {
	*checker
	words   reports.Words
	at      policy.Place
	outcome policy.Outcome
	said    []string
}

// try judges the changed content and says so if the outcome differs.
func (w *trialOfChanges) try(key string, content patterns.Content, at policy.Place, args ...any) {
	if outcome := policy.Worst(w.rules.Judge(at, content, time.Now())); outcome != w.outcome {
		w.said = append(w.said, w.checker.words.T(key, append(args, w.checker.words.Outcome(string(outcome)))...))
	}
}

// services says in which other services the outcome would differ, one
// sentence for each outcome.
func (w *trialOfChanges) services(content patterns.Content) {
	names := map[policy.Outcome][]string{}
	for _, s := range w.rules.Services() {
		there := w.at
		there.Service = s.ID
		outcome := policy.Worst(w.rules.Judge(there, content, time.Now()))
		if outcome != w.outcome {
			names[outcome] = append(names[outcome], s.Name)
		}
	}
	for _, outcome := range []policy.Outcome{policy.Allowed, policy.Conditional, policy.Forbidden} {
		if len(names[outcome]) > 0 {
			w.said = append(w.said, w.checker.words.T("whatif.service", w.checker.words.List(names[outcome]), w.checker.words.Outcome(string(outcome))))
		}
	}
}

// foundCategories returns each category once, in the order of the content.
func foundCategories(content patterns.Content) []patterns.Category {
	var all []patterns.Category
	for _, f := range content.Categories {
		if !slices.Contains(all, f.Category) {
			all = append(all, f.Category)
		}
	}
	return all
}

func without(content patterns.Content, c patterns.Category) patterns.Content {
	content.Categories = slices.DeleteFunc(slices.Clone(content.Categories), func(f patterns.CategoryFound) bool { return f.Category == c })
	return content
}

// candidate is a category that was considered and did not count.
type candidate struct {
	category     patterns.Category
	score, needs string
	share        float64
}

// nearest returns, of each category that did not count, the candidate that
// came nearest to it, the nearest category first; far ones are left out.
func nearest(steps []patterns.Step) []candidate {
	best := map[patterns.Category]candidate{}
	counted := map[patterns.Category]bool{}
	for _, s := range steps {
		counted[s.Category] = counted[s.Category] || s.Counted
		c := candidate{category: s.Category}
		for _, b := range s.Because {
			if v, ok := strings.CutPrefix(b, "score:"); ok {
				c.score = v
			} else if v, ok := strings.CutPrefix(b, "needs:"); ok {
				c.needs = v
			}
		}
		score, errScore := strconv.ParseFloat(c.score, 64)
		needs, errNeeds := strconv.ParseFloat(c.needs, 64)
		if s.Category == "" || errScore != nil || errNeeds != nil || needs <= 0 {
			continue
		}
		if c.share = score / needs; c.share > best[s.Category].share {
			best[s.Category] = c
		}
	}
	var all []candidate
	for category, c := range best {
		if !counted[category] && c.share >= nearEnough {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		if a.share != b.share {
			if a.share > b.share {
				return -1
			}
			return 1
		}
		return strings.Compare(string(a.category), string(b.category))
	})
	return all
}

// nearEnough is the share of what a category needs from where on it is worth
// telling that it nearly counted.
const nearEnough = 0.25
