package pdf

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

func TestTidy(t *testing.T) {
	for in, want := range map[string]string{
		"en rad\r\nen till":                    "en rad\nen till",
		"sjuk\u0002skriven":                    "sjukskriven",
		"sjuk\ufffe\r\nskriven":                "sjukskriven",
		"social\ufffeoch fritidsnämnden":       "social- och fritidsnämnden",
		"HVB\ufffehem":                         "HVB-hem",
		"Lars\ufffeErik":                       "Lars-Erik",
		"19670919\ufffe9530":                   "19670919-9530",
		"19670919-\r\n9530 bor":                "19670919-9530\nbor",
		"670919-\r\n9530":                      "670919-9530\n",
		"670919+\r\n9530":                      "670919+9530\n",
		"tel 0532-\r\n17 00 00":                "tel 0532-\n17 00 00",
		"sid 1234567-\r\n9530":                 "sid 1234567-\n9530",
		"Namn Nummer\r\nÅsa 19670919-9530\r\n": "Namn Nummer\nÅsa 19670919-9530\n",
		"mjukt\u00adbindestreck":               "mjuktbindestreck",
		"hårt\u00a0mellanslag":                 "hårt mellanslag",
		"styr\u0001tecken":                     "styrtecken",
		"nr 1 9 8 5 0 7 0 9 - 2 3 8 8 Åsa":     "nr 19850709-2388 Åsa",
		"8 5 0 7 0 9  2 3 8 8\r\nx":            "8507092388\nx",
		"8\u00a05\u00a00 7 0 9–2 3 8 8":        "850709-2388",
		"1 2 3 4 5 6 7 8 9 1 0 1 1":            "1 2 3 4 5 6 7 8 9 1 0 1 1", // no date
		"3 8 5 0 7 0 9 2 3 8 8 1":              "3 8 5 0 7 0 9 2 3 8 8 1",   // a longer row
	} {
		if got := tidy(in); got != want {
			t.Errorf("tidy(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestGarbled(t *testing.T) {
	for text, want := range map[string]bool{
		strings.Repeat("! \"# $%& '() ", 20):               true,
		strings.Repeat("Innehåll ........ 12\n", 20):       false,
		strings.Repeat("Ja! (Nej?) Vet ej: 1, 2, 3.\n", 9): false,
		"!!!": false,
	} {
		if got := garbled(text); got != want {
			t.Errorf("garbled(%.20q) = %v", text, got)
		}
	}
}

func TestDPI(t *testing.T) {
	for _, c := range []struct {
		width, height float64
		want          int
	}{{595, 842, 200}, {1191, 1684, 200}, {14400, 14400, 25}, {0, 0, 200}} {
		got := dpi(c.width, c.height)
		if got != c.want {
			t.Errorf("dpi(%v, %v) = %d, want %d", c.width, c.height, got, c.want)
		}
		if pixels := c.width / 72 * float64(got) * c.height / 72 * float64(got); pixels > renderPixels*1.01 {
			t.Errorf("%v × %v points at %d dpi are %v pixels", c.width, c.height, got, pixels)
		}
	}
}

func TestProtection(t *testing.T) {
	for dictionary, want := range map[string]error{
		"/Encrypt << /Filter /Standard /V 5 >>":             extract.ErrEncrypted,
		"/Encrypt << /Filter/Adobe.PubSec /V 4 >>":          extract.ErrCertificate,
		"/Encrypt << /Filter /MicrosoftIRMServices /V 1 >>": extract.ErrRights,
	} {
		for _, before := range []int{0, 1<<20 - 20, 3 << 20} {
			content := strings.Repeat(" ", before) + dictionary
			in := extract.Input{Size: int64(len(content)), ReaderAt: bytes.NewReader([]byte(content))}
			if err := protection(in); !errors.Is(err, want) {
				t.Errorf("%s after %d bytes: %v", dictionary, before, err)
			}
		}
	}
}
