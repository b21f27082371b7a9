package demodata

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/richardlehane/mscfb"

	"github.com/molnvakt/molnvakt/policy"
)

func generate(t *testing.T, seed uint64, n int) []Document {
	t.Helper()
	documents, err := Generate(seed, n)
	if err != nil {
		t.Fatal(err)
	}
	return documents
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	a, b, c := generate(t, 1, 200), generate(t, 1, 150), generate(t, 2, 150)
	same := 0
	for i := range b {
		if a[i].Path != b[i].Path || !bytes.Equal(a[i].Content, b[i].Content) || !a[i].Modified.Equal(b[i].Modified) {
			t.Fatalf("document %d differs: %s and %s", i, a[i].Path, b[i].Path)
		}
		if bytes.Equal(b[i].Content, c[i].Content) {
			same++
		}
	}
	if same > len(b)/4 {
		t.Errorf("another seed gives %d equal documents of %d", same, len(b))
	}
}

func TestEverythingOccurs(t *testing.T) {
	templates, err := readTemplates()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	taken := map[string]bool{}
	sensitive, misplaced, server := 0, 0, 0
	documents := generate(t, 1, 400)
	for _, d := range documents {
		seen["template "+d.Truth.Template]++
		seen["ending "+filepath.Ext(d.Path)]++
		seen["outcome "+d.Truth.Outcome]++
		seen["gap "+d.Truth.Gap]++
		seen["sharing "+string(d.Sharing)]++
		if d.Truth.Sensitive() {
			sensitive++
		}
		if d.Truth.Misplaced() {
			misplaced++
		}
		if !d.Place.Tenant() {
			server++
		}
		where := d.Place.Site + "/" + d.Place.Drive + "/" + strings.ToLower(d.Path)
		if taken[where] {
			t.Errorf("two documents at %s", where)
		}
		taken[where] = true
		if len(d.Content) == 0 || d.Modified.After(today) || d.Owner.First == "" {
			t.Errorf("%s: %d bytes, modified %s, owner %q", where, len(d.Content), d.Modified, d.Owner.Name())
		}
		if strings.ContainsAny(d.Path, "[]{}~:\\") {
			t.Errorf("the path %q was not filled in", d.Path)
		}
	}
	for _, tmpl := range templates {
		if seen["template "+tmpl.name] == 0 {
			t.Errorf("the template %s does not occur", tmpl.name)
		}
	}
	for _, want := range strings.Fields("ending.txt ending.csv ending.html ending.eml ending.docx ending.xlsx ending.pptx ending.odt ending.ods ending.rtf ending.pdf ending.zip ending.png ending.dwg ending.msg ending.json ending.gz") {
		if seen["ending "+strings.TrimPrefix(want, "ending")] == 0 {
			t.Errorf("no %s", want)
		}
	}
	for _, want := range []string{"outcome allowed", "outcome conditional", "outcome forbidden", "gap encrypted", "gap damaged", "gap unsupported", "sharing anonymous", "sharing guest", "sharing organisation"} {
		if seen[want] == 0 {
			t.Errorf("no %s", want)
		}
	}
	t.Logf("%d documents: %d sensitive, %d misplaced, %d on the file server", len(documents), sensitive, misplaced, server)
	if sensitive < 120 || sensitive > 240 || server < 20 || misplaced == sensitive {
		t.Errorf("%d sensitive, %d misplaced, %d on the server of 400", sensitive, misplaced, server)
	}
}

// A compound file is read by a reader that is not ours.
func TestCompound(t *testing.T) {
	text := strings.Repeat("Hej på dig. ", 900)
	for _, body := range []string{"kort", text} {
		content := message(sheet{Name: "Hej", Blocks: []block{{Text: body}}})
		reader, err := mscfb.New(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for e, err := reader.Next(); err == nil; e, err = reader.Next() {
			all, err := io.ReadAll(e)
			if err != nil {
				t.Fatalf("%s: %v", e.Name, err)
			}
			got[e.Name] = len(all)
		}
		if want := 2 * len([]rune(body+"\r\n")); got["__substg1.0_1000001F"] != want || len(got) != 7 {
			t.Errorf("streams %v, want a body of %d bytes", got, want)
		}
	}
}

// Every number is on Skatteverket's list, which is kept apart: the numbers'
// own check digit is tested here, the list where the numbers were taken from.
func TestNumbers(t *testing.T) {
	known := map[string]bool{}
	for _, number := range strings.Fields(numbers) {
		known[number] = true
		sum := 0
		for i, c := range number[2:11] {
			d := int(c-'0') * (2 - i%2)
			sum += d/10 + d%10
		}
		if (10-sum%10)%10 != int(number[11]-'0') {
			t.Errorf("%s: wrong check digit", number)
		}
	}
	if len(known) < 800 {
		t.Errorf("%d numbers", len(known))
	}
}

func TestPolicyFitsThePlaces(t *testing.T) {
	text, err := Policy()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := policy.Parse("policy.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if rules.Organisation() != Municipality {
		t.Errorf("organisation %q", rules.Organisation())
	}
	heads := map[string]string{}
	for _, c := range rules.Controllers() {
		heads[c.ID] = c.Name
	}
	for _, p := range Places() {
		at := policy.Place{Source: "x", Service: p.Service, Site: p.Site, Path: p.Site + "/" + p.Drive + "/a.docx"}
		who := rules.Responsible(at)
		if who.Controller != heads[p.Controller] || who.Head == "" || !strings.HasSuffix(who.Mail, "@bjorkfors.example") {
			t.Errorf("%s: %+v, want %s", p.Key, who, heads[p.Controller])
		}
	}
	for _, d := range rules.Decisions() {
		if d.Until.Before(today) != (d.Controllers[0] == "bun") || time.Now().Before(d.From) {
			t.Errorf("decision %s until %s", d.Reference, d.Until)
		}
	}
}

// MOLNVAKT_DEMO_DIR=folder writes the documents there, to look at.
func TestWriteOut(t *testing.T) {
	dir := os.Getenv("MOLNVAKT_DEMO_DIR")
	if dir == "" {
		t.Skip("MOLNVAKT_DEMO_DIR names no folder to write to")
	}
	for _, d := range generate(t, 1, 400) {
		name := filepath.Join(dir, d.Place.Service, d.Place.Site, d.Place.Drive, d.Path)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, d.Content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkGenerate4000(b *testing.B) {
	for b.Loop() {
		if _, err := Generate(1, 4000); err != nil {
			b.Fatal(err)
		}
	}
}
