package extract

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func zipped(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range names {
		part, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		for range 2000 {
			if _, err := part.Write([]byte{byte(random.IntN(64)), 'x'}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipInput(b []byte, limits Limits) Input {
	return Input{Size: int64(len(b)), ReaderAt: bytes.NewReader(b), Limits: limits}
}

func TestZipFindsParts(t *testing.T) {
	z, err := OpenZip(t.Context(), zipInput(zipped(t, "word/document.xml", `word\styles.xml`), DefaultLimits()))
	if err != nil || z.Salvaged || len(z.Parts) != 2 {
		t.Fatalf("%+v, %v", z, err)
	}
	for _, name := range []string{"word/document.xml", "/Word/Document.XML", "word/styles.xml"} {
		if z.Part(name) == nil {
			t.Errorf("no part %s", name)
		}
	}
	if z.Part("document.xml") != nil {
		t.Error("found a part that is not there")
	}
}

func TestZipWithoutDirectoryIsSalvaged(t *testing.T) {
	whole := zipped(t, "a.xml", "b.xml", "c.xml")
	cut := whole[:len(whole)*5/6]
	z, err := OpenZip(t.Context(), zipInput(cut, DefaultLimits()))
	if err != nil || !z.Salvaged || len(z.Parts) != 3 {
		t.Fatalf("%+v, %v", z, err)
	}
	for i, p := range z.Parts {
		r, err := p.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if i < 2 && (len(content) != 4000 || err != nil) {
			t.Errorf("%s: %d bytes, %v", p.Name, len(content), err)
		}
		if i == 2 && (len(content) == 0 || !errors.Is(err, ErrDamaged)) {
			t.Errorf("the part that is cut off gave %d bytes, %v", len(content), err)
		}
	}
}

func TestZipObeysLimits(t *testing.T) {
	b := zipped(t, "a", "b", "c")
	limits := DefaultLimits()
	limits.Entries = 2
	for name, content := range map[string][]byte{"directory": b, "salvage": b[:len(b)-30]} {
		if _, err := OpenZip(t.Context(), zipInput(content, limits)); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: entries: %v, want ErrLimit", name, err)
		}
	}
	limits = DefaultLimits()
	limits.Inflate = 5000 // of all parts together
	z, err := OpenZip(t.Context(), zipInput(b, limits))
	if err != nil {
		t.Fatal(err)
	}
	var last error
	for _, p := range z.Parts {
		r, err := p.Open()
		if err != nil {
			t.Fatal(err)
		}
		_, last = io.Copy(io.Discard, r)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if !errors.Is(last, ErrLimit) {
		t.Errorf("inflate: %v, want ErrLimit", last)
	}
}

func TestZipObeysCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	z, err := OpenZip(ctx, zipInput(zipped(t, "a"), DefaultLimits()))
	if err != nil {
		t.Fatal(err)
	}
	r, err := z.Parts[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cancel()
	if _, err := io.ReadAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestZipNamesWhatIsNone(t *testing.T) {
	for _, in := range []string{"", "PK\x03\x04", strings.Repeat("PK\x03\x04", 100), "text"} {
		if _, err := OpenZip(t.Context(), zipInput([]byte(in), DefaultLimits())); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v, want ErrDamaged", in, err)
		}
	}
}

func FuzzZip(f *testing.F) {
	f.Add(zipped(f, "a", "b"))
	f.Fuzz(func(t *testing.T, b []byte) {
		limits := DefaultLimits()
		limits.Inflate = 1 << 20
		z, err := OpenZip(t.Context(), zipInput(b, limits))
		if err != nil {
			return
		}
		for _, p := range z.Parts {
			r, err := p.Open()
			if err != nil {
				continue
			}
			_, err = io.Copy(io.Discard, r)
			_ = r.Close()
			if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrLimit) {
				t.Errorf("unnamed error %v", err)
			}
		}
	})
}
