package graph

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/molnvakt/molnvakt/sources"
)

// permission is one entry of an item's /permissions, of every version of the
// service.
type permission struct {
	ID                    string     `json:"id"`
	Roles                 []string   `json:"roles"`
	GrantedTo             *identity  `json:"grantedTo"`
	GrantedToV2           *identity  `json:"grantedToV2"`
	GrantedToIdentities   []identity `json:"grantedToIdentities"`
	GrantedToIdentitiesV2 []identity `json:"grantedToIdentitiesV2"`
	Link                  *struct {
		Type             string `json:"type"`
		Scope            string `json:"scope"` // anonymous, organization, users, existingAccess
		PreventsDownload bool   `json:"preventsDownload"`
	} `json:"link"`
	Invitation *struct {
		Email string `json:"email"`
	} `json:"invitation"`
	InheritedFrom *struct{} `json:"inheritedFrom"` // {} says inherited as well
	Expires       time.Time `json:"expirationDateTime"`
	HasPassword   bool      `json:"hasPassword"`
}

// Exposure implements sources.Exposer: one request of 5 resource units.
func (s *Source) Exposure(ctx context.Context, item sources.Item) (sources.Exposure, error) {
	drive, id := splitID(item.ID)
	var exposure sources.Exposure
	unseen := map[string]bool{}
	err := s.pages(ctx, func() ([]byte, error) { return s.client.Permissions(ctx, drive, id) }, func(entry json.RawMessage) error {
		var p permission
		if err := json.Unmarshal(entry, &p); err != nil {
			return untrusted("a permission is not what is documented")
		}
		exposure.Grants = append(exposure.Grants, p.grants()...)
		for _, what := range p.unseen() {
			unseen[what] = true
		}
		return nil
	})
	if err != nil {
		return sources.Exposure{}, err
	}
	if !s.seesAll(ctx) {
		unseen["permissions that only Sites.FullControl.All shows"] = true
	}
	for what := range unseen {
		exposure.Unseen = append(exposure.Unseen, what)
	}
	slices.Sort(exposure.Unseen)
	return exposure, nil
}

// seesAll says whether the program may see every permission. Nobody has to
// grant that; the answer then says what it lacks.
func (s *Source) seesAll(ctx context.Context) bool {
	id, err := s.client.Identity(ctx)
	return err == nil && slices.Contains(id.Roles, "Sites.FullControl.All")
}

// grants are the ways in that a permission opens.
func (p *permission) grants() []sources.Grant {
	base := sources.Grant{
		Roles:     p.Roles,
		Inherited: p.InheritedFrom != nil,
		Password:  p.HasPassword,
	}
	if p.Expires.Year() > 1 { // 0001-01-01: never
		base.Expires = p.Expires.UTC()
	}
	if p.Link != nil {
		base.Link = true
		switch p.Link.Scope {
		case "anonymous":
			base.To = sources.Anonymous
			return []sources.Grant{base}
		case "organization":
			base.To = sources.Organisation
			return []sources.Grant{base}
		case "existingAccess":
			return nil // opens nothing that is not open already
		}
	}
	var grants []sources.Grant
	for _, who := range p.people() {
		g := base
		g.To, g.Name = who.audience(), who.name()
		grants = append(grants, g)
	}
	if len(grants) == 0 && p.Invitation != nil {
		base.To, base.Name = sources.Guest, p.Invitation.Email
		grants = append(grants, base)
	}
	if len(grants) == 0 && p.Link != nil && p.Link.Scope == "" {
		// OneDrive's older answers leave the scope out for links that anyone
		// can open.
		base.To = sources.Anonymous
		grants = append(grants, base)
	}
	return grants
}

// people are those the permission names, in the newer form where both are given.
func (p *permission) people() []identity {
	switch {
	case len(p.GrantedToIdentitiesV2) > 0:
		return p.GrantedToIdentitiesV2
	case len(p.GrantedToIdentities) > 0:
		return p.GrantedToIdentities
	case p.GrantedToV2 != nil:
		return []identity{*p.GrantedToV2}
	case p.GrantedTo != nil:
		return []identity{*p.GrantedTo}
	}
	return nil
}

// unseen names who the permission lets in without saying who they are.
func (p *permission) unseen() (what []string) {
	for _, who := range p.people() {
		switch {
		case who.audience() == sources.Organisation:
		case who.SiteGroup != nil:
			what = append(what, "members of SharePoint groups")
		case who.Group != nil:
			what = append(what, "members of groups")
		}
	}
	return what
}

// audience is the kind of people an identity stands for.
func (i identity) audience() sources.Audience {
	for _, p := range []*principal{i.SiteUser, i.User, i.Group, i.SiteGroup} {
		if p != nil && p.everyone() {
			return sources.Organisation
		}
	}
	for _, p := range []*principal{i.SiteUser, i.User} {
		if p != nil && p.guest() {
			return sources.Guest
		}
	}
	if i.Group != nil || i.SiteGroup != nil {
		return sources.Group
	}
	if i.SiteUser != nil && i.User == nil && strings.Contains(i.SiteUser.LoginName, "|federateddirectoryclaimprovider|") {
		return sources.Group // a Microsoft 365 group
	}
	return sources.User
}

// everyone says whether the principal is "Everyone" or "Everyone except
// external users", which are claims, not groups.
func (p *principal) everyone() bool {
	login := strings.ToLower(p.LoginName)
	return strings.Contains(login, "spo-grid-all-users") || strings.HasSuffix(login, "c:0(.s|true") || strings.HasSuffix(login, "c:0!.s|windows")
}

func (p *principal) guest() bool {
	for _, name := range []string{p.LoginName, p.Email, p.ID} {
		if strings.Contains(strings.ToLower(name), "#ext#") || strings.Contains(strings.ToLower(name), "urn:spo:guest") {
			return true
		}
	}
	return strings.EqualFold(p.UserType, "Guest")
}
