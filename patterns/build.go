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
	for i, t := range b.terms {
		if err := e.add(t, Hit{Kind: TermHit, Term: TermID(i)}); err != nil {
			return nil, err
		}
	}
	e.addContexts()
	if err := e.addSecrets(); err != nil {
		return nil, err
	}
	e.literals = newLiteralTable(e.literalsOfTerms())
	e.pool.New = func() any { return e.NewScanner() }
	return e, nil
}

// add makes a checked term ready; hit is what it yields.
func (e *Engine) add(t Term, hit Hit) error {
	made := newTerm(t)
	made.hit = hit
	if t.Mode == Regexp {
		x, err := newExpression(t.Text)
		if err != nil {
			return err
		}
		made.expression = x
	}
	e.terms = append(e.terms, made)
	return nil
}

func (e *Engine) addContexts() {
	for c, entries := range contextTerms {
		for _, entry := range entries {
			made := newTerm(contextTerm(entry))
			made.hit = Hit{Kind: ContextHit, Context: Context(c)}
			e.terms = append(e.terms, made)
		}
	}
}

// literalsOfTerms gathers what the literal table shall find.
func (e *Engine) literalsOfTerms() []literal {
	var literals []literal
	for i := range e.terms {
		t := &e.terms[i]
		if t.expression == nil {
			open := t.Mode == Suffix || t.Mode == Inside || !isWordRune(t.runes[0])
			literals = append(literals, literal{foldedRunes(t), t.Plain, open, int32(i)})
			continue
		}
		if len(t.expression.required) == 0 {
			e.sweeps = append(e.sweeps, int32(i))
		}
		for _, r := range t.expression.required {
			// Ids behind the terms name a required text of an expression.
			id := int32(len(e.terms) + len(e.required))
			e.required = append(e.required, requiredOf{r, int32(i)})
			literals = append(literals, literal{[]rune(r.text), false, true, id})
		}
	}
	return literals
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
