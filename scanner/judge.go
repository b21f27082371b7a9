package scanner

import (
	"context"

	"github.com/molnvakt/molnvakt/findings"
	"github.com/molnvakt/molnvakt/policy"
	"github.com/molnvakt/molnvakt/sources"
)

// judge asks the policy about what was read. The source is asked who can reach
// the document, which is dear, only if that could make a difference: if the
// document would be a finding were it open to everyone.
func (w *worker) judge(ctx context.Context, place Place, r *findings.Record) {
	at := placeOf(r.Task, place, r.Exposure)
	r.Judgment = w.judgment(at, r.Task, r.Reading)
	exposer, ok := place.Source.(sources.Exposer)
	if !ok || r.Exposure != nil {
		return
	}
	open := at
	open.Audience = string(sources.Anonymous)
	if !seen(r.Reading) || policy.Worst(w.Policy.Judge(open, r.Reading.Content, w.Now())) == policy.Allowed {
		return
	}
	exposure, err := exposer.Exposure(ctx, r.Task.Item)
	if err != nil {
		if ctx.Err() == nil {
			w.Log.Warn("sharing not read", "source", r.Task.Source, "document", r.Task.Document, "err", err)
		}
		exposure = sources.Exposure{Unseen: []string{"all"}}
	}
	r.Exposure = &exposure
	at.Audience = string(exposure.Widest())
	r.Judgment = w.judgment(at, r.Task, r.Reading)
}

func placeOf(task findings.Task, place Place, exposure *sources.Exposure) policy.Place {
	at := policy.Place{Source: task.Source, Service: place.Service, Controller: place.Controller, Site: task.Site, Path: task.Item.Path, Modified: task.Item.Modified}
	if exposure != nil {
		at.Audience = string(exposure.Widest())
	}
	return at
}

func (s *Scanner) judgment(at policy.Place, task findings.Task, read findings.Reading) findings.Judgment {
	j := findings.Judgment{
		Document: findings.Document{
			Class:       s.Policy.Classify(read.Content).Class,
			Responsible: s.Policy.Responsible(at),
		},
		Conclusive: conclusive(read),
	}
	if !seen(read) {
		return j
	}
	verdicts := s.Policy.Judge(at, read.Content, s.Now())
	j.Document.Outcome = policy.Worst(verdicts)
	for _, v := range verdicts {
		if v.Outcome == policy.Allowed {
			continue
		}
		j.Findings = append(j.Findings, findings.Finding{
			ID:      findings.NewID(s.Key, task.Source, task.Item.ID, v.Rule),
			Verdict: v, People: read.Content.People, Kinds: read.Content.Kinds,
		})
	}
	return j
}

// seen says whether anything of the document was looked into.
func seen(read findings.Reading) bool {
	return read.Status == "ok" || read.Status == "partial" || read.Chars > 0
}

// conclusive says whether the document was read so well that a finding which
// is no longer there is resolved. Pictures that nobody will recognise and
// parts of unknown formats do not keep a finding open for ever.
func conclusive(read findings.Reading) bool {
	if read.Status == "ok" {
		return true
	}
	if read.Status != "partial" {
		return false
	}
	for _, g := range read.Gaps {
		switch g.Reason {
		case "ocr-off", "no-ocr", "unsupported", "mismatch":
		default:
			return false
		}
	}
	return true
}

// rejudgeAtOnce bounds one transaction of rejudge.
const rejudgeAtOnce = 500

// rejudge judges again, from what is stored, every document that was judged
// with another policy (or before a decision ended).
func (s *Scanner) rejudge(ctx context.Context) error {
	var done []findings.Record
	flush := func() error {
		if len(done) == 0 {
			return nil
		}
		err := s.Store.Rejudge(ctx, done)
		done = done[:0]
		return err
	}
	for _, place := range s.Places {
		for d, err := range s.Store.Documents(ctx, findings.Filter{Source: place.Name, OtherPolicy: s.rules.Policy}) {
			if err != nil {
				return err
			}
			if d.Reading.Status == "" {
				continue
			}
			task := findings.Task{Document: d.ID, Source: d.Source, Service: place.Service, Site: d.Site, Item: d.Item}
			at := placeOf(task, place, d.Exposure)
			done = append(done, findings.Record{
				Task: task, Ruleset: findings.Ruleset{Reading: d.Ruleset.Reading, Policy: s.rules.Policy},
				Reading: d.Reading, Exposure: d.Exposure, Judgment: s.judgment(at, task, d.Reading),
			})
			if len(done) >= rejudgeAtOnce {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}
