package sdk

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/graph"
)

// tokens signs in and keeps the token until shortly before it ends.
type tokens struct {
	// credential makes a new one for each sign-in: the library's would answer
	// with the token it remembers, even one that the service refused.
	credential func() (azcore.TokenCredential, error)
	scope      string
	way        string
	expires    time.Time // of the certificate or secret
	now        func() time.Time

	turn  chan struct{} // holds one: who has it may sign in
	mu    sync.Mutex
	have  azcore.AccessToken
	since time.Time
}

// signIn prepares the one way to sign in that config gives.
func signIn(config graph.Config, base http.RoundTripper) (*tokens, error) {
	u, err := url.Parse(config.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("base_url: %w: %w", err, sources.ErrConfig)
	}
	t := &tokens{scope: u.Scheme + "://" + u.Host + "/.default", now: time.Now, turn: make(chan struct{}, 1)}
	options := azcore.ClientOptions{
		Transport: &http.Client{Transport: agent{base, config.UserAgent()}, Timeout: 60 * time.Second},
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: config.Authority},
		Retry:     policy.RetryOptions{MaxRetries: 3, RetryDelay: config.Backoff, MaxRetryDelay: 30 * config.Backoff},
	}
	// The authority is the configuration's: Microsoft need not vouch for it.
	const noDiscovery = true
	switch a := config.Auth; {
	case a.ManagedIdentity:
		t.way = "managed_identity"
		o := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
		if config.ClientID != "" {
			o.ID = azidentity.ClientID(config.ClientID)
		}
		t.credential = func() (azcore.TokenCredential, error) { return azidentity.NewManagedIdentityCredential(o) }
	case a.WorkloadIdentity.TokenFile != "":
		t.way = "workload_identity"
		t.credential = func() (azcore.TokenCredential, error) {
			return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
				ClientOptions: options, ClientID: config.ClientID, TenantID: config.TenantID,
				TokenFilePath: a.WorkloadIdentity.TokenFile, DisableInstanceDiscovery: noDiscovery,
			})
		}
	case a.Certificate.File != "":
		t.way = "certificate"
		t.credential, t.expires, err = withCertificate(config, &azidentity.ClientCertificateCredentialOptions{
			ClientOptions: options, DisableInstanceDiscovery: noDiscovery,
		})
	default:
		t.way, t.expires = "secret", a.SecretExpires
		var secret string
		if secret, err = a.Secret.Read(); err != nil {
			return nil, err
		}
		t.credential = func() (azcore.TokenCredential, error) {
			return azidentity.NewClientSecretCredential(config.TenantID, config.ClientID, secret,
				&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: noDiscovery})
		}
	}
	if err == nil {
		_, err = t.credential()
	}
	if err != nil {
		return nil, fmt.Errorf("auth: %w: %w", err, sources.ErrConfig)
	}
	return t, nil
}

// withCertificate reads a PEM or PFX file.
func withCertificate(config graph.Config, o *azidentity.ClientCertificateCredentialOptions) (func() (azcore.TokenCredential, error), time.Time, error) {
	file, err := os.ReadFile(config.Auth.Certificate.File)
	if err != nil {
		return nil, time.Time{}, err
	}
	var password []byte
	if !config.Auth.Certificate.Password.Zero() {
		text, err := config.Auth.Certificate.Password.Read()
		if err != nil {
			return nil, time.Time{}, err
		}
		password = []byte(text)
	}
	certs, key, err := azidentity.ParseCertificates(file, password)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("the certificate file: %w", err)
	}
	return func() (azcore.TokenCredential, error) {
		return azidentity.NewClientCertificateCredential(config.TenantID, config.ClientID, certs, key, o)
	}, earliest(certs), nil
}

func earliest(certs []*x509.Certificate) (end time.Time) {
	for _, c := range certs {
		if end.IsZero() || c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
}

// token implements graph.Token. It signs in again when a fifth of the token's
// life is left, at most five minutes; one request at a time does so.
func (t *tokens) token(ctx context.Context, challenge string, fresh bool) (string, error) {
	asked := t.now()
	if token, ok := t.current(fresh, asked); ok {
		return token, nil
	}
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { <-t.turn }()
	if token, ok := t.current(fresh, asked); ok {
		return token, nil
	}
	options := policy.TokenRequestOptions{Scopes: []string{t.scope}, EnableCAE: true}
	if challenge != "" {
		decoded, err := base64.StdEncoding.DecodeString(challenge)
		if err != nil {
			decoded = []byte(challenge)
		}
		options.Claims = string(decoded)
	}
	credential, err := t.credential()
	if err != nil {
		return "", fmt.Errorf("auth: %w: %w", err, sources.ErrConfig)
	}
	have, err := credential.GetToken(ctx, options)
	if err != nil {
		return "", refusal(ctx, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.have, t.since = have, t.now()
	return have.Token, nil
}

// current returns the token at hand if it will do: one that is not about to
// end and, where a fresh one is asked for, was fetched after that.
func (t *tokens) current(fresh bool, asked time.Time) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.have.Token == "" || fresh && !t.since.After(asked) {
		return "", false
	}
	margin := min(5*time.Minute, t.have.ExpiresOn.Sub(t.since)/5)
	return t.have.Token, t.now().Before(t.have.ExpiresOn.Add(-margin))
}

// refusal tells a sign-in that was refused from one that got no answer. The
// library's text is long and holds the answer; what says enough is its code.
func refusal(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var failed *azidentity.AuthenticationFailedError
	if errors.As(err, &failed) && failed.RawResponse != nil {
		status := failed.RawResponse.StatusCode
		text := fmt.Sprintf("graph: sign-in: status %d%s", status, code(err.Error()))
		if status == http.StatusTooManyRequests || status >= 500 {
			return fmt.Errorf("%s: %w", text, sources.ErrUnavailable)
		}
		return fmt.Errorf("%s: %w", text, sources.ErrRefused)
	}
	if c := code(err.Error()); c != "" {
		return fmt.Errorf("graph: sign-in%s: %w", c, sources.ErrRefused)
	}
	return fmt.Errorf("graph: sign-in: no answer: %w", errors.Join(sources.ErrUnavailable, errors.Unwrap(err)))
}

// code finds the code of Microsoft's sign-in in a text: " AADSTS7000215".
func code(text string) string {
	i := strings.Index(text, "AADSTS")
	if i < 0 {
		return ""
	}
	end := i + len("AADSTS")
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	return " " + text[i:end]
}

// identity reads who the program is from its token. The token is Graph's to
// verify; here it is only shown.
func (t *tokens) identity(ctx context.Context) (graph.Identity, error) {
	id := graph.Identity{Way: t.way, Expires: t.expires}
	token, err := t.token(ctx, "", false)
	if err != nil {
		return id, err
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return id, nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return id, nil
	}
	var says struct {
		TID   string   `json:"tid"`
		AppID string   `json:"appid"`
		AZP   string   `json:"azp"`
		Roles []string `json:"roles"`
	}
	if json.Unmarshal(payload, &says) != nil {
		return id, nil
	}
	id.Tenant, id.Roles, id.App = says.TID, says.Roles, says.AppID
	if id.App == "" {
		id.App = says.AZP
	}
	return id, nil
}

// agent names the program in the requests of the sign-in too.
type agent struct {
	base http.RoundTripper
	name string
}

// RoundTrip implements http.RoundTripper.
func (a agent) RoundTrip(req *http.Request) (*http.Response, error) {
	r := req.Clone(req.Context())
	r.Header.Set("User-Agent", a.name)
	return a.base.RoundTrip(r)
}
