package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
)

var today = time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC)

func about(category patterns.Category, c patterns.Confidence) patterns.Content {
	return patterns.Content{People: 1, Categories: []patterns.CategoryFound{{Category: category, Confidence: c, People: 1, Count: 3}}}
}

func numbers(n int, register bool) patterns.Content {
	return patterns.Content{People: n, Identifiers: []patterns.IdentifierCount{{Type: "personnummer", Medium: n, Register: register}}}
}

func judge(p *policy.Policy, service string, found patterns.Content) []policy.Verdict {
	return p.Judge(policy.Place{Source: "s", Service: service, Path: "x/y.docx"}, found, today)
}

// TestMatrix is the default policy as a table: what × where.
func TestMatrix(t *testing.T) {
	p := policy.Default()
	type row struct {
		what         string
		found        patterns.Content
		class        policy.Class
		m365, sv, on policy.Outcome
		severity     policy.Severity // in m365
	}
	const a, c, f = policy.Allowed, policy.Conditional, policy.Forbidden
	rows := []row{
		{"nothing", patterns.Content{}, 0, a, a, a, ""},
		{"one number in a letter", numbers(1, false), 1, a, a, a, ""},
		{"nine numbers", numbers(9, false), 1, a, a, a, ""},
		{"ten numbers", numbers(10, false), 2, c, a, a, policy.Medium},
		{"a register of five", numbers(5, true), 2, c, a, a, policy.Medium},
		{"a register of four", numbers(4, true), 1, a, a, a, ""},
		{"a register of 400", numbers(400, true), 2, c, a, a, policy.High},
		{"test numbers only", patterns.Content{TestNumbers: 50}, 0, a, a, a, ""},
		{"uncertain numbers", patterns.Content{People: 30, Identifiers: []patterns.IdentifierCount{{Type: "personnummer", Low: 30}}}, 0, a, a, a, ""},
	}
	for category, want := range map[patterns.Category]struct {
		class        policy.Class
		m365, sv, on policy.Outcome
		severity     policy.Severity
	}{
		patterns.Health: {3, f, f, a, policy.High}, patterns.SocialServices: {3, f, f, a, policy.High},
		patterns.SchoolHealth: {3, f, f, a, policy.High}, patterns.HR: {2, c, a, a, policy.Medium},
		patterns.Union: {3, f, f, a, policy.High}, patterns.Ethnicity: {3, f, f, a, policy.High},
		patterns.Religion: {3, f, f, a, policy.High}, patterns.Politics: {3, f, f, a, policy.High},
		patterns.SexualLife: {3, f, f, a, policy.High}, patterns.Genetics: {3, f, f, a, policy.High},
		patterns.Offences: {3, f, f, a, policy.High}, patterns.ProtectedIdentity: {3, f, f, a, policy.Critical},
		patterns.Asylum: {3, f, f, a, policy.High}, patterns.Guardianship: {3, f, f, a, policy.High},
		patterns.NationalSecurity: {4, f, f, f, policy.Critical}, patterns.Security: {3, f, f, a, policy.High},
		patterns.Procurement: {2, c, a, a, policy.Medium}, patterns.Secrets: {2, f, a, a, policy.High},
		patterns.PersonalData: {1, a, a, a, ""}, patterns.Custom: {2, c, a, a, policy.Medium},
	} {
		for _, sure := range []patterns.Confidence{patterns.Medium, patterns.High} {
			rows = append(rows, row{fmt.Sprint(category, " ", sure), about(category, sure), want.class, want.m365, want.sv, want.on, want.severity})
		}
		rows = append(rows, row{fmt.Sprint(category, " low"), about(category, patterns.Low), 0, a, a, a, ""})
	}
	for _, r := range rows {
		t.Run(r.what, func(t *testing.T) {
			if got := p.Classify(r.found).Class; got != r.class {
				t.Errorf("class %v, want %v", got, r.class)
			}
			for service, want := range map[string]policy.Outcome{"m365": r.m365, "google": r.m365, "copilot": r.m365, "svenskt-moln": r.sv, "onprem": r.on} {
				verdicts := judge(p, service, r.found)
				if got := policy.Worst(verdicts); got != want {
					t.Errorf("in %s: %s, want %s: %+v", service, got, want, verdicts)
				}
				if want != policy.Allowed && len(verdicts) != 1 {
					t.Errorf("in %s: %d verdicts, want one: %+v", service, len(verdicts), verdicts)
				}
				if service == "m365" && want != policy.Allowed && verdicts[0].Severity != r.severity {
					t.Errorf("severity %s, want %s", verdicts[0].Severity, r.severity)
				}
			}
		})
	}
}

