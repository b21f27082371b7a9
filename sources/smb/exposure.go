package smb

import (
	"context"
	"strings"

	"github.com/cloudsoda/go-smb2"

	"github.com/molnvakt/molnvakt/sources"
)

// Exposure implements sources.Exposer from the file's access control list.
// Names of accounts and groups of the domain are not looked up: they show as
// their SIDs, and Unseen says so.
func (s *Server) Exposure(ctx context.Context, item sources.Item) (sources.Exposure, error) {
	share, rel := split(item.Path)
	var text string
	err := s.pool.use(ctx, func(l *lease) error {
		mounted, err := l.share(share)
		if err != nil {
			return err
		}
		descriptor, err := mounted.SecurityInfo(windows(rel), smb2.OwnerSecurityInformation|smb2.DACLSecurityInformation)
		if err == nil {
			text = descriptor.String()
		}
		return err
	})
	if err != nil {
		return sources.Exposure{}, err
	}
	return exposure(text), nil
}

// exposure reads a security descriptor in SDDL ([MS-DTYP] 2.5.1). The list is
// in the order in which Windows decides: what a DENY takes, a later grant of
// the same rights does not give back.
func exposure(sddl string) sources.Exposure {
	var e sources.Exposure
	owner, dacl, listed := strings.Cut(sddl, "D:")
	if cut := strings.Index(dacl, "S:("); cut >= 0 {
		dacl = dacl[:cut]
	}
	if !listed || strings.Contains(dacl, "NO_ACCESS_CONTROL") {
		e.Grants = append(e.Grants, sources.Grant{To: sources.Organisation, Name: "Everyone", Roles: []string{"read", "write"}})
		return e // no list at all lets everyone in
	}
	denied := map[string]rights{}
	unresolved := false
	if sid := ownerOf(owner); sid != "" {
		who := principalOf(sid)
		unresolved = !who.known
		e.Grants = append(e.Grants, sources.Grant{To: who.person(), Name: who.name, Roles: []string{"owner"}})
	}
	for _, text := range aces(dacl) {
		ace, ok := parseACE(text)
		if !ok || ace.inheritOnly {
			continue
		}
		who := principalOf(ace.sid)
		if !who.known {
			unresolved = true
		}
		left := ace.rights &^ denied[ace.sid] &^ denied["WD"] &^ denied["S-1-1-0"]
		if ace.deny {
			denied[ace.sid] |= ace.rights
			left = ace.rights
		}
		if roles := left.roles(); len(roles) > 0 {
			e.Grants = append(e.Grants, sources.Grant{To: who.audience, Name: who.name, Roles: roles, Inherited: ace.inherited, Denied: ace.deny})
		}
	}
	if unresolved {
		e.Unseen = append(e.Unseen, "names of accounts and groups")
	}
	return e
}

// ownerOf reads "O:BAG:SY". The owner may always change the list.
func ownerOf(head string) string {
	_, sid, found := strings.Cut(head, "O:")
	if !found {
		return ""
	}
	sid, _, _ = strings.Cut(sid, "G:")
	return sid
}

func aces(dacl string) (all []string) {
	for {
		_, rest, found := strings.Cut(dacl, "(")
		if !found {
			return all
		}
		ace, after, closed := strings.Cut(rest, ")")
		if !closed {
			return all
		}
		all = append(all, ace)
		dacl = after
	}
}

// ace is one entry of an access control list.
type ace struct {
	deny, inherited, inheritOnly bool
	rights                       rights
	sid                          string
}

// parseACE reads "A;OICI;FA;;;SID".
func parseACE(text string) (ace, bool) {
	f := strings.Split(text, ";")
	if len(f) < 6 || f[0] != "A" && f[0] != "D" {
		return ace{}, false
	}
	return ace{
		deny: f[0] == "D", inherited: hasFlag(f[1], "ID"), inheritOnly: hasFlag(f[1], "IO"),
		rights: rightsOf(f[2]), sid: f[5],
	}, true
}

func hasFlag(flags, flag string) bool {
	for i := 0; i+2 <= len(flags); i += 2 {
		if flags[i:i+2] == flag {
			return true
		}
	}
	return false
}

// rights is what of an access mask matters here.
type rights uint8

const (
	mayRead rights = 1 << iota
	mayWrite
	mayOwn // change permissions or take ownership
)

func (r rights) roles() (roles []string) {
	for _, x := range []struct {
		right rights
		role  string
	}{{mayRead, "read"}, {mayWrite, "write"}, {mayOwn, "owner"}} {
		if r&x.right != 0 {
			roles = append(roles, x.role)
		}
	}
	return roles
}

// The bits of an access mask for files ([MS-DTYP] 2.4.3).
const (
	bitReadData    = 0x1
	bitWriteData   = 0x2
	bitAppend      = 0x4
	bitWriteDAC    = 0x40000
	bitWriteOwner  = 0x80000
	bitGenericAll  = 0x10000000
	bitGenericWrt  = 0x40000000
	bitGenericRead = 0x80000000
)

