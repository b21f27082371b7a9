package sdk

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/graph"
	"github.com/molnvakt/molnvakt/sources/graph/graphtest"
)

// The twenty published cases of what a client of Microsoft Graph meets, each
// against the simulated tenant.

func TestCase01TokensAreRefreshedEarly(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{TokenLife: 2 * time.Second, PageSize: 1, Latency: 20 * time.Millisecond})
	for i := range 150 {
		drive.Put(fmt.Sprintf("%03d.txt", i), []byte("x"))
	}
	r := newRegister()
	r.crawl(t, open(t, tenant))
	r.want(t, drive)
	for _, q := range tenant.Requests() {
		if q.Status == http.StatusUnauthorized {
			t.Errorf("a request was sent with a token that had ended: %s", q.Path)
		}
	}
	if n := tenant.SignIns(); n < 2 || n > 6 {
		t.Errorf("%d sign-ins in some 3 s with tokens of 2 s", n)
	}
}

func TestCase02ClaimsChallengeIsAnsweredOnce(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{})
	drive.Put("a.txt", []byte("a"))
	src := open(t, tenant)
	newRegister().crawl(t, src)
	tenant.Challenge(`{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}`)
	tenant.ForgetRequests()
	r := newRegister()
	r.crawl(t, src)
	r.want(t, drive)
	refused := 0
	for _, q := range tenant.Requests() {
		if q.Status == http.StatusUnauthorized {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d requests refused, want 1", refused)
	}
}

func TestCase02UnanswerableChallengeEnds(t *testing.T) {
	tenant, _ := oneDrive(t, graphtest.Options{})
	src := open(t, tenant)
	tenant.Inject(graphtest.Fault{Match: graphtest.Path("/v1.0/"), Before: graphtest.Status(401, `{"error":{"code":"InvalidAuthenticationToken","message":"no"}}`)})
	err := src.Scopes(t.Context(), func(sources.Scope) error { return nil })
	if !errors.Is(err, sources.ErrRefused) {
		t.Errorf("got %v, want ErrRefused", err)
	}
	if n := len(tenant.Requests()); n > 6 {
		t.Errorf("%d requests, want one retry", n)
	}
}

func TestCase03IDsAreEscapedAndLinksOpaque(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{PageSize: 3})
	team := tenant.AddTeam("Familjerätt")
	team.AddChannel("Ärenden @ 1:a", "private", drive)
	for i := range 40 {
		drive.Put(fmt.Sprintf("mapp %d/%03d.txt", i%7, i), []byte("x"))
	}
	r := newRegister()
	r.crawl(t, open(t, tenant, func(c *graph.Config) { c.Teams = true }))
	r.want(t, drive)
	spellings := map[string]bool{}
	for _, q := range tenant.Requests() {
		for _, s := range []string{"root/delta?token=", "root/delta(token='", "root/microsoft.graph.delta(token='", "items/root/delta()?token=", "/delta(token="} {
			if strings.Contains(q.Path, s) {
				spellings[s] = true
			}
		}
		if q.Status >= 400 {
			t.Errorf("%d: %s", q.Status, q.Path)
		}
	}
	if len(spellings) != 5 {
		t.Errorf("followed %v, want all five spellings", spellings)
	}
}

func TestCase04GzipRequestBodies(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{})
	drive.Put("a.txt", []byte("a"))
	src := open(t, tenant)
	scopes(t, src)
	// The client never sends a body to Graph; the server's side is checked raw.
	for _, q := range tenant.Requests() {
		if q.Method != http.MethodGet && !strings.Contains(q.Path, "/token") {
			t.Errorf("%s %s", q.Method, q.Path)
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(`{"name":"b.txt"}`))
	z.Close()
	for body, want := range map[string]int{packed.String(): http.StatusForbidden, `{"name":"b.txt"}`: http.StatusBadRequest} {
		if got := raw(t, tenant, http.MethodPatch, "/drives/"+drive.ID+"/items/"+drive.Find("a.txt").ID, body, "Content-Encoding", "gzip"); got != want {
			t.Errorf("status %d, want %d", got, want)
		}
	}
}

