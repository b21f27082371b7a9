package patterns

import (
	"slices"
	"time"
	"unicode"
)

// Build returns the Engine. The Builder can be used on.
func (b *Builder) Build() (*Engine, error) {
	today := b.today
	if today.IsZero() {
		today = time.Now()
	}
	e := &Engine{today: civil(today), tests: unpackTestNumbers()}
	e.terms = append(e.terms, b.terms...)
	for _, own := range [...]func() error{e.addContexts, e.addSecrets} {
		if err := own(); err != nil {
			return nil, err
		}
	}
	var literals []literal
	literals, e.required, e.sweeps = literalsOfTerms(e.terms)
	var err error
	if e.literals, err = b.table(literals, int32(len(e.terms))); err != nil {
		return nil, err
	}
	e.checks = make([]check, len(e.terms))
	known := make([]int, len(e.terms))
	for _, l := range literals {
		if int(l.id) < len(e.terms) {
			known[l.id] = len(l.runes)
		}
	}
	for i := range e.terms {
		if t := &e.terms[i]; e.literals.shares(t.runes) {
			t.size = 0
		}
		e.checks[i] = e.terms[i].check(known[i], e.literals)
		e.rests = e.checks[i].cutRest(&e.terms[i], e.rests)
	}
	e.lists = e.listsOf(e.literals)
	e.pool.New = func() any { return e.NewScanner() }
	return e, nil
}

// add adds a term of the engine's own; hit is what it yields.
func (e *Engine) add(t Term, hit Hit, assigns assignment) error {
	made, err := newTerm(t)
	if err != nil {
		return err
	}
	made.hit, made.assigns = hit, assigns
	e.terms = append(e.terms, made)
	return nil
}

func (e *Engine) addContexts() error {
	for c, entries := range contextTerms {
		for _, entry := range entries {
			if err := e.add(contextTerm(entry), Hit{Kind: ContextHit, Context: Context(c)}, notAssignment); err != nil {
				return err
			}
		}
	}
	return nil
}

// literalsOfTerms gathers what the literal table shall find, the texts that
// expressions require, and the expressions that require none.
func literalsOfTerms(terms []term) (literals []literal, texts []requiredOf, sweeps []int32) {
	for i := range terms {
		t := &terms[i]
		if t.expression == nil {
			open := t.Mode == Suffix || t.Mode == Inside || !isWordRune(t.runes[0])
			literals = append(literals, literal{foldedRunes(t), t.Plain, open, int32(i)})
			continue
		}
		if len(t.expression.required) == 0 {
			sweeps = append(sweeps, int32(i))
		}
		for _, r := range t.expression.required {
			// Ids behind the terms name a required text of an expression.
			id := int32(len(terms) + len(texts))
			texts = append(texts, requiredOf{r, int32(i)})
			literals = append(literals, literal{[]rune(r.text), false, true, id})
		}
	}
	shorten(literals, int32(len(terms)))
	return literals, texts, sweeps
}

// foldedRunes is a term's text in lower case. The table ignores case even
// where the term does not: it keeps the table small, and confirming is exact.
func foldedRunes(t *term) []rune {
	runes := slices.Clone(t.runes)
	for i, r := range runes {
		runes[i] = unicode.ToLower(r)
	}
	return runes
}

// requiredOf is a required text and the term that requires it.
type requiredOf struct {
	required
	term int32
}
