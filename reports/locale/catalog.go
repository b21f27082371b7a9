package locale

import (
	"embed"
	"fmt"
	"sync"

	"go.yaml.in/yaml/v4"
)

//go:embed texts/*.yaml
var files embed.FS

// entry is what a key says in each language.
type entry map[string]text

// text is a sentence; one is empty unless the sentence is counted.
type text struct{ one, other string }

// UnmarshalYAML reads "a text" or {one: "{n} thing", other: "{n} things"}.
func (t *text) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		t.other = node.Value
		return nil
	}
	var counted struct{ One, Other string }
	if err := node.Decode(&counted); err != nil {
		return err
	}
	t.one, t.other = counted.One, counted.Other
	return nil
}

// catalog is the embedded catalogue, read once. It can only fail when the
// program was built with a broken file, which the tests exclude.
var catalog = sync.OnceValue(func() map[string]entry {
	texts, err := readCatalog()
	if err != nil {
		panic(err)
	}
	return texts
})

func readCatalog() (map[string]entry, error) {
	all := map[string]entry{}
	names, err := files.ReadDir("texts")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		content, err := files.ReadFile("texts/" + name.Name())
		if err != nil {
			return nil, err
		}
		var some map[string]entry
		if err := yaml.Unmarshal(content, &some); err != nil {
			return nil, fmt.Errorf("%s: %w", name.Name(), err)
		}
		for key, e := range some {
			if _, twice := all[key]; twice {
				return nil, fmt.Errorf("%s: %s stands in two files", name.Name(), key)
			}
			all[key] = e
		}
	}
	return all, nil
}
