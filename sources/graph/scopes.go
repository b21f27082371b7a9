package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/molnvakt/molnvakt/sources"
)

// Scopes implements sources.Source: every drive of every site, or of the
// configured sites, each once, by whichever way it was found.
//
// A site whose drives cannot be listed is visited as a scope without drive:
// its ID begins with "site:", its Path is what its drives' paths begin with.
// Drives below such a Path are not known to be gone.
func (s *Source) Scopes(ctx context.Context, visit func(sources.Scope) error) error {
	e := &enumeration{source: s, found: map[string]bool{}, geo: map[string]string{}, channels: map[string]string{}, addresses: map[string]bool{}}
	if err := e.sites(ctx); err != nil {
		return err
	}
	if s.config.Teams {
		if err := e.teams(ctx); err != nil {
			return err
		}
	}
	if err := e.drives(ctx); err != nil {
		return err
	}
	for _, add := range e.after {
		add()
	}
	if *s.config.Personal && len(s.config.Sites) == 0 {
		if err := e.users(ctx); err != nil {
			return err
		}
	}
	for _, scope := range e.named() {
		if err := visit(scope); err != nil {
			return err
		}
	}
	return nil
}

// enumeration collects the scopes of a tenant.
type enumeration struct {
	source    *Source
	all       []site
	geo       map[string]string // host → data location
	found     map[string]bool   // drives
	excluded  []string          // addresses of the sites that are not looked at
	channels  map[string]string // drive → "team / channel", for channels with a site of their own
	scopes    []named
	addresses map[string]bool // of the personal sites that were listed: "personal/anna_kommun_se"
	after     []func()        // adds channels' drives that no site led to
}

// named is a scope whose path is given once all names are known.
type named struct {
	sources.Scope
	first, second string // "Socialförvaltningen", "Dokument"
	address       string // tells sites with the same name apart
}

// sites lists the sites of every geography, or those configured.
func (e *enumeration) sites(ctx context.Context) error {
	if len(e.source.config.Sites) > 0 {
		return e.selected(ctx)
	}
	seen := map[string]bool{}
	err := e.source.pages(ctx, func() ([]byte, error) { return e.source.client.Sites(ctx) }, func(entry json.RawMessage) error {
		var st site
		if err := json.Unmarshal(entry, &st); err != nil || st.ID == "" {
			return untrusted("a site is not what is documented")
		}
		if seen[st.ID] {
			return nil
		}
		seen[st.ID] = true
		e.add(st)
		return nil
	})
	if err != nil {
		return fmt.Errorf("listing the sites: %w", err)
	}
	return nil
}

// selected asks for each configured site by its address.
func (e *enumeration) selected(ctx context.Context) error {
	for _, address := range e.source.config.Sites {
		key, err := siteKey(address)
		if err != nil {
			return err
		}
		body, err := e.source.client.Site(ctx, key)
		if err == nil {
			var st site
			if json.Unmarshal(body, &st) != nil || st.ID == "" {
				return untrusted("a site is not what is documented")
			}
			e.add(st)
			continue
		}
		if ended(ctx, err) {
			return err
		}
		e.gap(site{ID: key, WebURL: address, Name: address}, err)
	}
	return nil
}

// siteKey returns how Graph names the site of an address: host:/path.
func siteKey(address string) (string, error) {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("sites: %q is no address of a site: %w", address, sources.ErrConfig)
	}
	if p := strings.Trim(u.Path, "/"); p != "" {
		return u.Host + ":/" + p, nil
	}
	return u.Host, nil
}

func (e *enumeration) add(st site) {
	if code := st.SiteCollection.DataLocationCode; code != "" {
		e.geo[strings.ToLower(cmp.Or(st.SiteCollection.HostName, st.host()))] = code
	}
	if st.personal() {
		e.addresses[strings.ToLower(st.address())] = true
		if !*e.source.config.Personal {
			return
		}
	}
	if e.source.config.wants(func(f Filter) []string { return f.Sites }, st.title(), st.Name, st.WebURL) {
		e.all = append(e.all, st)
		return
	}
	e.excluded = append(e.excluded, strings.ToLower(strings.TrimRight(st.WebURL, "/"))+"/")
}

// unwanted says whether an address lies in a site that is not looked at.
func (e *enumeration) unwanted(address string) bool {
	return len(e.source.config.Sites) > 0 || slices.ContainsFunc(e.excluded, func(site string) bool {
		return strings.HasPrefix(strings.ToLower(address), site)
	})
}

