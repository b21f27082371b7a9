package patterns

import (
	"fmt"
	"io"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"
)

// KindRule recognises a kind of document by its name, title or headings.
type KindRule struct {
	Kind      string
	Name      bool       // read the file name and its folders
	Title     bool       // read the title and the first lines
	Heading   bool       // read every heading
	Weight    int        // 1 to 3; 3 is nearly conclusive
	About     []Category // what such a document holds
	Innocence string     // or what it speaks for: "routine", "template" …
	Expr      *regexp.Regexp
}

// ParseKinds reads lines of kind, where (n, t, h), weight, about and regex,
// separated by tabs. About names categories, or an innocence after "!".
func ParseKinds(r io.Reader) ([]KindRule, error) {
	var rules []KindRule
	err := eachLine(r, 5, func(f []string) error {
		rule := KindRule{
			Kind:    f[0],
			Name:    strings.Contains(f[1], "n"),
			Title:   strings.Contains(f[1], "t"),
			Heading: strings.Contains(f[1], "h"),
		}
		var err error
		if rule.Weight, err = strconv.Atoi(f[2]); err != nil {
			return fmt.Errorf("weight %q: want 1, 2 or 3", f[2])
		}
		if code, ok := strings.CutPrefix(f[3], "!"); ok {
			rule.Innocence = code
		} else {
			for c := range strings.SplitSeq(f[3], ",") {
				rule.About = append(rule.About, Category(c))
			}
		}
		if rule.Expr, err = regexp.Compile(f[4]); err != nil {
			return err
		}
		rules = append(rules, rule)
		return nil
	})
	return rules, err
}

// maxTitle is how long a line may be to pass for a title or heading, bytes.
const maxTitle = 120

// kindIndex holds the rules, and the texts of which a title must contain one
// for a rule to match, by their first two bytes: matching every expression
// against every title would take as long as all other judging.
type kindIndex struct {
	rules  []KindRule
	always []int // rules that require no text
	texts  map[[2]byte][]kindText
}

type kindText struct {
	text string
	rule int
}

func newKindIndex(rules []KindRule) *kindIndex {
	x := &kindIndex{rules: rules, texts: map[[2]byte][]kindText{}}
	for i := range rules {
		var texts []required
		if parsed, err := syntax.Parse(rules[i].Expr.String(), syntax.Perl); err == nil {
			texts = requiredTexts(parsed.Simplify())
		}
		if quality(texts) == 0 {
			x.always = append(x.always, i)
			continue
		}
		for _, t := range texts {
			key := [2]byte{t.text[0], t.text[1]}
			x.texts[key] = append(x.texts[key], kindText{t.text, i})
		}
	}
	return x
}

// mark marks the rules that may match a folded title.
func (x *kindIndex) mark(folded string, worth []bool) {
	for _, i := range x.always {
		worth[i] = true
	}
	for i := 0; i+1 < len(folded); i++ {
		for _, t := range x.texts[[2]byte{folded[i], folded[i+1]}] {
			if !worth[t.rule] && strings.HasPrefix(folded[i:], t.text) {
				worth[t.rule] = true
			}
		}
	}
}

// kindReader gathers which kinds a document seems to be.
type kindReader struct {
	index *kindIndex
	worth []bool // by rule; of one title
	found map[string]kindFound
}

type kindFound struct {
	rule   *KindRule
	points int
}

func (k *kindReader) reset(x *kindIndex) {
	k.index, k.found = x, make(map[string]kindFound)
	if len(k.worth) != len(x.rules) {
		k.worth = make([]bool, len(x.rules))
	}
}

// name reads the file name, and the folders it lies in at less weight.
func (k *kindReader) name(s Subject) {
	k.read(foldTitle(s.Name), 0, func(r *KindRule) bool { return r.Name })
	folders := strings.TrimSuffix(s.Path, s.Name)
	k.read(foldTitle(folders), -1, func(r *KindRule) bool { return r.Name && r.Innocence != "template" })
}

func (k *kindReader) title(line string) {
	if len(line) <= maxTitle {
		k.read(foldTitle(line), 0, func(r *KindRule) bool { return r.Title })
	}
}

func (k *kindReader) heading(line string) {
	if len(line) <= maxTitle {
		k.read(foldTitle(line), -1, func(r *KindRule) bool { return r.Heading })
	}
}

func (k *kindReader) read(folded string, more int, of func(*KindRule) bool) {
	if folded == "" {
		return
	}
	clear(k.worth)
	k.index.mark(folded, k.worth)
	for i := range k.index.rules {
		r := &k.index.rules[i]
		if !k.worth[i] || !of(r) || !r.Expr.MatchString(folded) {
			continue
		}
		f := k.found[r.Kind]
		f.rule = r
		f.points = max(f.points, r.Weight+more)
		k.found[r.Kind] = f
	}
}

// about returns the weight, 0 to 3, that the kinds give a category.
func (k *kindReader) about(c Category) int {
	best := 0
	for _, f := range k.found {
		for _, a := range f.rule.About {
			if a == c {
				best = max(best, f.points)
			}
		}
	}
	return best
}

// innocence returns the weight, 0 to 3, of an innocence among the kinds.
func (k *kindReader) innocence(code string) int {
	best := 0
	for _, f := range k.found {
		if f.rule.Innocence == code {
			best = max(best, f.points)
		}
	}
	return best
}

// foldTitle writes a name or title as the rules read it: lower case, å ä ö
// as a a o, CamelCase split, every other sign one space.
func foldTitle(s string) string {
	var b strings.Builder
	space, lower := true, false
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' {
			if !space {
				b.WriteByte(' ')
			}
			space, lower = true, false
			continue
		}
		if r == '.' {
			// The ending of a file name keeps its dot; other dots are spaces.
			if !space {
				b.WriteByte(' ')
			}
			b.WriteByte('.')
			space, lower = false, false
			continue
		}
		if unicode.IsUpper(r) && lower {
			b.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
		space = false
		b.WriteRune(foldLetter(unicode.ToLower(r)))
	}
	return strings.TrimSpace(b.String())
}

func foldLetter(r rune) rune {
	switch r {
	case 'å', 'ä', 'á', 'à':
		return 'a'
	case 'ö', 'ø':
		return 'o'
	case 'é', 'è', 'ë':
		return 'e'
	case 'ü':
		return 'u'
	}
	return r
}

// aboutThings reports whether the category is about a facility, a system or
// a business rather than individuals.
func (c Category) aboutThings() bool {
	switch c {
	case NationalSecurity, Security, Procurement, Secrets, Custom:
		return true
	}
	return false
}
