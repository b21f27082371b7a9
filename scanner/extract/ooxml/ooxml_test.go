package ooxml_test

import (
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/ooxml"
)

func TestExtractor(t *testing.T) { extracttest.Run(t, ooxml.Extractor{}) }

func FuzzExtractor(f *testing.F) { extracttest.Fuzz(f, ooxml.Extractor{}) }
