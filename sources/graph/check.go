package graph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/molnvakt/molnvakt/sources"
)

// expiresSoon is how long before its end a secret or certificate is warned of.
const expiresSoon = 30 * 24 * time.Hour

// Check implements sources.Checker: signed in, with which permissions, until
// when, and whether the tenant answers.
func (s *Source) Check(ctx context.Context) []sources.Check {
	id, err := s.client.Identity(ctx)
	if err != nil {
		return []sources.Check{{ID: "graph.sign_in", Status: sources.CheckFail, Detail: err.Error()}}
	}
	checks := []sources.Check{
		{ID: "graph.sign_in", Status: sources.CheckOK, Detail: id.Way + ", app " + id.App + ", tenant " + id.Tenant, Args: []string{id.Way}},
		s.checkGranted(id),
	}
	if extra := tooMany(id.Roles); len(extra) > 0 {
		checks = append(checks, sources.Check{ID: "graph.too_many_permissions", Status: sources.CheckWarn, Detail: strings.Join(extra, ", "), Args: extra})
	}
	if c, ok := s.checkExpiry(id); ok {
		checks = append(checks, c)
	}
	return append(checks, s.checkReach(ctx), s.checkBudget())
}

// needed are the permissions that the configuration takes.
func (s *Source) needed() []string {
	if len(s.config.Sites) > 0 {
		return []string{"Sites.Selected"}
	}
	needed := []string{"Sites.Read.All", "Files.Read.All"}
	if s.config.Teams {
		needed = append(needed, "Channel.ReadBasic.All")
	}
	return needed
}

func (s *Source) checkGranted(id Identity) sources.Check {
	var missing []string
	for _, need := range s.needed() {
		if !slices.ContainsFunc(id.Roles, func(has string) bool { return covers(has, need) }) {
			missing = append(missing, need)
		}
	}
	roles := slices.Sorted(slices.Values(id.Roles))
	c := sources.Check{ID: "graph.permissions", Status: sources.CheckOK, Detail: "granted: " + strings.Join(roles, ", "), Args: roles}
	if len(missing) > 0 {
		c.Status, c.Detail = sources.CheckFail, c.Detail+"; missing: "+strings.Join(missing, ", ")
		c.ID, c.Args = "graph.permissions_missing", missing
	}
	return c
}

// covers says whether one permission allows what another does.
func covers(has, need string) bool {
	if has == need {
		return true
	}
	area, _, _ := strings.Cut(need, ".")
	wider := map[string][]string{
		"Sites.Read.All":        {"Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"},
		"Files.Read.All":        {"Files.ReadWrite.All", "Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"},
		"Sites.Selected":        {"Sites.Read.All", "Sites.ReadWrite.All", "Sites.FullControl.All"},
		"Channel.ReadBasic.All": {"ChannelSettings.Read.All", "ChannelSettings.ReadWrite.All"},
	}
	return slices.Contains(wider[need], has) && area != ""
}

// tooMany are permissions that let the program change or read what it does not
// need to.
func tooMany(roles []string) (extra []string) {
	for _, r := range roles {
		switch {
		case strings.Contains(r, "ReadWrite"), strings.Contains(r, "FullControl"), strings.Contains(r, "Manage"),
			strings.HasPrefix(r, "Mail."), strings.HasPrefix(r, "Chat."), strings.HasPrefix(r, "Calendars."),
			strings.HasPrefix(r, "Directory."), strings.HasPrefix(r, "RoleManagement."), strings.HasPrefix(r, "Application."):
			extra = append(extra, r)
		}
	}
	slices.Sort(extra)
	return extra
}

func (s *Source) checkExpiry(id Identity) (sources.Check, bool) {
	if id.Expires.IsZero() {
		return sources.Check{}, false
	}
	day := id.Expires.Format(time.DateOnly)
	c := sources.Check{ID: "graph.credential_expiry", Status: sources.CheckOK, Detail: id.Way + " valid until " + day, Args: []string{id.Way, day}}
	switch left := id.Expires.Sub(s.now()); {
	case left <= 0:
		c.ID, c.Status, c.Detail = "graph.credential_expired", sources.CheckFail, id.Way+" expired "+day
	case left < expiresSoon:
		c.ID, c.Status = "graph.credential_expires_soon", sources.CheckWarn
	}
	return c, true
}

// checkReach asks the tenant for something small.
func (s *Source) checkReach(ctx context.Context) sources.Check {
	ask := func() ([]byte, error) { return s.client.Sites(ctx) }
	if len(s.config.Sites) > 0 {
		key, err := siteKey(s.config.Sites[0])
		if err != nil {
			return sources.Check{ID: "graph.reach", Status: sources.CheckFail, Detail: err.Error()}
		}
		ask = func() ([]byte, error) { return s.client.Site(ctx, key) }
	}
	if _, err := ask(); err != nil {
		status := sources.CheckFail
		if errors.Is(err, sources.ErrUnavailable) {
			status = sources.CheckWarn
		}
		return sources.Check{ID: "graph.reach", Status: status, Detail: err.Error()}
	}
	return sources.Check{ID: "graph.reach", Status: sources.CheckOK, Detail: "the tenant answers"}
}

func (s *Source) checkBudget() sources.Check {
	units := fmt.Sprint(s.Spent().PerMinute)
	c := sources.Check{ID: "graph.budget", Status: sources.CheckOK, Detail: units + " resource units a minute", Args: []string{units}}
	if s.config.Licences == 0 {
		c.ID, c.Status, c.Detail = "graph.licences_unknown", sources.CheckWarn, "licences is not set: the smallest class is assumed, "+c.Detail
	}
	return c
}