// named are SDDL's names of rights.
var named = map[string]uint32{
	"GA": bitGenericAll, "GR": bitGenericRead, "GW": bitGenericWrt, "GX": 0,
	"FA": 0x1f01ff, "FR": 0x120089, "FW": 0x120116, "FX": 0x1200a0,
	"RC": 0x20000, "SD": 0x10000, "WD": bitWriteDAC, "WO": bitWriteOwner,
	"CC": 0x1, "DC": 0x2, "LC": 0x4, "SW": 0x8, "RP": 0x10, "WP": 0x20, "DT": 0x40, "LO": 0x80, "CR": 0x100,
}

func rightsOf(text string) rights {
	var mask uint32
	if hex, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		mask = parseHex(hex)
	} else {
		for i := 0; i+2 <= len(text); i += 2 {
			mask |= named[text[i:i+2]]
		}
	}
	var r rights
	if mask&(bitReadData|bitGenericRead|bitGenericAll) != 0 {
		r |= mayRead
	}
	if mask&(bitWriteData|bitAppend|bitGenericWrt|bitGenericAll) != 0 {
		r |= mayWrite
	}
	if mask&(bitWriteDAC|bitWriteOwner|bitGenericAll) != 0 {
		r |= mayOwn
	}
	return r
}

func parseHex(s string) (n uint32) {
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | uint32(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | uint32(c-'a'+10)
		}
	}
	return n
}

// principal is who an entry is about.
type principal struct {
	audience sources.Audience
	name     string
	known    bool
}

// person is the audience of an owner: an account, unless it is known as a group.
func (p principal) person() sources.Audience {
	if !p.known {
		return sources.User
	}
	return p.audience
}

// wellKnown are the identities that mean the same on every server ([MS-DTYP]
// 2.4.2.4), by SID and by SDDL's short name.
var wellKnown = map[string]principal{
	"S-1-1-0":      {sources.Organisation, "Everyone", true},
	"WD":           {sources.Organisation, "Everyone", true},
	"S-1-5-7":      {sources.Anonymous, "Anonymous Logon", true},
	"AN":           {sources.Anonymous, "Anonymous Logon", true},
	"S-1-5-11":     {sources.Organisation, "Authenticated Users", true},
	"AU":           {sources.Organisation, "Authenticated Users", true},
	"S-1-5-4":      {sources.Organisation, "Interactive", true},
	"IU":           {sources.Organisation, "Interactive", true},
	"S-1-5-2":      {sources.Organisation, "Network", true},
	"NU":           {sources.Organisation, "Network", true},
	"S-1-5-32-545": {sources.Organisation, "Users", true},
	"BU":           {sources.Organisation, "Users", true},
	"S-1-5-32-546": {sources.Guest, "Guests", true},
	"BG":           {sources.Guest, "Guests", true},
	"S-1-5-32-544": {sources.Group, "Administrators", true},
	"BA":           {sources.Group, "Administrators", true},
	"S-1-5-18":     {sources.User, "System", true},
	"SY":           {sources.User, "System", true},
	"S-1-3-0":      {sources.User, "Creator Owner", true},
	"CO":           {sources.User, "Creator Owner", true},
	"S-1-3-1":      {sources.Group, "Creator Group", true},
	"CG":           {sources.Group, "Creator Group", true},
	"DU":           {sources.Organisation, "Domain Users", true},
	"DA":           {sources.Group, "Domain Admins", true},
	"DG":           {sources.Guest, "Domain Guests", true},
}

// domainGroups are the well-known last parts of a domain's SIDs.
var domainGroups = map[string]principal{
	"-500": {sources.User, "Administrator", true},
	"-501": {sources.Guest, "Guest", true},
	"-512": {sources.Group, "Domain Admins", true},
	"-513": {sources.Organisation, "Domain Users", true},
	"-514": {sources.Guest, "Domain Guests", true},
	"-515": {sources.Group, "Domain Computers", true},
}

func principalOf(sid string) principal {
	if p, ok := wellKnown[sid]; ok {
		return p
	}
	if strings.HasPrefix(sid, "S-1-5-21-") {
		if p, ok := domainGroups[sid[strings.LastIndex(sid, "-"):]]; ok {
			return p
		}
	}
	if uid, ok := strings.CutPrefix(sid, "S-1-22-1-"); ok { // Samba's Unix users and groups
		return principal{sources.User, "uid " + uid, true}
	}
	if gid, ok := strings.CutPrefix(sid, "S-1-22-2-"); ok {
		return principal{sources.Group, "gid " + gid, true}
	}
	return principal{sources.Group, sid, false}
}

// Check implements sources.Checker: sign-in, and each share.
func (s *Server) Check(ctx context.Context) []sources.Check {
	var all []sources.Check
	err := s.Scopes(ctx, func(scope sources.Scope) error {
		c := sources.Check{ID: "smb.share", Status: sources.CheckOK, Args: []string{scope.Path}}
		if scope.Reason != nil {
			c.Status, c.Detail = sources.CheckWarn, scope.Reason.Error()
		}
		all = append(all, c)
		return nil
	})
	c := sources.Check{ID: "smb.server", Status: sources.CheckOK, Args: []string{s.config.Server}}
	if err != nil {
		c.Status, c.Detail = sources.CheckFail, err.Error()
	}
	return append([]sources.Check{c}, all...)
}