func TestTheVerdictSaysWhy(t *testing.T) {
	found := about(patterns.Health, patterns.High)
	found.Identifiers = numbers(212, true).Identifiers
	found.People = 212
	found.Categories = append(found.Categories, patterns.CategoryFound{Category: patterns.Union, Confidence: patterns.Low, People: 1})
	found.Evidence = []patterns.Evidence{
		{Pattern: "personnummer", Masked: "19••••••-••12"},
		{Pattern: "halsa:diagnos", Category: patterns.Health, Masked: "d•••••"},
		{Pattern: "fackforening:medlem", Category: patterns.Union, Masked: "m•••••"},
	}
	verdicts := judge(policy.Default(), "m365", found)
	if len(verdicts) != 1 {
		t.Fatalf("%+v", verdicts)
	}
	v := verdicts[0]
	if v.Rule != "kansligt" || v.Class != policy.K3 || v.Severity != policy.Critical || v.Missing != "lamplighetsbedomning" || v.Advice != "move" {
		t.Errorf("%+v", v)
	}
	if !slices.Equal(v.Laws, []string{"SE", "EU", "US"}) {
		t.Errorf("laws %v", v.Laws)
	}
	want := "category halsa [1]; register personuppgifter [personnummer 212]; ceiling  [m365 K1 K3]; decision-missing  [lamplighetsbedomning]; decision-missing  [dpia]"
	if got := because(v); got != want {
		t.Errorf("because %s\nwant    %s", got, want)
	}
	if len(v.Evidence) != 2 || slices.ContainsFunc(v.Evidence, func(e patterns.Evidence) bool { return e.Category == patterns.Union }) {
		t.Errorf("evidence %+v: what did not count must not be shown", v.Evidence)
	}
}

func because(v policy.Verdict) string {
	var all []string
	for _, r := range v.Because {
		all = append(all, fmt.Sprintf("%s %s %v", r.Code, r.Category, r.Args))
	}
	return strings.Join(all, "; ")
}

func TestSealedDocumentsCarryNoEvidence(t *testing.T) {
	found := about(patterns.NationalSecurity, patterns.Medium)
	found.Categories = append(found.Categories, about(patterns.Health, patterns.High).Categories...)
	found.Evidence = []patterns.Evidence{{Pattern: "halsa:x", Category: patterns.Health, Masked: "d•••"}, {Pattern: "sakerhetsskydd:x", Category: patterns.NationalSecurity, Masked: "h•••"}}
	verdicts := judge(policy.Default(), "m365", found)
	if len(verdicts) != 2 || !verdicts[0].Sealed || verdicts[0].Advice != "stop" {
		t.Fatalf("%+v", verdicts)
	}
	for _, v := range verdicts {
		if len(v.Evidence) != 0 {
			t.Errorf("%s carries evidence of a sealed document", v.Rule)
		}
	}
}

