package sdk

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/molnvakt/molnvakt/sources"
	"github.com/molnvakt/molnvakt/sources/graph"
	"github.com/molnvakt/molnvakt/sources/graph/graphtest"
)

// page changes the pages of delta rounds on their way.
func page(change func(body map[string]any)) func(http.ResponseWriter, int, http.Header, []byte) {
	return func(w http.ResponseWriter, status int, h http.Header, body []byte) {
		var m map[string]any
		if status == http.StatusOK && json.Unmarshal(body, &m) == nil {
			change(m)
			body, _ = json.Marshal(m)
		}
		w.WriteHeader(status)
		w.Write(body)
	}
}

func items(m map[string]any) []any { all, _ := m["value"].([]any); return all }

// TestOddPages shows pages that are odd and still say everything.
func TestOddPages(t *testing.T) {
	var earlier []any
	for name, change := range map[string]func(map[string]any){
		"shuffled": func(m map[string]any) {
			rand.Shuffle(len(items(m)), func(i, j int) { items(m)[i], items(m)[j] = items(m)[j], items(m)[i] })
		},
		"reversed": func(m map[string]any) { slices.Reverse(items(m)) },
		"repeated": func(m map[string]any) { m["value"] = append(items(m), items(m)...) },
		"earlier": func(m map[string]any) {
			now := items(m)
			m["value"] = append(slices.Clone(earlier), now...)
			earlier = now
		},
		"more": func(m map[string]any) { m["@odata.unknown"] = map[string]any{"value": []any{}}; m["zzz"] = "}" },
		"no facets": func(m map[string]any) {
			for _, i := range items(m) {
				delete(i.(map[string]any), "file")
			}
		},
		"no parent driveId": func(m map[string]any) {
			for _, i := range items(m) {
				delete(i.(map[string]any)["parentReference"].(map[string]any), "driveId")
			}
		},
		"no childCount": func(m map[string]any) {
			for _, i := range items(m) {
				if f, ok := i.(map[string]any)["folder"].(map[string]any); ok {
					delete(f, "childCount")
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			earlier = nil
			tenant, drive := oneDrive(t, graphtest.Options{PageSize: 9})
			for i := range 60 {
				drive.Put(fmt.Sprintf("m%d/d%d/%03d", i%3, i%5, i), []byte("x"))
			}
			tenant.Inject(graphtest.Fault{Match: graphtest.Path("delta"), After: page(change)})
			r := newRegister()
			r.crawl(t, open(t, tenant))
			r.want(t, drive)
			drive.Put("m1/ny", []byte("y"))
			drive.Rename("m2", "m3")
			drive.Remove("m0/d0/000")
			r.crawl(t, open(t, tenant))
			r.want(t, drive)
		})
	}
}

// TestChildrenBeforeParents has a service list a drive from its end.
func TestChildrenBeforeParents(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{PageSize: 10})
	for i := range 50 {
		drive.Put(fmt.Sprintf("sist/%03d", i), []byte("x"))
		drive.Mkdir(fmt.Sprintf("m%d", i))
	}
	for i := range 50 { // now lie in folders that are listed after them
		drive.Rename(fmt.Sprintf("sist/%03d", i), fmt.Sprintf("m%d/%03d", 49-i, i))
	}
	src := open(t, tenant)
	r := newRegister()
	tenant.ForgetRequests()
	r.crawl(t, src)
	r.want(t, drive)
	if n := len(tenant.Requests()); n > 80 {
		t.Errorf("%d requests for 11 pages", n)
	}
}

