package reporttest

import (
	_ "embed"
	"fmt"
	"time"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/patterns"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/reports"
	"github.com/molnvakt/molnvakt/sources"
)

//go:embed policy.yaml
var policyText []byte

// now is when the example reports are written.
var now = time.Date(2026, 11, 22, 15, 47, 0, 0, time.UTC)

// Example returns a small register in which everything occurs that a report
// must show: every status, outcome and audience, a sealed finding, gaps, and
// hostile names. All people and places in it are invented.
func Example() *Register {
	r := &Register{
		AllFindings: exampleFindings(),
		AllGaps: []findings.Gap{
			{Document: 90, Source: "m365", Path: "Socialförvaltningen/Dokument/Arkiv/skyddad.docx", Reason: "encrypted", Detail: "agile", Since: now.AddDate(0, 0, -1)},
			{Document: 91, Source: "m365", Path: "Bygglov/Dokument/ritning.dwg", Reason: "unsupported", Detail: "image/vnd.dwg", Since: now.AddDate(0, 0, -1)},
			{Document: 92, Source: "hemkatalog", Path: "=cmd|' /C calc'!A0.pdf", Place: "page 3", Reason: "no-ocr", Since: now.AddDate(0, 0, -2)},
			{Source: "m365", Path: "Personal/OneDrive – <b>Vd</b>", Reason: "denied", Since: now.AddDate(0, 0, -3), RetryAt: now.AddDate(0, 0, 1)},
		},
	}
	for i, f := range r.AllFindings {
		r.AllDocuments = append(r.AllDocuments, exampleDocument(i, f))
	}
	r.AllDocuments = append(r.AllDocuments, findings.Document{ID: 80, Source: "m365", Service: "m365", Item: sources.Item{Path: "Väntar/ny.docx", Size: 1}, Waiting: true})
	r.Covered = exampleCoverage()
	return r
}

// Input returns the input of a report about r.
func Input(r findings.Register, language string) reports.Input {
	rules, err := policy.Parse("policy.yaml", policyText)
	if err != nil {
		panic(err)
	}
	return reports.Input{
		Register: r, Policy: rules, Language: language,
		Now: now, Version: "1.2.3", Title: "Björkfors kommun",
	}
}

// HostileName tries to break out of every format.
const HostileName = "HR/=HYPERLINK(\"http://evil.example\")/<script>alert(1)</script>\"'&\r\n;.xlsx"

// Canary stands in the evidence of the sealed finding and must never be shown.
const Canary = "KANARIEFÅGEL"

func exampleFindings() []findings.Finding {
	anonymous := &sources.Exposure{Grants: []sources.Grant{
		{To: sources.Anonymous, Link: true, Roles: []string{"write"}, Expires: now.AddDate(0, 1, 0)},
		{To: sources.Group, Name: "Skolan – alla lärare"},
		{To: sources.User, Name: "Utan behörighet", Denied: true},
	}, Unseen: []string{"members of SharePoint groups"}}
	return []findings.Finding{
		example(1, "sakerhetsskydd", policy.Critical, policy.Forbidden, 4, "Krisberedskap/Dokument/Bilaga 3.docx", "Kommunstyrelsen", findings.Open, func(f *findings.Finding) {
			f.Verdict.Sealed, f.Verdict.Advice, f.People = true, "stop", 0
			f.Verdict.Evidence = []patterns.Evidence{{Pattern: "sakerhetsskydd:markering", Masked: Canary}}
		}),
		example(2, "skyddade_personuppgifter", policy.Critical, policy.Forbidden, 3, "Björkskolan/Dokument/Klasslistor/6B.xlsx", "Barn- och utbildningsnämnden", findings.Open, func(f *findings.Finding) {
			f.Exposure, f.Verdict.Advice = anonymous, "unshare"
			f.Kinds = []patterns.DocumentKind{{Kind: "klasslista", Confidence: patterns.High, Filled: true}}
			f.Verdict.Because = append(f.Verdict.Because, policy.Reason{Code: "audience", Args: []string{"anonymous"}})
		}),
		example(3, "halsa", policy.High, policy.Forbidden, 3, HostileName, "Kommunstyrelsen", findings.Open, func(f *findings.Finding) {
			f.Item.WebURL = "javascript:alert(1)"
			f.Item.Owner, f.Head = "@SUM(1+9)", "＝cmd"
		}),
		example(4, "socialtjanst", policy.High, policy.Forbidden, 3, "Socialförvaltningen/Dokument/Orosanmälan 14.pdf", "Socialnämnden", findings.FixClaimed, nil),
		example(5, "hr", policy.Medium, policy.Conditional, 2, "HR/Dokument/Lönelista mars.xlsx", "Kommunstyrelsen", findings.Disputed, func(f *findings.Finding) {
			f.Verdict.Missing, f.Verdict.Advice = "lamplighetsbedomning", "decide"
			f.Verdict.Because = append(f.Verdict.Because, policy.Reason{Code: "decision-expired", Args: []string{"lamplighetsbedomning", "KS 2024/118", "2026-06-30"}})
		}),
		example(6, "hemligheter", policy.Medium, policy.Forbidden, 3, "IT/Dokument/inloggningar.txt", "", findings.RiskAccepted, func(f *findings.Finding) { f.Until = now.AddDate(0, 2, 0) }),
		example(7, "halsa", policy.Low, policy.Conditional, 2, "Kost/Dokument/specialkost.docx", "Barn- och utbildningsnämnden", findings.Resolved, nil),
		example(8, "halsa", policy.Low, policy.Conditional, 2, "Kost/Dokument/mall specialkost.docx", "Barn- och utbildningsnämnden", findings.FalsePositive, nil),
	}
}

