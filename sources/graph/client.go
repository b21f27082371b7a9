package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"
)

// Client builds and sends the requests that this package needs, through a
// [Transport]. Lists answer with one page as the service sent it; Follow
// fetches the next. Refusals are [*Error].
type Client interface {
	Sites(ctx context.Context) ([]byte, error)                 // every site, all geographies
	Site(ctx context.Context, address string) ([]byte, error)  // one, by host:/path
	Users(ctx context.Context) ([]byte, error)                 // id and names
	Teams(ctx context.Context) ([]byte, error)                 // id and names
	Channels(ctx context.Context, team string) ([]byte, error) // standard, private, shared
	FilesFolder(ctx context.Context, team, channel string) ([]byte, error)
	SiteDrives(ctx context.Context, site string, hidden bool) ([]byte, error)
	UserDrives(ctx context.Context, user string, hidden bool) ([]byte, error)
	// Delta begins the enumeration of a drive. sharing asks for what changed
	// in sharing too, which not every tenant grants.
	Delta(ctx context.Context, drive string, sharing bool) ([]byte, error)
	Children(ctx context.Context, drive, item string) ([]byte, error)
	Item(ctx context.Context, drive, item string) ([]byte, error)
	Permissions(ctx context.Context, drive, item string) ([]byte, error)
	// Follow fetches a link that the service gave. delta: one of a delta
	// round; sharing as in Delta.
	Follow(ctx context.Context, link string, delta, sharing bool) ([]byte, error)
	// Content returns the pre-authenticated address of an item's content.
	Content(ctx context.Context, drive, item string) (string, error)
	// Identity returns how the program is signed in.
	Identity(ctx context.Context) (Identity, error)
}

// Identity is how the program is signed in to the tenant.
type Identity struct {
	Tenant  string    // id, from the token
	App     string    // client id, from the token
	Roles   []string  // application permissions granted
	Way     string    // "secret", "certificate", "managed_identity", "workload_identity"
	Expires time.Time // of the certificate or secret; zero: unknown or never
}

// ItemFields returns the fields that the listing of items asks for; no more,
// since they are most of the traffic.
func ItemFields() []string {
	return []string{
		"id", "name", "size", "cTag", "eTag", "webUrl", "lastModifiedDateTime", "lastModifiedBy",
		"parentReference", "file", "folder", "package", "remoteItem", "malware", "deleted", "root",
	}
}

type list struct {
	Value     []json.RawMessage `json:"value"`
	NextLink  string            `json:"@odata.nextLink"`
	DeltaLink string            `json:"@odata.deltaLink"`
}

type site struct {
	ID             string `json:"id"`
	Name           string `json:"name"`
	DisplayName    string `json:"displayName"`
	WebURL         string `json:"webUrl"`
	IsPersonalSite bool   `json:"isPersonalSite"`
	SiteCollection struct {
		HostName         string `json:"hostName"` // hostname elsewhere; decoded alike
		DataLocationCode string `json:"dataLocationCode"`
	} `json:"siteCollection"`
	Error *codes `json:"error"`
}

func (s site) title() string {
	for _, name := range []string{s.DisplayName, s.Name, s.address(), s.ID} {
		if name != "" {
			return name
		}
	}
	return ""
}

func (s site) host() string {
	if u, err := url.Parse(s.WebURL); err == nil && u.Host != "" {
		return strings.ToLower(u.Host)
	}
	host, _, _ := strings.Cut(s.ID, ",")
	return strings.ToLower(host)
}

// address is the path of the site on its host: "sites/soc"; "" for a root.
func (s site) address() string {
	u, err := url.Parse(s.WebURL)
	if err != nil {
		return ""
	}
	return strings.Trim(u.Path, "/")
}

func (s site) personal() bool {
	return s.IsPersonalSite || strings.Contains(s.host(), "-my.") || strings.HasPrefix(s.address(), "personal/")
}

type drive struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	DriveType string    `json:"driveType"`
	WebURL    string    `json:"webUrl"`
	Owner     identity  `json:"owner"`
	System    *struct{} `json:"system"`
}

type identity struct {
	User        *principal `json:"user"`
	Group       *principal `json:"group"`
	Application *principal `json:"application"`
	Device      *principal `json:"device"`
	SiteUser    *principal `json:"siteUser"`
	SiteGroup   *principal `json:"siteGroup"`
}

type principal struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Email       string `json:"email"`
	LoginName   string `json:"loginName"`
	UserType    string `json:"userType"`
}

// name is how people know the first principal that is set.
func (i identity) name() string {
	for _, p := range []*principal{i.User, i.SiteUser, i.Group, i.SiteGroup, i.Application} {
		if p == nil {
			continue
		}
		for _, n := range []string{p.Email, p.DisplayName, p.LoginName, p.ID} {
			if n != "" {
				return n
			}
		}
	}
	return ""
}

// pages calls visit with every entry of a list, following its links.
func (s *Source) pages(ctx context.Context, ask func() ([]byte, error), visit func(json.RawMessage) error) error {
	seen := map[string]bool{}
	for empty := 0; ; {
		var page list
		err := s.sensible(ctx, func() error {
			body, err := ask()
			if err != nil {
				return err
			}
			page = list{}
			if err := json.Unmarshal(body, &page); err != nil {
				return odd("a list is not what is documented")
			}
			if page.Value == nil {
				return odd("a list without value")
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, entry := range page.Value {
			if err := visit(entry); err != nil {
				return err
			}
		}
		if page.NextLink == "" {
			return nil
		}
		if empty++; len(page.Value) > 0 {
			empty = 0
		}
		if err := s.trustLink(page.NextLink, seen, empty); err != nil {
			return err
		}
		ask = func() ([]byte, error) { return s.client.Follow(ctx, page.NextLink, false, false) }
	}
}

// oddError is an answer that does not make sense and may do so the next time.
type oddError string

func (e oddError) Error() string { return string(e) }

func odd(what string) error { return oddError(what) }

// maxOdd is how often an answer that does not make sense is asked for.
const maxOdd = 4

// sensible repeats a request until its answer makes sense.
func (s *Source) sensible(ctx context.Context, ask func() error) error {
	for attempt := 1; ; attempt++ {
		err := ask()
		var what oddError
		if !errors.As(err, &what) {
			return err
		}
		if attempt >= maxOdd {
			return untrusted("%s", what)
		}
		if err := sleep(ctx, s.governor.Failed(attempt)); err != nil {
			return err
		}
	}
}

// maxEmpty is how many pages in a row may be empty.
const maxEmpty = 1000

// trustLink says whether a link may be followed: on the same host, and not in
// a circle.
func (s *Source) trustLink(link string, seen map[string]bool, empty int) error {
	base, err := url.Parse(s.config.BaseURL)
	if err != nil {
		return err
	}
	u, err := url.Parse(link)
	switch {
	case err != nil:
		return untrusted("a link is no address")
	case !sameHost(u, base):
		return untrusted("a link leads to another host")
	case seen[link]:
		return untrusted("links lead in a circle")
	case empty > maxEmpty:
		return untrusted("%d empty pages in a row", empty)
	}
	seen[link] = true
	return nil
}