func TestAnUnregisteredServiceIsNotTrusted(t *testing.T) {
	verdicts := judge(policy.Default(), "dropbox", about(patterns.Health, patterns.Medium))
	if len(verdicts) != 1 || verdicts[0].Outcome != policy.Forbidden || !strings.Contains(because(verdicts[0]), "service-unknown") {
		t.Errorf("%+v", verdicts)
	}
	if got := judge(policy.Default(), "dropbox", patterns.Content{}); len(got) != 0 {
		t.Errorf("a document without anything in it: %+v", got)
	}
}

func TestSharing(t *testing.T) {
	p := policy.Default()
	for _, test := range []struct {
		audience string
		found    patterns.Content
		service  string
		rules    string
		severity policy.Severity
	}{
		{"anonymous", numbers(1, false), "m365", "oppen-lank", policy.Critical},
		{"anonymous", numbers(1, false), "onprem", "oppen-lank", policy.Critical},
		{"anonymous", patterns.Content{}, "m365", "", ""},
		{"guest", numbers(1, false), "m365", "", ""},
		{"guest", numbers(20, false), "m365", "skyddsvart delat-utanfor", policy.High},
		{"guest", about(patterns.Health, patterns.Medium), "m365", "kansligt delat-utanfor", policy.Critical},
		{"organisation", about(patterns.Health, patterns.Medium), "onprem", "delat-med-alla", policy.Medium},
		{"group", about(patterns.Health, patterns.Medium), "onprem", "", ""},
		{"", about(patterns.Health, patterns.Medium), "onprem", "", ""},
	} {
		verdicts := p.Judge(policy.Place{Service: test.service, Path: "a", Audience: test.audience}, test.found, today)
		var rules []string
		for _, v := range verdicts {
			rules = append(rules, v.Rule)
		}
		if got := strings.Join(rules, " "); got != test.rules {
			t.Errorf("%s in %s: rules %q, want %q", test.audience, test.service, got, test.rules)
		}
		if len(verdicts) > 0 && verdicts[0].Severity != test.severity {
			t.Errorf("%s in %s: severity %s, want %s", test.audience, test.service, verdicts[0].Severity, test.severity)
		}
	}
}

const bothDecisions = `decisions:
  - {reference: KS 2026/1, kind: lamplighetsbedomning, services: [m365], controllers: [sn], categories: [halsa, socialtjanst], class: K3, sites: ["*HSL*"], from: 2026-03-01, until: 2026-11-22}
  - {reference: SN 2026/2, kind: dpia, services: [m365], class: K3, until: 2027-06-30}
`

func TestDecisions(t *testing.T) {
	p := parsed(t, change(t, noDecisions, bothDecisions))
	there := policy.Place{Service: "m365", Site: "Socialförvaltningen HSL", Path: "a.docx"}
	health := about(patterns.Health, patterns.High)
	health.Identifiers = numbers(30, true).Identifiers
	for _, test := range []struct {
		name              string
		at                policy.Place
		found             patterns.Content
		on                time.Time
		outcome           policy.Outcome
		decision, missing string
		reason            string
	}{
		{"in force on its last day", there, health, today, policy.Allowed, "KS 2026/1", "", "decision  [lamplighetsbedomning KS 2026/1 2026-11-22]"},
		{"expired the day after", there, health, today.AddDate(0, 0, 1), policy.Forbidden, "KS 2026/1", "lamplighetsbedomning", "decision-expired  [lamplighetsbedomning KS 2026/1 2026-11-22]"},
		{"not yet", there, health, time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC), policy.Forbidden, "KS 2026/1", "lamplighetsbedomning", "decision-early  [lamplighetsbedomning KS 2026/1 2026-03-01]"},
		{"another site", policy.Place{Service: "m365", Site: "Socialförvaltningen", Path: "a"}, health, today, policy.Forbidden, "", "lamplighetsbedomning", "decision-missing"},
		{"another controller", policy.Place{Service: "m365", Site: "Skola HSL", Path: "a"}, health, today, policy.Forbidden, "", "lamplighetsbedomning", "decision-missing"},
		{"another service", policy.Place{Service: "google", Site: there.Site, Path: "a"}, health, today, policy.Forbidden, "", "lamplighetsbedomning", "decision-missing"},
		{"another category", there, about(patterns.Union, patterns.High), today, policy.Forbidden, "", "lamplighetsbedomning", "decision-missing"},
		{"one category too many", there, withCategory(health, patterns.Religion), today, policy.Forbidden, "", "lamplighetsbedomning", "decision-missing"},
		{"no decision helps", there, about(patterns.ProtectedIdentity, patterns.High), today, policy.Forbidden, "", "", "ceiling"},
	} {
		t.Run(test.name, func(t *testing.T) {
			verdicts := p.Judge(test.at, test.found, test.on)
			if len(verdicts) != 1 {
				t.Fatalf("%+v", verdicts)
			}
			v := verdicts[0]
			if v.Outcome != test.outcome || v.Decision != test.decision || v.Missing != test.missing || !strings.Contains(because(v), test.reason) {
				t.Errorf("%s decision %q missing %q because %s", v.Outcome, v.Decision, v.Missing, because(v))
			}
			if test.decision == "KS 2026/1" && v.Until.Format(time.DateOnly) != "2026-11-22" {
				t.Errorf("until %v", v.Until)
			}
		})
	}
}

