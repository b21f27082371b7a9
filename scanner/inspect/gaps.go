package inspect

import (
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// reasons says how each error of extract is called in a Gap, and which status
// it gives a document that ended with it.
var reasons = []struct {
	err    error
	code   string
	status Status
}{
	{extract.ErrEncrypted, "encrypted", Encrypted},
	{extract.ErrRights, "rights", Encrypted},
	{extract.ErrCertificate, "certificate", Encrypted},
	{extract.ErrUnsupported, "unsupported", Unsupported},
	{extract.ErrLimit, "limit", Limit},
	{extract.ErrNoOCR, "no-ocr", Partial},
	{extract.ErrOCROff, "ocr-off", Partial},
	{extract.ErrOCRDeferred, "ocr-pending", Partial},
	{ErrStalled, "timeout", Timeout},
	{ErrCrashed, "crashed", Crashed},
	{extract.ErrDamaged, "damaged", Damaged},
}

// classify returns the code and status of an error; one that nobody named
// means that the document was too damaged for its reader.
func classify(err error) (string, Status) {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.code, r.status
		}
	}
	return "damaged", Damaged
}

// maxGaps is how many gaps of one document are listed; the rest are counted.
const maxGaps = 50

// tally counts gaps that are not worth a line each.
type tally map[string]int

func (t *tally) add(reason string) {
	if *t == nil {
		*t = tally{}
	}
	(*t)[reason]++
}

// note records what is wrong with a part of the document. Missing text
// recognition is counted instead: it is one fact, however many pages it costs.
func (in *inspection) note(place string, err error, technical string) {
	code, _ := classify(err)
	switch code {
	case "no-ocr", "ocr-off":
		in.tally.add(code)
		return
	case "ocr-pending":
		in.result.PendingOCR++
		return
	}
	if d := detail(err); d != "" {
		technical = d
	}
	in.gap(Gap{Place: place, Reason: code, Detail: technical})
}

func (in *inspection) gap(g Gap) {
	if len(in.result.Gaps) >= maxGaps {
		in.tally.add(g.Reason)
		return
	}
	in.result.Gaps = append(in.result.Gaps, g)
}

// finish closes the document: nothing its extractor still says is heard.
func (in *inspection) finish(failure error) Result {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.stopped != nil && failure != nil && detail(failure) == "" {
		failure = in.stopped // extractors may wrap it, or have swallowed it
	}
	if failure == nil {
		failure = in.stopped
	}
	in.stopped = errFinished
	r := &in.result
	started := time.Now()
	r.Content, r.Steps = in.reader.Finish()
	r.Times.Detect += time.Since(started)
	for _, own := range r.Content.Unfinished {
		in.gap(Gap{Reason: "patterns", Detail: own})
	}
	r.Status = OK
	if failure != nil {
		r.Status = in.fail(failure)
	}
	in.summarise()
	if r.Status == OK {
		for _, g := range r.Gaps {
			if g.Reason != "mismatch" {
				r.Status = Partial
			}
		}
	}
	return *r
}

var errFinished = errors.New("document is finished")

// fail notes why the document as a whole ended early.
func (in *inspection) fail(failure error) Status {
	r := &in.result
	code, status := classify(failure)
	if code == "ocr-pending" && in.doc.OCR != OCRDefer {
		code = "ocr-off"
	}
	technical := r.Extractor
	if technical == "" {
		technical = r.MediaType
	}
	switch status {
	case Unsupported:
		technical = r.MediaType
	case Damaged:
		if r.Chars > 0 {
			status = Partial
		}
	}
	switch code {
	case "no-ocr", "ocr-off":
		in.tally.add(code)
		return status
	case "ocr-pending":
		r.PendingOCR++
		return status
	}
	if d := detail(failure); d != "" {
		technical = d
	}
	r.Gaps = append([]Gap{{Reason: code, Detail: technical}}, r.Gaps...)
	return status
}

// summarise adds a line for what was only counted.
func (in *inspection) summarise() {
	r := &in.result
	codes := make([]string, 0, len(in.tally))
	for code := range in.tally {
		codes = append(codes, code)
	}
	sort.Strings(codes)
	for _, code := range codes {
		unit := "more"
		if code == "no-ocr" || code == "ocr-off" {
			unit = "pictures"
		}
		r.Gaps = append(r.Gaps, Gap{Reason: code, Detail: fmt.Sprintf("%d %s", in.tally[code], unit)})
	}
	if r.PendingOCR > 0 {
		r.Gaps = append(r.Gaps, Gap{Reason: "ocr-pending", Detail: fmt.Sprintf("%d pictures", r.PendingOCR)})
	}
}
