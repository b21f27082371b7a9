package iwork_test

import (
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/iwork"
)

func TestExtractor(t *testing.T) { extracttest.Run(t, iwork.Extractor{}) }

func FuzzExtractor(f *testing.F) { extracttest.Fuzz(f, iwork.Extractor{}) }