func TestEmptyPagesAreFollowed(t *testing.T) {
	tenant, drive := oneDrive(t, graphtest.Options{PageSize: 5})
	for i := range 40 {
		drive.Put(fmt.Sprintf("%02d", i), []byte("x"))
	}
	// Every link first leads to an empty page that leads on to the same place.
	tenant.Inject(graphtest.Fault{
		Match: func(r *http.Request) bool {
			return strings.Contains(r.URL.RequestURI(), "token=") && !strings.Contains(r.URL.RequestURI(), "again")
		},
		Before: func(w http.ResponseWriter, r *http.Request) {
			u := r.URL.RequestURI()
			sep := "?"
			if strings.Contains(u, "?") {
				sep = "&"
			}
			fmt.Fprintf(w, `{"value":[],"@odata.nextLink":"https://%s%s%sagain=1"}`, r.Host, u, sep)
		},
	})
	r := newRegister()
	r.crawl(t, open(t, tenant))
	r.want(t, drive)
}

// TestUntrustedListingsEnd shows listings that cannot be believed.
func TestUntrustedListingsEnd(t *testing.T) {
	serial := 0
	for name, fault := range map[string]graphtest.Fault{
		"a circle": {After: page(func(m map[string]any) {
			if next, ok := m["@odata.nextLink"].(string); ok && strings.Contains(next, ".6") {
				m["@odata.nextLink"] = strings.Replace(next, ".6", ".3", 1)
			}
		}), Skip: 0},
		"the same page for ever": {Match: graphtest.Path("token="), After: page(func(m map[string]any) {
			delete(m, "@odata.deltaLink")
			m["@odata.nextLink"] = "https://HOST/v1.0/drives/x/root/delta?token=same"
		})},
		"empty pages for ever": {Before: func(w http.ResponseWriter, r *http.Request) {
			serial++
			fmt.Fprintf(w, `{"value":[],"@odata.nextLink":"https://%s/v1.0/drives/x/root/delta?token=%d"}`, r.Host, serial)
		}},
		"no links":       {After: page(func(m map[string]any) { delete(m, "@odata.deltaLink"); delete(m, "@odata.nextLink") })},
		"no value":       {After: page(func(m map[string]any) { delete(m, "value") })},
		"value is wrong": {After: page(func(m map[string]any) { m["value"] = "x" })},
		"no ids":         {After: page(func(m map[string]any) { delete(items(m)[0].(map[string]any), "id") })},
		"link is a path": {After: page(func(m map[string]any) { m["@odata.nextLink"] = "/v1.0/x" })},
		"folders in each other": {After: page(func(m map[string]any) {
			for _, i := range items(m) {
				i := i.(map[string]any)
				if i["folder"] != nil && i["root"] == nil {
					i["parentReference"] = map[string]any{"id": i["id"]}
				}
			}
		})},
		"always broken": {After: graphtest.Truncate},
	} {
		t.Run(name, func(t *testing.T) {
			tenant, drive := oneDrive(t, graphtest.Options{PageSize: 3})
			for i := range 20 {
				drive.Put(fmt.Sprintf("m/%02d", i), []byte("x"))
			}
			src := open(t, tenant)
			scope := scopes(t, src)[0]
			if name == "the same page for ever" {
				host := strings.TrimSuffix(strings.TrimPrefix(tenant.BaseURL, "https://"), "/v1.0")
				fault.After = page(func(m map[string]any) {
					delete(m, "@odata.deltaLink")
					m["@odata.nextLink"] = "https://" + host + "/v1.0/drives/" + drive.ID + "/root/delta?token=f.0.0.21.3"
				})
			}
			if fault.Match == nil {
				fault.Match = graphtest.Path("delta")
			}
			tenant.Inject(fault)
			err := src.Changes(t.Context(), scope, "", func(sources.Page) error { return nil })
			if !errors.Is(err, sources.ErrUnavailable) {
				t.Errorf("got %v, want ErrUnavailable", err)
			}
		})
	}
}

