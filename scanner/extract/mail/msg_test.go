package mail

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
)

// The two examples of [MS-OXRTFCP], chapter 3: text that refers back to the
// dictionary, and text that refers to itself while it is written.
func TestUnpackRTF(t *testing.T) {
	for _, c := range []struct{ packed, want string }{
		{
			"\x2d\x00\x00\x00\x2b\x00\x00\x00\x4c\x5a\x46\x75\xf1\xc5\xc7\xa7\x03\x00\x0a\x00\x72\x63\x70\x67\x31\x32\x35\x42\x32\x0a\xf3\x20\x68\x65\x6c\x09\x00\x20\x62\x77\x05\xb0\x6c\x64\x7d\x0a\x80\x0f\xa0",
			"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n",
		},
		{
			"\x1a\x00\x00\x00\x1c\x00\x00\x00\x4c\x5a\x46\x75\xe2\xd4\x4b\x51\x41\x00\x04\x20\x57\x58\x59\x5a\x0d\x6e\x7d\x01\x0e\xb0",
			"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}",
		},
	} {
		got, err := unpackRTF([]byte(c.packed), 1<<20)
		if string(got) != c.want || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if _, err := unpackRTF([]byte("kort"), 100); err == nil || strings.Contains(err.Error(), "kort") {
		t.Errorf("got %v", err)
	}
}

// Lines longer than any buffer decode as if they were whole.
func TestTransferOfLongLines(t *testing.T) {
	want := bytes.Repeat([]byte("åäö = 19850709-2388 "), 20_000)
	var quoted bytes.Buffer
	w := quotedprintable.NewWriter(&quoted)
	if _, err := w.Write(want); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	oneLine := strings.ReplaceAll(quoted.String(), "=\r\n", "")
	for name, r := range map[string]io.Reader{
		"quoted-printable":              newQuotedPrintable(strings.NewReader(quoted.String())),
		"quoted-printable on one line":  newQuotedPrintable(strings.NewReader(oneLine)),
		"quoted-printable, one byte on": newQuotedPrintable(strings.NewReader("x" + oneLine)),
		"base64 on one line":            newBase64(strings.NewReader(base64.StdEncoding.EncodeToString(want))),
	} {
		got, err := io.ReadAll(r)
		if got = bytes.TrimPrefix(got, []byte("x")); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(want), err)
		}
	}
}
