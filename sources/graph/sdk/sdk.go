// Package sdk connects the source for Microsoft 365 to Microsoft's own Go
// libraries: azidentity signs in, the request builders of msgraph-sdk-go make
// the requests. It is the only package that imports them.
//
// Requests are sent through [graph.Transport], not through the SDK's
// middleware, which retries each request on its own; answers are decoded by
// package graph.
package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/authentication"
	khttp "github.com/microsoft/kiota-http-go"
	"github.com/microsoftgraph/msgraph-sdk-go/drives"
	"github.com/microsoftgraph/msgraph-sdk-go/sites"
	"github.com/microsoftgraph/msgraph-sdk-go/teams"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"github.com/molnvakt/molnvakt/sources/graph"
)

// Open returns the source for the tenant that config describes; version is the
// program's, for the User-Agent. Nothing is asked of the tenant yet. Returns
// sources.ErrConfig when the configuration cannot work.
func Open(config graph.Config, version string) (*graph.Source, error) {
	config = config.Defaults()
	config.Version = version
	governor := graph.NewGovernor(config)
	client, err := newClient(config, governor)
	if err != nil {
		return nil, err
	}
	return graph.New(config, client, governor)
}

// client implements graph.Client with the SDK's request builders.
type client struct {
	adapter *khttp.NetHttpRequestAdapter
	http    *http.Client
	base    map[string]string // what the builders put before their paths
	tokens  *tokens
}

func newClient(config graph.Config, governor *graph.Governor) (*client, error) {
	base, err := config.BaseTransport()
	if err != nil {
		return nil, err
	}
	tokens, err := signIn(config, base)
	if err != nil {
		return nil, err
	}
	transport, err := graph.NewTransport(config, base, governor, tokens.token)
	if err != nil {
		return nil, err
	}
	hc := &http.Client{
		Transport:     khttp.NewCustomTransportWithParentTransport(transport, khttp.NewParametersNameDecodingHandler()),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	adapter, err := khttp.NewNetHttpRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		&authentication.AnonymousAuthenticationProvider{}, nil, nil, hc) // the transport signs in
	if err != nil {
		return nil, err
	}
	adapter.SetBaseUrl(config.BaseURL)
	return &client{adapter: adapter, http: hc, base: map[string]string{"baseurl": config.BaseURL}, tokens: tokens}, nil
}

// builder is what every request builder of the SDK can do.
type builder[C any] interface {
	ToGetRequestInformation(ctx context.Context, config *C) (*abstractions.RequestInformation, error)
}

// get sends the request that a builder describes and returns the body.
func get[C any](ctx context.Context, c *client, b builder[C], config *C) ([]byte, error) {
	info, err := b.ToGetRequestInformation(ctx, config)
	if err != nil {
		return nil, err
	}
	resp, err := c.send(ctx, info)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &graph.Error{Status: resp.StatusCode}
	}
	return io.ReadAll(resp.Body)
}

func (c *client) send(ctx context.Context, info *abstractions.RequestInformation) (*http.Response, error) {
	info.Headers.TryAdd("Accept", "application/json")
	native, err := c.adapter.ConvertToNativeRequest(ctx, info)
	if err != nil {
		return nil, err
	}
	req, ok := native.(*http.Request)
	if !ok {
		return nil, errors.New("graph: the SDK made no HTTP request")
	}
	resp, err := c.http.Do(req)
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the address, which can hold tokens
	}
	return resp, err
}

func ptr[T any](v T) *T { return &v }

// Sites implements graph.Client.
func (c *client) Sites(ctx context.Context) ([]byte, error) {
	return get(ctx, c, c.sites().GetAllSites(), &sites.GetAllSitesRequestBuilderGetRequestConfiguration{})
}

func (c *client) sites() *sites.SitesRequestBuilder {
	return sites.NewSitesRequestBuilderInternal(c.base, c.adapter)
}

// Site implements graph.Client.
func (c *client) Site(ctx context.Context, address string) ([]byte, error) {
	host, path, _ := strings.Cut(address, ":")
	if path == "" {
		return get(ctx, c, c.sites().BySiteId(host), &sites.SiteItemRequestBuilderGetRequestConfiguration{})
	}
	// The builders escape the colons that a site's address is made of.
	u := c.base["baseurl"] + "/sites/" + host + ":" + (&url.URL{Path: path}).EscapedPath()
	return get(ctx, c, c.sites().BySiteId(host).WithUrl(u), &sites.SiteItemRequestBuilderGetRequestConfiguration{})
}

// Users implements graph.Client.
func (c *client) Users(ctx context.Context) ([]byte, error) {
	return get(ctx, c, users.NewUsersRequestBuilderInternal(c.base, c.adapter), &users.UsersRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.UsersRequestBuilderGetQueryParameters{
			Select: []string{"id", "displayName", "userPrincipalName"}, Top: ptr(int32(999)),
		},
	})
}

// Teams implements graph.Client.
func (c *client) Teams(ctx context.Context) ([]byte, error) {
	return get(ctx, c, c.teams(), &teams.TeamsRequestBuilderGetRequestConfiguration{
		QueryParameters: &teams.TeamsRequestBuilderGetQueryParameters{Select: []string{"id", "displayName"}},
	})
}

func (c *client) teams() *teams.TeamsRequestBuilder {
	return teams.NewTeamsRequestBuilderInternal(c.base, c.adapter)
}

// Channels implements graph.Client.
func (c *client) Channels(ctx context.Context, team string) ([]byte, error) {
	return get(ctx, c, c.teams().ByTeamId(team).AllChannels(), &teams.ItemAllChannelsRequestBuilderGetRequestConfiguration{})
}

// FilesFolder implements graph.Client.
func (c *client) FilesFolder(ctx context.Context, team, channel string) ([]byte, error) {
	return get(ctx, c, c.teams().ByTeamId(team).Channels().ByChannelId(channel).FilesFolder(), &teams.ItemChannelsItemFilesFolderRequestBuilderGetRequestConfiguration{})
}

// driveFields are the fields asked for of drives. Asking for system brings the
// hidden ones.
func driveFields(hidden bool) []string {
	fields := []string{"id", "name", "driveType", "webUrl", "owner"}
	if hidden {
		fields = append(fields, "system")
	}
	return fields
}

// SiteDrives implements graph.Client.
func (c *client) SiteDrives(ctx context.Context, site string, hidden bool) ([]byte, error) {
	return get(ctx, c, c.sites().BySiteId(site).Drives(), &sites.ItemDrivesRequestBuilderGetRequestConfiguration{
		QueryParameters: &sites.ItemDrivesRequestBuilderGetQueryParameters{Select: driveFields(hidden)},
	})
}

// UserDrives implements graph.Client.
func (c *client) UserDrives(ctx context.Context, user string, hidden bool) ([]byte, error) {
	return get(ctx, c, users.NewUsersRequestBuilderInternal(c.base, c.adapter).ByUserId(user).Drives(), &users.ItemDrivesRequestBuilderGetRequestConfiguration{
		QueryParameters: &users.ItemDrivesRequestBuilderGetQueryParameters{Select: driveFields(hidden)},
	})
}

func (c *client) item(drive, item string) *drives.ItemItemsDriveItemItemRequestBuilder {
	return drives.NewDrivesRequestBuilderInternal(c.base, c.adapter).ByDriveId(drive).Items().ByDriveItemId(item)
}

// preferSharing asks a delta round for changes of sharing. The last two are
// there because the first is refused without them.
const preferSharing = "hierarchicalsharing, deltashowsharingchanges, deltatraversepermissiongaps, deltashowremovedasdeleted"

func prefer(sharing bool) *abstractions.RequestHeaders {
	h := abstractions.NewRequestHeaders()
	if sharing {
		h.Add("Prefer", preferSharing)
	}
	return h
}

// Delta implements graph.Client. The SDK has no root/delta, but the root's
// alias serves as its id.
func (c *client) Delta(ctx context.Context, drive string, sharing bool) ([]byte, error) {
	return get(ctx, c, c.item(drive, "root").Delta(), &drives.ItemItemsItemDeltaRequestBuilderGetRequestConfiguration{
		Headers: prefer(sharing),
		QueryParameters: &drives.ItemItemsItemDeltaRequestBuilderGetQueryParameters{
			Select: graph.ItemFields(), Top: ptr(int32(1000)),
		},
	})
}

// Children implements graph.Client.
func (c *client) Children(ctx context.Context, drive, item string) ([]byte, error) {
	return get(ctx, c, c.item(drive, item).Children(), &drives.ItemItemsItemChildrenRequestBuilderGetRequestConfiguration{
		QueryParameters: &drives.ItemItemsItemChildrenRequestBuilderGetQueryParameters{
			Select: graph.ItemFields(), Top: ptr(int32(1000)),
		},
	})
}

// Item implements graph.Client.
func (c *client) Item(ctx context.Context, drive, item string) ([]byte, error) {
	return get(ctx, c, c.item(drive, item), &drives.ItemItemsDriveItemItemRequestBuilderGetRequestConfiguration{
		QueryParameters: &drives.ItemItemsDriveItemItemRequestBuilderGetQueryParameters{Select: graph.ItemFields()},
	})
}

// Permissions implements graph.Client.
func (c *client) Permissions(ctx context.Context, drive, item string) ([]byte, error) {
	return get(ctx, c, c.item(drive, item).Permissions(), &drives.ItemItemsItemPermissionsRequestBuilderGetRequestConfiguration{})
}

// Follow implements graph.Client. The link is used as it is.
func (c *client) Follow(ctx context.Context, link string, delta, sharing bool) ([]byte, error) {
	b := drives.NewItemItemsItemDeltaRequestBuilder(link, c.adapter)
	return get(ctx, c, b, &drives.ItemItemsItemDeltaRequestBuilderGetRequestConfiguration{Headers: prefer(delta && sharing)})
}

// Content implements graph.Client. The SDK's own call would read the whole
// content into memory.
func (c *client) Content(ctx context.Context, drive, item string) (string, error) {
	info, err := c.item(drive, item).Content().ToGetRequestInformation(ctx, &drives.ItemItemsItemContentRequestBuilderGetRequestConfiguration{})
	if err != nil {
		return "", err
	}
	resp, err := c.send(ctx, info)
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	address, err := resp.Location()
	if resp.StatusCode < 300 || err != nil {
		return "", fmt.Errorf("graph: no address for a download, status %d", resp.StatusCode)
	}
	return address.String(), nil
}

// Identity implements graph.Client.
func (c *client) Identity(ctx context.Context) (graph.Identity, error) {
	return c.tokens.identity(ctx)
}
