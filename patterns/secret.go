package patterns

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// secretExpression finds credentials that can be told by their own form.
type secretExpression struct {
	id   Identifier
	expr string
}

// secretExpressions follow the forms that the issuers document.
var secretExpressions = []secretExpression{
	{PrivatNyckel, `(?-i)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----`},
	{PrivatNyckel, `(?-i)PuTTY-User-Key-File-[23]:`},
	{PrivatNyckel, `(?-i)AGE-SECRET-KEY-1[0-9A-Z]{58}`},

	{Token, `(?-i)\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b`},                                                                 // AWS
	{Token, `(?-i)\b[A-Za-z0-9_~.\-]{3}[78]Q~[A-Za-z0-9_~.\-]{31,34}`},                                                      // Entra client secret
	{Token, `[?&]sig=[A-Za-z0-9%+/]{38,120}`},                                                                               // Azure SAS
	{Token, `https://[a-z0-9\-]{1,60}\.webhook\.office\.com/webhookb2/[A-Za-z0-9@\-/]{30,300}`},                             // Teams
	{Token, `(?-i)\bAIza[0-9A-Za-z_\-]{35}`},                                                                                // Google
	{Token, `(?-i)\bGOCSPX-[A-Za-z0-9_\-]{28}`},                                                                             // Google OAuth
	{Token, `(?-i)\bya29\.[0-9A-Za-z_\-]{20,300}`},                                                                          // Google access
	{Token, `(?-i)\bgh[pousr]_[A-Za-z0-9]{36,100}`},                                                                         // GitHub
	{Token, `(?-i)\bgithub_pat_[A-Za-z0-9_]{60,100}`},                                                                       // GitHub
	{Token, `(?-i)\bglpat-[A-Za-z0-9_\-]{20,60}`},                                                                           // GitLab
	{Token, `(?-i)\bxox[abeoprs]-[A-Za-z0-9\-]{10,250}`},                                                                    // Slack
	{Token, `https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,100}`},                                                      // Slack
	{Token, `(?-i)\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,120}`},                                                           // Stripe
	{Token, `(?-i)\bSG\.[A-Za-z0-9_\-]{18,24}\.[A-Za-z0-9_\-]{39,50}`},                                                      // SendGrid
	{Token, `(?-i)\bnpm_[A-Za-z0-9]{36}\b`},                                                                                 // npm
	{Token, `(?-i)\bpypi-AgE[A-Za-z0-9_\-]{50,250}`},                                                                        // PyPI
	{Token, `(?-i)\bdckr_pat_[A-Za-z0-9_\-]{20,60}`},                                                                        // Docker
	{Token, `(?-i)\bsk-(?:ant|proj|svcacct)-[A-Za-z0-9_\-]{20,250}`},                                                        // language models
	{Token, `(?-i)\bhf_[A-Za-z]{30,40}\b`},                                                                                  // Hugging Face
	{Token, `(?-i)\bhvs\.[A-Za-z0-9_\-]{24,200}`},                                                                           // Vault
	{Token, `(?-i)\bATATT3[A-Za-z0-9_=\-]{80,250}`},                                                                         // Atlassian
	{Token, `(?-i)\bdop_v1_[0-9a-f]{64}\b`},                                                                                 // DigitalOcean
	{Token, `(?-i)\bdapi[0-9a-f]{32}\b`},                                                                                    // Databricks
	{Token, `(?-i)\bglsa_[A-Za-z0-9]{32}_[0-9a-f]{8}\b`},                                                                    // Grafana
	{Token, `(?-i)\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}\b`},                                                                      // Postman
	{Token, `(?-i)\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b`},                                                                  // Shopify
	{Token, `(?-i)\beyJ[A-Za-z0-9_\-]{10,400}\.eyJ[A-Za-z0-9_\-]{10,500}\.[A-Za-z0-9_\-]{10,}`},                             // JWT
	{Token, `\bauthorization["']?\s*[:=]\s*["']?(?:basic|bearer)\s+[A-Za-z0-9._~+/=\-]{12,400}`},                            // HTTP
	{Token, `\bbearer [A-Za-z0-9._~+/=\-]{24,400}`},                                                                         // HTTP
	{Anslutningsstrang, `(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,100}={0,2}`},                                       // Azure
	{Anslutningsstrang, `\b(?:server|source|host|addr|address)=[^;\n]{1,120};[^\n]{0,250}?(?:password|pwd)=[^;\s"']{3,64}`}, // ADO, ODBC
	{Anslutningsstrang, `\b(?:mongodb(?:\+srv)?|postgres(?:ql)?|mysql|mariadb|mssql|sqlserver|rediss?|amqps?|s?ftps?|https?|ldaps?|smb|jdbc:[a-z:]{2,30})://[^\s:/@"'<>]{1,64}:[^\s/@"'<>{}$]{3,100}@[^\s"'<>]{1,100}`},
	{Losenord, `\bcpassword="[A-Za-z0-9+/=]{8,200}"`}, // group policy preferences
	{Losenord, `<(?:Administrator)?Password>\s*<Value>[^<]{4,100}`},
}

