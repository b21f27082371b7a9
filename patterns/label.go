package patterns

import (
	"regexp"
	"slices"
	"strings"
)

// reLabel is how Microsoft Purview writes a sensitivity label into a document's
// properties: MSIP_Label_<id>_Name.
var reLabel = regexp.MustCompile(`\bMSIP_Label_[0-9A-Fa-f-]{8,36}_Name\b"?\s*[:=]\s*"?([^"\r\n]{1,100})`)

// label remembers the sensitivity labels among a document's properties.
func (r *reader) label(text string) {
	if !strings.Contains(text, "MSIP_Label_") {
		return
	}
	for _, m := range reLabel.FindAllStringSubmatch(text, MaxLabels) {
		if name := strings.TrimSpace(m[1]); name != "" && len(r.labels) < MaxLabels && !slices.Contains(r.labels, name) {
			r.labels = append(r.labels, name)
		}
	}
}

// adult is the age from which nobody is a child (FB 9 kap. 1 §).
const adult = 18

// child reports whether a number says that its holder is under eighteen.
func (h Hit) child(today civilDate) bool {
	if h.number == 0 || h.Identifier != Personnummer && h.Identifier != Samordningsnummer {
		return false
	}
	born := h.number / 1e4
	if h.Identifier == Samordningsnummer {
		born -= 60
	}
	return born+adult*1e4 > uint64(today)
}
