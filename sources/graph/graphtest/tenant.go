// Package graphtest is a simulated Microsoft 365 tenant: a server over TLS
// that behaves like Microsoft Graph and like the sign-in before it, with
// sites, drives, delta rounds, downloads, throttling and the faults of a
// distributed service. Tests and `molnvakt demo` use it.
package graphtest

import (
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/molnvakt/molnvakt/sources/graph"
)

// Options say what a tenant is like. The zero value is a friendly one.
type Options struct {
	Host         string        // of its SharePoint; "kommun.sharepoint.com" if empty
	PageSize     int           // most entries on a page; 200 if zero
	TokenLife    time.Duration // one hour if zero
	Roles        []string      // granted; Sites.Read.All, Files.Read.All, Channel.ReadBasic.All, User.Read.All if nil
	UnitLimit    int           // resource units a minute; 0: no throttling
	RetryAfter   string        // of a 429; the seconds to the end of the minute if empty
	Latency      time.Duration // before every answer
	HidePersonal bool          // the list of sites holds no personal ones
	NoSharing    bool          // refuses to tell changes of sharing, as a tenant may
}

// Tenant is a running simulated tenant. All methods may be called while it is
// being crawled.
type Tenant struct {
	// What a client is configured with.
	BaseURL, Authority, TenantID, ClientID, Secret string
	// ContentHost serves the downloads; it refuses an Authorization header.
	ContentHost string
	// FederatedToken is what workload identity is known by.
	FederatedToken string
	// ManagedIdentityURL and ManagedIdentityHeader are what a managed identity
	// finds in IDENTITY_ENDPOINT and IDENTITY_HEADER.
	ManagedIdentityURL, ManagedIdentityHeader string

	options Options
	ca      []byte // PEM
	servers []*http.Server
	serving sync.WaitGroup

	mu       sync.Mutex
	sites    []*Site
	drives   map[string]*Drive
	users    []*user
	teams    []*Team
	tokens   map[string]time.Time
	certs    []*x509.Certificate
	faults   []*Fault
	log      []Request
	ledger   ledger
	serial   int
	spelling int // counts links, which are spelt in turn
	signIns  int
	claims   string // challenge that tokens issued before it do not meet
	content  map[string]contentGrant
	rounds   map[string][]*Item
	copies   map[string]int // monitors of copies → how often they were asked
	// A pause that was asked for.
	pauseFrom, pauseTo time.Time
	broken             []Request // came inside a pause
}

// New starts a tenant. Close stops it.
func New(options Options) (*Tenant, error) {
	if options.Host == "" {
		options.Host = "kommun.sharepoint.com"
	}
	if options.PageSize == 0 {
		options.PageSize = 200
	}
	if options.TokenLife == 0 {
		options.TokenLife = time.Hour
	}
	if options.Roles == nil {
		options.Roles = []string{"Sites.Read.All", "Files.Read.All", "Channel.ReadBasic.All", "User.Read.All"}
	}
	t := &Tenant{
		TenantID: "11111111-2222-3333-4444-555555555555", ClientID: "66666666-7777-8888-9999-000000000000",
		Secret: "simulated-secret", FederatedToken: "simulated.federated.token", ManagedIdentityHeader: "simulated-header",
		options: options, drives: map[string]*Drive{}, tokens: map[string]time.Time{},
		content: map[string]contentGrant{}, rounds: map[string][]*Item{},
		copies: map[string]int{},
	}
	return t, t.serve()
}

// Config returns the configuration of a client that signs in with the secret.
// Its certificate authority and secret are written to dir.
func (t *Tenant) Config(dir string) (graph.Config, error) {
	ca, secret := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "secret")
	if err := os.WriteFile(ca, t.ca, 0o600); err != nil {
		return graph.Config{}, err
	}
	if err := os.WriteFile(secret, []byte(t.Secret), 0o600); err != nil {
		return graph.Config{}, err
	}
	return graph.Config{
		TenantID: t.TenantID, ClientID: t.ClientID, Organisation: "Kommunen", Licences: 100_000,
		Auth: graph.Auth{Secret: graph.Secret{File: secret}}, BaseURL: t.BaseURL, Authority: t.Authority, CAFile: ca,
	}, nil
}

