package smb

import (
	"testing"

	"github.com/molnvakt/molnvakt/sources"
)

func TestSDDL(t *testing.T) {
	const domain = "S-1-5-21-1-2-3"
	for name, c := range map[string]struct {
		sddl    string
		widest  sources.Audience
		grants  int
		unnamed bool
	}{
		"one user":                       {"O:BAG:SYD:(A;;FA;;;" + domain + "-1105)", sources.Group, 2, true},
		"everyone reads":                 {"O:BAG:SYD:(A;;FR;;;WD)(A;;FA;;;BA)", sources.Organisation, 3, false},
		"everyone, as a number":          {"O:BAG:SYD:(A;;0x1200a9;;;S-1-1-0)", sources.Organisation, 2, false},
		"domain users, inherited":        {"O:BAG:SYD:AI(A;ID;FR;;;" + domain + "-513)", sources.Organisation, 2, false},
		"denied before granted":          {"O:BAG:SYD:(D;;FA;;;BG)(A;;FR;;;BG)(A;;FR;;;BA)", sources.Group, 3, false},
		"a denial to all takes from all": {"O:BAG:SYD:(D;;FR;;;WD)(A;;FR;;;AU)", sources.Group, 2, false},
		"by SID likewise":                {"O:SYG:SYD:(D;;FR;;;S-1-1-0)(A;;FR;;;AU)", sources.User, 2, false},
		"an empty list lets nobody in":   {"O:SYG:SYD:P", sources.User, 1, false},
		"only for children":              {"O:BAG:SYD:(A;OICIIO;FA;;;WD)(A;;FA;;;SY)", sources.Group, 2, false},
		"no list lets everyone in":       {"O:BAG:SY", sources.Organisation, 1, false},
		"audit entries are no grants":    {"O:BAG:SYD:(A;;FR;;;BA)S:(AU;SA;FA;;;WD)", sources.Group, 2, false},
	} {
		e := exposure(c.sddl)
		if e.Widest() != c.widest || len(e.Grants) != c.grants || (len(e.Unseen) > 0) != c.unnamed {
			t.Errorf("%s: widest %q of %+v, unseen %v; want %q of %d", name, e.Widest(), e.Grants, e.Unseen, c.widest, c.grants)
		}
	}
}