// TestLinksExpireAtAnyMoment expires links between any two pages, with 410 and
// with the other answers that were seen.
func TestLinksExpireAtAnyMoment(t *testing.T) {
	for name, how := range map[string]http.HandlerFunc{
		"410":           graphtest.Status(410, `{"error":{"code":"resyncRequired","message":"Resync required."}}`),
		"410, empty":    graphtest.Status(410, ""),
		"410, location": graphtest.Status(410, `{"error":{"code":"resyncChangesApplyDifferences"}}`, "Location", "https://elsewhere.example/delta"),
		"400":           graphtest.Status(400, `{"error":{"code":"invalidRequest","innererror":{"code":"invalidToken"}}}`),
		"resync as 409": graphtest.Status(409, `{"error":{"code":"resyncRequired"}}`),
	} {
		for skip := range 4 {
			tenant, drive := oneDrive(t, graphtest.Options{PageSize: 5})
			for i := range 20 {
				drive.Put(fmt.Sprintf("%02d", i), []byte("x"))
			}
			times := 1
			if name == "400" {
				times = 2 // it is asked again without a preference first
			}
			tenant.Inject(graphtest.Fault{Match: graphtest.Path("token="), Skip: skip, Times: times, Before: how})
			r := newRegister()
			src := open(t, tenant)
			r.crawl(t, src)
			r.crawl(t, src)
			r.want(t, drive)
			if r.full != 2 {
				t.Errorf("%s at link %d: %d full crawls, want 2", name, skip, r.full)
			}
		}
	}
}

func TestCircuitOpensForTheWholeTenant(t *testing.T) {
	tenant, _ := oneDrive(t, graphtest.Options{})
	src := open(t, tenant)
	scope := scopes(t, src)[0]
	tenant.ForgetRequests()
	tenant.Inject(graphtest.Fault{Match: graphtest.Path("/v1.0"), Before: graphtest.Status(503, "busy")})
	for range 3 {
		err := src.Changes(t.Context(), scope, "", func(sources.Page) error { return nil })
		if !errors.Is(err, sources.ErrRefused) {
			t.Errorf("got %v, want ErrRefused", err)
		}
	}
	if n := len(tenant.Requests()); n > 12 {
		t.Errorf("%d requests to a service that refuses them all", n)
	}
}

func TestAbsurdRetryAfterIsNotSatOut(t *testing.T) {
	for _, delay := range []string{"999999999999999999999", "86400", time.Now().AddDate(1, 0, 0).UTC().Format(http.TimeFormat)} {
		tenant, _ := oneDrive(t, graphtest.Options{})
		src := open(t, tenant)
		tenant.Inject(graphtest.Fault{Match: graphtest.Path("/v1.0"), Before: graphtest.Status(429, "", "Retry-After", delay)})
		err := src.Scopes(t.Context(), func(sources.Scope) error { return nil })
		if !errors.Is(err, sources.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", delay, err)
		}
	}
}