// Site is a site with its drives.
type Site struct {
	ID, Title, WebURL string
	Personal          bool
	Geo               string // data location code of its host's root site
	Denied            bool   // its drives may not be listed
	tenant            *Tenant
	drives            []*Drive
}

// SiteSpec says what a site is like.
type SiteSpec struct {
	Title    string
	Path     string // "sites/soc"; made from the title if empty
	Geo      string // "EUR", "NAM"; another one than the tenant's has a host of its own
	Personal bool
}

// AddSite adds a site without drives.
func (t *Tenant) AddSite(spec SiteSpec) *Site {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.addSite(spec)
}

func (t *Tenant) addSite(spec SiteSpec) *Site {
	host := t.options.Host
	if spec.Geo != "" && len(t.sites) > 0 && t.sites[0].Geo != spec.Geo {
		host = strings.Replace(host, ".", strings.ToLower(spec.Geo)+".", 1)
	}
	if spec.Personal {
		host = strings.Replace(host, ".", "-my.", 1)
	}
	if spec.Path == "" {
		spec.Path = "sites/" + slug(spec.Title)
	}
	t.serial++
	s := &Site{
		ID:    fmt.Sprintf("%s,%08x-1111-4111-8111-111111111111,%08x-2222-4222-8222-222222222222", host, t.serial, t.serial),
		Title: spec.Title, WebURL: "https://" + host + "/" + spec.Path, Personal: spec.Personal, Geo: spec.Geo, tenant: t,
	}
	t.sites = append(t.sites, s)
	return s
}

func slug(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r == 'å', r == 'ä':
			return 'a'
		case r == 'ö':
			return 'o'
		}
		return -1
	}, strings.ToLower(title))
}

// Rename gives the site another title.
func (s *Site) Rename(title string) {
	s.tenant.mu.Lock()
	defer s.tenant.mu.Unlock()
	s.Title = title
}

// DriveSpec says what a drive is like.
type DriveSpec struct {
	Name   string
	Owner  string
	Hidden bool // a system drive
}

// AddDrive adds an empty drive.
func (s *Site) AddDrive(spec DriveSpec) *Drive {
	s.tenant.mu.Lock()
	defer s.tenant.mu.Unlock()
	return s.addDrive(spec)
}

func (s *Site) addDrive(spec DriveSpec) *Drive {
	t := s.tenant
	t.serial++
	d := &Drive{
		ID: fmt.Sprintf("b!%08xKX-t_%08d", t.serial, t.serial), Name: spec.Name, Owner: spec.Owner, Hidden: spec.Hidden,
		WebURL: s.WebURL + "/" + spec.Name, tenant: t, byID: map[string]*Item{}, start: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC),
	}
	d.root = d.newItem(nil, "root")
	d.root.folder, d.root.children = true, map[string]*Item{}
	d.touch(d.root)
	s.drives = append(s.drives, d)
	t.drives[d.ID] = d
	return d
}

type user struct {
	id, name, mail string
	drive          *Drive // nil: no OneDrive
	refusal        string
}

// AddUser adds a user, with a OneDrive or, if refusal is not empty, with the
// text that the service answers instead ("User's mysite not found.").
func (t *Tenant) AddUser(name, mail, refusal string) *Drive {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.serial++
	u := &user{id: fmt.Sprintf("%08x-3333-4333-8333-333333333333", t.serial), name: name, mail: mail, refusal: refusal}
	t.users = append(t.users, u)
	if refusal != "" {
		return nil
	}
	site := t.addSite(SiteSpec{Title: name, Path: "personal/" + strings.NewReplacer("@", "_", ".", "_").Replace(mail), Personal: true})
	u.drive = site.addDrive(DriveSpec{Name: "OneDrive", Owner: name})
	return u.drive
}

// Team is a team with its channels.
type Team struct {
	id, name string
	tenant   *Tenant
	channels []channel
}

type channel struct {
	id, name, kind string
	drive          *Drive
}

