package ooxml

import (
	"errors"
	"io"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// readProperties reads the core, application and custom properties: title
// first, the others as "name: value".
func (d *document) readProperties(x *extract.XML) error {
	name, value := "", ""
	property := extract.Part{Kind: extract.Property}
	for {
		kind, err := x.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch kind {
		case extract.XMLStart:
			value = ""
			if x.Name == "property" {
				name = x.Attr("name")
			} else if x.Depth == 2 || !isValueType(x.Name) {
				name = x.Name
			}
		case extract.XMLText:
			if len(value) < 1<<16 {
				value += string(x.Text())
			}
		case extract.XMLEnd:
			if v := strings.TrimSpace(value); v != "" && !dullProperty(name) {
				if name == "title" {
					d.flow.Alone(extract.Part{Kind: extract.Title}, v)
				} else {
					d.flow.Alone(property, name+": "+v)
				}
			}
			value = ""
		}
		if err := d.flow.Err(); err != nil {
			return err
		}
	}
}

// isValueType tells the typed elements inside a custom property.
func isValueType(name string) bool {
	switch name {
	case "lpwstr", "lpstr", "bstr", "i1", "i2", "i4", "i8", "int", "ui1", "ui2", "ui4", "uint", "r4", "r8", "bool", "date", "filetime", "vector", "variant":
		return true
	}
	return false
}

// dullProperty: counts and versions of programs tell nothing about people.
func dullProperty(name string) bool {
	switch name {
	case "TotalTime", "Pages", "Words", "Characters", "Application", "DocSecurity", "Lines", "Paragraphs", "ScaleCrop",
		"LinksUpToDate", "CharactersWithSpaces", "SharedDoc", "HyperlinksChanged", "AppVersion", "revision", "created", "modified",
		"lastPrinted", "Slides", "Notes", "HiddenSlides", "MMClips", "PresentationFormat", "HeadingPairs", "TitlesOfParts", "version", "language",
		"Template":
		return true
	}
	return false
}
