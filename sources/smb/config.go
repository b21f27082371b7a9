package smb

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path"
	"strings"

	"github.com/molnvakt/molnvakt/sources"
)

// Config is what the configuration says of a file server.
type Config struct {
	Server   string   `yaml:"server" json:"server" jsonschema:"description=Host or host:port; port 445 by default"`
	Shares   []string `yaml:"shares,omitempty" json:"shares,omitempty" jsonschema:"description=Only these shares; all disk shares by default"`
	Exclude  []string `yaml:"exclude,omitempty" json:"exclude,omitempty" jsonschema:"description=Globs of paths (share/folder/name) that are left out; each is a gap"`
	LinkBase string   `yaml:"link_base,omitempty" json:"link_base,omitempty" jsonschema:"description=How people reach the server; \\\\server by default"`

	User     string   `yaml:"user" json:"user"`
	Domain   string   `yaml:"domain,omitempty" json:"domain,omitempty"`
	Password Secret   `yaml:"password,omitempty" json:"password,omitzero" jsonschema:"description=For NTLM"`
	Kerberos Kerberos `yaml:"kerberos,omitempty" json:"kerberos,omitzero" jsonschema:"description=Instead of a password"`

	Sessions int `yaml:"sessions,omitempty" json:"sessions,omitempty" jsonschema:"description=Connections at once; 4 by default"`
}

// Kerberos says how to sign in with a keytab.
type Kerberos struct {
	Realm  string `yaml:"realm,omitempty" json:"realm,omitempty"`
	Keytab string `yaml:"keytab,omitempty" json:"keytab,omitempty"`
	Config string `yaml:"config,omitempty" json:"config,omitempty" jsonschema:"description=krb5.conf; /etc/krb5.conf by default"`
	SPN    string `yaml:"spn,omitempty" json:"spn,omitempty" jsonschema:"description=Service principal; cifs/<server> by default"`
}

// Secret says where a secret stands: in a file or an environment variable.
// It is never in the configuration itself, and prints as •••.
type Secret struct {
	File string `yaml:"file,omitempty" json:"file,omitempty"`
	Env  string `yaml:"env,omitempty" json:"env,omitempty"`
}

// String hides even where the secret stands.
func (Secret) String() string { return "•••" }

// GoString is String, for %#v.
func (Secret) GoString() string { return "•••" }

// LogValue is String, for slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("•••") }

// value reads the secret, without the line end that editors leave.
func (s Secret) value() (string, error) {
	switch {
	case s.File != "":
		text, err := os.ReadFile(s.File)
		if err != nil {
			return "", fmt.Errorf("%w: password: %w", sources.ErrConfig, err)
		}
		return strings.TrimRight(string(text), "\r\n"), nil
	case s.Env != "":
		text, set := os.LookupEnv(s.Env)
		if !set {
			return "", fmt.Errorf("%w: password: the environment variable %s is not set", sources.ErrConfig, s.Env)
		}
		return text, nil
	}
	return "", fmt.Errorf("%w: password: name a file or an environment variable", sources.ErrConfig)
}

// checked returns the configuration with its defaults.
func (c Config) checked() (Config, error) {
	bad := func(format string, args ...any) (Config, error) {
		return c, fmt.Errorf("%w: %s", sources.ErrConfig, fmt.Sprintf(format, args...))
	}
	switch {
	case c.Server == "":
		return bad("server is missing")
	case c.User == "":
		return bad("user is missing")
	case c.Sessions < 0 || c.Sessions > 64:
		return bad("sessions is %d; 1 to 64 are possible", c.Sessions)
	case c.Kerberos.Keytab != "" && c.Kerberos.Realm == "":
		return bad("kerberos: realm is missing")
	}
	for _, glob := range c.Exclude {
		if _, err := path.Match(glob, "x"); err != nil {
			return bad("exclude: %q is not a glob", glob)
		}
	}
	if c.Sessions == 0 {
		c.Sessions = 4
	}
	host, _, err := net.SplitHostPort(c.Server)
	if err != nil {
		host = c.Server
		c.Server = net.JoinHostPort(strings.Trim(c.Server, "[]"), "445")
	}
	if c.LinkBase == "" {
		c.LinkBase = `\\` + strings.Trim(host, "[]")
	}
	if c.Kerberos.Keytab != "" {
		if c.Kerberos.SPN == "" {
			c.Kerberos.SPN = "cifs/" + host
		}
		if c.Kerberos.Config == "" {
			c.Kerberos.Config = "/etc/krb5.conf"
		}
	}
	return c, nil
}