// raw sends one signed-in request past the client and returns the status.
func raw(t *testing.T, tenant *graphtest.Tenant, method, path, body string, header ...string) int {
	t.Helper()
	status, _, _ := rawAnswer(t, tenant, method, path, body, header...)
	return status
}

func rawAnswer(t *testing.T, tenant *graphtest.Tenant, method, path, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	config, err := tenant.Config(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	config = config.Defaults()
	base, err := config.BaseTransport()
	if err != nil {
		t.Fatal(err)
	}
	defer base.CloseIdleConnections()
	tokens, err := signIn(config, base)
	if err != nil {
		t.Fatal(err)
	}
	token, err := tokens.token(t.Context(), "", false)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, tenant.BaseURL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := base.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

func TestCase05ForeignLinksAreRefused(t *testing.T) {
	for name, foreign := range map[string]string{
		"another host": "https://elsewhere.example", "no TLS": "http://", "user part": "https://graph.microsoft.com@",
	} {
		t.Run(name, func(t *testing.T) {
			tenant, drive := oneDrive(t, graphtest.Options{PageSize: 2})
			for i := range 10 {
				drive.Put(fmt.Sprint(i), nil)
			}
			host := strings.TrimSuffix(strings.TrimPrefix(tenant.BaseURL, "https://"), "/v1.0")
			to := foreign
			if name != "another host" {
				to += host
			}
			tenant.Inject(graphtest.Fault{Match: graphtest.Path("delta"), After: graphtest.Replace("https://"+host, to)})
			src := open(t, tenant)
			pages := 0
			err := src.Changes(t.Context(), scopes(t, src)[0], "", func(sources.Page) error { pages++; return nil })
			if err == nil || pages != 0 {
				t.Errorf("got %v after %d pages, want an error before any", err, pages)
			}
		})
	}
}

func TestCase06FailuresNameTheRequest(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{})
	item := drive.Put("a.txt", []byte("a"))
	src := open(t, tenant)
	r := newRegister()
	r.crawl(t, src)
	drive.Remove("a.txt")
	_, err := src.Open(t.Context(), sources.Item{ID: sources.ItemID(drive.ID + "/" + item.ID)})
	if !errors.Is(err, sources.ErrGone) || !strings.Contains(err.Error(), "request-id ") {
		t.Errorf("got %v, want ErrGone with the request-id", err)
	}
	if strings.Contains(err.Error(), "https://") {
		t.Errorf("the error holds an address: %v", err)
	}
}

func TestCase07UserAgentOnEveryCall(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{})
	drive.Put("a.txt", []byte("a"))
	src := open(t, tenant)
	r := newRegister()
	r.crawl(t, src)
	for _, item := range r.items {
		read(t, src, item)
	}
	for _, q := range tenant.Requests() {
		if q.UserAgent != "NONISV|Kommunen|Molnvakt/1.2.3" {
			t.Errorf("%s %s came from %q", q.Host, q.Path, q.UserAgent)
		}
	}
}

func TestCase08BrokenAnswersAreAskedForAgain(t *testing.T) {
	for name, f := range map[string]graphtest.Fault{
		"reset":           {Before: graphtest.Reset},
		"truncated":       {After: graphtest.Truncate},
		"broken off":      {After: graphtest.BreakOff},
		"false gzip":      {After: graphtest.FalseGzip},
		"hidden gzip":     {After: graphtest.HiddenGzip},
		"gzip":            {After: graphtest.Gzip},
		"server error":    {Before: graphtest.Status(500, "<html>oops</html>", "Content-Type", "text/html")},
		"bad gateway":     {Before: graphtest.Status(502, "")},
		"portal page":     {Before: graphtest.Status(200, "<html>sign in to the Wi-Fi</html>", "Content-Type", "text/html")},
		"empty":           {Before: graphtest.Status(200, "")},
		"error in a 200":  {Before: graphtest.Status(200, `{"error":{"code":"generalException"}}`)},
		"an object alone": {Before: graphtest.Status(200, `{}`), Times: 1},
		"value is null":   {Before: graphtest.Status(200, `{"value":null}`), Times: 1},
		"no link":         {After: graphtest.Replace("@odata.", "@nodata."), Times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			tenant, drive := oneDrive(t, graphtest.Options{PageSize: 10})
			for i := range 60 {
				drive.Put(fmt.Sprintf("%d/%03d", i%5, i), []byte("x"))
			}
			f.Match = graphtest.Path("delta")
			f.Skip = 2
			if f.Times == 0 {
				f.Times = 3
			}
			struck := tenant.Inject(f)
			r := newRegister()
			r.crawl(t, open(t, tenant))
			r.want(t, drive)
			if n := tenant.Struck(struck); n != f.Times {
				t.Errorf("the fault struck %d times, want %d", n, f.Times)
			}
		})
	}
}

