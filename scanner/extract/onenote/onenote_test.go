package onenote_test

import (
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/onenote"
)

func TestExtractor(t *testing.T) { extracttest.Run(t, onenote.Extractor{}) }

func FuzzExtractor(f *testing.F) { extracttest.Fuzz(f, onenote.Extractor{}) }
