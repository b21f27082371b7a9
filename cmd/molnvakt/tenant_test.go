package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/sources/graph"
	"github.com/molnvakt/molnvakt/sources/graph/graphtest"
)

// tenantConfig writes a molnvakt.yaml for a simulated tenant and returns its
// name; change may spoil it.
func tenantConfig(t *testing.T, tenant *graphtest.Tenant, change func(*graph.Config)) string {
	t.Helper()
	dir := t.TempDir()
	c, err := tenant.Config(dir)
	check(t, err)
	if change != nil {
		change(&c)
	}
	text := fmt.Sprintf(`organisation: Björkfors kommun
scan: {count_test_numbers: true}
sources:
  - name: m365
    kind: graph
    service: m365
    tenant_id: %s
    client_id: %s
    auth: {secret: {file: %s}}
    base_url: %s
    authority: %s
    ca_file: %s
`, c.TenantID, c.ClientID, c.Auth.Secret.File, c.BaseURL, c.Authority, c.CAFile)
	name := filepath.Join(dir, "molnvakt.yaml")
	check(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func TestTenant(t *testing.T) {
	tenant, err := graphtest.New(graphtest.Options{})
	check(t, err)
	defer tenant.Close()
	drive := tenant.AddSite(graphtest.SiteSpec{Title: "Socialförvaltningen"}).AddDrive(graphtest.DriveSpec{Name: "Dokument"})
	drive.Put("Akter/Utredning.txt", []byte("Orosanmälan om Alva Lind, personnummer 20120901-2390. Barnet har blåmärken; modern missbrukar alkohol. LVU övervägs."))
	drive.Put("Meny.txt", []byte("Köttbullar med lingon."))
	drive.PutFile("Virus.txt", graphtest.File{Content: []byte("x"), Malware: true, Refuse: "403 html"})
	program := molnvakt(t)
	config := tenantConfig(t, tenant, nil)

	say := demand{t, program}
	say.exits(exitFindings, []string{"Socialförvaltningen/Dokument/Akter/Utredning.txt", "1 dokument ligger fel", "Luckor"}, "scan", "--config", config)
	tenant.ForgetRequests()
	say.exits(exitFindings, []string{"0 läsningar nu"}, "scan", "--config", config)
	for _, r := range tenant.Requests() {
		if r.Content {
			t.Errorf("an unchanged tenant was read again: %s", r.Path)
		}
	}
	say.exits(exitClean, []string{"✓"}, "doctor", "--config", config)
	say.exits(exitClean, []string{"Kandidater", "Socialtjänst", "Känsliga uppgifter i en tjänst"}, "explain", "m365", "Socialförvaltningen/Dokument/Akter/Utredning.txt", "--config", config)
	drive.Remove("Akter/Utredning.txt")
	say.exits(exitClean, []string{"Inget ligger fel"}, "scan", "--config", config)
}

func TestTenantRefuses(t *testing.T) {
	tenant, err := graphtest.New(graphtest.Options{})
	check(t, err)
	tenant.AddSite(graphtest.SiteSpec{Title: "S"}).AddDrive(graphtest.DriveSpec{Name: "D"}).Put("a.txt", []byte("hej"))
	say := demand{t, molnvakt(t)}
	wrong := filepath.Join(t.TempDir(), "secret")
	check(t, os.WriteFile(wrong, []byte("not-the-secret"), 0o600))
	config := tenantConfig(t, tenant, func(c *graph.Config) { c.Auth.Secret.File = wrong })
	out := say.exits(exitError, []string{"avvisar Molnvakt", "molnvakt doctor"}, "scan", "--config", config)
	if strings.Contains(out, "not-the-secret") {
		t.Error("the message holds the secret")
	}
	say.exits(exitError, []string{"✗"}, "doctor", "--config", config)

	good := tenantConfig(t, tenant, nil)
	tenant.Close()
	say.exits(exitError, []string{"kan inte nås", "fortsätter där"}, "scan", "--config", good)
}

// demand runs a program and demands its exit code and texts.
type demand struct {
	t       *testing.T
	program string
}

func (d demand) exits(code int, texts []string, args ...string) string {
	d.t.Helper()
	cmd := exec.Command(d.program, args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		d.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		d.t.Errorf("%s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	for _, text := range texts {
		if !strings.Contains(string(out), text) {
			d.t.Errorf("%s: the output lacks %q\n%s", strings.Join(args, " "), text, out)
		}
	}
	return string(out)
}
