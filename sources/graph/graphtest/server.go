package graphtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/molnvakt/molnvakt/sources/graph"
)

// Request is one request as the tenant met it.
type Request struct {
	At        time.Time
	Method    string
	Host      string
	Path      string // with query
	Status    int    // 0: broken off
	Units     int
	UserAgent string
	SignedIn  bool // carried an Authorization header
	Content   bool // to the content host
	Range     string
}

// serve starts the two hosts: Graph with the sign-in, and content.
func (t *Tenant) serve() error {
	cert, ca, err := certificate()
	if err != nil {
		return err
	}
	t.ca = ca
	api, err := t.listen(cert, "127.0.0.1", http.HandlerFunc(t.answer))
	if err != nil {
		return err
	}
	content, err := t.listen(cert, "localhost", http.HandlerFunc(t.answerContent))
	if err != nil {
		return err
	}
	t.BaseURL, t.Authority = "https://"+api+"/v1.0", "https://"+api+"/"
	t.ManagedIdentityURL = "https://" + api + "/msi/token"
	t.ContentHost = content
	return nil
}

func (t *Tenant) listen(cert tls.Certificate, host string, h http.Handler) (address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{
		Handler:   h,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}},
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		// A fault breaks connections off, which HTTP/2 would only do to streams.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	t.servers = append(t.servers, server)
	t.serving.Go(func() { server.ServeTLS(l, "", "") })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return net.JoinHostPort(host, port), nil
}

// Close stops the tenant and waits until it has stopped.
func (t *Tenant) Close() {
	for _, s := range t.servers {
		s.Close()
	}
	t.serving.Wait()
}

// certificate makes a certificate for this machine that is its own authority.
func certificate() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "graphtest"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost", "graph.microsoft.com", "login.microsoftonline.com"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// reply is an answer before it is sent.
type reply struct {
	status int
	header map[string]string
	body   []byte
}

func ok(body any) reply { return jsonReply(http.StatusOK, body) }

func jsonReply(status int, body any) reply {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return reply{status: status, body: text}
}

// refuse is a refusal as Graph words it.
func refuse(status int, code, message string) reply {
	return jsonReply(status, map[string]any{"error": map[string]any{
		"code": code, "message": message,
		"innerError": map[string]any{"date": time.Now().UTC().Format("2006-01-02T15:04:05"), "request-id": requestID(), "client-request-id": requestID()},
	}})
}

