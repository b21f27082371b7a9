package policy

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/molnvakt/molnvakt/patterns"
)

// part is one thing in a document that earns a class.
type part struct {
	category patterns.Category
	class    Class
	reason   Reason
}

// Classify returns the class of what was found in a document and the causes,
// the weightiest first. Findings below the confidence that the policy asks
// for do not count.
func (p *Policy) Classify(found patterns.Content) Classification {
	var c Classification
	for _, part := range p.parts(found) {
		c.Class = max(c.Class, part.class)
		c.Because = append(c.Because, part.reason)
	}
	return c
}

func (p *Policy) parts(found patterns.Content) []part {
	var all []part
	for _, c := range found.Categories {
		rule, ok := p.categories[c.Category]
		if !ok || c.Confidence < rule.Confidence {
			continue
		}
		reason := Reason{"category", c.Category, []string{strconv.Itoa(c.People)}}
		if c.Pattern != "" {
			reason = Reason{"own", c.Category, []string{c.Pattern}}
		}
		all = append(all, part{c.Category, p.classOf(c, rule.Class), reason})
	}
	for _, group := range p.identifiers {
		if part, ok := group.part(found.Identifiers); ok {
			all = append(all, part)
		}
	}
	for _, k := range found.Kinds {
		rule, ok := p.kinds[k.Kind]
		if ok && k.Confidence >= patterns.Medium && (k.Filled || rule.blank) {
			all = append(all, part{rule.category, rule.class, Reason{"kind", rule.category, []string{k.Kind}}})
		}
	}
	slices.SortStableFunc(all, func(a, b part) int { return cmp.Compare(b.class, a.class) })
	return all
}

// classOf is the class that a customer's own pattern asks for, else the
// category's. A class that the policy does not know leaves it to the category.
func (p *Policy) classOf(c patterns.CategoryFound, category Class) Class {
	for i, level := range p.classes {
		if c.Class != "" && level.ID == c.Class {
			return Class(i)
		}
	}
	return category
}

// part returns the highest step that the counted identifiers reach; among
// equals a register says more than a number.
func (g identifiers) part(counts []patterns.IdentifierCount) (best part, ok bool) {
	for _, s := range g.steps {
		name, n := g.count(counts, s)
		if n < s.atLeast || (ok && (s.class < best.class || s.class == best.class && !s.register)) {
			continue
		}
		code := "identifiers"
		if s.register {
			code = "register"
		}
		best, ok = part{patterns.PersonalData, s.class, Reason{code, patterns.PersonalData, []string{name, strconv.Itoa(n)}}}, true
	}
	return best, ok
}

// count returns how many distinct values of the group count for a step, and
// the type that most of them are of.
func (g identifiers) count(counts []patterns.IdentifierCount, s step) (most string, total int) {
	register := slices.ContainsFunc(counts, func(c patterns.IdentifierCount) bool { return c.Register && slices.Contains(g.types, c.Type) })
	if s.register && !register {
		return "", 0
	}
	// A column may mix types, personnummer and samordningsnummer: one register.
	top := 0
	for _, c := range counts {
		if !slices.Contains(g.types, c.Type) {
			continue
		}
		n := c.AtLeast(s.confidence)
		total += n
		if n > top {
			most, top = c.Type, n
		}
	}
	return most, total
}