// drives lists the drives of every site.
func (e *enumeration) drives(ctx context.Context) error {
	for _, st := range e.all {
		err := e.listDrives(ctx, st, func() ([]byte, error) {
			return e.source.client.SiteDrives(ctx, st.ID, e.source.config.HiddenDrives)
		})
		switch {
		case err == nil:
		case ended(ctx, err):
			return fmt.Errorf("listing the drives of a site: %w", err)
		case st.personal() && noDrive(err):
		case st.Error != nil:
			e.gap(st, fmt.Errorf("graph: listed with error %s: %w", safeCode(st.Error.Code), err))
		default:
			e.gap(st, err)
		}
	}
	return nil
}

func (e *enumeration) listDrives(ctx context.Context, st site, first func() ([]byte, error)) error {
	return e.source.pages(ctx, first, func(entry json.RawMessage) error {
		var d drive
		if err := json.Unmarshal(entry, &d); err != nil || d.ID == "" {
			return untrusted("a drive is not what is documented")
		}
		e.drive(st, d)
		return nil
	})
}

func (e *enumeration) drive(st site, d drive) {
	if e.found[d.ID] || d.System != nil && !e.source.config.HiddenDrives {
		return
	}
	c := e.source.config
	if !c.wants(func(f Filter) []string { return f.Drives }, d.Name) ||
		d.Owner.name() != "" && st.personal() && !c.wants(func(f Filter) []string { return f.Owners }, d.Owner.name()) {
		return
	}
	e.found[d.ID] = true
	title := cmp.Or(e.channels[d.ID], st.title())
	e.scopes = append(e.scopes, named{
		Scope: sources.Scope{
			ID: sources.ScopeID(d.ID), Site: title, Owner: d.Owner.name(), WebURL: cmp.Or(d.WebURL, st.WebURL),
			Region: e.geo[st.host()],
		},
		first: title, second: cmp.Or(d.Name, d.DriveType, "Dokument"), address: cmp.Or(st.address(), st.ID),
	})
}

// gap notes a site that cannot be looked into.
func (e *enumeration) gap(st site, why error) {
	e.scopes = append(e.scopes, named{
		Scope: sources.Scope{ID: sources.ScopeID("site:" + st.ID), Site: st.title(), WebURL: st.WebURL, Reason: why, Region: e.geo[st.host()]},
		first: st.title(), address: cmp.Or(st.address(), st.ID),
	})
}

// maxDriveless is how long a user is known to have no OneDrive. Asking for the
// OneDrives of those who have none makes the service throttle the whole
// address.
const maxDriveless = 7 * 24 * time.Hour

// users finds the OneDrives that the list of sites did not hold. It needs a
// permission of its own (User.Read.All); without it the list of sites has to
// do, and that is a gap only when it held no personal site.
func (e *enumeration) users(ctx context.Context) error {
	type user struct{ ID, DisplayName, UserPrincipalName string }
	err := e.source.pages(ctx, func() ([]byte, error) { return e.source.client.Users(ctx) }, func(entry json.RawMessage) error {
		var u user
		if err := json.Unmarshal(entry, &u); err != nil || u.ID == "" {
			return untrusted("a user is not what is documented")
		}
		if e.addresses[personalAddress(u.UserPrincipalName)] || e.source.knownDriveless(u.ID) {
			return nil
		}
		st := site{ID: "user:" + u.ID, DisplayName: cmp.Or(u.DisplayName, u.UserPrincipalName, u.ID), IsPersonalSite: true, WebURL: ""}
		err := e.listDrives(ctx, st, func() ([]byte, error) {
			return e.source.client.UserDrives(ctx, u.ID, e.source.config.HiddenDrives)
		})
		switch {
		case err == nil:
		case noDrive(err):
			e.source.learnDriveless(u.ID)
		case ended(ctx, err):
			return err
		default:
			e.gap(st, err)
		}
		return nil
	})
	switch {
	case err == nil || errors.Is(err, sources.ErrDenied) && len(e.addresses) > 0:
		return nil
	case ended(ctx, err):
		return fmt.Errorf("listing the users: %w", err)
	}
	e.scopes = append(e.scopes, named{Scope: sources.Scope{ID: "users", Site: "OneDrive", Reason: err}, first: "OneDrive", address: "users"})
	return nil
}