func withCategory(found patterns.Content, c patterns.Category) patterns.Content {
	found.Categories = append(slices.Clone(found.Categories), patterns.CategoryFound{Category: c, Confidence: patterns.High, People: 1})
	return found
}

func TestVersionChangesTheNightADecisionExpires(t *testing.T) {
	p := parsed(t, change(t, noDecisions, bothDecisions))
	if p.VersionAt(today) != p.VersionAt(today.AddDate(0, 0, -1)) {
		t.Error("another version without a reason")
	}
	if p.VersionAt(today) == p.VersionAt(today.AddDate(0, 0, 1)) {
		t.Error("the same version although a decision expired")
	}
	if p.Version() == policy.Default().Version() {
		t.Error("another text, the same version")
	}
	if soon := p.Expires(today, 30); len(soon) != 1 || soon[0].Reference != "KS 2026/1" {
		t.Errorf("expires soon: %+v", soon)
	}
}

// TestVersionChangesEachMonth where a rule asks how old documents are.
func TestVersionChangesEachMonth(t *testing.T) {
	p := parsed(t, change(t, "  - id: losenord\n", `  - id: gallring
    title: Skulle ha gallrats
    what: {kinds: [], older_than_days: 1825}
    outcome: conditional

  - id: losenord
`))
	if p.VersionAt(today) == p.VersionAt(today.AddDate(0, 1, 0)) || p.VersionAt(today) != p.VersionAt(today.AddDate(0, 0, 1)) {
		t.Error("the version does not follow the month")
	}
	old := policy.Place{Service: "onprem", Path: "x.docx", Modified: today.AddDate(-6, 0, 0)}
	got := p.Judge(old, numbers(2, false), today)
	if len(got) != 1 || !slices.ContainsFunc(got[0].Because, func(r policy.Reason) bool { return r.Code == "age" && r.Args[0] == "2191" }) {
		t.Errorf("%+v", got)
	}
}

func TestAnExceptionEndsTheTrial(t *testing.T) {
	p := parsed(t, change(t, "  - id: losenord\n", `  - id: ovning
    title: Övningsmaterial med påhittade personer
    what: {from_class: K2}
    where: {paths: ["Övning/**"]}
    outcome: allowed

  - id: losenord
`))
	at := policy.Place{Service: "m365", Path: "övning/2026/fall 1.docx"}
	if got := p.Judge(at, about(patterns.Health, patterns.High), today); len(got) != 1 || got[0].Rule != "ovning" || got[0].Outcome != policy.Allowed {
		t.Errorf("%+v", got)
	}
	if got := p.Judge(at, about(patterns.NationalSecurity, patterns.High), today); policy.Worst(got) != policy.Forbidden {
		t.Errorf("a rule before the exception counts: %+v", got)
	}
}

