package policy

import (
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// globs are the patterns of one list in policy.yaml. "*" stands for any run
// of characters within one folder's name, "**" for any run at all, "?" for one
// character. A pattern fits the whole text; case and the two ways to write
// å, ä, ö make no difference.
type globs []*regexp.Regexp

func compileGlobs(patterns []string) globs {
	var all globs
	for _, p := range patterns {
		all = append(all, compileGlob(p))
	}
	return all
}

func compileGlob(pattern string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("(?is)^")
	rest := norm.NFC.String(pattern)
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, "**"):
			b.WriteString(".*")
			rest = rest[2:]
		case rest[0] == '*':
			b.WriteString("[^/]*")
			rest = rest[1:]
		case rest[0] == '?':
			b.WriteString("[^/]")
			rest = rest[1:]
		default:
			end := strings.IndexAny(rest, "*?")
			if end < 0 {
				end = len(rest)
			}
			b.WriteString(regexp.QuoteMeta(rest[:end]))
			rest = rest[end:]
		}
	}
	b.WriteString("$")
	return regexp.MustCompile(b.String()) // quoted above: every pattern compiles
}

// fit says whether text fits one of the patterns; an empty list fits all.
func (g globs) fit(text string) bool {
	if len(g) == 0 {
		return true
	}
	text = norm.NFC.String(text)
	for _, re := range g {
		if re.MatchString(text) {
			return true
		}
	}
	return false
}