func TestCase09EverySiteGeoAndDriveOnce(t *testing.T) {
	tenant := start(t, graphtest.Options{PageSize: 2})
	root := tenant.AddSite(graphtest.SiteSpec{Title: "Kommunen", Path: "", Geo: "EUR"})
	want := map[string]string{} // path of a scope → region
	for _, name := range []string{"Socialförvaltningen", "Skolan", "Miljö"} {
		s := tenant.AddSite(graphtest.SiteSpec{Title: name})
		s.AddDrive(graphtest.DriveSpec{Name: "Dokument"})
		s.AddDrive(graphtest.DriveSpec{Name: "Arkiv"})
		s.AddDrive(graphtest.DriveSpec{Name: "Preservation Hold Library", Hidden: true})
		want[name+"/Dokument"], want[name+"/Arkiv"] = "EUR", "EUR"
	}
	root.AddDrive(graphtest.DriveSpec{Name: "Dokument"})
	want["Kommunen/Dokument"] = "EUR"
	abroad := tenant.AddSite(graphtest.SiteSpec{Title: "Vänorten", Geo: "NAM"})
	abroad.AddDrive(graphtest.DriveSpec{Name: "Dokument"})
	want["Vänorten/Dokument"] = "NAM"
	// Two sites of the same name have different paths.
	for _, p := range []string{"sites/p1", "sites/p2"} {
		tenant.AddSite(graphtest.SiteSpec{Title: "Projekt", Path: p}).AddDrive(graphtest.DriveSpec{Name: "Dokument"})
		want["Projekt ("+strings.ReplaceAll(p, "/", "∕")+")/Dokument"] = "EUR"
	}
	tenant.AddUser("Anna Andersson", "anna@kommun.example", "")
	want["Anna Andersson/OneDrive"] = ""
	secret := tenant.AddSite(graphtest.SiteSpec{Title: "Team-Hemligt"})
	team := tenant.AddTeam("Team")
	team.AddChannel("Allmänt", "standard", nil)
	team.AddChannel("Hemligt", "private", secret.AddDrive(graphtest.DriveSpec{Name: "Dokument"}))
	team.AddChannel("Tomt", "shared", nil)
	want["Team ∕ Hemligt/Dokument"] = "EUR"

	got := map[string]string{}
	for _, s := range scopes(t, open(t, tenant, func(c *graph.Config) { c.Teams = true })) {
		if _, twice := got[s.Path]; twice || s.Reason != nil {
			t.Errorf("%s: twice %v, reason %v", s.Path, twice, s.Reason)
		}
		got[s.Path] = s.Region
	}
	for path, region := range want {
		if r, ok := got[path]; !ok || region != "" && r != region {
			t.Errorf("%s: found %v in %q, want %q", path, ok, r, region)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d drives, want %d: %v", len(got), len(want), got)
	}
	if n := len(scopes(t, open(t, tenant, func(c *graph.Config) { c.HiddenDrives = true }))); n != len(want)+3 {
		t.Errorf("%d drives with hidden ones, want %d", n, len(want)+3)
	}
}

func TestCase10UserWithoutOneDriveIsAskedOnce(t *testing.T) {
	tenant := start(t, graphtest.Options{})
	tenant.AddUser("Anna", "anna@kommun.example", "")
	tenant.AddUser("Bo", "bo@kommun.example", "User's mysite not found.")
	tenant.AddUser("Eva", "eva@kommun.example", "Tenant does not have a SPO license.")
	src := open(t, tenant)
	for range 2 {
		if all := scopes(t, src); len(all) != 1 || all[0].Reason != nil {
			t.Errorf("scopes %+v, want Anna's alone", all)
		}
	}
	asked := map[int]int{} // by status
	for _, q := range tenant.Requests() {
		if strings.Contains(q.Path, "/users/") {
			asked[q.Status]++
		}
	}
	if asked[http.StatusNotFound] != 2 || asked[http.StatusOK] != 0 {
		t.Errorf("asked %v, want each of the two without OneDrive once, and Anna, whose site was listed, never", asked)
	}
}

func TestCase11PagesOfAnySize(t *testing.T) {
	for _, size := range []int{1, 2, 7, 1000} {
		tenant, drive := oneDrive(t, graphtest.Options{PageSize: size})
		for i := range 30 {
			drive.Put(fmt.Sprintf("%d/%02d", i%3, i), nil)
		}
		src := open(t, tenant)
		r := newRegister()
		r.crawl(t, src)
		r.want(t, drive)
		before := r.changes
		r.crawl(t, src) // nothing changed
		if r.changes != before {
			t.Errorf("page size %d: a round without changes reports %d", size, r.changes-before)
		}
	}
}

func TestCase12FolderRenames(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{PageSize: 10})
	for i := range 50 {
		drive.Put(fmt.Sprintf("a/b%d/c/%03d.txt", i%4, i), []byte(fmt.Sprint(i)))
	}
	drive.PutFile("a/utan hash.txt", graphtest.File{Content: []byte("x"), NoHash: true})
	drive.PutFile("a/utan ctag.txt", graphtest.File{Content: []byte("x"), NoHash: true, NoCTag: true})
	r := newRegister()
	r.crawl(t, open(t, tenant))
	r.want(t, drive)
	versions := map[sources.ItemID]string{}
	for id, i := range r.items {
		versions[id] = i.Version
	}

	drive.Rename("a/b1", "a/omdöpt")
	drive.Rename("a/b2/c", "flyttad")
	drive.Remove("a/b3/c/003.txt")
	tenant.ForgetRequests()
	r.crawl(t, open(t, tenant)) // only the cursor is known
	r.want(t, drive)
	for id, i := range r.items {
		if versions[id] != i.Version {
			t.Errorf("%s: the version changed by a rename", i.Path)
		}
	}
	if r.full != 1 {
		t.Errorf("%d full crawls, want 1", r.full)
	}

	drive.Rename("a", "allt")
	drive.Rename("allt/omdöpt/c", "allt/omdöpt/d")
	r.crawl(t, open(t, tenant))
	r.want(t, drive)
}

