package patterns

import (
	"strings"
	"testing"
)

func TestSecretsFound(t *testing.T) {
	e := testEngine(t)
	s := e.NewScanner()
	// Put together here, so that no file of the project holds one.
	join := func(parts ...string) string { return strings.Join(parts, "") }
	for _, c := range []struct {
		text string
		id   Identifier
		want string
		at   Confidence
	}{
		{"Lösenord: Sommar2024!", Losenord, "Sommar2024!", High},
		{"Användarnamn: admin\nLösenord: hemligt99", Losenord, "hemligt99", High},
		{"lösenordet är Vinter#2023.", Losenord, "Vinter#2023", High},
		{"losenord = kaffe1234", Losenord, "kaffe1234", High},
		{`"password": "hunter2x"`, Losenord, "hunter2x", High},
		{"DB_PASSWORD=Tr0ub4dor", Losenord, "Tr0ub4dor", High},
		{"pwd: kattMus", Losenord, "kattMus", Low},
		{"Wifi-lösenord: FiskmåsBlå77", Losenord, "FiskmåsBlå77", High},
		{"användare vik03, lösenord Vinter-2025!x. Radera", Losenord, "Vinter-2025!x", High},
		{"portkoden 4471", Losenord, "4471", High},
		{"Portkod: 4711", Losenord, "4711", High},
		{"larmkoden är 123456", Losenord, "123456", High},
		{join("AKIA", "ABCDEFGHIJKLMNOP"), Token, "", High},
		{join("gh", "p_", strings.Repeat("a1B2", 9)), Token, "", High},
		{join("xox", "b-123456789012-abcdefghij"), Token, "", High},
		{join("-----BEGIN RSA ", "PRIVATE KEY-----"), PrivatNyckel, "", High},
		{join("eyJ", "hbGciOiJIUzI1NiJ9.eyJ", "zdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijklmnop"), Token, "", High},
		{join("Server=sql01;Database=lon;User Id=sa;Pass", "word=Qwerty123;"), Anslutningsstrang, "", High},
		{join("postgres://app:", "s3cret@db.kommun.local:5432/lon"), Anslutningsstrang, "", High},
		{join("DefaultEndpointsProtocol=https;AccountName=x;AccountKey=", strings.Repeat("Ab1+", 21), "Zz=="), Anslutningsstrang, "", High},
		{join("abc", "8Q~", strings.Repeat("aB3_", 8), "x"), Token, "", High},
		{"api-nyckel: 9f8a7b6c5d4e3f2a1b0c", Token, "9f8a7b6c5d4e3f2a1b0c", High},
		{"BitLocker: 110000-220000-330000-440000-550000-660000-110011-220022", Token, "", High},
	} {
		text := []byte(c.text)
		var got []string
		ok := false
		for _, f := range e.Identify(text, s.Scan(text), nil) {
			v := f.Value(text).Reveal()
			got = append(got, f.Identifier.String()+"="+v+" "+f.Confidence.String())
			ok = ok || f.Identifier == c.id && f.Confidence == c.at && (c.want == "" || v == c.want)
		}
		if !ok {
			t.Errorf("%s: want %s %q %s, got %q", c.text, c.id, c.want, c.at, got)
		}
	}
}

func TestNoSecrets(t *testing.T) {
	e := testEngine(t)
	s := e.NewScanner()
	for _, text := range []string{
		"Lösenord: ska bytas var 90:e dag.",
		"Lösenordet är personligt och får inte lånas ut.",
		"Lösenord: ********",
		"Lösenord: <ditt lösenord>",
		"password = getPassword()",
		"password: string",
		"func login(user, password string) error {",
		"Ditt lösenord är inte giltigt längre.",
		"Token: saknas",
		"pass = os.environ[\"PASS\"]",
		"Byt lösenord enligt rutin. Lösenord: minst 12 tecken, stora och små bokstäver.",
		"Lösenordspolicy för kommunens system",
		"https://www.kommun.se/lösenord",
		"Pinkoden skickas hem med post.",
		"password = \"\"",
		"token := r.Header.Get(name)",
		"Nyckel: lämnas i receptionen",
		"Portkoden 2024 byts i maj",
		"lösenord Microsoft365 administratörer",
		"lösenord och användarnamn",
		"AKIAIOSFODNN7EXAMPLE",
		"postgres://user:password@localhost/db",
	} {
		b := []byte(text)
		for _, f := range e.Identify(b, s.Scan(b), nil) {
			if f.Kind == SecretHit && f.Confidence > 0 {
				t.Errorf("%s: found %s %q", text, f.Identifier, f.Value(b).Reveal())
			}
		}
	}
}
