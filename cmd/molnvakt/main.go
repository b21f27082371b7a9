// Command molnvakt finds sensitive documents that lie where they must not.
//
// This package is the composition root: one file for each subcommand,
// config.go for molnvakt.yaml, registry.go for the list of everything that can
// be plugged in, program.go for how the parts are put together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/molnvakt/molnvakt/reports/locale"
)

// Exit codes, which scripts may rely on.
const (
	exitClean    = 0 // nothing misplaced
	exitFindings = 1
	exitError    = 2
)

// errFindings ends a command that did its work and found something misplaced.
var errFindings = errors.New("misplaced documents were found")

func main() {
	if len(os.Args) > 1 && os.Args[1] == sandboxCommand {
		os.Exit(sandboxChild())
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main for tests: arguments in, exit code out.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := interruptible(stderr)
	defer stop()
	p := &program{stdin: stdin, out: stdout, err: stderr, words: locale.New(languageOf(args))}
	root := p.command()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitClean
	case errors.Is(err, errFindings):
		return exitFindings
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = &fault{key: "fault.interrupted"}
	}
	fmt.Fprintln(stderr, "molnvakt: "+p.say(err))
	return exitError
}

// interruptible ends the context at the first Ctrl-C or SIGTERM, so that what
// is under way is recorded, and the program at the second.
func interruptible(stderr io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-signals:
				cancel()
				if n > 0 {
					fmt.Fprintln(stderr, "molnvakt: "+locale.New(os.Getenv("MOLNVAKT_LANGUAGE")).T("fault.interrupted-twice"))
					os.Exit(exitError)
				}
			}
		}
	}()
	return ctx, func() { signal.Stop(signals); close(done); cancel() }
}

func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:               "molnvakt",
		SilenceUsage:      true,
		SilenceErrors:     true,
		DisableAutoGenTag: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return p.prepare(cmd) },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&p.flags.config, "config", "", "")
	flags.StringVar(&p.flags.language, "language", "", "sv, en")
	flags.StringVar(&p.flags.data, "data", "", "")
	flags.StringVar(&p.flags.policy, "policy", "", "")
	flags.StringVar(&p.flags.logFormat, "log-format", "", "text, json")
	flags.StringVar(&p.flags.logLevel, "log-level", "", "debug, info, warn, error")
	flags.BoolVar(&p.flags.countTestNumbers, "count-test-numbers", false, "")
	root.AddCommand(
		p.demoCommand(), p.scanCommand(), p.reportCommand(), p.checkCommand(), p.explainCommand(), p.textCommand(),
		p.decideCommand(), p.policyCommand(), p.patternsCommand(), p.exactCommand(), p.fingerprintCommand(),
		p.doctorCommand(), p.initCommand(), p.serveCommand(), p.versionCommand(),
	)
	root.SetHelpCommand(helpCommand())
	root.InitDefaultHelpCmd()
	describe(root, p.words)
	return root
}

// languageOf finds --language before the flags are parsed: help needs it.
func languageOf(args []string) string {
	for i, a := range args {
		if a == "--language" && i+1 < len(args) {
			return args[i+1]
		}
		if len(a) > len("--language=") && a[:len("--language=")] == "--language=" {
			return a[len("--language="):]
		}
	}
	return os.Getenv("MOLNVAKT_LANGUAGE")
}
