package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/invopop/jsonschema"

	"github.com/molnvakt/molnvakt/reports/json"
)

const schemaFile = "../../docs/report.schema.json"

// report is the whole object, for the schema.
type report struct {
	Documents []json.Document `json:"documents"`
	Findings  []json.Finding  `json:"findings"`
	Gaps      []json.Gap      `json:"gaps"`
	Coverage  json.Coverage   `json:"coverage"`
}

// The published schema says what the code writes; -update writes it anew.
func TestSchema(t *testing.T) {
	reflector := &jsonschema.Reflector{ExpandedStruct: true, AllowAdditionalProperties: true}
	for _, folder := range []string{".", "../../sources", "../../policy"} {
		if err := reflector.AddGoComments("github.com/molnvakt/molnvakt/reports/json", folder); err != nil {
			t.Fatal(err)
		}
	}
	schema := reflector.Reflect(&report{})
	schema.ID = "https://github.com/molnvakt/molnvakt/docs/report.schema.json"
	schema.Title = "Molnvakt report"
	schema.Description = "What `molnvakt report --format json` writes. Each line of `molnvakt check --format json` is a Document."
	if verdict, found := schema.Definitions["Document"].Properties.Get("verdict"); found {
		*verdict = jsonschema.Schema{
			Description: "What the policy says of the document where it lies; null before it was judged.",
			Enum:        []any{"allowed", "conditional", "forbidden", nil},
		}
	}
	got, err := stdjson.MarshalIndent(schema, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(schemaFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s does not say what the code writes; -update writes it anew", schemaFile)
	}
}
