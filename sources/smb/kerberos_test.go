package smb_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/smb"
)

const realm = "MOLNVAKT.TEST"

// kdc is a real Kerberos server of its own.
type kdc struct{ dir, conf string }

func startKDC(t *testing.T) *kdc {
	t.Helper()
	for _, tool := range []string{"krb5kdc", "kdb5_util", "kadmin.local"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("SKIPPED: %s is not installed: apt-get install krb5-kdc krb5-admin-server", tool)
		}
	}
	k := &kdc{dir: t.TempDir()}
	k.conf = filepath.Join(k.dir, "krb5.conf")
	addr := freeAddress(t)
	_, port, _ := net.SplitHostPort(addr)
	must(t, os.WriteFile(k.conf, fmt.Appendf(nil, `[libdefaults]
default_realm = %[1]s
dns_lookup_kdc = false
dns_lookup_realm = false
rdns = false
udp_preference_limit = 1
[realms]
%[1]s = {
 kdc = 127.0.0.1:%[2]s
}
[domain_realm]
localhost = %[1]s
`, realm, port), 0o644))
	must(t, os.WriteFile(filepath.Join(k.dir, "kdc.conf"), fmt.Appendf(nil, `[kdcdefaults]
kdc_ports = %[2]s
kdc_tcp_ports = %[2]s
[realms]
%[1]s = {
 database_name = %[3]s/principal
 key_stash_file = %[3]s/stash
 acl_file = %[3]s/acl
 disable_pac = true
 supported_enctypes = aes256-cts-hmac-sha1-96:normal
}
`, realm, port, k.dir), 0o644))
	k.run(t, "kdb5_util", "create", "-s", "-r", realm, "-P", "master")
	for _, p := range []string{account, "cifs/localhost"} {
		k.run(t, "kadmin.local", "-r", realm, "-q", "addprinc -randkey "+p)
	}
	k.run(t, "kadmin.local", "-r", realm, "-q", "ktadd -norandkey -k "+k.keytab("client")+" "+account)
	k.run(t, "kadmin.local", "-r", realm, "-q", "ktadd -norandkey -k "+k.keytab("server")+" cifs/localhost")
	server := exec.Command("krb5kdc", "-n", "-r", realm, "-P", filepath.Join(k.dir, "pid"))
	server.Env = k.env()
	must(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return k
		} else if time.Now().After(deadline) {
			t.Fatalf("the Kerberos server does not answer: %v", err)
		}
	}
}

func (k *kdc) keytab(name string) string { return filepath.Join(k.dir, name+".keytab") }

func (k *kdc) env() []string {
	return append(os.Environ(), "KRB5_CONFIG="+k.conf, "KRB5_KDC_PROFILE="+filepath.Join(k.dir, "kdc.conf"))
}

func (k *kdc) run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = k.env()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func TestKerberos(t *testing.T) {
	k := startKDC(t)
	t.Setenv("KRB5_CONFIG", k.conf) // Samba inherits it
	server := startSamba(t, "realm = "+realm, "kerberos method = dedicated keytab", "dedicated keytab file = "+k.keytab("server"))
	server.write(t, "files/a.txt", []byte("med biljett"))
	c := smb.Config{
		Server: server.addr, Shares: []string{"files"}, User: account,
		Kerberos: smb.Kerberos{Realm: realm, Keytab: k.keytab("client"), Config: k.conf, SPN: "cifs/localhost"},
	}
	src, err := smb.Open(c)
	must(t, err)
	defer src.Close()
	present, _ := list(t, src)
	if text := read(t, src, present["files/a.txt"]); text != "med biljett" {
		t.Errorf("read %q", text)
	}

	c.Kerberos.Keytab = k.keytab("server") // holds no key of the account
	refused, err := smb.Open(c)
	must(t, err)
	defer refused.Close()
	if err := refused.Scopes(t.Context(), func(sources.Scope) error { return nil }); err == nil {
		t.Error("signed in without the account's key")
	}
}
