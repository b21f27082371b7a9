package ole_test

import (
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/ole"
)

func TestExtractor(t *testing.T) { extracttest.Run(t, ole.Extractor{}) }

func FuzzExtractor(f *testing.F) { extracttest.Fuzz(f, ole.Extractor{}) }
