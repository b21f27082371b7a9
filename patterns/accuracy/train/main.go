// Command train learns the gist from the labelled corpus and writes the table
// that package library embeds: go run ./patterns/accuracy/train.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/molnvakt/molnvakt/patterns/accuracy"
	"github.com/molnvakt/molnvakt/patterns/library"
)

func main() {
	corpus := flag.String("corpus", "patterns/accuracy/corpus", "folder of labelled documents, *.docs")
	numbers := flag.String("numbers", "patterns/accuracy/testdata/testnumbers.txt", "the official test numbers")
	out := flag.String("out", "patterns/library/"+library.GistFile, "table to write")
	flag.Parse()
	if err := run(*corpus, *numbers, *out); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(corpus, numbers, out string) error {
	docs, err := accuracy.ReadCorpus(corpus, numbers)
	if err != nil {
		return err
	}
	lib, err := library.Read()
	if err != nil {
		return err
	}
	examples, err := accuracy.Examples(lib, docs)
	if err != nil {
		return err
	}
	table := accuracy.Train(examples)
	fmt.Printf("%d documents, %d features, %d questions\n", len(docs), len(table.Keys), len(table.Outputs))
	return os.WriteFile(out, table.Bytes(), 0o644)
}