func requestID() string {
	var b [16]byte
	rand.Read(b[:])
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// answer serves Graph and the sign-in.
func (t *Tenant) answer(w http.ResponseWriter, r *http.Request) {
	entry := t.arrived(r, false)
	if t.options.Latency > 0 {
		time.Sleep(t.options.Latency)
	}
	w.Header().Set("request-id", requestID())
	if f := t.strikes(r, false); f != nil && f.Before != nil {
		f.Before(w, r)
		t.left(entry, -1, 0)
		return
	} else if f != nil && f.After != nil {
		w = &damaged{ResponseWriter: w, how: f.After}
		defer w.(*damaged).finish()
	}
	var a reply
	units := 0
	if strings.HasPrefix(r.URL.Path, "/v1.0/") {
		a, units = t.graph(r)
	} else {
		a = t.signIn(r)
	}
	t.left(entry, a.status, units)
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	if w.Header().Get("Content-Type") == "" && len(a.body) > 0 {
		w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
	}
	w.WriteHeader(a.status)
	w.Write(a.body)
}

// graph answers a request to Graph and says what it cost.
func (t *Tenant) graph(r *http.Request) (a reply, units int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if refusal := t.authorised(r); refusal != nil {
		return *refusal, 0
	}
	units = cost(r)
	limits, refusal := t.ledger.charge(units, t.options)
	if refusal != nil {
		return *refusal, units
	}
	a = t.route(r)
	if a.header == nil {
		a.header = map[string]string{}
	}
	for k, v := range limits {
		a.header[k] = v
	}
	return a, units
}

// route finds the answer to a request that may be answered.
func (t *Tenant) route(r *http.Request) reply {
	parts := strings.Split(strings.Trim(strings.TrimPrefix(r.URL.EscapedPath(), "/v1.0/"), "/"), "/")
	for i := range parts {
		parts[i], _ = url.PathUnescape(parts[i])
	}
	if r.Method != http.MethodGet {
		return t.change(r, parts)
	}
	switch parts[0] {
	case "sites":
		return t.routeSites(r, parts[1:])
	case "users":
		return t.routeUsers(r, parts[1:])
	case "teams":
		return t.routeTeams(r, parts[1:])
	case "drives":
		if len(parts) > 1 {
			if d := t.drives[parts[1]]; d != nil {
				return t.routeDrive(r, d, parts[2:])
			}
			return refuse(http.StatusNotFound, "itemNotFound", "The resource could not be found.")
		}
	}
	return refuse(http.StatusBadRequest, "BadRequest", "Resource not found for the segment '"+parts[0]+"'.")
}

func (t *Tenant) routeSites(r *http.Request, parts []string) reply {
	switch {
	case len(parts) == 0, len(parts) == 1 && slices.Contains([]string{"getAllSites", "getAllSites()", "oneDrive.getAllSites", "microsoft.graph.getAllSites()"}, parts[0]):
		if !t.granted("Sites.Read.All", "Sites.ReadWrite.All", "Sites.FullControl.All") {
			return denied()
		}
		all := []any{}
		for _, s := range t.sites {
			if !s.Personal || !t.options.HidePersonal {
				all = append(all, s.json(len(parts) == 1))
			}
		}
		return t.list(r, all, "/sites/oneDrive.getAllSites")
	case strings.HasSuffix(parts[0], ":"): // host:/path
		address := "https://" + strings.TrimSuffix(parts[0], ":") + "/" + strings.Join(parts[1:], "/")
		for _, s := range t.sites {
			if strings.EqualFold(s.WebURL, address) {
				return ok(s.json(false))
			}
		}
	default:
		for _, s := range t.sites {
			if s.ID != parts[0] && !strings.HasPrefix(s.ID, parts[0]+",") {
				continue
			}
			switch {
			case len(parts) == 1:
				return ok(s.json(false))
			case s.Denied:
				return denied()
			case parts[1] == "drives":
				return t.list(r, drivesJSON(r, s.drives), "")
			}
		}
	}
	return refuse(http.StatusNotFound, "itemNotFound", "Requested site could not be found")
}

func (s *Site) json(all bool) map[string]any {
	u, _ := url.Parse(s.WebURL)
	key, collection := "hostname", map[string]any{}
	if all {
		key = "hostName"
	}
	collection[key] = u.Host
	if s.Geo != "" {
		collection["dataLocationCode"] = s.Geo
	}
	return map[string]any{
		"id": s.ID, "name": strings.TrimPrefix(u.Path, "/sites/"), "displayName": s.Title, "webUrl": s.WebURL,
		"isPersonalSite": s.Personal, "siteCollection": collection, "createdDateTime": "2024-01-15T08:00:00Z", "root": map[string]any{},
	}
}

func drivesJSON(r *http.Request, drives []*Drive) (all []any) {
	for _, d := range drives {
		if d.Hidden && !strings.Contains(r.URL.Query().Get("$select"), "system") {
			continue
		}
		all = append(all, d.json())
	}
	return all
}

func (d *Drive) json() map[string]any {
	m := map[string]any{"id": d.ID, "name": d.Name, "driveType": "documentLibrary", "webUrl": d.WebURL}
	if d.Owner != "" {
		m["driveType"], m["owner"] = "business", map[string]any{"user": map[string]any{"displayName": d.Owner, "id": "x"}}
	}
	if d.Hidden {
		m["system"] = map[string]any{}
	}
	return m
}

func (t *Tenant) routeUsers(r *http.Request, parts []string) reply {
	if len(parts) == 0 {
		if !t.granted("User.Read.All", "Directory.Read.All") {
			return denied()
		}
		all := make([]any, len(t.users))
		for i, u := range t.users {
			all[i] = map[string]any{"id": u.id, "displayName": u.name, "userPrincipalName": u.mail}
		}
		return t.list(r, all, "")
	}
	for _, u := range t.users {
		if u.id != parts[0] || len(parts) < 2 {
			continue
		}
		if u.drive == nil {
			return refuse(http.StatusNotFound, "ResourceNotFound", u.refusal)
		}
		if parts[1] == "drives" {
			return t.list(r, []any{u.drive.json()}, "")
		}
		return ok(u.drive.json())
	}
	return refuse(http.StatusNotFound, "Request_ResourceNotFound", "Resource does not exist or one of its queried reference-property objects are not present.")
}

func (t *Tenant) routeTeams(r *http.Request, parts []string) reply {
	if !t.granted("Channel.ReadBasic.All", "ChannelSettings.Read.All") {
		return denied()
	}
	if len(parts) == 0 {
		all := make([]any, len(t.teams))
		for i, team := range t.teams {
			all[i] = map[string]any{"id": team.id, "displayName": team.name}
		}
		return t.list(r, all, "")
	}
	for _, team := range t.teams {
		if team.id != parts[0] || len(parts) < 2 {
			continue
		}
		if len(parts) == 2 {
			var all []any
			for _, c := range team.channels {
				all = append(all, map[string]any{"id": c.id, "displayName": c.name, "membershipType": c.kind})
			}
			return t.list(r, all, "")
		}
		for _, c := range team.channels {
			if c.id == parts[2] && c.drive != nil && len(parts) == 4 && parts[3] == "filesFolder" {
				return ok(map[string]any{
					"id": c.drive.root.ID, "name": c.name, "webUrl": c.drive.WebURL + "/" + c.name, "folder": map[string]any{"childCount": 0},
					"createdDateTime": "0001-01-01T00:00:00Z", "parentReference": map[string]any{"driveId": c.drive.ID, "driveType": "documentLibrary"},
				})
			}
		}
	}
	return refuse(http.StatusNotFound, "NotFound", "No such team, channel or folder.")
}

// list sends entries page by page.
func (t *Tenant) list(r *http.Request, all []any, nextPath string) reply {
	from, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Query().Get("$skiptoken"), "s!"))
	size := t.pageSize(r)
	to := min(from+size, len(all))
	page := map[string]any{"value": append([]any{}, all[min(from, to):to]...)}
	if to < len(all) {
		if nextPath == "" {
			nextPath = strings.TrimPrefix(r.URL.EscapedPath(), "/v1.0")
		}
		q := r.URL.Query()
		q.Set("$skiptoken", "s!"+strconv.Itoa(to))
		page["@odata.nextLink"] = t.BaseURL + nextPath + "?" + q.Encode()
	}
	return ok(page)
}

