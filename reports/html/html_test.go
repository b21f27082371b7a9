package html_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	dom "golang.org/x/net/html"

	"github.com/molnvakt/molnvakt/reports/html"
	"github.com/molnvakt/molnvakt/reports/reporttest"
)

func TestReport(t *testing.T) { reporttest.Run(t, html.Report{}) }

func parse(t *testing.T, text []byte) *dom.Node {
	t.Helper()
	root, err := dom.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func elements(root *dom.Node) []*dom.Node {
	var all []*dom.Node
	for n := range root.Descendants() {
		if n.Type == dom.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func attr(n *dom.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *dom.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == dom.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// Names and evidence from outside never become markup, and nothing is loaded
// or run.
func TestNothingForeignRuns(t *testing.T) {
	register := reporttest.Example()
	for i, hostile := range []string{"<script>alert(1)</script>", `" onmouseover="alert(1)`, "<style>*{}</style>", "</title><svg onload=alert(1)>", "<img src=x onerror=alert(1)>"} {
		f := register.AllFindings[1]
		f.Item.Path, f.Head, f.Department, f.Controller, f.Item.Owner, f.Site, f.Verdict.Title = hostile, hostile, hostile, hostile, hostile, hostile, hostile
		f.ID, f.Item.WebURL, f.Mail = f.ID+"-x", "https://ok.example/"+hostile, hostile
		f.Verdict.Evidence[0].Masked, f.Verdict.Evidence[0].Place = hostile, hostile
		register.AllFindings = append(register.AllFindings, f)
		register.AllGaps[i%4].Path, register.AllGaps[i%4].Reason, register.AllGaps[i%4].Detail = hostile, hostile, hostile
	}
	page := reporttest.Write(t, html.Report{}, register, "sv")
	for _, n := range elements(parse(t, page)) {
		if slices.Contains([]string{"script", "img", "iframe", "object", "embed", "link", "form", "base", "audio", "video"}, n.Data) {
			t.Errorf("there is a <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
			if a.Key == "href" && !regexp.MustCompile(`^(https?://|#|mailto:)`).MatchString(a.Val) {
				t.Errorf("a link to %q", a.Val)
			}
		}
	}
	if bytes.Contains(page, []byte("ZgotmplZ")) {
		t.Error("a value was put where the template cannot make it safe")
	}
}

func TestContentPolicyAllowsOnlyOurStyle(t *testing.T) {
	var policy, style string
	styles := 0
	for _, n := range elements(parse(t, reporttest.Write(t, html.Report{}, reporttest.Example(), "sv"))) {
		if n.Data == "meta" && strings.EqualFold(attr(n, "http-equiv"), "content-security-policy") {
			policy = attr(n, "content")
		}
		if n.Data == "style" {
			styles++
			style = n.FirstChild.Data
		}
	}
	hash := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; base-uri 'none'; form-action 'none'"
	if policy != want || styles != 1 {
		t.Errorf("%d styles, policy %q, want %q", styles, policy, want)
	}
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
		t.Error("the style loads something")
	}
}

// What a screen reader and a keyboard need.
func TestAccessible(t *testing.T) {
	for _, language := range []string{"sv", "en"} {
		root := parse(t, reporttest.Write(t, html.Report{}, reporttest.Example(), language))
		all := elements(root)
		ids := map[string]bool{}
		for _, n := range all {
			if id := attr(n, "id"); id != "" {
				if ids[id] {
					t.Errorf("%s: the id %q stands twice", language, id)
				}
				ids[id] = true
			}
		}
		count := map[string]int{}
		level := 0
		for _, n := range all {
			count[n.Data]++
			accessible(t, n, ids)
			if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
				now := int(n.Data[1] - '0')
				if now > level+1 {
					t.Errorf("%s: heading level %d follows %d: %q", language, now, level, text(n))
				}
				if text(n) == "" {
					t.Errorf("%s: an empty heading", language)
				}
				level = now
			}
			if n.Data == "html" && attr(n, "lang") != language {
				t.Errorf("lang=%q", attr(n, "lang"))
			}
		}
		for _, landmark := range []string{"header", "nav", "main", "footer", "h1", "title"} {
			if count[landmark] == 0 || landmark == "main" && count[landmark] != 1 || landmark == "h1" && count[landmark] != 1 {
				t.Errorf("%s: %d <%s>", language, count[landmark], landmark)
			}
		}
	}
}

func accessible(t *testing.T, n *dom.Node, ids map[string]bool) {
	t.Helper()
	for _, name := range []string{"aria-labelledby", "aria-describedby"} {
		for _, id := range strings.Fields(attr(n, name)) {
			if !ids[id] {
				t.Errorf("<%s %s=%q>: no such id", n.Data, name, id)
			}
		}
	}
	switch n.Data {
	case "a":
		if href := attr(n, "href"); strings.HasPrefix(href, "#") && !ids[href[1:]] {
			t.Errorf("a link to %q leads nowhere", href)
		}
		if text(n) == "" {
			t.Error("a link without text")
		}
	case "th":
		if attr(n, "scope") == "" {
			t.Errorf("<th> without scope: %q", text(n))
		}
	case "table":
		if n.FirstChild == nil || !slices.ContainsFunc(elements(n), func(c *dom.Node) bool { return c.Data == "caption" && text(c) != "" }) {
			t.Error("a table without a caption")
		}
	case "svg":
		if attr(n, "aria-hidden") != "true" && (attr(n, "role") != "img" || !slices.ContainsFunc(elements(n), func(c *dom.Node) bool { return c.Data == "title" && text(c) != "" })) {
			t.Error("a picture without a title")
		}
	case "section":
		if attr(n, "aria-labelledby") == "" {
			t.Error("a section without a name")
		}
	}
}

// Text has a contrast of 4.5:1 in light and dark (WCAG 2.2, 1.4.3), what marks
// something 3:1 (1.4.11).
func TestContrast(t *testing.T) {
	style, err := os.ReadFile("templates/style.css")
	if err != nil {
		t.Fatal(err)
	}
	schemes := regexp.MustCompile(`:root\{([^}]*)\}`).FindAllStringSubmatch(string(style), 2)
	if len(schemes) != 2 {
		t.Fatalf("%d colour schemes", len(schemes))
	}
	for i, scheme := range schemes {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+):#([0-9a-f]{3,6})\b`).FindAllStringSubmatch(scheme[1], -1) {
			colours[m[1]] = m[2]
		}
		check := func(front, back string, least float64) {
			if got := contrast(t, colours[front], colours[back]); got < least {
				t.Errorf("scheme %d: %s on %s has %.2f:1, want %.1f:1", i, front, back, got, least)
			}
		}
		for _, back := range []string{"paper", "card"} {
			for _, front := range []string{"ink", "soft", "accent", "critical", "high", "medium", "low", "good"} {
				check(front, back, 4.5)
			}
		}
		for _, tone := range []string{"critical", "high", "medium", "low"} {
			check(tone, tone+"-soft", 4.5)
		}
		check("ink", "accent-soft", 4.5)
		check("soft", "accent-soft", 4.5)
		check("accent", "accent-soft", 4.5)
		check("bar-bad", "card", 3)
	}
}

func contrast(t *testing.T, a, b string) float64 {
	la, lb := luminance(t, a), luminance(t, b)
	return (math.Max(la, lb) + 0.05) / (math.Min(la, lb) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	if len(colour) == 3 {
		colour = string([]byte{colour[0], colour[0], colour[1], colour[1], colour[2], colour[2]})
	}
	rgb, err := strconv.ParseUint(colour, 16, 32)
	if err != nil {
		t.Fatalf("colour %q", colour)
	}
	linear := func(shift uint) float64 {
		c := float64(rgb>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
}

func TestMoreFindingsThanFit(t *testing.T) {
	register := reporttest.Example()
	register.Repeat = 300
	page := string(reporttest.Write(t, html.Report{Cards: 5, Gaps: 3}, register, "sv"))
	if got := strings.Count(page, `<article class="card`); got != 3*5 {
		t.Errorf("%d cards, want 5 for each of 3 controllers", got)
	}
	for _, want := range []string{
		"Ytterligare 895 fynd visas inte här",
		"Ytterligare 295 fynd visas inte här",
		"Här visas 3 av 356.",
		"… och 250 till.",
		"1200 dokument ligger på fel plats.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}

func TestNothingFound(t *testing.T) {
	register := reporttest.Example()
	register.AllFindings = nil
	page := string(reporttest.Write(t, html.Report{}, register, "en"))
	if !strings.Contains(page, "No sensitive data in the wrong place") || !strings.Contains(page, "12,163 of 12,480") {
		t.Error("a clean report does not say what was read")
	}
	if strings.Contains(page, "<article") || strings.Contains(page, `href="#fynd"`) {
		t.Error("a clean report speaks of findings")
	}
}

// The säkerhetsskydd finding has instructions in place of what it holds.
func TestSealedHasInstructions(t *testing.T) {
	page := string(reporttest.Write(t, html.Report{}, reporttest.Example(), "sv"))
	if !strings.Contains(page, "Ring säkerhetsskyddschefen genast") {
		t.Error("no instructions")
	}
	if strings.Contains(page, "bjorkfors.example/d/1?") {
		t.Error("a link to open the document")
	}
}

func BenchmarkReport(b *testing.B) {
	register := reporttest.Example()
	register.Repeat = 12_500 // 100,000 findings
	for b.Loop() {
		var size counter
		if err := (html.Report{}).Write(b.Context(), &size, reporttest.Input(register, "sv")); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(size), "bytes")
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }
