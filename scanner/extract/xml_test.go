package extract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// outline shows what XML finds; texts that follow each other are joined.
func outline(r io.Reader, limits Limits) (string, error) {
	var out strings.Builder
	err := EachXML(r, limits, func(x *XML, kind XMLKind) error {
		switch kind {
		case XMLStart:
			fmt.Fprintf(&out, "<%s:%s", x.Prefix, x.Name)
			x.Attrs(func(name, value string) { fmt.Fprintf(&out, " %s=%q", name, value) })
			out.WriteString(">")
		case XMLEnd:
			fmt.Fprintf(&out, "</%s:%s>", x.Prefix, x.Name)
		case XMLText:
			out.Write(x.Text())
		}
		return nil
	})
	return out.String(), err
}

func TestXML(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{`<a><w:b x:c="1" d='2>3'/>t&amp;u&#229;&#xE4;</a>`, `<:a><w:b c="1" d="2>3"></w:b>t&uåä</:a>`},
		{`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;<!-- <b> --><![CDATA[<c> & ]] ]]></a>`, `<:a>&x;<c> & ]] </:a>`},
		{"\xEF\xBB\xBF<a  b = \"&lt;å\"  >ö</a >", `<:a b="<å">ö</:a>`},
		{`<a><p>1<br>2</p></a>`, `<:a><:p>1<:br>2</:p></:a>`},
		{`<a><?php echo "<x>" ?>z</a>`, `<:a>z</:a>`},
		{`<a>` + strings.Repeat("åäö &amp; ", 5000) + `</a>`, `<:a>` + strings.Repeat("åäö & ", 5000) + `</:a>`},
		{`<a>x &nosuch; &#xD800; &amp</a>`, `<:a>x &nosuch; &#xD800; &amp</:a>`},
	} {
		whole, err := outline(strings.NewReader(test.in), DefaultLimits())
		if whole != test.want && !errors.Is(err, ErrDamaged) {
			t.Errorf("%.80s: got %.200s, %v", test.in, whole, err)
		}
		bytewise, _ := outline(iotest.OneByteReader(strings.NewReader(test.in)), DefaultLimits())
		if bytewise != whole {
			t.Errorf("%.80s: byte by byte %.200s", test.in, bytewise)
		}
	}
}

func TestXMLEncodings(t *testing.T) {
	const text = `<a b="Åsa">Göran Öberg, 850709-2388</a>`
	want, err := outline(strings.NewReader(text), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	latin, _ := charmap.ISO8859_1.NewEncoder().String(`<?xml version="1.0" encoding="ISO-8859-1"?>` + text)
	little, _ := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String(text)
	big, _ := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)
	for name, in := range map[string]string{"ISO-8859-1": latin, "UTF-16LE": little, "UTF-16BE with mark": big} {
		if got, err := outline(strings.NewReader(in), DefaultLimits()); got != want || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

func TestXMLObeysLimits(t *testing.T) {
	limits := DefaultLimits()
	limits.XML, limits.Token = 10, 1000
	for name, in := range map[string]string{
		"depth": strings.Repeat("<a>", 11),
		"token": "<a " + strings.Repeat("x", 100_000) + ">",
		"quote": `<a x="` + strings.Repeat(">", 100_000),
	} {
		if _, err := outline(strings.NewReader(in), limits); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v, want ErrLimit", name, err)
		}
	}
}

func TestXMLNamesWhatIsCutOff(t *testing.T) {
	const in = `<a><b c="d">text</b><!-- comment --><![CDATA[x]]></a>`
	for i := 1; i < len(in); i++ {
		if _, err := outline(strings.NewReader(in[:i]), DefaultLimits()); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", in[:i], err)
		}
	}
	broken := errors.New("broken")
	if _, err := outline(io.MultiReader(strings.NewReader("<a>"), iotest.ErrReader(broken)), DefaultLimits()); !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(`<?xml version="1.0" encoding="windows-1252"?><a b='c'><![CDATA[d]]>&amp;<!-- e --><f/></a>`))
	f.Add([]byte("\xFF\xFE<\x00a\x00>\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		limits := DefaultLimits()
		limits.Token = 1 << 10
		whole, err := outline(bytes.NewReader(in), limits)
		bytewise, err2 := outline(iotest.OneByteReader(bytes.NewReader(in)), limits)
		if (err == nil) != (err2 == nil) || err == nil && whole != bytewise {
			t.Errorf("read at once %q, %v; byte by byte %q, %v", whole, err, bytewise, err2)
		}
	})
}

func BenchmarkXML(b *testing.B) {
	var in bytes.Buffer
	in.WriteString("<sheetData>")
	for range 10_000 {
		in.WriteString(`<row r="1"><c r="A1" s="3" t="s"><v>1234</v></c><c r="B1"><v>850709</v></c></row>`)
	}
	in.WriteString("</sheetData>")
	b.SetBytes(int64(in.Len()))
	for b.Loop() {
		err := EachXML(bytes.NewReader(in.Bytes()), DefaultLimits(), func(x *XML, kind XMLKind) error {
			if kind == XMLStart && x.Name == "c" {
				x.AttrBytes("r")
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
