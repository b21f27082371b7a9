package policy

import (
	"encoding/json"
	"strings"

	"github.com/invopop/jsonschema"
)

// Schema returns the JSON Schema (draft 2020-12) of policy.yaml, so that an
// editor completes and explains the keys.
func Schema() []byte {
	r := jsonschema.Reflector{
		FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, Anonymous: true, ExpandedStruct: true,
	}
	schema := r.Reflect(&file{})
	schema.Title = "Molnvakt policy.yaml"
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(err) // the schema is made of the program's own types
	}
	return []byte(strings.TrimSpace(string(text)) + "\n")
}
