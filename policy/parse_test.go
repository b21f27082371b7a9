package policy_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/policy"
)

func TestDefaultIsInOrder(t *testing.T) {
	p, err := policy.Parse("default.yaml", policy.DefaultText())
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Version(); got != policy.Default().Version() || len(got) != 16 {
		t.Errorf("version %q", got)
	}
	for _, id := range []string{"m365", "google", "onprem"} {
		if _, ok := p.Service(id); !ok {
			t.Errorf("no service %q", id)
		}
	}
	if p.ClassName(policy.K3) != "Känslig" || p.ClassID(policy.K4) != "K4" {
		t.Errorf("classes %+v", p.Classes())
	}
}

// change returns the default policy with one text replaced.
func change(t *testing.T, old, new string) []byte {
	t.Helper()
	text := string(policy.DefaultText())
	if strings.Count(text, old) != 1 {
		t.Fatalf("%q stands %d times in the default policy", old, strings.Count(text, old))
	}
	return []byte(strings.Replace(text, old, new, 1))
}

func parsed(t *testing.T, text []byte) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("policy.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const noDecisions = "decisions: []\n"

func TestProblemsAreNamedWithTheirLine(t *testing.T) {
	for _, test := range []struct{ name, old, new, at, want string }{
		{"unknown key", "    ceiling: K3\n", "    celing: K3\n", "celing", `unknown key "celing"; did you mean "ceiling"?`},
		{"unknown class", "    ceiling: K3\n", "    ceiling: K9\n", "ceiling: K9", `services.onprem.ceiling: no class is called "K9"; did you mean "K0"?`},
		{"unknown category in a rule", "[skyddade_personuppgifter]}", "[skyddade_uppgifter]}", "[skyddade_uppgifter]}", `no category is called "skyddade_uppgifter"`},
		{"unknown category", "  halsa:\n", "  hälsa:\n", "  hälsa:", `no category is called "hälsa"; did you mean "halsa"?`},
		{"dangling department", "{sites: [\"*teknisk*\"], department: tf}", "{sites: [\"*teknisk*\"], department: tfv}", "tfv", `no department is called "tfv"; did you mean "tf"?`},
		{"mapping for nobody", "{sites: [\"*teknisk*\"], department: tf}", "{sites: [\"*teknisk*\"]}", "- {sites: [\"*teknisk*\"]}", "controller or department is needed"},
		{"wrong type", "    ai: true\n", "    ai: kanske\n", "kanske", `true or false expected, got "kanske"`},
		{"wrong number", "at_least: 25", "at_least: många", "många", `a whole number expected, got "många"`},
		{"misspelt identifier", "[iban, bankkonto]", "[iban, bankonto]", "bankonto", `no identifier is called "bankonto"; did you mean "bankkonto"?`},
		{"bad date", noDecisions, "decisions:\n  - {reference: KS 1, kind: dpia, services: [m365], class: K3, until: 2026-02-30}\n", "2026-02-30", `"2026-02-30" is not a date`},
		{"ends before it begins", noDecisions, "decisions:\n  - {reference: KS 1, kind: dpia, services: [m365], class: K3, from: 2026-02-03, until: 2026-02-01}\n", "2026-02-01", "ends before it begins"},
		{"decision for an unknown service", noDecisions, "decisions:\n  - {reference: KS 1, kind: dpia, services: [m356], class: K3}\n", "m356", `no service is called "m356"; did you mean "m365"?`},
		{"misspelt kind of decision", noDecisions, "decisions:\n  - {reference: KS 1, kind: lämplighetsbedömning, services: [m365], class: K3}\n", "reference: KS 1", `did you mean "lamplighetsbedomning"?`},
		{"twice the same rule", "  - id: losenord\n", "  - id: kansligt\n", "", `"kansligt" stands here twice`},
		{"sealed with an exception", "    sealed: true", "    sealed: true\n    unless: [dpia]", "sealed: true", "a sealed rule is forbidden, without exception"},
		{"rule that never fits", "      to_class: K2\n", "      to_class: K1\n", "to_class: K1", "the rule would never fit"},
		{"unknown incident", "    sealed: true", "    sealed: true\n    incident: [gdpr]", "gdpr", "choose among cyber, imy"},
		{"missing title", "    title: Lösenord eller nycklar i klartext\n", "", "- id: losenord", "title: missing"},
		{"not a mail address", "{id: klf, name: Kommunledningsförvaltningen}", "{id: klf, name: Kommunledningsförvaltningen, mail: chef at kommun}", "chef at kommun", "is not a mail address"},
		{"unknown outcome", "    what: {from_class: K1}\n    where: {audience: [anonymous]}\n    outcome: forbidden\n", "    what: {from_class: K1}\n    where: {audience: [anonymous]}\n    outcome: maybe\n", "maybe", "choose among allowed, conditional, forbidden"},
		{"country by name", "    jurisdictions: [SE, EU]\n    region: SE\n    own: true", "    jurisdictions: [Sverige, EU]\n    region: SE\n    own: true", "Sverige", `"Sverige" is no code of a country; write it as SE, EU or US`},
		{"law by name", "where: {audience: [guest]}", "where: {law_outside: [Sverige]}", "Sverige", "is no code of a country"},
		{"exception from everything", "rules:\n", "rules:\n  - {id: allt, title: Allt, outcome: allowed}\n", "id: allt", "allows everything"},
		{"no list", "where: {audience: [guest]}", "where: {audience: guest}", "audience: guest", "write it as [guest]"},
		{"tab", "  - id: losenord\n", "\t- id: losenord\n", "- id: losenord", "indent with spaces"},
		{"not UTF-8", "title: Lösenord eller nycklar", "title: L\xf6senord eller nycklar", "senord eller", "save the file as UTF-8"},
		{"future format", "version: 1\n", "version: 2\n", "version: 2", "this program reads version 1"},
		{"duplicate key", "version: 1\n", "version: 1\nversion: 1\n", "", "already defined"},
		{"not YAML", "version: 1\n", "version: [1\n", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := change(t, test.old, test.new)
			_, err := policy.Parse("policy.yaml", text)
			var all *policy.ParseError
			if !errors.As(err, &all) {
				t.Fatalf("error %v", err)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got:\n%v\nwant %q in it", err, test.want)
			}
			for _, p := range all.Problems {
				if p.Line == 0 {
					t.Errorf("no line: %v", err)
				}
				line := strings.Split(string(text)+"\n", "\n")[max(p.Line, 1)-1]
				if strings.Contains(p.Text, test.want) && !strings.Contains(line, test.at) {
					t.Errorf("%v\npoints at %q, want the line with %q", err, line, test.at)
				}
			}
		})
	}
}

