package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/molnvakt/molnvakt/reports/locale"
)

// TestEveryCommandAndFlagHasItsWords: help is part of the product, in every
// language.
func TestEveryCommandAndFlagHasItsWords(t *testing.T) {
	for _, language := range locale.Languages() {
		words := locale.New(language)
		root := (&program{words: words}).command()
		walk(root, "cli", func(c *cobra.Command, key string) {
			if !words.Has(key) {
				t.Errorf("%s: no text %s", c.CommandPath(), key)
			}
			if takesArguments(c) && !words.Has(key+".args") {
				t.Errorf("%s takes arguments and has no text %s.args", c.CommandPath(), key)
			}
			c.LocalFlags().VisitAll(func(f *pflag.Flag) {
				if !words.Has(flagKey(words, key, f.Name)) {
					t.Errorf("%s --%s: no text %s", c.CommandPath(), f.Name, flagKey(words, key, f.Name))
				}
			})
			var text strings.Builder
			if err := writeUsage(&text, c, words); err != nil || !strings.Contains(text.String(), c.CommandPath()) {
				t.Errorf("usage of %s: %v, %s", c.CommandPath(), err, text.String())
			}
		})
	}
}

func takesArguments(c *cobra.Command) bool {
	return !c.HasSubCommands() && (c.Args == nil || c.Args(c, []string{"x"}) == nil || c.Args(c, []string{"x", "y"}) == nil)
}
