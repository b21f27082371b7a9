package patterns

import (
	"math/rand/v2"
	"testing"
)

// TestGates: behind its gate, an expression matches as without.
func TestGates(t *testing.T) {
	for name, g := range map[string]*gate{
		"code": gateCode, "asset": gateAsset, "weak": gateWeak, "company": gateCompany, "amount": gateAmount,
		"points": gatePoints, "pending": gatePending, "publish": gatePublish,
	} {
		if !g.always && g.open([]byte("Vi ses på torget vid ett.\n")) {
			t.Errorf("%s: open for nothing", name)
		}
		for _, text := range gateSamples {
			for _, m := range g.re.FindAllString(text, -1) {
				if !g.open([]byte(m)) {
					t.Errorf("%s: closed for %q", name, m)
				}
			}
		}
		r := rand.New(rand.NewPCG(3, 4))
		for range 400 { // parts of the samples, in any order
			a, b := gateSamples[r.IntN(len(gateSamples))], gateSamples[r.IntN(len(gateSamples))]
			text := []byte(a[r.IntN(len(a)):] + "\n" + b[:r.IntN(len(b))])
			if want := len(g.re.FindAllIndex(text, 10)); g.count(text, 10) != want {
				t.Errorf("%s: %d, want %d in %q", name, g.count(text, 10), want, text)
			}
		}
	}
}

// gateSamples hold matches of every alternative that is written in its own
// way.
var gateSamples = []string{
	"Portkod: 4711. Koden till grinden 5566#, PIN 1234, nyckelskåpet vid dörren 8899, kombinationen 123456",
	"Slå 2580 för att larma av, knappa in 112233. Tryck 4455. Larmet öppnas med 7788. Lås upp med 9911 ",
	"B 4711 (by", "Entré A1234", "A-17 och VLAN 30, DN200, 400 kV, 12 m³, ÅÖ 12B, X9",
	"Batteriet räcker 20 min, ur funktion, startade inte, saknas, loggar inte, fabrikslösenord, håller bara tio minuter, samma UPS",
	"slås varje natt ut, den enda, oskyddad, olåst, går att lyfta, kan enkelt öppnas, utan att synas, ta sig in, any-any, attrapp, döda vinklar",
	"mörk, ställs upp, står öppen, på drift, klonbar, inställelsetid, sabotage, EOL, standardlösenord, ser inte, inget larm, utan MFA",
	"Bygg & Mark i Norden AB, AB Svensson, Firma Ek, Anbudsgivare B, leverantör C, Test GmbH, Bolag Å",
	"Utkast, före tilldelning, får ej spridas, 19 kap. 3 §, 31:16, maxbud, endast för utvärderingsgruppen, gå ned till, stannar mellan oss, begär sekretess",
	"avtal har tecknats, beslutar att anta, avtalsspärren har löpt ut, handlingarna är offentliga, anbud ska, leverantören ska",
}
