package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/molnvakt/molnvakt/reports/locale"
)

// describe gives every command its words, which stand in the catalogue:
// cli.<command> says what it does, cli.<command>.long more, cli.<command>.args
// what it takes and flag.<command>.<name> or flag.<name> what a flag is for,
// with the choices that the code gives as its usage in the place of {0}.
// What is wrong in a command is told with the same words.
func describe(root *cobra.Command, words *locale.Locale) {
	walk(root, "cli", func(c *cobra.Command, key string) {
		c.Short = words.T(key)
		if words.Has(key + ".long") {
			c.Long = words.T(key + ".long")
		}
		if words.Has(key + ".args") {
			c.Use += " " + words.T(key+".args")
		}
		c.DisableFlagsInUseLine = true
		c.InitDefaultHelpFlag()
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { f.Usage = words.T(flagKey(words, key, f.Name), f.Usage) })
		demandArgs(c)
	})
	root.SetUsageFunc(func(c *cobra.Command) error { return writeUsage(c.OutOrStderr(), c, words) })
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		fmt.Fprintf(c.OutOrStdout(), "%s\n\n", orDefault(c.Long, c.Short))
		_ = writeUsage(c.OutOrStdout(), c, words)
	})
	root.SetFlagErrorFunc(badFlag)
}

// walk visits a command and all below it, with their keys in the catalogue.
func walk(c *cobra.Command, key string, visit func(*cobra.Command, string)) {
	for _, sub := range c.Commands() {
		walk(sub, key+"."+sub.Name(), visit)
	}
	visit(c, key)
}

// flagKey is the text of a flag: its command's own, else the common one.
func flagKey(words *locale.Locale, command, name string) string {
	if own := "flag" + strings.TrimPrefix(command, "cli") + "." + name; words.Has(own) {
		return own
	}
	return "flag." + name
}

// demandArgs lets a command refuse what it does not take with a sentence, and
// a command that only groups others show its help.
func demandArgs(c *cobra.Command) {
	if c.HasSubCommands() {
		c.Args = func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return &fault{key: "fault.command", args: []any{strings.Join(append(strings.Fields(c.CommandPath()), args[0]), " "), strings.Join(subNames(c), ", ")}}
		}
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		return
	}
	if demands := c.Args; demands != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if demands(c, args) == nil {
				return nil
			}
			return &fault{key: "fault.args", args: []any{c.UseLine(), c.CommandPath()}}
		}
	}
}

// helpCommand is "molnvakt help [COMMAND]".
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help",
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return &fault{key: "fault.command", args: []any{strings.Join(append([]string{"molnvakt"}, args...), " "), strings.Join(subNames(c.Root()), ", ")}}
			}
			return about.Help()
		},
	}
}

func subNames(c *cobra.Command) (names []string) {
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	slices.Sort(names)
	return names
}

// badFlag says what is wrong with a flag.
func badFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var value *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		dashes := "--"
		if unknown.GetSpecifiedShortnames() != "" {
			dashes = "-"
		}
		return &fault{key: "fault.flag", args: []any{dashes + unknown.GetSpecifiedName(), c.CommandPath()}}
	case errors.As(err, &bare):
		return &fault{key: "fault.flag-value", args: []any{"--" + bare.GetFlag().Name, c.CommandPath()}}
	case errors.As(err, &value):
		return &fault{key: "fault.flag-wrong", args: []any{"--" + value.GetFlag().Name, value.GetValue(), c.CommandPath()}}
	}
	return &fault{key: "fault.usage", args: []any{err.Error(), c.CommandPath()}}
}

// writeUsage prints how a command is written, what stands below it and its
// flags.
func writeUsage(w io.Writer, c *cobra.Command, words *locale.Locale) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  %s\n", words.T("help.usage"), c.UseLine())
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s\n", words.T("help.commands"))
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-*s %s\n", c.NamePadding(), sub.Name(), sub.Short)
			}
		}
	}
	writeFlags(&b, words, "help.flags", c.NonInheritedFlags())
	writeFlags(&b, words, "help.global-flags", c.InheritedFlags())
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s\n", words.T("help.more", c.CommandPath()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeFlags prints flags as a table. The one of pflag counts bytes, so that å
// moves its columns, and speaks English.
func writeFlags(b *strings.Builder, words *locale.Locale, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, "\n%s\n", words.T(title))
	width := 0
	flags.VisitAll(func(f *pflag.Flag) { width = max(width, utf8.RuneCountInString(flagName(f))) })
	flags.VisitAll(func(f *pflag.Flag) {
		_, text := pflag.UnquoteUsage(f)
		switch f.DefValue {
		case "", "false", "[]":
		default:
			text += " (" + words.T("help.default", f.DefValue) + ")"
		}
		fmt.Fprintf(b, "  %-*s  %s\n", width, flagName(f), text)
	})
}

// flagName is "-o, --output fil".
func flagName(f *pflag.Flag) string {
	value, _ := pflag.UnquoteUsage(f)
	short := "    "
	if f.Shorthand != "" {
		short = "-" + f.Shorthand + ", "
	}
	return strings.TrimRight(short+"--"+f.Name+" "+value, " ")
}