// sampleSecret knows what manuals show: keys that say that they are examples,
// and addresses with a placeholder before the at sign.
func sampleSecret(id Identifier, v []byte) bool {
	switch id {
	case Token:
		return bytes.HasSuffix(v, []byte("EXAMPLE"))
	case Anslutningsstrang:
		_, rest, ok := bytes.Cut(v, []byte("://"))
		if !ok {
			return false
		}
		login, _, ok := bytes.Cut(rest, []byte("@"))
		_, password, named := bytes.Cut(login, []byte(":"))
		return ok && named && placeholder(password)
	}
	return false
}

// passwordKeys are words behind which a password stands: a colon, an equals
// sign or "är" joins them.
var passwordKeys = []string{
	"lösenord", "lösen", "lösenordet", "password", "passwd", "passord", "passphrase", "lösenfras", "pwd", "passwort", "pass", "psw",
	"wifi-nyckel", "nätverksnyckel", "wpa-nyckel", "psk", "pre-shared key", "wifi-kod", "wifikod", "gästkod", "inlogg", "inloggning", "credentials", "engångslösen", "adminlösen", "login",
}

// codeKeys are followed by digits.
var codeKeys = []string{"pin-kod", "pinkod", "=PIN", "pin", "portkod", "larmkod", "dörrkod", "kodlås", "säkerhetskod", "låskod", "entrékod", "puk-kod", "pukkod", "avlarmningskod", "kod till larmet", "kassaskåpskod"}

// tokenKeys are followed by long random text.
var tokenKeys = []string{
	"api-nyckel", "apinyckel", "api_key", "api-key", "apikey", "api key", "client_secret", "client secret", "clientsecret", "client-secret", "secret", "secret_key", "access_key", "accesskey",
	"access key", "access_token", "auth_token", "token", "private_key", "krypteringsnyckel", "återställningsnyckel", "återställningskod", "nyckel", "secretkey", "licensnyckel", "subscription key", "shared secret",
}

// assignment says what a key expects behind it.
type assignment uint8

const (
	notAssignment assignment = iota
	assignsPassword
	assignsCode
	assignsToken
)

// addSecrets adds the rules that find credentials.
func (e *Engine) addSecrets() error {
	for _, s := range secretExpressions {
		if err := e.add(Term{Text: s.expr, Mode: Regexp}, Hit{Kind: SecretHit, Identifier: s.id, Shape: ShapeComplete}, notAssignment); err != nil {
			return err
		}
	}
	for _, group := range []struct {
		keys []string
		kind assignment
		id   Identifier
	}{{passwordKeys, assignsPassword, Losenord}, {codeKeys, assignsCode, Losenord}, {tokenKeys, assignsToken, Token}} {
		for _, key := range group.keys {
			t := contextTerm(key)
			if t.Mode == Word && len(key) > 4 {
				t.Mode = Suffix
			}
			if err := e.add(t, Hit{Kind: SecretHit, Identifier: group.id}, group.kind); err != nil {
				return err
			}
		}
	}
	return nil
}

