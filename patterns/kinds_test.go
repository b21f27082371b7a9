package patterns

import (
	"math/rand/v2"
	"os"
	"regexp/syntax"
	"strings"
	"testing"
)

// Rules are tried only on titles with a text that they require: whatever a
// rule's expression matches, the index must mark.
func TestKindIndexMissesNoTitle(t *testing.T) {
	file, err := os.Open("library/kinds.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rules, err := ParseKinds(file)
	if err != nil {
		t.Fatal(err)
	}
	index, random := newKindIndex(rules), rand.New(rand.NewPCG(1, 2))
	if len(index.always) > 0 {
		t.Errorf("%d rules are tried on every title", len(index.always))
	}
	worth := make([]bool, len(rules))
	for i, r := range rules {
		parsed, err := syntax.Parse(r.Expr.String(), syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		matched := 0
		for range 300 {
			var b strings.Builder
			writeMatch(&b, parsed, random)
			title := b.String()
			if !r.Expr.MatchString(title) {
				continue
			}
			matched++
			clear(worth)
			if index.mark("om "+title+" 3", worth); !worth[i] {
				t.Errorf("%s: not marked by %q", r.Kind, title)
			}
		}
		if matched < 50 {
			t.Errorf("%s: only %d titles tried", r.Kind, matched)
		}
	}
}

// writeMatch writes a text that an expression matches, but for what its
// empty-width parts demand.
func writeMatch(b *strings.Builder, re *syntax.Regexp, random *rand.Rand) {
	least, most := 1, 1
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
		return
	case syntax.OpCharClass:
		b.WriteRune(re.Rune[2*random.IntN(len(re.Rune)/2)])
		return
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
		return
	case syntax.OpAlternate:
		writeMatch(b, re.Sub[random.IntN(len(re.Sub))], random)
		return
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			writeMatch(b, sub, random)
		}
		return
	case syntax.OpQuest:
		least = 0
	case syntax.OpStar:
		least, most = 0, 3
	case syntax.OpPlus:
		most = 3
	case syntax.OpRepeat:
		least, most = re.Min, max(re.Max, re.Min)
	case syntax.OpCapture:
	default:
		return
	}
	for range least + random.IntN(most-least+1) {
		writeMatch(b, re.Sub[0], random)
	}
}

// mayFollow must let through whatever reFollow matches.
func TestMayFollow(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	parsed, err := syntax.Parse(reFollow.String(), syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	for range 5000 {
		var b strings.Builder
		writeMatch(&b, parsed, random)
		if text := []byte(b.String()); reFollow.Match(text) && !mayFollow(text) {
			t.Fatalf("%q is refused", text)
		}
	}
	if !mayFollow([]byte(", är här")) || mayFollow([]byte(" är här")) || mayFollow([]byte(" bor här")) || mayFollow([]byte(".")) {
		t.Error("what cannot match is let through")
	}
}
