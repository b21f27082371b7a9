package policy

import "github.com/molnvakt/molnvakt/patterns"

// The types in this file are policy.yaml as it is written. check.go turns
// them into a Policy; schema.go into a JSON Schema for editors.

type file struct {
	Version      int                                `yaml:"version" jsonschema:"required,enum=1" jsonschema_description:"Formatets version. Alltid 1."`
	Organisation fileOrganisation                   `yaml:"organisation" jsonschema_description:"Personuppgiftsansvariga, förvaltningar, chefer och vad de svarar för."`
	Classes      []fileClass                        `yaml:"classes" jsonschema:"required,minItems=2,maxItems=10" jsonschema_description:"Informationsklasserna, den öppnaste först."`
	Categories   map[patterns.Category]fileCategory `yaml:"categories" jsonschema:"required" jsonschema_description:"Vilken klass varje slags uppgift ger."`
	Identifiers  []fileIdentifiers                  `yaml:"identifiers" jsonschema_description:"Vilken klass nummer ger, efter antal och om de bildar ett register."`
	Kinds        map[string]fileKind                `yaml:"kinds" jsonschema_description:"Vilken klass en ifylld handling av ett visst slag ger."`
	Services     map[string]fileService             `yaml:"services" jsonschema:"required" jsonschema_description:"Tjänsteregistret: vem som har hand om uppgifterna och vems lag som når dem."`
	Decisions    []fileDecision                     `yaml:"decisions" jsonschema_description:"Beslut i akten som tillåter det en regel annars hindrar."`
	Rules        []fileRule                         `yaml:"rules" jsonschema:"required,minItems=1" jsonschema_description:"Reglerna, i den ordning de prövas."`
}

type fileOrganisation struct {
	Name        string           `yaml:"name" jsonschema_description:"Kommunens namn."`
	Controllers []fileController `yaml:"controllers" jsonschema_description:"Nämnder och bolag: personuppgiftsansvariga."`
	Mapping     []fileMapping    `yaml:"mapping" jsonschema_description:"Vem som svarar för vad. Första raden som passar gäller."`
}

type fileController struct {
	ID          string           `yaml:"id" jsonschema:"required"`
	Name        string           `yaml:"name" jsonschema:"required"`
	Head        string           `yaml:"head" jsonschema_description:"Den som svarar när ingen förvaltning är känd."`
	Mail        string           `yaml:"mail"`
	Departments []fileDepartment `yaml:"departments"`
}

type fileDepartment struct {
	ID   string `yaml:"id" jsonschema:"required"`
	Name string `yaml:"name" jsonschema:"required"`
	Head string `yaml:"head" jsonschema_description:"Förvaltningschefens namn."`
	Mail string `yaml:"mail" jsonschema_description:"Dit rapporter och frågor skickas."`
}

type fileMapping struct {
	Sources    []string `yaml:"sources" jsonschema_description:"Källors namn, * och ** tillåtna."`
	Sites      []string `yaml:"sites"`
	Paths      []string `yaml:"paths"`
	Controller string   `yaml:"controller"`
	Department string   `yaml:"department"`
}

type fileClass struct {
	ID   string `yaml:"id" jsonschema:"required"`
	Name string `yaml:"name" jsonschema:"required"`
	Text string `yaml:"text"`
}

type fileCategory struct {
	Name       string   `yaml:"name" jsonschema:"required"`
	Class      string   `yaml:"class" jsonschema:"required"`
	Harm       string   `yaml:"harm" jsonschema:"enum=omvant,enum=rakt,enum=absolut,enum=inget" jsonschema_description:"Skaderekvisit i offentlighets- och sekretesslagen."`
	Laws       []string `yaml:"laws" jsonschema_description:"Lagrum, för rapporterna."`
	Confidence string   `yaml:"confidence" jsonschema:"enum=low,enum=medium,enum=high" jsonschema_description:"Hur säkert fyndet måste vara för att räknas. Förval medium."`
}