// assigned finds the value that a key, which ends at end, is given.
func assigned(b []byte, end int, kind assignment) (from, to int, shape Shape, ok bool) {
	from, quoted, signed := assignmentSign(b, end)
	if !signed {
		from = skipAny(b, end, 3, " \t\"")
		if from == end {
			return 0, 0, 0, false
		}
	}
	to = valueEnd(b, from, quoted)
	v := valueFacts(b[from:to])
	if v.length < 4 || !signed && kind != assignsCode && !v.strong() || placeholder(b[from:to]) {
		return 0, 0, 0, false
	}
	switch kind {
	case assignsCode:
		ok = v.digits == v.length && v.length <= 10 && (signed || v.length <= 8 && !yearLike(b[from:to]))
		return from, to, ShapeComplete, ok
	case assignsToken:
		ok = signed && v.length >= 16 && v.digits > 0 && v.upper+v.lower > 0 && v.other*4 < v.length && !v.beyond
		return from, to, ShapeComplete, ok
	}
	if !signed {
		return from, to, ShapeComplete, true
	}
	shape, ok = v.password(quoted, lastOnLine(b, to))
	return from, to, shape, ok
}

// yearLike reports whether four digits are a year.
func yearLike(v []byte) bool {
	return len(v) == 4 && (v[0] == '1' && v[1] == '9' || v[0] == '2' && v[1] == '0')
}

// assignmentSign skips from a key to its value: `": "`, ` = `, " är ".
func assignmentSign(b []byte, i int) (value int, quoted byte, ok bool) {
	i = skipAny(b, i, 2, "\"')]")
	i = skipAny(b, i, 3, " \t")
	switch {
	case i < len(b) && (b[i] == ':' || b[i] == '='):
		equals := b[i] == '='
		i = skipAny(b, i, 2, ":=>")
		i = skipAny(b, i, 8, " \t")
		if below := skipAny(b, i, 8, " \t\r\n"); below > i {
			// The value may stand below its label, but what "KEY=" leaves
			// open is empty, and the next line has a label of its own.
			if equals || labelled(b, below) {
				return 0, 0, false
			}
			i = below
		}
	case bytes.HasPrefix(b[min(i, len(b)):], []byte("->")):
		i = skipAny(b, i+2, 4, " \t")
	default:
		n := 0
		for _, word := range [...]string{"är ", "is ", "= ", "e ", "lyder ", "sattes till ", "satt till ", "är satt till "} {
			if bytes.HasPrefix(b[min(i, len(b)):], []byte(word)) {
				n = max(n, len(word))
			}
		}
		if n == 0 {
			return 0, 0, false
		}
		i += n
		if i < len(b) && b[i] == ':' {
			i = skipAny(b, i, 3, ": ")
		}
	}
	if i < len(b) && (b[i] == '"' || b[i] == '\'' || b[i] == '`') {
		return i + 1, b[i], true
	}
	return i, 0, i < len(b)
}

// labelled reports whether a line is a comment or has a label of its own:
// "NAME=", "name:".
func labelled(b []byte, i int) bool {
	if i < len(b) && b[i] == '#' {
		return true
	}
	for ; i < len(b) && b[i] != '\n'; i++ {
		switch c := b[i]; {
		case c == '=':
			return true
		case c == ':':
			return i+1 == len(b) || spaceByte(b[i+1])
		}
	}
	return false
}

func skipAny(b []byte, i, most int, set string) int {
	for n := 0; n < most && i < len(b) && indexByte(set, b[i]); n++ {
		i++
	}
	return i
}

// maxSecret is the longest value taken for a password, in bytes.
const maxSecret = 100

// valueEnd returns where the value that begins at from ends.
func valueEnd(b []byte, from int, quoted byte) int {
	to := from
	for to < len(b) && to-from < maxSecret {
		c := b[to]
		if c == quoted && quoted != 0 || c == '\n' || quoted == 0 && (spaceByte(c) || c == '<' || c == '|' || c == ';') {
			break
		}
		to++
	}
	for to > from && quoted == 0 && indexByte(".,;:)]}\"'", b[to-1]) {
		to--
	}
	return to
}

// lastOnLine reports whether nothing but punctuation follows on the line.
func lastOnLine(b []byte, i int) bool {
	for ; i < len(b) && b[i] != '\n'; i++ {
		if c := b[i]; asciiLetter(c) || asciiDigit(c) || c >= utf8.RuneSelf {
			return false
		}
		if b[i] == '\t' || b[i] == '|' || b[i] == ';' {
			return true // the next cell
		}
	}
	return true
}

