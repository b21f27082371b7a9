// Package graph is the source for Microsoft 365: the files of SharePoint,
// OneDrive and Teams, read through Microsoft Graph.
//
// Every drive (document library, OneDrive) is a scope with a cursor of its
// own, the delta link. Requests are built and sent by a [Client] (graph/sdk);
// this package decides what to ask for, how fast, and what of the answers to
// believe: a crawl whose pages do not fit together ends in an error.
//
// A delta round reports a renamed folder alone, not what lies below it. So a
// cursor carries, beside the link, a fingerprint of where each folder stood
// (twelve characters a folder). A folder that stands elsewhere than its
// fingerprint says was moved, and everything below it is reported again as
// Present under its new path. That needs no state but the cursor.
package graph

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/molnvakt/molnvakt/sources"
)

// Source is one tenant. It implements sources.Source, sources.Exposer,
// sources.Checker and sources.Metered. Make one with [New], usually through
// graph/sdk.
type Source struct {
	config   Config
	client   Client
	governor *Governor
	download *http.Client // for pre-authenticated links; never sends Authorization
	now      func() time.Time

	mu        sync.Mutex
	driveless map[string]time.Time // users without a OneDrive, and when that was learnt
}

var (
	_ sources.Source  = (*Source)(nil)
	_ sources.Exposer = (*Source)(nil)
	_ sources.Checker = (*Source)(nil)
	_ sources.Metered = (*Source)(nil)
)

// New returns the source for the tenant that config describes. The client
// sends its requests through the same governor. Returns sources.ErrConfig when
// config cannot work.
func New(config Config, client Client, governor *Governor) (*Source, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	transport, err := config.BaseTransport()
	if err != nil {
		return nil, err
	}
	return &Source{
		config:    config,
		client:    client,
		governor:  governor,
		download:  &http.Client{Transport: transport, CheckRedirect: secureRedirect},
		now:       time.Now,
		driveless: map[string]time.Time{},
	}, nil
}

// Spent returns what was asked of the tenant since the source was made.
func (s *Source) Spent() sources.Spending { return s.governor.Spent() }

// secureRedirect lets a download be handed on, but never to plain HTTP.
func secureRedirect(req *http.Request, via []*http.Request) error {
	if req.URL.Scheme != "https" {
		return errors.New("graph: a download was redirected to an address without TLS")
	}
	if len(via) >= 5 {
		return errors.New("graph: a download was redirected too often")
	}
	return nil
}

// BaseTransport returns the bare HTTP transport to the tenant: TLS 1.2 or
// later, the configured certificate authority, no transparent compression.
func (c Config) BaseTransport() (*http.Transport, error) {
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		TLSClientConfig:       &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   20 * time.Second,
		ResponseHeaderTimeout: 100 * time.Second,
		DisableCompression:    true, // responses are decoded by what they are, not by what they say
	}, nil
}

// untrusted is an answer that does not fit together. The crawl ends; what was
// stored so far stays, and the next crawl goes on from there.
func untrusted(format string, args ...any) error {
	return fmt.Errorf("graph: the listing cannot be trusted: "+format+": %w", append(args, sources.ErrUnavailable)...)
}

// ended says whether err concerns the whole crawl, not one drive or item.
func ended(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, sources.ErrRefused) || errors.Is(err, sources.ErrUnavailable)
}
