package metafile_test

import (
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/metafile"
)

func TestExtractor(t *testing.T) { extracttest.Run(t, metafile.Extractor{}) }

func FuzzExtractor(f *testing.F) { extracttest.Fuzz(f, metafile.Extractor{}) }