func example(n int, category patterns.Category, severity policy.Severity, outcome policy.Outcome, class policy.Class, path, controller string, status findings.Status, change func(*findings.Finding)) findings.Finding {
	f := findings.Finding{
		ID: findings.ID(fmt.Sprintf("f%07d", n)), Document: findings.DocumentID(n), Source: "m365", Service: "m365", Site: "Webbplats " + controller,
		Item:   sources.Item{ID: sources.ItemID(fmt.Sprint("item", n)), Path: path, Size: 12_345, Owner: "Olle Exempel", WebURL: fmt.Sprintf("https://bjorkfors.example/d/%d?a=1&b=2", n), Modified: now.AddDate(0, -n, 0)},
		People: 10 * n, Status: status, First: now.AddDate(0, 0, -20), Last: now.AddDate(0, 0, -1), Changed: now.AddDate(0, 0, -3),
		Verdict: policy.Verdict{
			Rule: "over-tak", Title: "Känsligare än tjänsten får ta emot", Outcome: outcome, Severity: severity, Class: class,
			Categories: []patterns.Category{category}, Service: "m365", Laws: []string{"US"}, Advice: "move",
			Because: []policy.Reason{
				{Code: "category", Category: category, Args: []string{fmt.Sprint(10 * n)}},
				{Code: "register", Args: []string{"personnummer", fmt.Sprint(10 * n)}},
				{Code: "ceiling", Args: []string{"m365", "K1", fmt.Sprint("K", int(class))}},
			},
			Evidence: []patterns.Evidence{
				{Pattern: "personnummer", Confidence: patterns.High, Place: "Blad1!B7", Masked: "19••••••-••12", Fingerprint: "00ff"},
				{Pattern: string(category) + ":=term", Category: category, Confidence: patterns.Medium, Place: "bilaga.pdf › page 2", Masked: "<i>ord</i>"},
			},
		},
	}
	f.Controller, f.Department, f.Head, f.Mail = controller, "Förvaltningen", "Vera Chef", "vera.chef@bjorkfors.example"
	if controller == "" {
		f.Department, f.Head, f.Mail = "", "", ""
	}
	if change != nil {
		change(&f)
	}
	return f
}

func exampleDocument(i int, f findings.Finding) findings.Document {
	d := findings.Document{
		ID: f.Document, Source: f.Source, Service: f.Service, Site: f.Site, Item: f.Item,
		Class: f.Verdict.Class, Outcome: f.Verdict.Outcome, Responsible: f.Responsible, Exposure: f.Exposure,
		FirstSeen: f.First, ReadAt: f.Last,
		Reading: findings.Reading{
			Status: "ok", MediaType: "application/pdf", Extractor: "pdf", Bytes: f.Item.Size, Chars: 4000,
			Content: patterns.Content{
				People: f.People, Kinds: f.Kinds,
				Identifiers: []patterns.IdentifierCount{{Type: "personnummer", Low: 1, Medium: 2, High: f.People, Register: true}},
				Categories: []patterns.CategoryFound{
					{Category: f.Verdict.Categories[0], Confidence: patterns.High, People: f.People, Count: 3},
					{Category: patterns.Union, Confidence: patterns.Low, Count: 1},
				},
			},
		},
	}
	if i%3 == 1 {
		d.Reading.Status = "partial"
		d.Reading.Gaps = []findings.Gap{{Place: "page 9", Reason: "ocr-pending", Since: now}}
	}
	return d
}

func exampleCoverage() findings.Coverage {
	m365 := findings.Scan{ID: 7, Source: "m365", Service: "m365", Started: now.Add(-13 * time.Hour), Ended: now.Add(-10 * time.Hour), Complete: true, Items: 12_000, Ruleset: findings.Ruleset{Reading: "5f2c9a", Policy: "b81d03"}}
	home := findings.Scan{ID: 8, Source: "hemkatalog", Service: "onprem", Started: now.Add(-9 * time.Hour), Failure: "denied", Ruleset: findings.Ruleset{Reading: "5f2c9a", Policy: "b81d03"}}
	return findings.Coverage{
		Documents: 12_480, Read: 12_102, Partial: 61, Unread: 295, Waiting: 22, Bytes: 48_300_000_000,
		Gaps:     []findings.ReasonCount{{Reason: "unsupported", Count: 181}, {Reason: "encrypted", Count: 97}, {Reason: "ocr-pending", Count: 60}, {Reason: "denied", Count: 18}},
		Rulesets: []string{"5f2c9a"},
		Sources: []findings.SourceCoverage{
			{Source: "m365", Service: "m365", Scopes: 41, Documents: 12_000, Read: 11_700, Partial: 55, Unread: 245, Bytes: 48_000_000_000, Last: m365, LastComplete: m365.Ended},
			{Source: "hemkatalog", Service: "onprem", Scopes: 1, Documents: 480, Read: 402, Partial: 6, Unread: 50, Waiting: 22, Bytes: 300_000_000, Last: home},
		},
	}
}