func TestAllProblemsAreListedAtOnce(t *testing.T) {
	text := change(t, "    ceiling: K3\n", "    celing: K3\n")
	text = []byte(strings.Replace(string(text), "    ai: true\n", "    ai: kanske\n", 1))
	text = []byte(strings.Replace(string(text), "department: kff}", "department: kfff}", 1))
	_, err := policy.Parse("policy.yaml", text)
	for _, want := range []string{"celing", "kanske", "kfff"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in:\n%v", want, err)
		}
	}
	last := 0
	var all *policy.ParseError
	errors.As(err, &all)
	for _, p := range all.Problems {
		if p.Line < last {
			t.Errorf("not in the order of lines:\n%v", err)
		}
		last = p.Line
	}
}

func TestEmptyAndAlienFilesAreRefused(t *testing.T) {
	for _, text := range []string{"", "# bara en kommentar\n", "- en\n- lista\n", "42\n", "version: 1\n---\nversion: 1\n", "\x00\x01", "a: &a [*a]\n"} {
		if p, err := policy.Parse("policy.yaml", []byte(text)); err == nil {
			t.Errorf("%q was read as %+v", text, p)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(policy.DefaultText())
	f.Add([]byte("version: 1\nrules: [{id: a}]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := policy.Parse("policy.yaml", text)
		if (p == nil) == (err == nil) {
			t.Fatalf("policy %v, error %v", p, err)
		}
	})
}

func TestSchemaKnowsEveryKey(t *testing.T) {
	var schema struct {
		Properties map[string]any `json:"properties"`
		Required   []string       `json:"required"`
	}
	if err := json.Unmarshal(policy.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"organisation", "classes", "categories", "identifiers", "services", "decisions", "rules"} {
		if schema.Properties[key] == nil {
			t.Errorf("the schema does not know %q", key)
		}
	}
	if !strings.Contains(string(policy.Schema()), `"above_ceiling"`) {
		t.Error("the schema does not know the keys of rules")
	}
	if len(schema.Required) == 0 {
		t.Error("the schema requires nothing")
	}
}
