package graph

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/molnvakt/molnvakt/sources"
)

// Config describes one tenant and what of it is looked at. Only TenantID,
// ClientID, Organisation and one way of Auth are needed.
type Config struct {
	TenantID string `yaml:"tenant_id" json:"tenant_id"`
	ClientID string `yaml:"client_id" json:"client_id"` // the app registration, or the user-assigned managed identity
	Auth     Auth   `yaml:"auth" json:"auth"`

	// Organisation names the customer in the User-Agent, as Microsoft asks:
	// NONISV|organisation|Molnvakt/version.
	Organisation string `yaml:"organisation" json:"organisation"`

	// Sites, when not empty, are the only sites looked at, by address
	// (https://kommun.sharepoint.com/sites/soc). For the permission
	// Sites.Selected, which does not allow listing sites.
	Sites []string `yaml:"sites,omitempty" json:"sites,omitempty"`

	Include Filter `yaml:"include,omitempty" json:"include,omitzero"` // empty: everything
	Exclude Filter `yaml:"exclude,omitempty" json:"exclude,omitzero"` // wins over Include

	HiddenDrives bool   `yaml:"hidden_drives,omitempty" json:"hidden_drives,omitempty"` // also system libraries
	Personal     *bool  `yaml:"personal,omitempty" json:"personal,omitempty"`           // personal OneDrives; yes if absent
	Teams        bool   `yaml:"teams,omitempty" json:"teams,omitempty"`                 // names of teams and channels, and channels' own sites
	Licences     int    `yaml:"licences,omitempty" json:"licences,omitempty"`           // bought by the tenant: decides its resource units; 0: the smallest class
	BudgetShare  Share  `yaml:"budget_share,omitempty" json:"budget_share,omitempty"`   // of the tenant's resource units, in (0, 1]; 0.8 if absent
	QuietHours   Quiet  `yaml:"quiet_hours,omitempty" json:"quiet_hours,omitzero"`      // when more of them may be used
	BaseURL      string `yaml:"base_url,omitempty" json:"base_url,omitempty"`           // national clouds: https://graph.microsoft.us/v1.0
	Authority    string `yaml:"authority,omitempty" json:"authority,omitempty"`         // national clouds: https://login.microsoftonline.us/
	CAFile       string `yaml:"ca_file,omitempty" json:"ca_file,omitempty"`             // PEM: certificate authorities trusted besides the system's

	// Backoff is the first wait after a failed request; it doubles. Zero: one
	// second. Only tests set it.
	Backoff time.Duration `yaml:"-" json:"-"`
	// Version is the program's, for the User-Agent. graph/sdk sets it.
	Version string `yaml:"-" json:"-"`
}

// Share is a part of a whole, in (0, 1].
type Share float64

// Auth is one way to sign in.
type Auth struct {
	Secret           Secret      `yaml:"secret,omitempty" json:"secret,omitzero"`
	Certificate      Certificate `yaml:"certificate,omitempty" json:"certificate,omitzero"`
	ManagedIdentity  bool        `yaml:"managed_identity,omitempty" json:"managed_identity,omitempty"`
	WorkloadIdentity Workload    `yaml:"workload_identity,omitempty" json:"workload_identity,omitzero"`
	// SecretExpires is when the secret ends, so that doctor can warn: the
	// program cannot read that from the tenant without more permissions.
	SecretExpires time.Time `yaml:"secret_expires,omitempty" json:"secret_expires,omitzero"`
}

// Certificate is a certificate with its private key, as PEM or PFX.
type Certificate struct {
	File     string `yaml:"file,omitempty" json:"file,omitempty"`
	Password Secret `yaml:"password,omitempty" json:"password,omitzero"` // of a PFX
}

// Workload is the federated token that Kubernetes or another platform writes.
type Workload struct {
	TokenFile string `yaml:"token_file,omitempty" json:"token_file,omitempty"`
}

// Secret says where a secret is; it is never in the configuration itself.
// It prints as ••• however it is printed.
type Secret struct {
	File string `yaml:"file,omitempty" json:"file,omitempty"`
	Env  string `yaml:"env,omitempty" json:"env,omitempty"`
}

// Read returns the secret, without surrounding white space. Returns
// sources.ErrConfig when it is not where it should be.
func (s Secret) Read() (string, error) {
	var value string
	switch {
	case s.File != "" && s.Env != "":
		return "", fmt.Errorf("secret: give file or env, not both: %w", sources.ErrConfig)
	case s.File != "":
		b, err := os.ReadFile(s.File)
		if err != nil {
			return "", fmt.Errorf("secret: %w: %w", err, sources.ErrConfig)
		}
		value = string(b)
	case s.Env != "":
		value = os.Getenv(s.Env)
	}
	if value = strings.TrimSpace(value); value == "" {
		return "", fmt.Errorf("secret: empty (file %q, env %q): %w", s.File, s.Env, sources.ErrConfig)
	}
	return value, nil
}

// Zero says whether no secret is named.
func (s Secret) Zero() bool { return s == Secret{} }

// Format prints ••• for every verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, "•••") }

// Filter names parts of the tenant with patterns in which * stands for
// anything, / included; letters' case is not told apart.
type Filter struct {
	Sites  []string `yaml:"sites,omitempty" json:"sites,omitempty"`   // name or address of a site
	Drives []string `yaml:"drives,omitempty" json:"drives,omitempty"` // name of a drive
	Paths  []string `yaml:"paths,omitempty" json:"paths,omitempty"`   // within a drive: "Arkiv/*"
	Owners []string `yaml:"owners,omitempty" json:"owners,omitempty"` // of a drive or document
}