func TestCase12DeletedAndRestoredFolders(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{PageSize: 10})
	for i := range 30 {
		drive.Put(fmt.Sprintf("m%d/djup/%02d", i%3, i), []byte("x"))
	}
	r := newRegister()
	r.crawl(t, open(t, tenant))
	drive.Remove("m0")
	r.crawl(t, open(t, tenant))
	r.want(t, drive)
	if r.full != 1 {
		t.Errorf("%d full crawls; the deletion was reported item by item", r.full)
	}
	folder := drive.Find("m1")
	drive.RemoveFolderOnly("m1") // what lay in it is not reported
	r.crawl(t, open(t, tenant))
	r.want(t, drive)
	drive.Restore(folder) // nor is it when it comes back
	r.crawl(t, open(t, tenant))
	r.want(t, drive)
}

func TestCase13PackagesPointersAndSizes(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{})
	drive.PutFile("Anteckningar", graphtest.File{Package: true})
	drive.PutFile("genväg", graphtest.File{Pointer: true})
	drive.PutFile("virus.exe", graphtest.File{Malware: true})
	drive.Put("tom.txt", nil)
	const huge = 100 << 30
	drive.PutFile("film.mp4", graphtest.File{Size: huge, Hash: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", Reader: func(int64) io.Reader { return zeros{} }})
	src := open(t, tenant)
	r := newRegister()
	r.crawl(t, src)
	const at = "Socialförvaltningen/Dokument/"
	if !errors.Is(r.gaps[at+"Anteckningar"], sources.ErrUnsupported) || !errors.Is(r.gaps[at+"virus.exe"], sources.ErrMalware) || len(r.gaps) != 2 {
		t.Errorf("gaps %v", r.gaps)
	}
	items := r.byPath()
	if len(items) != 2 || items[at+"film.mp4"].Size != huge {
		t.Errorf("items %v", items)
	}
	if text, err := read(t, src, items[at+"tom.txt"]); err != nil || len(text) != 0 {
		t.Errorf("the empty file: %d bytes, %v", len(text), err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestCase13RefusedForMalware(t *testing.T) {
	for _, how := range []string{"403 html", "400 empty", "virus header"} {
		tenant, drive := oneDrive(t, graphtest.Options{})
		drive.PutFile("x.doc", graphtest.File{Content: []byte("x"), Refuse: how})
		src := open(t, tenant)
		r := newRegister()
		r.crawl(t, src)
		tenant.ForgetRequests()
		for _, item := range r.items {
			if _, err := read(t, src, item); !errors.Is(err, sources.ErrMalware) {
				t.Errorf("%s: %v, want ErrMalware", how, err)
			}
		}
		if n := len(tenant.Requests()); n != 1 {
			t.Errorf("%s: %d requests, want 1: it is not asked for again", how, n)
		}
	}
}

func TestCase14ExpiredLinks(t *testing.T) {
	for _, location := range []bool{false, true} {
		tenant, drive := oneDrive(t, graphtest.Options{PageSize: 5})
		for i := range 30 {
			drive.Put(fmt.Sprintf("%02d", i), []byte("x"))
		}
		src := open(t, tenant)
		r := newRegister()
		r.crawl(t, src)
		drive.Remove("07")
		drive.ExpireCursors(location)
		r.crawl(t, src)
		r.want(t, drive)
		if r.full != 2 {
			t.Errorf("%d full crawls, want 2", r.full)
		}
		// In the middle of a full crawl as well.
		r = newRegister()
		scope := scopes(t, src)[0]
		r.scopes[scope.ID] = scope
		pages := 0
		err := src.Changes(t.Context(), scope, "", func(p sources.Page) error {
			if pages++; pages == 3 {
				drive.ExpireCursors(location)
			}
			return nil
		})
		if !errors.Is(err, sources.ErrCursorExpired) {
			t.Errorf("got %v, want ErrCursorExpired", err)
		}
	}
}

func TestCase16ContentInBoundedMemory(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{})
	const size = 300 << 20
	drive.PutFile("stor.bin", graphtest.File{Size: size, Reader: func(int64) io.Reader { return zeros{} }, NoHash: true})
	src := open(t, tenant)
	r := newRegister()
	r.crawl(t, src)
	for _, item := range r.items {
		body, err := src.Open(t.Context(), item)
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n, err := io.Copy(io.Discard, body)
		body.Close()
		if n != size || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 64<<20 {
			t.Errorf("the heap grew by %d MB", grown>>20)
		}
	}
	for _, q := range tenant.Requests() {
		if q.Content && q.SignedIn {
			t.Error("the token was sent to the content host")
		}
	}
}

func TestCase17NoRequestInsideAPause(t *testing.T) {
	for name, retryAfter := range map[string]func() string{
		"seconds":  func() string { return "1" },
		"fraction": func() string { return "0.9" },
		"date":     func() string { return time.Now().UTC().Add(1 * time.Second).Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			tenant, drive := oneDrive(t, graphtest.Options{PageSize: 20})
			for i := range 60 {
				drive.Put(fmt.Sprintf("%03d", i), []byte("x"))
			}
			src := open(t, tenant)
			r := newRegister()
			r.crawl(t, src)
			pause := 900 * time.Millisecond
			if name == "date" {
				pause = 0 // cut to whole seconds
			}
			tenant.Inject(graphtest.Fault{Match: graphtest.Path("/content"), Skip: 10, Times: 1, Before: tenant.Throttle(retryAfter(), pause)})
			done := make(chan error)
			for _, item := range r.items {
				go func() { _, err := read(t, src, item); done <- err }()
			}
			for range r.items {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			if late := tenant.InsidePause(); len(late) > 0 {
				t.Errorf("%d requests inside the pause", len(late))
			}
			if s := src.Spent(); s.Throttled != 1 || s.Requests == 0 || s.Units == 0 {
				t.Errorf("spent %+v", s)
			}
		})
	}
}

func TestCase17LedgerIsNeverOverdrawn(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{PageSize: 50, UnitLimit: 1250})
	for i := range 1300 {
		drive.Put(fmt.Sprintf("%04d", i), []byte("x"))
	}
	src := open(t, tenant, func(c *graph.Config) { c.Licences = 500 })
	r := newRegister()
	r.crawl(t, src)
	start := time.Now()
	n := 0
	for _, item := range r.items {
		if _, err := read(t, src, item); err != nil {
			t.Fatal(err)
		}
		if n++; time.Since(start) > 3*time.Second {
			break
		}
	}
	spent := src.Spent()
	if spent.Throttled != 0 {
		t.Errorf("refused %d times", spent.Throttled)
	}
	if int(spent.Units) != tenant.Units() {
		t.Errorf("the client counts %d units, the tenant %d", spent.Units, tenant.Units())
	}
	if n < 200 || n > 330 {
		t.Errorf("%d downloads in 3 s: not 200 at once and then some 13 a second", n)
	}
}

func TestCase18Exposure(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{})
	item := drive.Put("plan.docx", []byte("x"))
	link := func(scope string, more graphtest.Permission) graphtest.Permission {
		p := graphtest.Permission{"id": scope, "roles": []string{"read"}, "link": map[string]any{"type": "view", "scope": scope}, "expirationDateTime": "0001-01-01T00:00:00Z"}
		for k, v := range more {
			p[k] = v
		}
		return p
	}
	person := func(name, login string) map[string]any {
		return map[string]any{"user": map[string]any{"displayName": name}, "siteUser": map[string]any{"displayName": name, "loginName": login}}
	}
	item.Share(
		link("anonymous", graphtest.Permission{"hasPassword": true, "expirationDateTime": "2026-12-31T00:00:00Z"}),
		link("organization", nil),
		link("users", graphtest.Permission{"grantedToIdentitiesV2": []any{person("Gäst", "i:0#.f|membership|gast_example.com#ext#@kommun.onmicrosoft.com")}}),
		link("existingAccess", nil),
		graphtest.Permission{"id": "g", "roles": []string{"owner"}, "grantedToV2": map[string]any{"siteGroup": map[string]any{"displayName": "Ägare"}}, "inheritedFrom": map[string]any{}},
		graphtest.Permission{"id": "u", "roles": []string{"write"}, "grantedToV2": person("Anna", "i:0#.f|membership|anna@kommun.example")},
		graphtest.Permission{"id": "i", "roles": []string{"read"}, "invitation": map[string]any{"email": "bo@utanfor.example"}},
	)
	src := open(t, tenant)
	got, err := src.Exposure(t.Context(), sources.Item{ID: sources.ItemID(drive.ID + "/" + item.ID)})
	if err != nil {
		t.Fatal(err)
	}
	var says []string
	for _, g := range got.Grants {
		says = append(says, fmt.Sprintf("%s %s %v link=%v inherited=%v password=%v expires=%d", g.To, g.Name, g.Roles, g.Link, g.Inherited, g.Password, g.Expires.Year()))
	}
	want := []string{
		"anonymous  [read] link=true inherited=false password=true expires=2026",
		"organisation  [read] link=true inherited=false password=false expires=1",
		"guest Gäst [read] link=true inherited=false password=false expires=1",
		"group Ägare [owner] link=false inherited=true password=false expires=1",
		"user Anna [write] link=false inherited=false password=false expires=1",
		"guest bo@utanfor.example [read] link=false inherited=false password=false expires=1",
	}
	if !slices.Equal(says, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(says, "\n"), strings.Join(want, "\n"))
	}
	if got.Widest() != sources.Anonymous || len(got.Unseen) == 0 {
		t.Errorf("widest %s, unseen %v", got.Widest(), got.Unseen)
	}
}

