package mail_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/scanner/extract"
	"github.com/molnvakt/molnvakt/scanner/extract/extracttest"
	"github.com/molnvakt/molnvakt/scanner/extract/mail"
)

func TestEML(t *testing.T) { extracttest.Run(t, mail.NewEML(), "testdata/eml") }

func FuzzEML(f *testing.F) { extracttest.Fuzz(f, mail.NewEML(), "testdata/eml") }

func TestMSG(t *testing.T) { extracttest.Run(t, mail.NewMSG(), "testdata/msg") }

func FuzzMSG(f *testing.F) { extracttest.Fuzz(f, mail.NewMSG(), "testdata/msg") }

func TestMbox(t *testing.T) { extracttest.Run(t, mail.NewMbox(), "testdata/mbox") }

func FuzzMbox(f *testing.F) { extracttest.Fuzz(f, mail.NewMbox(), "testdata/mbox") }

func TestCard(t *testing.T) { extracttest.Run(t, mail.NewCard(), "testdata/card") }

func FuzzCard(f *testing.F) { extracttest.Fuzz(f, mail.NewCard(), "testdata/card") }

func TestTNEF(t *testing.T) { extracttest.Run(t, mail.NewTNEF(), "testdata/tnef") }

func FuzzTNEF(f *testing.F) { extracttest.Fuzz(f, mail.NewTNEF(), "testdata/tnef") }

func TestRealMSG(t *testing.T) {
	for name, want := range map[string]string{
		"documents/cyrillic_message.msg":        "Свиридов Дмитрий Владимирович",
		"more/office/HTMLBodyBinary_CP1251.msg": "автоматически",
		"more/office/testMSG_StickyNote.msg":    "",
	} {
		r, err := read(t, mail.NewMSG(), filepath.Join(extracttest.Corpus(t), name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(r.String(), want) || len(r.Parts)+len(r.Files) == 0 {
			t.Errorf("%s reads:\n%s", name, r)
		}
	}
}

// Of an item that is cut off the rest is read, and the loss is named.
func TestCutOffMSG(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(extracttest.Corpus(t), "documents", "cyrillic_message.msg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, percent := range []int{50, 75, 90} {
		in := extracttest.Input("a.msg", content[:len(content)*percent/100])
		r, err := extracttest.Read(t.Context(), mail.NewMSG(), in)
		if !errors.Is(err, extract.ErrDamaged) || len(r.PlainText()) < 500 {
			t.Errorf("cut at %d %%: %d bytes of text, %v", percent, len(r.PlainText()), err)
		}
	}
}

// Mails made to hurt a parser end fast, with text or a gap.
func TestHostileMails(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(extracttest.Corpus(t), "hostile", "*.eml"))
	if len(files) < 3 {
		t.Fatalf("%d mails found", len(files))
	}
	for _, file := range files {
		start := time.Now()
		r, err := read(t, mail.NewEML(), file)
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s took %v", filepath.Base(file), took)
		}
		if err != nil && !extracttest.Named(err) {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
		if len(r.Parts)+len(r.Files)+len(r.Gaps) == 0 && err == nil {
			t.Errorf("%s: silence", filepath.Base(file))
		}
	}
}

func read(t testing.TB, e extract.Extractor, file string) (*extracttest.Recording, error) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	in := extracttest.Input(filepath.Base(file), content)
	if !e.Accepts(in.Name, in.MediaType) {
		t.Errorf("%s was sniffed as %s", in.Name, in.MediaType)
	}
	return extracttest.Read(t.Context(), e, in)
}

func BenchmarkEML(b *testing.B) {
	mail1 := "From: Åsa <asa@example.se>\r\nTo: b@example.se\r\nSubject: =?utf-8?q?=C3=85rende?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" +
		"--x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.Repeat("Hej =C3=85sa, personnummer 19850709-2388 g=C3=A4ller=\r\n fortfarande.\r\n", 2000) +
		"--x\r\nContent-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 20_000) + "--x--\r\n"
	extracttest.Bench(b, mail.NewEML(), extracttest.Input("a.eml", []byte(mail1)))
}

func BenchmarkMSG(b *testing.B) {
	content, err := os.ReadFile("testdata/msg/message/input.msg")
	if err != nil {
		b.Fatal(err)
	}
	extracttest.Bench(b, mail.NewMSG(), extracttest.Input("a.msg", content))
}
