package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/reports"
	"github.com/molnvakt/molnvakt/scanner"
)

// summary is what fits on a screen.
type summary struct {
	coverage  findings.Coverage
	bySevere  map[policy.Severity]int64
	forbidden map[findings.DocumentID]bool
	undecided map[findings.DocumentID]bool // a decision is missing
	worst     []findings.Finding           // the worst finding of each of the worst documents
}

// scanSummary is what only the scan just done can tell.
type scanSummary struct {
	snapshot scanner.Snapshot
	places   []scanner.Place
}

// worstShown is how many documents the summary lists.
const worstShown = 10

// active are the statuses of findings that still ask for something.
func active(s findings.Status) bool {
	return s == findings.Open || s == findings.FixClaimed || s == findings.Disputed
}

func summarise(ctx context.Context, register findings.Register, filter findings.Filter) (*summary, error) {
	s := &summary{
		bySevere:  map[policy.Severity]int64{},
		forbidden: map[findings.DocumentID]bool{}, undecided: map[findings.DocumentID]bool{},
	}
	for f, err := range register.Findings(ctx, filter) {
		if err != nil {
			return nil, err
		}
		if !active(f.Status) {
			continue
		}
		s.bySevere[f.Verdict.Severity]++
		if len(s.worst) < worstShown && !s.forbidden[f.Document] && !s.undecided[f.Document] {
			s.worst = append(s.worst, f)
		}
		if f.Verdict.Outcome == policy.Forbidden {
			s.forbidden[f.Document] = true
		} else {
			s.undecided[f.Document] = true
		}
	}
	for id := range s.forbidden {
		delete(s.undecided, id)
	}
	var err error
	s.coverage, err = register.Coverage(ctx, filter)
	return s, err
}

func (s *summary) documents() int64 { return int64(len(s.forbidden) + len(s.undecided)) }

// writeSummary prints a summary for a person at a terminal.
func (p *program) writeSummary(w io.Writer, rules *policy.Policy, s *summary, scanned *scanSummary, files []string) error {
	out := bufio.NewWriter(w)
	t, n := p.words.T, p.words.N
	line := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }

	if scanned != nil {
		for _, place := range scanned.places {
			line("%s", t("summary.place", printable(place.Name), rules.ServiceName(place.Service)))
		}
	}
	c := s.coverage
	head := []string{n("summary.met", c.Documents), t("summary.read", c.Read)}
	if c.Partial > 0 {
		head = append(head, t("summary.partial", c.Partial))
	}
	if c.Unread > 0 {
		head = append(head, t("summary.unread", c.Unread))
	}
	if c.Waiting > 0 {
		head = append(head, t("summary.waiting", c.Waiting))
	}
	head = append(head, p.words.Bytes(c.Bytes))
	if scanned != nil {
		head = append(head, t("summary.now", scanned.snapshot.Read, scanned.snapshot.Since.Round(100*time.Millisecond)))
	}
	line("%s", strings.Join(head, " · "))
	line("")
	switch {
	case c.Documents == 0 && scanned != nil:
		line("%s", t("summary.empty"))
	case c.Documents == 0:
		line("%s", t("summary.none"))
	case s.documents() == 0:
		line("%s", t("summary.clean"))
	default:
		line("%s", n("summary.forbidden", int64(len(s.forbidden))))
		if len(s.undecided) > 0 {
			line("%s", n("summary.undecided", int64(len(s.undecided))))
		}
		var severities []string
		for _, severe := range []policy.Severity{policy.Critical, policy.High, policy.Medium, policy.Low} {
			if count := s.bySevere[severe]; count > 0 {
				severities = append(severities, fmt.Sprintf("%s %s", strings.ToLower(p.words.Severity(string(severe))), p.words.Number(count)))
			}
		}
		line("%s", t("summary.severities", strings.Join(severities, ", ")))
		line("")
	}
	for _, f := range s.worst {
		p.writeFinding(out, rules, f)
	}
	if others := s.documents() - int64(len(s.worst)); others > 0 {
		line("  %s", n("summary.others", others))
	}
	p.writeGaps(out, c)
	if scanned != nil {
		p.writeSpent(out, scanned.snapshot)
	}
	if len(files) > 0 {
		line("")
		line("%s", t("summary.reports"))
		for _, f := range files {
			line("  %s", f)
		}
	} else if scanned != nil && s.documents() > 0 {
		line("")
		line("%s", t("summary.hint"))
	}
	return out.Flush()
}

func (p *program) writeFinding(out io.Writer, rules *policy.Policy, f findings.Finding) {
	about := reports.NewWords(p.words, rules).Categories(f.Verdict.Categories)
	if len(about) == 0 {
		about = append(about, f.Verdict.Title)
	}
	facts := []string{rules.ClassID(f.Verdict.Class), strings.Join(about, ", ")}
	if f.People > 0 {
		facts = append(facts, p.words.N("summary.people", int64(f.People)))
	}
	if f.Exposure != nil && f.Exposure.Widest() != "" {
		facts = append(facts, p.words.T("summary.reached", p.words.Audience(string(f.Exposure.Widest()))))
	}
	facts = append(facts, p.words.T("summary.id", string(f.ID)))
	fmt.Fprintf(out, "  %-8s %s\n           %s\n", p.words.Severity(string(f.Verdict.Severity)), printable(f.Item.Path), strings.Join(facts, " · "))
}

// printable makes a name from outside safe to show: on a terminal, control
// characters could move the cursor and those of writing direction could swap
// what is read.
func printable(name string) string {
	return strings.Map(harmlessRune, name)
}

// harmless is printable for a text of many lines.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return harmlessRune(r)
	}, text)
}

func harmlessRune(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp) {
		return unicode.ReplacementChar
	}
	return r
}

// writeSpent tells what the scan has cost a service that counts.
func (p *program) writeSpent(out io.Writer, now scanner.Snapshot) {
	spent := now.Spent
	if spent.Requests == 0 {
		return
	}
	text := p.words.T("summary.spent", spent.Requests, spent.Units)
	if now.Listed > 0 {
		text += p.words.T("summary.spent-each", strings.Replace(fmt.Sprintf("%.1f", float64(spent.Units)/float64(now.Listed)), ".", p.words.T("number.decimal"), 1))
	}
	if spent.Throttled > 0 || spent.Paused >= time.Second {
		text += p.words.T("summary.throttled", spent.Throttled, spent.Paused.Round(time.Second))
	}
	fmt.Fprintf(out, "\n%s\n", text)
}

func (p *program) writeGaps(out io.Writer, c findings.Coverage) {
	if len(c.Gaps) == 0 {
		return
	}
	gaps := slices.Clone(c.Gaps)
	slices.SortStableFunc(gaps, func(a, b findings.ReasonCount) int { return int(b.Count - a.Count) })
	var parts []string
	for _, g := range gaps {
		parts = append(parts, fmt.Sprintf("%s (%s)", p.words.Gap(g.Reason), p.words.Number(g.Count)))
	}
	fmt.Fprintf(out, "\n%s\n", p.words.T("summary.gaps", strings.Join(parts, ", ")))
}