// TestDuties: who must review a finding and which incident it may be stand in
// the verdict, and in none that allows.
func TestDuties(t *testing.T) {
	p := parsed(t, change(t, "  - id: losenord\n", `  - id: hems
    title: Hälsouppgifter om barn
    what: {categories: [halsa], from_class: K3}
    outcome: conditional
    unless: [dpia]
    advice: review
    review_by: dataskyddsombudet
    incident: [imy, cyber]

  - id: losenord
`))
	for _, v := range p.Judge(policy.Place{Service: "m365", Path: "a.docx"}, about(patterns.Health, patterns.High), today) {
		want := v.Rule == "hems"
		has := slices.ContainsFunc(v.Because, func(r policy.Reason) bool {
			return r.Code == "review-by" && slices.Equal(r.Args, []string{"dataskyddsombudet"})
		}) && slices.ContainsFunc(v.Because, func(r policy.Reason) bool { return r.Code == "incident-imy" }) &&
			slices.ContainsFunc(v.Because, func(r policy.Reason) bool { return r.Code == "incident-cyber" })
		if has != want || want && v.Advice != "review" {
			t.Errorf("%s: %+v", v.Rule, v)
		}
	}
}

// TestEverythingARuleCanAsk tries every condition of a rule: a document that
// fits it is judged, one that differs in that alone is not.
func TestEverythingARuleCanAsk(t *testing.T) {
	fit := withCategory(numbers(20, true), patterns.Health)
	fit.Kinds = []patterns.DocumentKind{{Kind: "rehabplan", Confidence: patterns.High, Filled: true}}
	fit.Children, fit.Labels, fit.Marked = 3, []string{"Konfidentiell – skola"}, true
	without := func(change func(*patterns.Content)) patterns.Content {
		other := fit
		change(&other)
		return other
	}
	at := policy.Place{Source: "s1", Service: "copilot", Site: "Socialtjänst", Path: "a/b/c.docx", Audience: "group", Modified: today.AddDate(-6, 0, 0)}
	for _, test := range []struct {
		what, where string
		found       patterns.Content
		at          policy.Place
	}{
		{"categories: [halsa]", "", numbers(20, true), at},
		{"except_categories: [personuppgifter, hr]", "", numbers(20, true), at},
		{"from_class: K3", "", numbers(20, true), at},
		{"to_class: K3", "", withCategory(fit, patterns.NationalSecurity), at},
		{"harm: [omvant]", "", withCategory(numbers(20, true), patterns.Union), at},
		{"people_at_least: 20", "", withCategory(numbers(19, true), patterns.Health), at},
		{"identifiers: [personnummer], identifiers_at_least: 20", "", withCategory(numbers(19, true), patterns.Health), at},
		{"register: true", "", withCategory(numbers(20, false), patterns.Health), at},
		{"kinds: [rehabplan]", "", withCategory(numbers(20, true), patterns.Health), at},
		{"children_at_least: 3", "", without(func(c *patterns.Content) { c.Children = 2 }), at},
		{"labels: [\"konfidentiell*\"]", "", without(func(c *patterns.Content) { c.Labels = []string{"Öppen"} }), at},
		{"except_labels: [\"Öppen\"]", "", without(func(c *patterns.Content) { c.Labels = append(c.Labels, "öppen") }), at},
		{"marked: true", "", without(func(c *patterns.Content) { c.Marked = false }), at},
		{"state: [filled]", "", without(func(c *patterns.Content) { c.Kinds = nil; c.Innocence = []string{"template"} }), at},
		{"older_than_days: 2000", "", fit, policy.Place{Source: "s1", Service: "copilot", Path: at.Path, Modified: today.AddDate(-5, 0, 0)}},
		{"older_than_days: 1", "", fit, policy.Place{Source: "s1", Service: "copilot", Path: at.Path}},
		{"", "region_outside: [SE]", fit, policy.Place{Source: "s1", Service: "svenskt-moln", Path: at.Path}},
		{"", "services: [copilot]", fit, policy.Place{Source: "s1", Service: "m365", Site: at.Site, Path: at.Path, Audience: "group"}},
		{"", "external: true", fit, policy.Place{Source: "s1", Service: "onprem", Site: at.Site, Path: at.Path}},
		{"", "law_outside: [SE, EU]", fit, policy.Place{Source: "s1", Service: "svenskt-moln", Site: at.Site, Path: at.Path}},
		{"", "ai: true", fit, policy.Place{Source: "s1", Service: "m365", Site: at.Site, Path: at.Path}},
		{"", "encryption: [provider]", fit, policy.Place{Source: "s1", Service: "onprem", Site: at.Site, Path: at.Path}},
		{"", "audience: [group]", fit, policy.Place{Source: "s1", Service: "copilot", Site: at.Site, Path: at.Path, Audience: "user"}},
		{"", "controllers: [sn]", fit, policy.Place{Source: "s1", Service: "copilot", Site: "Kansli", Path: at.Path}},
		{"", "departments: [sof]", fit, policy.Place{Source: "s1", Service: "copilot", Site: "Kansli", Path: at.Path}},
		{"", "sources: [\"s*\"]", fit, policy.Place{Source: "t1", Service: "copilot", Site: at.Site, Path: at.Path}},
		{"", "sites: [\"*TJÄNST\"]", fit, policy.Place{Source: "s1", Service: "copilot", Site: "tjänster", Path: at.Path}},
		{"", "paths: [\"a/*/c.docx\"]", fit, policy.Place{Source: "s1", Service: "copilot", Site: at.Site, Path: "a/b/b/c.docx"}},
		{"", "above_ceiling: true", numbers(1, false), at},
	} {
		t.Run(test.what+test.where, func(t *testing.T) {
			text := string(change(t, "kinds: {}", "kinds: {rehabplan: {class: K2, category: hr}}"))
			text, _, _ = strings.Cut(text, "\nrules:\n")
			text += "\nrules:\n  - {id: r, title: R, what: {" + test.what + "}, where: {" + test.where + "}, outcome: forbidden}\n"
			p := parsed(t, []byte(text))
			if got := p.Judge(at, fit, today); len(got) != 1 {
				t.Errorf("the document that fits: %+v", got)
			}
			if got := p.Judge(test.at, test.found, today); len(got) != 0 {
				t.Errorf("the one that does not: %+v", got)
			}
		})
	}
}

func TestResponsible(t *testing.T) {
	text := string(change(t, "{id: sof, name: Socialförvaltningen}", "{id: sof, name: Socialförvaltningen, head: Anna Exempel, mail: anna@exempel.se}"))
	text = strings.Replace(text, "      name: Miljö- och byggnadsnämnden\n", "      name: Miljö- och byggnadsnämnden\n      head: Bo Exempel\n", 1)
	p := parsed(t, []byte(text))
	for _, test := range []struct {
		at   policy.Place
		want policy.Responsible
	}{
		{policy.Place{Site: "SOCIALTJÄNSTEN barn"}, policy.Responsible{Controller: "Socialnämnden", Department: "Socialförvaltningen", Head: "Anna Exempel", Mail: "anna@exempel.se"}},
		{policy.Place{Site: "Elevha\u0308lsa"}, policy.Responsible{Controller: "Barn- och utbildningsnämnden", Department: "Barn- och utbildningsförvaltningen"}},
		{policy.Place{Path: "Bygglov/2026/x.pdf"}, policy.Responsible{Controller: "Miljö- och byggnadsnämnden", Department: "Miljö- och byggnadsförvaltningen", Head: "Bo Exempel"}},
		{policy.Place{Path: "x.pdf"}, policy.Responsible{}},
		{policy.Place{Path: "x.pdf", Controller: "sn"}, policy.Responsible{Controller: "Socialnämnden"}},
		{policy.Place{Path: "x.pdf", Controller: "Socialnämnden"}, policy.Responsible{Controller: "Socialnämnden"}},
		{policy.Place{Path: "x.pdf", Controller: "Kommunbolaget AB"}, policy.Responsible{Controller: "Kommunbolaget AB"}},
	} {
		if got := p.Responsible(test.at); got != test.want {
			t.Errorf("%+v: %+v, want %+v", test.at, got, test.want)
		}
	}
}

