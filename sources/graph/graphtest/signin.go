package graphtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// TrustCertificate registers a certificate that the application may sign in
// with.
func (t *Tenant) TrustCertificate(cert *x509.Certificate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.certs = append(t.certs, cert)
}

// Challenge makes every token handed out so far answer 401 with a claims
// challenge. Only a sign-in that carries the claims helps.
func (t *Tenant) Challenge(claims string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.claims = claims
	t.tokens = map[string]time.Time{}
}

// SignIns returns how many tokens were handed out.
func (t *Tenant) SignIns() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.signIns
}

// authorised returns a refusal unless the request carries a living token.
func (t *Tenant) authorised(r *http.Request) *reply {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if end, known := t.tokens[token]; found && known && time.Now().Before(end) {
		return nil
	}
	a := refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
	a.header = map[string]string{"WWW-Authenticate": `Bearer realm="", authorization_uri="` + t.Authority + `common/oauth2/authorize"`}
	if t.claims != "" {
		a.header["WWW-Authenticate"] += `, error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(t.claims)) + `"`
	}
	return &a
}

// signIn serves the OpenID configuration, the token endpoint and the endpoint
// of managed identities.
func (t *Tenant) signIn(r *http.Request) reply {
	t.mu.Lock()
	defer t.mu.Unlock()
	base := t.Authority + t.TenantID
	switch {
	case r.URL.Path == "/"+t.TenantID+"/v2.0/.well-known/openid-configuration":
		return ok(map[string]any{
			"token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize",
			"issuer": base + "/v2.0", "jwks_uri": base + "/discovery/v2.0/keys",
			"device_authorization_endpoint": base + "/oauth2/v2.0/devicecode",
		})
	case r.URL.Path == "/"+t.TenantID+"/oauth2/v2.0/token" && r.Method == http.MethodPost:
		if code, why := t.proven(r); code != 0 {
			return jsonReply(http.StatusUnauthorized, map[string]any{
				"error": "invalid_client", "error_description": "AADSTS" + strconv.Itoa(code) + ": " + why, "error_codes": []int{code},
				"timestamp": time.Now().UTC().Format("2006-01-02 15:04:05Z"), "trace_id": requestID(), "correlation_id": requestID(),
			})
		}
		return ok(map[string]any{"token_type": "Bearer", "expires_in": int(t.options.TokenLife.Seconds()), "access_token": t.issue()})
	case r.URL.Path == "/msi/token":
		if r.Header.Get("X-IDENTITY-HEADER") != t.ManagedIdentityHeader {
			return jsonReply(http.StatusUnauthorized, map[string]any{"statusCode": 401, "message": "No managed identity"})
		}
		return ok(map[string]any{
			"access_token": t.issue(), "token_type": "Bearer", "resource": r.URL.Query().Get("resource"), "client_id": t.ClientID,
			"expires_on": strconv.FormatInt(time.Now().Add(t.options.TokenLife).Unix(), 10),
		})
	}
	return refuse(http.StatusNotFound, "NotFound", "No such address.")
}

// proven checks the proof of a client: 0, or the number of the refusal.
func (t *Tenant) proven(r *http.Request) (code int, why string) {
	if err := r.ParseForm(); err != nil || r.Form.Get("grant_type") != "client_credentials" || r.Form.Get("client_id") != t.ClientID {
		return 700016, "Application with identifier was not found in the directory."
	}
	if t.claims != "" && !holds([]byte(r.Form.Get("claims")), []byte(t.claims)) {
		return 50076, "The claims that were asked for are missing."
	}
	assertion := r.Form.Get("client_assertion")
	switch {
	case assertion == "" && r.Form.Get("client_secret") == t.Secret, assertion != "" && assertion == t.FederatedToken:
		return 0, ""
	case assertion == "":
		return 7000215, "Invalid client secret provided."
	case !t.signed(assertion):
		return 700027, "Client assertion failed signature validation."
	}
	return 0, ""
}

// signed says whether a JWT is signed with the key of a trusted certificate.
func (t *Tenant) signed(jwt string) bool {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return false
	}
	var header struct {
		Alg  string `json:"alg"`
		X5T  string `json:"x5t"`
		X5TS string `json:"x5t#S256"`
	}
	var body struct {
		Aud, Iss string
		Exp      int64
	}
	raw, err1 := base64.RawURLEncoding.DecodeString(parts[0])
	payload, err2 := base64.RawURLEncoding.DecodeString(parts[1])
	signature, err3 := base64.RawURLEncoding.DecodeString(parts[2])
	if err1 != nil || err2 != nil || err3 != nil || json.Unmarshal(raw, &header) != nil || json.Unmarshal(payload, &body) != nil {
		return false
	}
	if body.Iss != t.ClientID || body.Exp < time.Now().Unix() || !strings.HasPrefix(body.Aud, t.Authority+t.TenantID) {
		return false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	for _, cert := range t.certs {
		old, long := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw)
		names := []string{header.X5T, header.X5TS}
		thumbs := [][]byte{old[:], long[:]}
		key, isRSA := cert.PublicKey.(*rsa.PublicKey)
		for i := range names {
			if isRSA && (names[i] == base64.RawURLEncoding.EncodeToString(thumbs[i]) || names[i] == base64.StdEncoding.EncodeToString(thumbs[i])) {
				if header.Alg == "PS256" {
					return rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, nil) == nil
				}
				return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
			}
		}
	}
	return false
}

// issue makes a token: readable as Entra's are, known by its signature.
func (t *Tenant) issue() string {
	t.signIns++
	now := time.Now()
	var signature [24]byte
	rand.Read(signature[:])
	encode := func(v any) string {
		text, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	token := encode(map[string]any{"typ": "JWT", "alg": "RS256"}) + "." + encode(map[string]any{
		"aud": "https://graph.microsoft.com", "tid": t.TenantID, "appid": t.ClientID, "roles": t.options.Roles,
		"iat": now.Unix(), "exp": now.Add(t.options.TokenLife).Unix(), "xms_cc": []string{"cp1"},
	}) + "." + base64.RawURLEncoding.EncodeToString(signature[:])
	t.tokens[token] = now.Add(t.options.TokenLife)
	return token
}

// holds says whether a JSON object has at least the fields of another.
func holds(have, want []byte) bool {
	var h, w map[string]json.RawMessage
	if json.Unmarshal(want, &w) != nil {
		return string(have) == string(want)
	}
	if json.Unmarshal(have, &h) != nil {
		return false
	}
	for k := range w {
		if v, ok := h[k]; !ok || !holds(v, w[k]) {
			return false
		}
	}
	return true
}