type fileIdentifiers struct {
	Types []string   `yaml:"types" jsonschema:"required" jsonschema_description:"Nummer som räknas ihop: personnummer, samordningsnummer …"`
	Steps []fileStep `yaml:"steps" jsonschema:"required,minItems=1"`
}

type fileStep struct {
	Class      string `yaml:"class" jsonschema:"required"`
	AtLeast    int    `yaml:"at_least" jsonschema_description:"Från och med så många olika värden. Förval 1."`
	Register   bool   `yaml:"register" jsonschema_description:"Bara när värdena fyller en kolumn eller lista."`
	Confidence string `yaml:"confidence" jsonschema:"enum=low,enum=medium,enum=high"`
}

type fileKind struct {
	Class    string            `yaml:"class" jsonschema:"required"`
	Category patterns.Category `yaml:"category"`
	Blank    bool              `yaml:"blank" jsonschema_description:"Räkna även tomma blanketter."`
}

type fileService struct {
	Name          string   `yaml:"name" jsonschema:"required"`
	Provider      string   `yaml:"provider" jsonschema_description:"Avtalspart."`
	Parent        string   `yaml:"parent" jsonschema_description:"Yttersta moderbolag."`
	Jurisdictions []string `yaml:"jurisdictions" jsonschema:"required" jsonschema_description:"Vems lag som når leverantören och dess moderbolag: SE, EU, US …"`
	Region        string   `yaml:"region" jsonschema_description:"Var uppgifterna lagras."`
	Own           bool     `yaml:"own" jsonschema_description:"Drivs av kommunen själv."`
	AI            bool     `yaml:"ai" jsonschema_description:"Innehållet behandlas utöver lagring, till exempel av en AI-assistent."`
	Encryption    string   `yaml:"encryption" jsonschema:"enum=none,enum=provider,enum=customer-key,enum=customer-held" jsonschema_description:"Vem som håller nycklarna."`
	Ceiling       string   `yaml:"ceiling" jsonschema:"required" jsonschema_description:"Högsta klass som får ligga här utan särskilt beslut."`
}

type fileDecision struct {
	Reference   string              `yaml:"reference" jsonschema:"required" jsonschema_description:"Diarienummer."`
	Kind        string              `yaml:"kind" jsonschema:"required" jsonschema_description:"lamplighetsbedomning, dpia, pub-avtal …"`
	Services    []string            `yaml:"services" jsonschema:"required"`
	Controllers []string            `yaml:"controllers" jsonschema_description:"Tomt: alla."`
	Categories  []patterns.Category `yaml:"categories" jsonschema_description:"Tomt: alla upp till klassen."`
	Class       string              `yaml:"class" jsonschema:"required" jsonschema_description:"Högsta klass beslutet tillåter."`
	Sources     []string            `yaml:"sources"`
	Sites       []string            `yaml:"sites"`
	Paths       []string            `yaml:"paths"`
	From        string              `yaml:"from" jsonschema:"format=date" jsonschema_description:"Första dag det gäller."`
	Until       string              `yaml:"until" jsonschema:"format=date" jsonschema_description:"Sista dag det gäller."`
}