// AddTeam adds a team.
func (t *Tenant) AddTeam(name string) *Team {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.serial++
	team := &Team{id: fmt.Sprintf("%08x-4444-4444-8444-444444444444", t.serial), name: name, tenant: t}
	t.teams = append(t.teams, team)
	return team
}

// AddChannel adds a channel (standard, private, shared) whose files lie in
// drive; nil: nobody has put a file in.
func (team *Team) AddChannel(name, kind string, drive *Drive) {
	team.tenant.mu.Lock()
	defer team.tenant.mu.Unlock()
	team.tenant.serial++
	team.channels = append(team.channels, channel{id: fmt.Sprintf("19:%08x@thread.tacv2", team.tenant.serial), name: name, kind: kind, drive: drive})
}

// Drive is a document library or OneDrive.
type Drive struct {
	ID, Name, Owner, WebURL string
	Hidden                  bool

	tenant *Tenant
	start  time.Time
	root   *Item
	order  []*Item // as enumerated; deleted ones stay
	byID   map[string]*Item
	seq    int     // counts changes
	log    []*Item // log[i] was changed by change i+1
	epoch  int     // cursors of an earlier one have expired
	resync bool    // 410 carries a Location
}

// Item is a file or folder of a drive.
type Item struct {
	ID, Name string

	drive    *Drive
	parent   *Item
	children map[string]*Item
	folder   bool
	deleted  bool
	seq      int // of its last change
	edits    int
	shared   int // seq of its last change of sharing
	file     File
	hash     string
	grants   []Permission
}

// File is what a file is like.
type File struct {
	Content []byte
	// Size and Reader, for content that is made on the way: Reader returns it
	// from an offset on.
	Size   int64
	Reader func(offset int64) io.Reader
	Hash   string // QuickXorHash; computed from Content if empty
	Owner  string // mail address of who changed it last
	// Modified is when; zero: a second later than the change before.
	Modified time.Time
	// What some answers lack, or have.
	NoHash, NoCTag bool
	Malware        bool   // facet; the download is refused
	Refuse         string // "403 html", "400 empty", "virus header": how a download is refused
	Package        bool   // a OneNote notebook
	Pointer        bool   // leads to another drive
	Locked         bool   // somebody writes in it: changes are refused with 423
	Retained       bool   // a retention label keeps it: it may not be deleted
	GrowsTo        []byte // content of the version that replaces this one in the middle of the first download
}

// Put creates or overwrites a file; folders are made as needed.
func (d *Drive) Put(path string, content []byte) *Item {
	return d.PutFile(path, File{Content: content})
}

// PutFile is Put for files that are special.
func (d *Drive) PutFile(path string, f File) *Item {
	d.tenant.mu.Lock()
	defer d.tenant.mu.Unlock()
	dir, name := filepath.Split(path)
	parent := d.mkdir(dir)
	i := parent.children[name]
	if i == nil {
		i = d.newItem(parent, name)
	}
	i.set(f)
	d.touch(i)
	return i
}

func (i *Item) set(f File) {
	if f.Reader == nil {
		f.Size = int64(len(f.Content))
	}
	i.file, i.hash = f, f.Hash
	if i.hash == "" && f.Reader == nil && !f.NoHash {
		i.hash = quickXor(f.Content)
	}
	i.edits++
}

// Mkdir makes a folder and those above it.
func (d *Drive) Mkdir(path string) *Item {
	d.tenant.mu.Lock()
	defer d.tenant.mu.Unlock()
	return d.mkdir(path)
}

func (d *Drive) mkdir(path string) *Item {
	at := d.root
	for _, name := range strings.Split(strings.Trim(path, "/"), "/") {
		if name == "" {
			continue
		}
		next := at.children[name]
		if next == nil {
			next = d.newItem(at, name)
			next.folder, next.children = true, map[string]*Item{}
			d.touch(next)
		}
		at = next
	}
	return at
}

func (d *Drive) newItem(parent *Item, name string) *Item {
	d.tenant.serial++
	i := &Item{ID: itemID(d.tenant.serial), Name: name, drive: d, parent: parent}
	if parent != nil {
		parent.children[name] = i
	}
	d.order = append(d.order, i)
	d.byID[i.ID] = i
	return i
}