func TestSelectedSitesAlone(t *testing.T) {
	tenant := start(t, graphtest.Options{Roles: []string{"Sites.Selected"}})
	for _, name := range []string{"soc", "skola", "miljo"} {
		tenant.AddSite(graphtest.SiteSpec{Title: name}).AddDrive(graphtest.DriveSpec{Name: "Dokument"})
	}
	all := scopes(t, open(t, tenant, func(c *graph.Config) {
		c.Sites = []string{"https://kommun.sharepoint.com/sites/soc", "kommun.sharepoint.com/sites/skola/", "https://kommun.sharepoint.com/sites/finns-inte"}
	}))
	got := map[string]bool{}
	for _, s := range all {
		got[s.Path] = s.Reason == nil
	}
	want := map[string]bool{"soc/Dokument": true, "skola/Dokument": true, "https:∕∕kommun.sharepoint.com∕sites∕finns-inte": false}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestIncludeAndExclude(t *testing.T) {
	tenant := start(t, graphtest.Options{})
	for _, name := range []string{"Socialtjänst", "Skola", "Test"} {
		s := tenant.AddSite(graphtest.SiteSpec{Title: name})
		for _, d := range []string{"Dokument", "Mallar"} {
			drive := s.AddDrive(graphtest.DriveSpec{Name: d})
			drive.Put("Arkiv/a.txt", []byte("x"))
			drive.Put("b.txt", []byte("x"))
			drive.PutFile("c.txt", graphtest.File{Content: []byte("x"), Owner: "robot@kommun.example"})
		}
	}
	tenant.AddUser("Anna", "anna@kommun.example", "").Put("x.txt", nil)
	no := false
	src := open(t, tenant, func(c *graph.Config) {
		c.Personal = &no
		c.Include.Sites = []string{"s*"}
		c.Exclude = graph.Filter{Sites: []string{"*/sites/skola"}, Drives: []string{"mallar"}, Paths: []string{"arkiv/*"}, Owners: []string{"robot@*"}}
	})
	r := newRegister()
	r.crawl(t, src)
	got := slices.Sorted(maps.Keys(r.byPath()))
	if want := []string{"Socialtjänst/Dokument/b.txt"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// A document that is moved to where nothing is looked at is gone.
	for _, d := range tenant.Drives() {
		if d.Find("b.txt") != nil {
			d.Rename("b.txt", "Arkiv/b.txt")
		}
	}
	r.crawl(t, src)
	if len(r.items) != 0 {
		t.Errorf("left: %v", r.byPath())
	}
}

func TestWhatCannotBeListedIsAGap(t *testing.T) {
	tenant := start(t, graphtest.Options{Roles: []string{"Sites.Read.All", "Files.Read.All"}}) // no users, no teams
	tenant.AddSite(graphtest.SiteSpec{Title: "Öppen"}).AddDrive(graphtest.DriveSpec{Name: "Dokument"})
	closed := tenant.AddSite(graphtest.SiteSpec{Title: "Stängd"})
	closed.AddDrive(graphtest.DriveSpec{Name: "Dokument"})
	closed.Denied = true
	gaps := map[string]bool{}
	for _, s := range scopes(t, open(t, tenant, func(c *graph.Config) { c.Teams = true })) {
		if s.Reason != nil {
			gaps[s.Path] = errors.Is(s.Reason, sources.ErrDenied)
		}
	}
	if want := map[string]bool{"Stängd": true, "Teams": true, "OneDrive": true}; !maps.Equal(gaps, want) {
		t.Errorf("gaps %v, want %v", gaps, want)
	}
}

func TestOneDrivesThatOnlyUsersLeadTo(t *testing.T) {
	tenant := start(t, graphtest.Options{HidePersonal: true, PageSize: 2})
	for i := range 5 {
		tenant.AddUser(fmt.Sprint("Person ", i), fmt.Sprintf("p%d@kommun.example", i), "")
	}
	all := scopes(t, open(t, tenant))
	if len(all) != 5 || all[0].Reason != nil || !strings.HasSuffix(all[0].Path, "/OneDrive") {
		t.Errorf("scopes %+v", all)
	}
}

func TestChannelsOfUnwantedSitesStayUnwanted(t *testing.T) {
	tenant := start(t, graphtest.Options{})
	team := tenant.AddTeam("Team")
	team.AddChannel("Hemligt", "private", tenant.AddSite(graphtest.SiteSpec{Title: "Team-Hemligt"}).AddDrive(graphtest.DriveSpec{Name: "Dokument"}))
	no := false
	all := scopes(t, open(t, tenant, func(c *graph.Config) {
		c.Teams, c.Personal, c.Exclude.Sites = true, &no, []string{"Team-*"}
	}))
	if len(all) != 0 {
		t.Errorf("scopes %+v, want none", all)
	}
}

func TestARenamedSiteRenamesItsDocuments(t *testing.T) {
	tenant := start(t, graphtest.Options{})
	site := tenant.AddSite(graphtest.SiteSpec{Title: "Gammal"})
	drive := site.AddDrive(graphtest.DriveSpec{Name: "Dokument"})
	drive.Put("a/b.txt", []byte("x"))
	r := newRegister()
	r.crawl(t, open(t, tenant))
	site.Rename("Ny")
	r.crawl(t, open(t, tenant))
	if all := r.byPath(); len(all) != 1 || all["Ny/Dokument/a/b.txt"].ID == "" {
		t.Errorf("have %v", all)
	}
}
