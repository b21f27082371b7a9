package sdk

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/graph"
	"github.com/molnvakt/molnvakt/sources/graph/graphtest"
)

// certificateFiles makes a certificate and writes it as PEM and as PFX.
func certificateFiles(t *testing.T, end time.Time) (cert *x509.Certificate, pemFile, pfxFile string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "molnvakt"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	pfx, err := pkcs12.Legacy.Encode(key, cert, nil, "lösen")
	if err != nil {
		t.Fatal(err)
	}
	return cert, write(t, "app.pem", text), write(t, "app.pfx", pfx)
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEveryWayToSignIn(t *testing.T) {
	cert, pemFile, pfxFile := certificateFiles(t, time.Now().Add(365*24*time.Hour))
	password := graph.Secret{File: write(t, "pw", []byte("lösen\n"))}
	tenant, drive := oneDrive(t, graphtest.Options{})
	drive.Put("a.txt", []byte("a"))
	tenant.TrustCertificate(cert)
	t.Setenv("IDENTITY_ENDPOINT", tenant.ManagedIdentityURL)
	t.Setenv("IDENTITY_HEADER", tenant.ManagedIdentityHeader)
	for name, auth := range map[string]graph.Auth{
		"secret":           {Secret: graph.Secret{File: write(t, "secret", []byte(tenant.Secret))}},
		"certificate, PEM": {Certificate: graph.Certificate{File: pemFile}},
		"certificate, PFX": {Certificate: graph.Certificate{File: pfxFile, Password: password}},
		"managed identity": {ManagedIdentity: true},
		"workload":         {WorkloadIdentity: graph.Workload{TokenFile: write(t, "token", []byte(tenant.FederatedToken))}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRegister()
			r.crawl(t, open(t, tenant, func(c *graph.Config) { c.Auth = auth }))
			r.want(t, drive)
		})
	}
}

func TestRefusedSignIn(t *testing.T) {
	_, pemFile, pfxFile := certificateFiles(t, time.Now().Add(time.Hour)) // not registered
	tenant, _ := oneDrive(t, graphtest.Options{})
	for name, c := range map[string]struct {
		auth graph.Auth
		want error
	}{
		"wrong secret":        {graph.Auth{Secret: graph.Secret{File: write(t, "s", []byte("wrong-hemlig"))}}, sources.ErrRefused},
		"unknown certificate": {graph.Auth{Certificate: graph.Certificate{File: pemFile}}, sources.ErrRefused},
		"no secret":           {graph.Auth{Secret: graph.Secret{File: "/nonexistent"}}, sources.ErrConfig},
		"no certificate":      {graph.Auth{Certificate: graph.Certificate{File: "/nonexistent"}}, sources.ErrConfig},
		"wrong password":      {graph.Auth{Certificate: graph.Certificate{File: pfxFile}}, sources.ErrConfig},
	} {
		config, err := tenant.Config(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		config.Auth, config.Backoff = c.auth, time.Millisecond
		src, err := Open(config, "1")
		if err == nil {
			err = src.Scopes(t.Context(), func(sources.Scope) error { return nil })
		}
		if !errors.Is(err, c.want) || strings.Contains(err.Error(), "wrong-hemlig") {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestUnreachableTenant(t *testing.T) {
	tenant, _ := oneDrive(t, graphtest.Options{})
	src := open(t, tenant)
	tenant.Close()
	err := src.Scopes(t.Context(), func(sources.Scope) error { return nil })
	if !errors.Is(err, sources.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

func TestDoctor(t *testing.T) {
	cert, pemFile, _ := certificateFiles(t, time.Now().Add(10*24*time.Hour))
	_, expired, _ := certificateFiles(t, time.Now().Add(-time.Minute))
	for name, c := range map[string]struct {
		options graphtest.Options
		change  func(*graph.Config)
		want    []string
	}{
		"fine": {graphtest.Options{Roles: []string{"Sites.Read.All", "Files.Read.All"}}, func(*graph.Config) {},
			[]string{"graph.sign_in ok", "graph.permissions ok", "graph.reach ok", "graph.budget ok"}},
		"too many": {graphtest.Options{Roles: []string{"Sites.Read.All", "Files.ReadWrite.All", "Mail.Read"}}, func(c *graph.Config) { c.Licences = 0 },
			[]string{"graph.permissions ok", "graph.too_many_permissions warn", "graph.licences_unknown warn"}},
		"too few": {graphtest.Options{Roles: []string{"Files.Read.All"}}, func(*graph.Config) {},
			[]string{"graph.permissions_missing fail", "graph.reach fail"}},
		"certificate ends soon": {graphtest.Options{}, func(c *graph.Config) { c.Auth = graph.Auth{Certificate: graph.Certificate{File: pemFile}} },
			[]string{"graph.sign_in ok", "graph.credential_expires_soon warn"}},
		"wrong secret": {graphtest.Options{}, func(c *graph.Config) { c.Auth.Secret = graph.Secret{File: c.CAFile} },
			[]string{"graph.sign_in fail"}},
		"secret ended": {graphtest.Options{}, func(c *graph.Config) { c.Auth.SecretExpires = time.Now().Add(-time.Hour) },
			[]string{"graph.credential_expired fail"}},
		"certificate ended": {graphtest.Options{}, func(c *graph.Config) { c.Auth = graph.Auth{Certificate: graph.Certificate{File: expired}} },
			[]string{"graph.sign_in fail"}},
	} {
		t.Run(name, func(t *testing.T) {
			tenant, _ := oneDrive(t, c.options)
			tenant.TrustCertificate(cert)
			got := map[string]bool{}
			for _, check := range open(t, tenant, c.change).Check(t.Context()) {
				got[check.ID+" "+string(check.Status)] = true
				if check.Detail == "" || strings.Contains(check.Detail, tenant.Secret) {
					t.Errorf("%s: %q", check.ID, check.Detail)
				}
			}
			for _, w := range c.want {
				if !got[w] {
					t.Errorf("lacks %s: %v", w, got)
				}
			}
		})
	}
}