// itemID looks as SharePoint's do: 34 characters.
func itemID(n int) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	id := []byte("01")
	x := uint64(n) * 0x9e3779b97f4a7c15
	for range 25 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		id = append(id, digits[x%32])
	}
	for range 7 {
		id = append(id, digits[n%32])
		n /= 32
	}
	return string(id)
}

func (d *Drive) touch(i *Item) {
	d.seq++
	i.seq = d.seq
	d.log = append(d.log, i)
}

// Find returns the item at a path; nil: none.
func (d *Drive) Find(path string) *Item {
	d.tenant.mu.Lock()
	defer d.tenant.mu.Unlock()
	return d.find(path)
}

func (d *Drive) find(path string) *Item {
	at := d.root
	for _, name := range strings.Split(strings.Trim(path, "/"), "/") {
		if at = at.children[name]; at == nil {
			return nil
		}
	}
	return at
}

// Rename renames or moves a file or folder; only it is reported as changed.
func (d *Drive) Rename(from, to string) {
	d.tenant.mu.Lock()
	defer d.tenant.mu.Unlock()
	i := d.find(from)
	if i == nil {
		panic("graphtest: there is no " + from)
	}
	dir, name := filepath.Split(to)
	parent := d.mkdir(dir)
	delete(i.parent.children, i.Name)
	i.Name, i.parent = name, parent
	parent.children[name] = i
	d.touch(i)
}

// Remove deletes a file, or a folder and everything in it.
func (d *Drive) Remove(path string) { d.remove(path, true) }

// RemoveFolderOnly deletes a folder with everything in it, and reports the
// folder alone.
func (d *Drive) RemoveFolderOnly(path string) { d.remove(path, false) }

func (d *Drive) remove(path string, report bool) {
	d.tenant.mu.Lock()
	defer d.tenant.mu.Unlock()
	i := d.find(path)
	if i == nil {
		panic("graphtest: there is no " + path)
	}
	delete(i.parent.children, i.Name)
	i.delete(report)
	if !report {
		d.touch(i)
	}
}

func (i *Item) delete(report bool) {
	for _, c := range i.children {
		c.delete(report)
	}
	i.deleted = true
	if report {
		i.drive.touch(i)
	}
}

// Restore brings a folder back as from a recycle bin, and reports it alone.
func (d *Drive) Restore(i *Item) {
	d.tenant.mu.Lock()
	defer d.tenant.mu.Unlock()
	i.undelete()
	i.parent.children[i.Name] = i
	d.touch(i)
}

func (i *Item) undelete() {
	i.deleted = false
	for _, c := range i.children {
		c.undelete()
	}
}

// Permission is one entry of an item's permissions, as JSON says it.
type Permission map[string]any

// Share sets who can reach an item, and reports it as changed in sharing.
func (i *Item) Share(grants ...Permission) {
	i.drive.tenant.mu.Lock()
	defer i.drive.tenant.mu.Unlock()
	i.grants = grants
	i.drive.touch(i)
	i.shared = i.seq
}

// ExpireCursors makes every link handed out so far answer 410. With location,
// the answer names a link to begin again with.
func (d *Drive) ExpireCursors(location bool) {
	d.tenant.mu.Lock()
	defer d.tenant.mu.Unlock()
	d.epoch++
	d.resync = location
}

// Drives returns all drives, in the order they were added.
func (t *Tenant) Drives() (all []*Drive) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.sites {
		all = append(all, s.drives...)
	}
	return all
}

// Files returns the path and current content of every file of the drive that
// can be read.
func (d *Drive) Files() map[string][]byte {
	d.tenant.mu.Lock()
	defer d.tenant.mu.Unlock()
	all := map[string][]byte{}
	for _, i := range d.order {
		if !i.deleted && !i.folder && !i.file.Package && !i.file.Pointer {
			all[i.path()] = i.file.Content
		}
	}
	return all
}

func (i *Item) path() string {
	var names []string
	for ; i.parent != nil; i = i.parent {
		names = append(names, i.Name)
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}