type fileRule struct {
	ID       string    `yaml:"id" jsonschema:"required"`
	Title    string    `yaml:"title" jsonschema:"required"`
	What     fileWhat  `yaml:"what" jsonschema_description:"Vilket innehåll regeln gäller."`
	Where    fileWhere `yaml:"where" jsonschema_description:"Var regeln gäller."`
	Outcome  string    `yaml:"outcome" jsonschema:"required,enum=allowed,enum=conditional,enum=forbidden" jsonschema_description:"allowed: ett undantag; reglerna efter prövas inte."`
	Unless   []string  `yaml:"unless" jsonschema_description:"Beslut av dessa slag i akten, alla gällande, tillåter."`
	Severity string    `yaml:"severity" jsonschema:"enum=low,enum=medium,enum=high,enum=critical"`
	Advice   string    `yaml:"advice" jsonschema:"enum=move,enum=unshare,enum=decide,enum=stop,enum=review,enum=protect,enum=rotate" jsonschema_description:"Vad den som får fyndet ska göra."`
	ReviewBy string    `yaml:"review_by" jsonschema_description:"Rollen som ska pröva fyndet, till exempel dataskyddsombudet."`
	Incident []string  `yaml:"incident" jsonschema:"enum=imy,enum=cyber" jsonschema_description:"Fyndet ska bedömas som incident. imy: personuppgiftsincident, 72 timmar. cyber: cybersäkerhetslagen, 24 timmar."`
	Sealed   bool      `yaml:"sealed" jsonschema_description:"Säkerhetsskydd: inga utdrag sparas, bara en roll ser fyndet."`
}

type fileWhat struct {
	Categories        []patterns.Category `yaml:"categories"`
	ExceptCategories  []patterns.Category `yaml:"except_categories"`
	FromClass         string              `yaml:"from_class"`
	ToClass           string              `yaml:"to_class"`
	Harm              []string            `yaml:"harm" jsonschema:"enum=omvant,enum=rakt,enum=absolut,enum=inget"`
	PeopleAtLeast     int                 `yaml:"people_at_least" jsonschema_description:"Antal olika personer i dokumentet."`
	Identifiers       []string            `yaml:"identifiers"`
	IdentifierAtLeast int                 `yaml:"identifiers_at_least"`
	Register          bool                `yaml:"register" jsonschema_description:"Bara register: nummer som fyller en kolumn eller lista."`
	Kinds             []string            `yaml:"kinds"`
	ChildrenAtLeast   int                 `yaml:"children_at_least" jsonschema_description:"Antal olika barn (under 18 år enligt sitt nummer) i dokumentet."`
	Labels            []string            `yaml:"labels" jsonschema_description:"Känslighetsetiketter (Microsoft Purview) av vilka dokumentet bär någon. * är vilka tecken som helst."`
	ExceptLabels      []string            `yaml:"except_labels" jsonschema_description:"Inte dokument som bär någon av dessa etiketter. ** är varje etikett."`
	Marked            *bool               `yaml:"marked" jsonschema_description:"true: dokumentet bär en säkerhetsskyddsmarkering."`
	State             []string            `yaml:"state" jsonschema:"enum=template,enum=filled,enum=other" jsonschema_description:"template: mall eller tom blankett. filled: ifylld handling av ett känt slag. other: inget av dem."`
	OlderThanDays     int                 `yaml:"older_than_days" jsonschema_description:"Inte ändrat på så många dagar, till exempel när gallringsfristen har gått ut."`
}

type fileWhere struct {
	AboveCeiling bool     `yaml:"above_ceiling" jsonschema_description:"Klassen är högre än tjänstens tak."`
	Services     []string `yaml:"services"`
	External     *bool    `yaml:"external" jsonschema_description:"true: tjänster som kommunen inte driver själv."`
	LawOutside   []string `yaml:"law_outside" jsonschema_description:"Tjänster som nås av någon annan lag än dessa."`
	RegionOut    []string `yaml:"region_outside" jsonschema_description:"Tjänster som lagrar någon annanstans än så, eller okänt var."`
	AI           *bool    `yaml:"ai"`
	Encryption   []string `yaml:"encryption"`
	Audience     []string `yaml:"audience" jsonschema:"enum=anonymous,enum=organisation,enum=guest,enum=group,enum=user" jsonschema_description:"Vem som når dokumentet."`
	Controllers  []string `yaml:"controllers"`
	Departments  []string `yaml:"departments"`
	Sources      []string `yaml:"sources"`
	Sites        []string `yaml:"sites"`
	Paths        []string `yaml:"paths"`
}