// personalAddress is where SharePoint puts a user's OneDrive, as far as the
// name tells: what is no letter or digit becomes _.
func personalAddress(userPrincipalName string) string {
	return "personal/" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(userPrincipalName))
}

func noDrive(err error) bool {
	var refusal *Error
	return errors.As(err, &refusal) && refusal.noDrive()
}

func (s *Source) knownDriveless(user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.driveless[user]
	return ok && s.now().Sub(at) < maxDriveless
}

func (s *Source) learnDriveless(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.driveless[user] = s.now()
}

// entity is a team or channel.
type entity struct{ ID, DisplayName, MembershipType string }

// entities lists teams or channels.
func (e *enumeration) entities(ctx context.Context, first func() ([]byte, error), visit func(entity) error) error {
	return e.source.pages(ctx, first, func(raw json.RawMessage) error {
		var x entity
		if err := json.Unmarshal(raw, &x); err != nil || x.ID == "" {
			return untrusted("a team or channel is not what is documented")
		}
		return visit(x)
	})
}

// teams finds the names of teams' channels, and the drives of private and
// shared channels in case the list of sites did not hold them. A standard
// channel is a folder of the team's own site and has that name.
func (e *enumeration) teams(ctx context.Context) error {
	client := e.source.client
	err := e.entities(ctx, func() ([]byte, error) { return client.Teams(ctx) }, func(team entity) error {
		err := e.entities(ctx, func() ([]byte, error) { return client.Channels(ctx, team.ID) }, func(channel entity) error {
			if strings.EqualFold(channel.MembershipType, "standard") {
				return nil
			}
			return e.channel(ctx, team, channel)
		})
		return e.teamGap(ctx, team.DisplayName, err)
	})
	return e.teamGap(ctx, "Teams", err)
}

// channel notes the drive of a private or shared channel.
func (e *enumeration) channel(ctx context.Context, team, channel entity) error {
	name := team.DisplayName + " / " + channel.DisplayName
	body, err := e.source.client.FilesFolder(ctx, team.ID, channel.ID)
	if noDrive(err) {
		return nil // nobody has put a file in
	}
	if err != nil {
		return e.teamGap(ctx, name, err)
	}
	f, ok := parseItem(body)
	if !ok || f.ParentDrive == "" {
		return untrusted("a channel's folder is not what is documented")
	}
	e.channels[f.ParentDrive] = name
	e.after = append(e.after, func() {
		if !e.unwanted(f.WebURL) {
			e.drive(site{ID: "team:" + team.ID, DisplayName: name, WebURL: f.WebURL}, drive{ID: f.ParentDrive, Name: "Dokument", WebURL: f.WebURL})
		}
	})
	return nil
}

// teamGap notes what of the teams could not be listed; it returns errors that
// end the crawl.
func (e *enumeration) teamGap(ctx context.Context, name string, err error) error {
	switch {
	case err == nil:
		return nil
	case ended(ctx, err):
		return fmt.Errorf("listing the teams: %w", err)
	}
	e.scopes = append(e.scopes, named{Scope: sources.Scope{ID: sources.ScopeID("team:" + name), Site: name, Reason: err}, first: name, address: "teams"})
	return nil
}

// named gives every scope its path. Sites with the same name get their address
// added, drives with the same name in one site a number.
func (e *enumeration) named() []sources.Scope {
	addresses := map[string]map[string]bool{}
	for _, n := range e.scopes {
		if addresses[n.first] == nil {
			addresses[n.first] = map[string]bool{}
		}
		addresses[n.first][n.address] = true
	}
	slices.SortStableFunc(e.scopes, func(a, b named) int { return cmp.Compare(a.ID, b.ID) })
	taken := map[string]bool{}
	all := make([]sources.Scope, 0, len(e.scopes))
	for _, n := range e.scopes {
		first := n.first
		if len(addresses[first]) > 1 {
			first = fmt.Sprintf("%s (%s)", first, n.address)
		}
		first = strings.ReplaceAll(first, "/", "∕")
		n.Path = join(first, strings.ReplaceAll(n.second, "/", "∕"))
		if n.second == "" {
			n.Path = first
		}
		for base, i := n.Path, 2; taken[n.Path]; i++ {
			n.Path = fmt.Sprintf("%s (%d)", base, i)
		}
		taken[n.Path] = true
		all = append(all, n.Scope)
	}
	return all
}