// valueCounts counts the characters of a value by kind.
type valueCounts struct {
	length, digits, upper, lower, other int
	innerUpper                          bool // a capital behind the first character
	innerOther                          bool // a sign that words do not have inside
	beyond                              bool // letters beyond ASCII
}

func valueFacts(v []byte) valueCounts {
	var f valueCounts
	for _, r := range string(v) {
		switch {
		case unicode.IsDigit(r):
			f.digits++
		case unicode.IsUpper(r):
			f.upper++
			f.innerUpper = f.innerUpper || f.length > 0
		case unicode.IsLetter(r):
			f.lower++
		default:
			f.other++
			f.innerOther = f.innerOther || !strings.ContainsRune("-.,/()'", r)
		}
		f.beyond = f.beyond || r >= utf8.RuneSelf
		f.length++
	}
	return f
}

// password judges whether a value looks like a password and not like the
// next word of a sentence.
func (f valueCounts) password(quoted byte, last bool) (Shape, bool) {
	letters := f.upper + f.lower
	switch {
	case f.length > 64:
		return 0, false
	case letters > 0 && (f.digits > 0 || f.innerOther):
		if f.length >= 6 {
			return ShapeComplete, true
		}
		return 0, true
	case f.digits == f.length:
		return ShapeGuess, f.length >= 4 && last
	case letters == 0:
		return 0, false
	case quoted != 0 && f.other == 0:
		return 0, true
	case f.innerUpper && f.other == 0 && f.lower > 0 && last:
		return ShapeGuess, true
	case f.other == 0 && last && f.length >= 5:
		return ShapeGuess, true
	}
	return 0, false
}

// strong judges whether a value can only be a password: nothing but the key
// stands before it.
func (f valueCounts) strong() bool {
	return f.length >= 8 && f.length <= 40 && f.digits > 0 && f.lower > 0 && (f.innerUpper || f.innerOther)
}

// placeholder knows values that stand for a password, or code that gets one.
func placeholder(v []byte) bool {
	if len(v) == 0 || indexByte("<{$%[(*•_.-&@/\\?", v[0]) || v[0] >= utf8.RuneSelf && bytes.HasPrefix(v, []byte("•")) {
		return true
	}
	if bytes.Count(v, v[:1]) == len(v) || bytes.ContainsAny(v, "(){}<>") || bytes.Contains(v, []byte("***")) {
		return true
	}
	low := strings.ToLower(string(v))
	for _, part := range [...]string{"lösenord", "losenord", "password", "passwd", "xxx", "example", "exempel", "getenv", "environ", "process.env", "config.", "http://", "https://", "secret", "placeholder", "åååå", "123-456", "changeme", "change_me", "change-me", "changethis", "replace", "your_", "your-", "fyll_i", "fyll-i", "dummy", "todo", "generate"} {
		if strings.Contains(low, part) && !strings.ContainsAny(low, "0123456789!#") || strings.HasPrefix(low, part) && len(low) <= len(part)+2 {
			return true
		}
	}
	switch low {
	case "null", "none", "nil", "true", "false", "undefined", "string", "krävs", "saknas", "okänt", "glömt", "byts", "ändras", "ska", "måste", "skickas", "enligt", "valfritt", "frivilligt", "obligatoriskt", "hemligt", "separat", "nej", "inte", "aldrig", "minst", "required", "optional", "hidden", "redacted", "maskerat", "text", "varchar", "input", "bytt", "samma", "ja":
		return true
	}
	return false
}

// PasswordLike tells how much a text, such as a cell of a column of
// passwords, looks like one; 0 if not at all.
func PasswordLike(text string) Confidence {
	v := []byte(strings.TrimSpace(text))
	if len(v) == 0 || bytes.ContainsAny(v, " \t\n") || placeholder(v) {
		return 0
	}
	switch shape, ok := valueFacts(v).password(0, true); {
	case !ok:
		return 0
	case shape.Has(ShapeComplete):
		return High
	case shape.Has(ShapeGuess):
		return Low
	}
	return Medium
}
