package odf_test

import (
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/odf"
)

func TestExtractor(t *testing.T) { extracttest.Run(t, odf.Extractor{}) }

func FuzzExtractor(f *testing.F) { extracttest.Fuzz(f, odf.Extractor{}) }
