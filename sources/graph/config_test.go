package graph

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/sources"
)

func TestSecretsNeverPrint(t *testing.T) {
	const value = "hemligt-värde"
	t.Setenv("GRAPH_TEST_SECRET", value)
	s := Secret{Env: "GRAPH_TEST_SECRET"}
	if got, err := s.Read(); got != value || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	c := Config{Auth: Auth{Secret: s, Certificate: Certificate{Password: s}}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, c); strings.Contains(text, value) || strings.Contains(text, "GRAPH_TEST_SECRET") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := Config{TenantID: "t", ClientID: "c", Organisation: "Kommunen", Auth: Auth{Secret: Secret{Env: "X"}}}
	if err := good.Defaults().check(); err != nil {
		t.Fatal(err)
	}
	for key, spoil := range map[string]func(*Config){
		"tenant_id":        func(c *Config) { c.TenantID = "" },
		"client_id":        func(c *Config) { c.ClientID = "" },
		"organisation":     func(c *Config) { c.Organisation = "a|b" },
		"auth":             func(c *Config) { c.Auth.ManagedIdentity = true },
		"budget_share":     func(c *Config) { c.BudgetShare = 2 },
		"base_url":         func(c *Config) { c.BaseURL = "http://graph.microsoft.com/v1.0" },
		"authority":        func(c *Config) { c.Authority = "login" },
		"quiet_hours":      func(c *Config) { c.QuietHours.From = "sju" },
		"quiet_hours.only": func(c *Config) { c.QuietHours.Only = true },
		"licences":         func(c *Config) { c.Licences = -1 },
	} {
		c := good
		spoil(&c)
		if err := c.Defaults().check(); !errors.Is(err, sources.ErrConfig) || !strings.HasPrefix(err.Error(), key+":") {
			t.Errorf("%s: %v", key, err)
		}
	}
	empty := filepath.Join(t.TempDir(), "empty")
	os.WriteFile(empty, nil, 0o600)
	for _, s := range []Secret{{}, {File: empty}, {File: empty + "x"}, {Env: "GRAPH_TEST_UNSET"}, {Env: "A", File: "b"}} {
		if _, err := s.Read(); !errors.Is(err, sources.ErrConfig) {
			t.Errorf("%#v: %v", s, err)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"arkiv/*", "arkiv/2020/a.txt", true}, {"arkiv/*", "arkivet/a", false}, {"*.tmp", "a/b.tmp", true},
		{"*mall*", "a/mallar/b", true}, {"a*b*c", "abc", true}, {"a*b*c", "acb", false}, {"*", "", true}, {"a", "a", true}, {"ab*ba", "aba", false},
	} {
		if got := glob(c.pattern, c.s); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.s, got)
		}
	}
}

func TestCursorRoundTrip(t *testing.T) {
	p := &position{Link: "https://x/delta?token=1\n", Full: true, Pages: 3, Again: map[string]reason{"f": {Moved: true}}, Gone: map[string]int{"g": 3}, Met: map[string]idSet{"m": {5: true}}, folders: newPlacings()}
	for i := range 1000 {
		p.folders.set(fmt.Sprint(i), "root", fmt.Sprint("namn", i), i%5)
	}
	p.folders.forget("7")
	got, err := parseCursor(p.cursor())
	if err != nil || got.Link != p.Link || !got.Full || got.Pages != 3 || !got.Again["f"].Moved || got.Gone["g"] != 3 || !got.Met["m"][5] || len(got.folders.known) != 999 {
		t.Fatalf("%+v, %v", got, err)
	}
	if before, now := got.folders.set("8", "root", "namn8", 1); elsewhere(before, now) {
		t.Error("an unmoved folder counts as moved")
	}
	if before, now := got.folders.set("8", "annan", "namn8", 1); !elsewhere(before, now) {
		t.Error("a moved folder counts as unmoved")
	}
	for _, damaged := range []sources.Cursor{"x", "0{}\n", "1{}", "1{\n", "1{}\nabc", "1{}\n!!!!!!!!!!!!"} {
		if _, err := parseCursor(damaged); !errors.Is(err, sources.ErrCursorExpired) {
			t.Errorf("%q: %v", damaged, err)
		}
	}
}

func TestSameHost(t *testing.T) {
	base, _ := url.Parse("https://graph.microsoft.com/v1.0")
	for link, want := range map[string]bool{
		"https://graph.microsoft.com/v1.0/x":      true,
		"https://GRAPH.microsoft.com:443/v1.0/x":  true,
		"https://graph.microsoft.com:8443/v1.0/x": false,
		"http://graph.microsoft.com/v1.0/x":       false,
		"https://graph.microsoft.com.evil.se/x":   false,
		"https://a@graph.microsoft.com/x":         false,
		"https://evil.se/graph.microsoft.com":     false,
		"//graph.microsoft.com/x":                 false,
	} {
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		if sameHost(u, base) != want {
			t.Errorf("%s: %v", link, !want)
		}
	}
}
