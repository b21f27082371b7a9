package findings_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/findings"
)

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := findings.LoadKey(path); !errors.Is(err, findings.ErrNoKey) {
		t.Errorf("no file: %v", err)
	}
	k, err := findings.CreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	again, err := findings.LoadKey(path)
	if err != nil || again != k {
		t.Errorf("loaded another key, error %v", err)
	}
	if _, err := findings.CreateKey(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created over a key: %v", err)
	}
}

func TestKeyAsCredential(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: Windows has no mode bits")
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "molnvakt.key")
	if _, err := findings.CreateKey(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o440); err != nil { // as systemd shows one that it gives by ACL
		t.Fatal(err)
	}
	if _, err := findings.LoadKey(path); !errors.Is(err, findings.ErrKeyFile) {
		t.Errorf("a key that the group may read: %v", err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", folder)
	if _, err := findings.LoadKey(path); err != nil {
		t.Errorf("a credential: %v", err)
	}
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	if _, err := findings.LoadKey(path); !errors.Is(err, findings.ErrKeyFile) {
		t.Errorf("a credential that everyone may read: %v", err)
	}
}

func TestUnusableKeyFiles(t *testing.T) {
	folder := t.TempDir()
	good := filepath.Join(folder, "good")
	if _, err := findings.CreateKey(good); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(good)
	for name, content := range map[string]string{
		"empty": "", "short": string(text[:40]), "another": "age-key 1234", "long": string(text) + "00", "not hex": strings.Repeat("z", len(text)),
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := findings.LoadKey(path)
		if !errors.Is(err, findings.ErrKeyFile) {
			t.Errorf("%s: %v", name, err)
		} else if len(content) > 20 && strings.Contains(err.Error(), content[15:]) {
			t.Errorf("%s: the error tells what the file holds: %v", name, err)
		}
	}
	if _, err := findings.LoadKey(folder); !errors.Is(err, findings.ErrKeyFile) {
		t.Errorf("a folder: %v", err)
	}
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes to check")
	}
	if err := os.Chmod(good, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := findings.LoadKey(good); !errors.Is(err, findings.ErrKeyFile) || !strings.Contains(err.Error(), "0640") {
		t.Errorf("readable by others: %v", err)
	}
}

func TestKeyNeverPrints(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	k, err := findings.CreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	secret := strings.Fields(string(text))[1]
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v"} {
		fmt.Fprintf(&out, verb+"\n", k)
		fmt.Fprintf(&out, verb+"\n", struct{ Key findings.Key }{k})
		fmt.Fprintf(&out, verb+"\n", &k)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("start", "key", k)
	slog.New(slog.NewTextHandler(&out, nil)).Info("start", "key", k, "config", struct{ Key findings.Key }{k})
	if err := json.NewEncoder(&out).Encode(map[string]any{"key": k}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.ToLower(out.String()), secret[:8]) || !strings.Contains(out.String(), "•••") {
		t.Errorf("the key is told:\n%s", out.String())
	}
}

func TestSubkeysAndIDs(t *testing.T) {
	a, b := findings.NewKey(), findings.NewKey()
	if a == b || a.IsZero() || !(findings.Key{}).IsZero() {
		t.Fatal("keys are not random")
	}
	if bytes.Equal(a.Subkey("x"), a.Subkey("y")) || bytes.Equal(a.Subkey("x"), b.Subkey("x")) || len(a.Subkey("x")) != 32 {
		t.Error("subkeys are not their own")
	}
	if !bytes.Equal(a.Subkey("x"), a.Subkey("x")) || a.ID() == b.ID() || len(a.ID()) != 16 {
		t.Error("subkeys and ids are not stable")
	}
	key := a.Subkey("ids")
	same := findings.NewID(key, "s", "item", "rule")
	if same != findings.NewID(key, "s", "item", "rule") {
		t.Error("the same finding has two ids")
	}
	for _, other := range []findings.ID{
		findings.NewID(b.Subkey("ids"), "s", "item", "rule"), findings.NewID(key, "t", "item", "rule"),
		findings.NewID(key, "s", "items", "rule"), findings.NewID(key, "s", "item", "rule2"), findings.NewID(key, "sitem", "", "rule"), findings.NewID(key, "s", "itemrule", ""),
	} {
		if other == same {
			t.Error("two findings have the same id")
		}
	}
}
