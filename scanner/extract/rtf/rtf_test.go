package rtf_test

import (
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/rtf"
)

func TestExtractor(t *testing.T) { extracttest.Run(t, rtf.Extractor{}) }

func FuzzExtractor(f *testing.F) { extracttest.Fuzz(f, rtf.Extractor{}) }