// TestMoreNeverJudgesMilder: adding something to a document, or taking
// confidence up, never makes the worst verdict milder or the class lower.
func TestMoreNeverJudgesMilder(t *testing.T) {
	p := parsed(t, change(t, noDecisions, bothDecisions))
	rank := map[policy.Outcome]int{policy.Allowed: 0, policy.Conditional: 1, policy.Forbidden: 2}
	var categories []patterns.Category
	for _, c := range p.Categories() {
		categories = append(categories, c.ID)
	}
	rapid.Check(t, func(t *rapid.T) {
		found := patterns.Content{People: rapid.IntRange(0, 200).Draw(t, "people")}
		for _, c := range rapid.SliceOfN(rapid.SampledFrom(categories), 0, 4).Draw(t, "categories") {
			found = withCategory(found, c)
			found.Categories[len(found.Categories)-1].Confidence = patterns.Confidence(rapid.IntRange(1, 3).Draw(t, "confidence"))
		}
		at := policy.Place{
			Service:  rapid.SampledFrom([]string{"m365", "onprem", "svenskt-moln", "okänd"}).Draw(t, "service"),
			Site:     rapid.SampledFrom([]string{"Social HSL", "Skola"}).Draw(t, "site"),
			Audience: rapid.SampledFrom([]string{"", "anonymous", "guest", "organisation", "user"}).Draw(t, "audience"),
		}
		more := withCategory(found, rapid.SampledFrom(categories).Draw(t, "more"))
		more.Identifiers = numbers(rapid.IntRange(0, 50).Draw(t, "numbers"), rapid.Bool().Draw(t, "register")).Identifiers
		before, after := policy.Worst(p.Judge(at, found, today)), policy.Worst(p.Judge(at, more, today))
		if rank[after] < rank[before] {
			t.Fatalf("%s became %s", before, after)
		}
		if p.Classify(more).Class < p.Classify(found).Class {
			t.Fatalf("class %v became %v", p.Classify(found), p.Classify(more))
		}
		for _, v := range p.Judge(at, more, today) {
			if v.Outcome != policy.Allowed && (v.Title == "" || v.Severity == "" || v.Advice == "" || len(v.Because) == 0 || len(v.Categories) == 0) {
				t.Fatalf("a verdict that does not explain itself: %+v", v)
			}
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	p := policy.Default()
	found := withCategory(numbers(20, true), patterns.Health)
	at := policy.Place{Service: "m365", Site: "Socialtjänsten", Path: "a/b/c.docx"}
	for b.Loop() {
		p.Judge(at, found, today)
	}
}

func TestACustomPatternsOwnClass(t *testing.T) {
	p := policy.Default()
	for asked, want := range map[string]policy.Class{"K3": policy.K3, "K0": policy.K0, "": p.Classify(own("")).Class, "K9": p.Classify(own("")).Class} {
		if got := p.Classify(own(asked)).Class; got != want {
			t.Errorf("a pattern that asks for %q gives %v, want %v", asked, got, want)
		}
	}
}

func own(class string) patterns.Content {
	return patterns.Content{Categories: []patterns.CategoryFound{{Category: patterns.Custom, Confidence: patterns.High, Pattern: "p", Class: class}}}
}