func (t *Tenant) pageSize(r *http.Request) int {
	size := t.options.PageSize
	if top, err := strconv.Atoi(r.URL.Query().Get("$top")); err == nil && top > 0 {
		size = min(size, top)
	}
	return size
}

func denied() reply {
	return refuse(http.StatusForbidden, "accessDenied", "Access denied")
}

func (t *Tenant) granted(any ...string) bool {
	return slices.ContainsFunc(any, func(role string) bool { return slices.Contains(t.options.Roles, role) })
}

// arrived writes a request into the log and returns its place there.
func (t *Tenant) arrived(r *http.Request, content bool) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	entry := Request{
		At: time.Now(), Method: r.Method, Host: r.Host, Path: r.URL.RequestURI(), UserAgent: r.UserAgent(),
		SignedIn: r.Header.Get("Authorization") != "", Content: content, Range: r.Header.Get("Range"),
	}
	if entry.At.After(t.pauseFrom) && entry.At.Before(t.pauseTo) {
		t.broken = append(t.broken, entry)
	}
	t.log = append(t.log, entry)
	return len(t.log) - 1
}

func (t *Tenant) left(entry, status, units int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if entry < len(t.log) {
		t.log[entry].Status, t.log[entry].Units = status, units
	}
}

// Requests returns what was asked so far.
func (t *Tenant) Requests() []Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.log)
}

// ForgetRequests empties the log.
func (t *Tenant) ForgetRequests() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log, t.broken, t.signIns = nil, nil, 0
}

// InsidePause returns the requests that came while the tenant had asked for a
// pause, but for its first tenth of a second: what came then can have been on
// its way.
func (t *Tenant) InsidePause() []Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.broken)
}

func quickXor(content []byte) string {
	h := graph.NewQuickXor()
	h.Write(content)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}