func TestCase18SharingChangesAreReported(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		tenant, drive := oneDrive(t, graphtest.Options{PageSize: 5, NoSharing: refuses})
		for i := range 20 {
			drive.Put(fmt.Sprintf("m%d/%02d", i%2, i), []byte("x"))
		}
		r := newRegister()
		r.crawl(t, open(t, tenant))
		clear(r.sharing)
		drive.Find("m1").Share(graphtest.Permission{"id": "a", "link": map[string]any{"scope": "anonymous"}})
		r.crawl(t, open(t, tenant))
		r.want(t, drive)
		if want := 10; !refuses && len(r.sharing) != want {
			t.Errorf("sharing changed for %d documents, want the %d in the folder", len(r.sharing), want)
		}
	}
}

// TestCase19ChangesAsTheServiceLetsThem shows the tenant that remediation
// meets. The crawler changes nothing, see case 20.
func TestCase19ChangesAsTheServiceLetsThem(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{Roles: []string{"Files.ReadWrite.All"}})
	folder := drive.Mkdir("Karantän")
	at := func(i *graphtest.Item) string { return "/drives/" + drive.ID + "/items/" + i.ID }
	expect := func(what string, want int, method, path, body string, header ...string) {
		t.Helper()
		if got := raw(t, tenant, method, path, body, header...); got != want {
			t.Errorf("%s: status %d, want %d", what, got, want)
		}
	}
	move := `{"parentReference":{"id":"` + folder.ID + `"}}`

	a := drive.Put("a.txt", []byte("a"))
	expect("stale", http.StatusPreconditionFailed, http.MethodPatch, at(a), move, "If-Match", `"{old},1"`)
	expect("move", http.StatusOK, http.MethodPatch, at(a), move)
	if drive.Find("Karantän/a.txt") != a {
		t.Error("the file was not moved")
	}
	expect("delete", http.StatusNoContent, http.MethodDelete, at(a), "")
	expect("deleted", http.StatusNotFound, http.MethodDelete, at(a), "")
	expect("locked", http.StatusLocked, http.MethodDelete, at(drive.PutFile("låst.docx", graphtest.File{Locked: true})), "")
	expect("retained", http.StatusForbidden, http.MethodDelete, at(drive.PutFile("sparas.docx", graphtest.File{Retained: true})), "")

	b := drive.Put("b.txt", []byte("b"))
	b.Share(graphtest.Permission{"id": "own", "link": map[string]any{"scope": "anonymous"}}, graphtest.Permission{"id": "above", "inheritedFrom": map[string]any{}})
	expect("inherited", http.StatusForbidden, http.MethodDelete, at(b)+"/permissions/above", "")
	expect("revoke", http.StatusNoContent, http.MethodDelete, at(b)+"/permissions/own", "")
	if n := len(b.Grants()); n != 1 {
		t.Errorf("%d permissions left, want 1", n)
	}

	status, header, _ := rawAnswer(t, tenant, http.MethodPost, at(b)+"/copy", `{"parentReference":{"driveId":"`+drive.ID+`","id":"`+folder.ID+`"}}`)
	if status != http.StatusAccepted {
		t.Fatalf("copy: status %d", status)
	}
	config, err := tenant.Config(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	plain := &http.Client{Transport: mustBase(t, config)}
	for n := 1; ; n++ {
		resp, err := plain.Get(header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if strings.Contains(string(text), `"completed"`) {
			if n < 2 {
				t.Error("the copy was complete at once")
			}
			break
		}
		if n > 5 {
			t.Fatalf("the copy does not end: %s", text)
		}
	}
	if drive.Find("Karantän/b.txt") == nil {
		t.Error("the copy is missing")
	}
}

func TestCase20ReadOnlyRoleMayNotWrite(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{})
	item := drive.Put("a.txt", []byte("a"))
	path := "/drives/" + drive.ID + "/items/" + item.ID
	for method, p := range map[string]string{http.MethodDelete: path, http.MethodPatch: path, http.MethodPost: path + "/copy", http.MethodPut: path + "/content"} {
		if got := raw(t, tenant, method, p, "{}"); got != http.StatusForbidden {
			t.Errorf("%s: status %d, want 403", method, got)
		}
	}
	// The client asks for nothing but reading.
	src := open(t, tenant)
	r := newRegister()
	r.crawl(t, src)
	for _, item := range r.items {
		read(t, src, item)
		src.Exposure(t.Context(), item)
	}
	tenant.ForgetRequests()
	src.Check(t.Context())
	for _, q := range tenant.Requests() {
		if q.Method != http.MethodGet {
			t.Errorf("%s %s", q.Method, q.Path)
		}
	}
}
