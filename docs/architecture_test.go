package docs_test

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/molnvakt/molnvakt"

// mayImport is the architecture: a package may import, of ours, the packages
// listed for the longest prefix of its path. A change here is a change of the
// design: say why in docs/adr.
var mayImport = map[string][]string{
	"sources":               {},
	"sources/":              {"sources"},
	"sources/graph/":        {"sources", "sources/graph"},
	"patterns":              {},
	"patterns/":             {"patterns"},
	"patterns/accuracy":     {"patterns", "patterns/library"},
	"patterns/accuracy/":    {"patterns", "patterns/library", "patterns/accuracy"},
	"policy":                {"patterns"},
	"findings":              {"sources", "patterns", "policy"},
	"findings/":             {"findings", "sources", "patterns", "policy"},
	"scanner/extract":       {},
	"scanner/extract/":      {"scanner/extract"},
	"scanner/inspect":       {"scanner/extract", "patterns"},
	"scanner/sandbox":       {"scanner/inspect", "scanner/extract", "patterns"},
	"scanner":               {"sources", "patterns", "policy", "findings", "scanner/extract", "scanner/inspect"},
	"reports/locale":        {},
	"reports":               {"reports/locale", "findings", "policy", "patterns", "sources"},
	"reports/":              {"reports", "reports/locale", "findings", "policy", "patterns", "sources"},
	"portal":                {"findings", "policy", "reports", "reports/locale", "patterns", "sources"},
	"cmd/molnvakt/demodata": {"policy"},
}

// families are the folders whose sub-folders are implementations.
var families = []string{"sources", "scanner/extract", "reports"}

func TestImportsPointOneWay(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		if p.dir == "cmd/molnvakt" {
			continue // the composition root imports everything
		}
		seen[p.dir] = true
		allowed, known := rule(p.dir)
		if !known {
			t.Errorf("%s has no place in the architecture", p.dir)
			continue
		}
		for _, imported := range p.imports {
			name, ours := strings.CutPrefix(imported, module+"/")
			if ours && !slices.Contains(allowed, name) {
				t.Errorf("%s must not import %s", p.dir, name)
			}
			if ours && strings.HasPrefix(name, "cmd/") {
				t.Errorf("%s imports the composition root", p.dir)
			}
		}
	}
	for key := range mayImport {
		if !strings.HasSuffix(key, "/") && !seen[key] && key != "portal" {
			t.Errorf("the table names %s, which does not exist", key)
		}
	}
}

func TestOnlyOnePackageKnowsTheGraphSDK(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.imports {
			if strings.HasPrefix(imported, "github.com/microsoftgraph/") && p.dir != "sources/graph/sdk" {
				t.Errorf("%s imports %s: a cold build of it takes minutes, keep it in sources/graph/sdk", p.dir, imported)
			}
		}
	}
}

func TestEveryImplementationIsRegistered(t *testing.T) {
	registry, err := os.ReadFile("../cmd/molnvakt/registry.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, p := range packages(t) {
		if !slices.Contains(families, path.Dir(p.dir)) || strings.HasSuffix(p.dir, "test") || p.dir == "reports/locale" {
			continue
		}
		found++
		if !bytes.Contains(registry, []byte(`"`+module+"/"+p.dir+`"`)) {
			t.Errorf("%s is not in registry.go", p.dir)
		}
	}
	if found < 10 {
		t.Errorf("only %d implementations found: does this test still look at the right folders?", found)
	}
}

func TestNoEmptyNames(t *testing.T) {
	for _, p := range packages(t) {
		for _, word := range []string{"util", "utils", "common", "helper", "helpers", "manager", "data", "info", "misc", "base"} {
			if path.Base(p.dir) == word {
				t.Errorf("%s: the name says nothing", p.dir)
			}
			for _, f := range p.files {
				if strings.TrimSuffix(f, ".go") == word {
					t.Errorf("%s/%s: the name says nothing", p.dir, f)
				}
			}
		}
	}
}

func rule(dir string) (allowed []string, known bool) {
	if allowed, known := mayImport[dir]; known {
		return allowed, true
	}
	for parent := path.Dir(dir); parent != "."; parent = path.Dir(parent) {
		if allowed, known := mayImport[parent+"/"]; known {
			return allowed, true
		}
	}
	return nil, false
}

type goPackage struct {
	dir     string
	files   []string
	imports []string
}

// packages reads the source itself: a test that asks "go list" stays green
// from the test cache.
func packages(t *testing.T) []goPackage {
	t.Helper()
	byDir := map[string]*goPackage{}
	err := filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && (d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "tools") {
				return filepath.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("..", filepath.Dir(file))
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(rel)
		if byDir[dir] == nil {
			byDir[dir] = &goPackage{dir: dir}
		}
		byDir[dir].files = append(byDir[dir].files, filepath.Base(file))
		for _, spec := range parsed.Imports {
			byDir[dir].imports = append(byDir[dir].imports, strings.Trim(spec.Path.Value, `"`))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	for _, dir := range slices.Sorted(maps.Keys(byDir)) {
		all = append(all, *byDir[dir])
	}
	return all
}