// Quiet is when the organisation sleeps.
type Quiet struct {
	From     string `yaml:"from,omitempty" json:"from,omitempty"`         // "19:00", local time
	To       string `yaml:"to,omitempty" json:"to,omitempty"`             // "06:00"
	Weekends bool   `yaml:"weekends,omitempty" json:"weekends,omitempty"` // Saturday and Sunday are quiet too
	Share    Share  `yaml:"share,omitempty" json:"share,omitempty"`       // budget_share then; 1 if absent
	// Only: outside the quiet hours nothing is asked at all.
	Only bool `yaml:"only,omitempty" json:"only,omitempty"`
}

const (
	defaultBaseURL   = "https://graph.microsoft.com/v1.0"
	defaultAuthority = "https://login.microsoftonline.com/"
)

// Defaults returns the configuration with its defaults filled in.
func (c Config) Defaults() Config {
	if c.BaseURL == "" {
		c.BaseURL = defaultBaseURL
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if c.Authority == "" {
		c.Authority = defaultAuthority
	}
	if c.Personal == nil {
		yes := true
		c.Personal = &yes
	}
	if c.BudgetShare == 0 {
		c.BudgetShare = 0.8
	}
	if c.QuietHours.Share == 0 {
		c.QuietHours.Share = 1
	}
	if c.Backoff == 0 {
		c.Backoff = time.Second
	}
	return c
}

func (c Config) check() error {
	refuse := func(key, why string) error { return fmt.Errorf("%s: %s: %w", key, why, sources.ErrConfig) }
	for key, address := range map[string]string{"base_url": c.BaseURL, "authority": c.Authority} {
		if u, err := url.Parse(address); err != nil || u.Scheme != "https" || u.Host == "" {
			return refuse(key, "must be an https address")
		}
	}
	switch {
	case c.TenantID == "" && !c.Auth.ManagedIdentity:
		return refuse("tenant_id", "is missing")
	case c.ClientID == "" && !c.Auth.ManagedIdentity:
		return refuse("client_id", "is missing")
	case c.Organisation == "" || strings.ContainsAny(c.Organisation, "|\r\n"):
		return refuse("organisation", "is missing or contains | or a line break")
	case c.BudgetShare <= 0 || c.BudgetShare > 1:
		return refuse("budget_share", "must be above 0 and at most 1")
	case c.QuietHours.Share <= 0 || c.QuietHours.Share > 1:
		return refuse("quiet_hours.share", "must be above 0 and at most 1")
	case c.Licences < 0:
		return refuse("licences", "must not be negative")
	case c.Auth.ways() != 1:
		return refuse("auth", "give exactly one of secret, certificate, managed_identity, workload_identity")
	case c.QuietHours.Only && c.QuietHours.From == "" && !c.QuietHours.Weekends:
		return refuse("quiet_hours.only", "needs from and to, or weekends")
	}
	if _, _, err := c.QuietHours.bounds(); err != nil {
		return refuse("quiet_hours", err.Error())
	}
	return nil
}

func (a Auth) ways() (n int) {
	for _, given := range []bool{!a.Secret.Zero(), a.Certificate.File != "", a.ManagedIdentity, a.WorkloadIdentity.TokenFile != ""} {
		if given {
			n++
		}
	}
	return n
}

func (c Config) roots() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil // the system's
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w: %w", err, sources.ErrConfig)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file: %s holds no PEM certificate: %w", path.Base(c.CAFile), sources.ErrConfig)
	}
	return pool, nil
}

// bounds returns From and To as the time of day; equal: no quiet hours.
func (q Quiet) bounds() (from, to time.Duration, err error) {
	if q.From == "" && q.To == "" {
		return 0, 0, nil
	}
	f, err1 := time.Parse("15:04", q.From)
	t, err2 := time.Parse("15:04", q.To)
	if err := errors.Join(err1, err2); err != nil {
		return 0, 0, errors.New(`from and to are times of day such as "19:00"`)
	}
	day := f.Truncate(24 * time.Hour)
	return f.Sub(day), t.Sub(day), nil
}

// at says whether now is a quiet time.
func (q Quiet) at(now time.Time) bool {
	if wd := now.Weekday(); q.Weekends && (wd == time.Saturday || wd == time.Sunday) {
		return true
	}
	from, to, err := q.bounds()
	if err != nil || from == to {
		return false
	}
	h, m, s := now.Clock()
	clock := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
	if from < to {
		return clock >= from && clock < to
	}
	return clock >= from || clock < to
}

// wants says whether something with these names passes Include and Exclude.
// Names that are not known yet are "" and pass Include.
func (c Config) wants(of func(Filter) []string, names ...string) bool {
	if any := of(c.Exclude); len(any) > 0 && matchesAny(any, names) {
		return false
	}
	only := of(c.Include)
	return len(only) == 0 || matchesAny(only, names)
}

func matchesAny(patterns, names []string) bool {
	for _, p := range patterns {
		for _, n := range names {
			if n != "" && glob(strings.ToLower(p), strings.ToLower(n)) {
				return true
			}
		}
	}
	return false
}

// glob matches with * for anything; it never goes back further than the last *.
func glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return len(s) >= len(last) && strings.HasSuffix(s, last)
}
