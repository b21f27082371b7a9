package demodata

import (
	"bytes"
	_ "embed"
	"errors"
	"slices"
	"strings"

	"github.com/molnvakt/molnvakt/policy"
)

// Municipality is the name of the invented municipality.
const Municipality = "Björkfors kommun"

// The services of the municipality, as the policy calls them.
const (
	tenant = "m365"
	server = "onprem"
)

// Place is a site of the tenant or a folder of the file server.
type Place struct {
	Key        string
	Service    string // "m365" or "onprem"
	Site       string // name of the site, or of the share
	Drive      string // of the site; the first folder on the share
	Controller string // id of the nämnd in the policy
}

// Tenant tells whether the place is a site of the tenant.
func (p Place) Tenant() bool { return p.Service == tenant }

// Places returns every place, those of the tenant first.
func Places() []Place { return slices.Clone(places) }

// places is never changed.
var places = []Place{
	{"ks", tenant, "Kommunstyrelsen", "Dokument", "ks"},
	{"hr", tenant, "HR-avdelningen", "Dokument", "ks"},
	{"it", tenant, "IT-enheten", "Dokument", "ks"},
	{"kris", tenant, "Krisberedskap", "Dokument", "ks"},
	{"intra", tenant, "Intranätet", "Dokument", "ks"},
	{"soc", tenant, "Socialförvaltningen", "Dokument", "sn"},
	{"ifo", tenant, "Individ och familj", "Utredningar", "sn"},
	{"vo", tenant, "Vård och omsorg", "Dokument", "von"},
	{"buf", tenant, "Barn- och utbildning", "Dokument", "bun"},
	{"lind", tenant, "Lindskolan", "Dokument", "bun"},
	{"asp", tenant, "Aspskolan", "Personal", "bun"},
	{"mbn", tenant, "Miljö och bygg", "Dokument", "mbn"},
	{"ofn", tenant, "Överförmyndaren", "Ärenden", "ofn"},
	{"tek", tenant, "Tekniska förvaltningen", "Dokument", "tn"},
	{"kof", tenant, "Kultur och fritid", "Dokument", "kfn"},
	{"fs-gem", server, "gemensam", "Gemensamt", "ks"},
	{"fs-hr", server, "gemensam", "HR-arkiv", "ks"},
	{"fs-soc", server, "gemensam", "Social", "sn"},
	{"fs-skol", server, "gemensam", "Skolor", "bun"},
	{"fs-tek", server, "gemensam", "Teknik", "tn"},
}

func placeOf(key string) Place {
	return places[slices.IndexFunc(places, func(p Place) bool { return p.Key == key })]
}

//go:embed data/organisation.yaml
var organisation []byte

// Policy returns the municipality's policy.yaml: the built-in one with its own
// organisation and decisions, one of which has expired.
func Policy() ([]byte, error) {
	text := policy.DefaultText()
	begin := bytes.Index(text, []byte("\norganisation:"))
	end := bytes.Index(text, []byte("\nclasses:"))
	if begin < 0 || end < begin || !bytes.Contains(text, []byte("\ndecisions: []")) {
		return nil, errors.New("the built-in policy is not laid out as expected")
	}
	whose, decisions, _ := bytes.Cut(organisation, []byte("\ndecisions:"))
	var out bytes.Buffer
	out.Write(text[:begin+1])
	out.Write(whose)
	out.WriteString("\n")
	out.Write(bytes.Replace(text[end:], []byte("\ndecisions: []"), append([]byte("\ndecisions:"), decisions...), 1))
	return out.Bytes(), nil
}

// outcome is what Policy says of a document, told from the truth.
func outcome(p Place, t template, s Sharing) string {
	ceiling := map[string]string{tenant: "K1", server: "K3"}[p.Service]
	worst := "allowed"
	switch {
	case t.class <= ceiling:
	case t.class == "K2" && !slices.Contains(t.about, "hemligheter"):
		if p.Controller != "ks" { // which has a decision in force up to K2
			worst = "conditional"
		}
	default:
		worst = "forbidden"
	}
	if s == Anonymous && t.class >= "K1" {
		return "forbidden"
	}
	if (s == Guest || s == Organisation) && t.class >= "K2" && worst == "allowed" {
		return "conditional"
	}
	return worst
}

// Mail returns the address of an employee.
func Mail(p Person) string {
	plain := strings.NewReplacer("å", "a", "ä", "a", "ö", "o", "é", "e", " ", "")
	return plain.Replace(strings.ToLower(p.First+"."+p.Last)) + "@bjorkfors.example"
}
