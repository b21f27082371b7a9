package main

import "testing"

// TestNamesCannotSteerTheTerminal: names and documents come from strangers.
func TestNamesCannotSteerTheTerminal(t *testing.T) {
	for name, want := range map[string]string{
		"Åäö ☃ plan.txt":          "Åäö ☃ plan.txt",
		"rad\nbryt.txt":           "rad\ufffdbryt.txt",
		"\x1b[2Jborta.txt":        "\ufffd[2Jborta.txt",
		"faktura\u202efdp.exe":    "faktura\ufffdfdp.exe",
		"tv\u2028rader\u0085.txt": "tv\ufffdrader\ufffd.txt",
	} {
		if got := printable(name); got != want {
			t.Errorf("printable(%q) = %q, want %q", name, got, want)
		}
	}
	if got := harmless("rad\n\tindrag\x1b]0;titel\a"); got != "rad\n\tindrag\ufffd]0;titel\ufffd" {
		t.Errorf("harmless: %q", got)
	}
}
