package patterns

import (
	"fmt"
	"slices"
	"testing"
)

// TestIdentify weighs identifiers in their contexts. Numbers are Skatteverket's
// test numbers or invented.
func TestIdentify(t *testing.T) {
	e := testEngine(t)
	s := e.NewScanner()
	for _, c := range []struct{ text, want string }{
		{"Personnummer: 19800102-2386", "personnummer high"},
		{"Pnr 8001022386", "personnummer high"},
		{"p-nr: 800102 2386", "personnummer high"},
		{"pers.nr: 800102-2386", "personnummer high"},
		{"Patient: 19 800102-2386, telefonkontakt", "personnummer high"},
		{"800102-2386", "personnummer medium"},
		{"19800102-\n2386", "personnummer medium"},
		{"1980\u00ad0102\u00ad-2386", "personnummer medium"},
		{"8001022386", "personnummer low"},
		{"198001022386", "personnummer medium"},
		{"201209022381", "personnummer low"},
		{"OCR 8001022386", ""},
		{"Fakturanr: 8001022386", ""},
		{"kundnummer 8001022386", ""},
		{"Kund 800102-2386", "personnummer medium"},
		{"Anna;0701740607", "telefon low"},
		{"order 800102 2386", "personnummer low"},
		{"Tel 0701740607", "telefon high"},
		{"Ring 070-174 06 05", "telefon high"},
		{"Mobil: +46 70 174 06 05", "telefon high"},
		{"tfn 08-508 00 00", "telefon high"},
		{"Skanning_200312132343.pdf", ""},
		{"Reservnummer: 19810829M071", "reservnummer high"},
		{"Organisationsnummer 212000-1355", "organisationsnummer high"},
		{"212000-1355", "organisationsnummer medium"},
		{"2120001355", ""},
		{"orgnr: 2120001355", "organisationsnummer high"},
		{"Bankgiro 160-9908", "bankgiro high"},
		{"160-9908", ""},
		{"IBAN SE45 5000 0000 0583 9825 7466", "iban high"},
		{"Kortnummer: 4111 1111 1111 1111", "betalkort high"},
		{"pnr 80 01 02-2386", "personnummer high"},
		{"1980 01 02 2386", "personnummer low"},
		{"pnr 80-01-02-2386", "personnummer high"},
		{"Personnummer: 80.01.02-2386", "personnummer high"},
		{"Personnummer: 1980/01/02-2386", "personnummer high"},
		{"80.01.02-2387", ""},
		{"198001022386.0", "personnummer medium"},
		{"198001022386.01", ""},
		{"Personnummer: 211062-5629", ""}, // a date and no check digit is no Danish number
		{"CPR: 211062-5629", "cpr high"},
		{"Pnr 000101-R220", "interimsnummer high"},
		{"Patient, reservnummer 010829-R212", "reservnummer high"},
		{"Tel: 0046701740605", "telefon high"},
		{"59,3293; 18,0686", "koordinat medium"},
		{"59,3293 18,0686", ""},
		{"N59.3293 E18.0686", "koordinat medium"},
		{"59.3293° N, 18.0686° Ö", "koordinat medium"},
		{"LMA-nr: 12345678", "lma high"},
		{"Asyl söktes. Passnummer 12345678", "pass high"},
		{"Plusgirokonto 123456-6", "plusgiro high"},
		{"Betalt med 4111111111111111", "betalkort high"},
		{"HN88CABF00000000000250005469", "iban high"},
		{"(08) 508 00 000", "telefon medium"},
		{"Bankgiro: 50501055", "bankgiro high"},
		{"SE4550000000058398257466", "iban high"},
		{"DE89370400440532013000", "iban high"},
		{"fastigheten Norrström 2", "fastighetsbeteckning high"},
		{"KS-2014/742.912", "diarienummer medium"},
		{"version 1.2.3.4", ""},
		{"se avsnitt 3.2.1.4", ""},
		{"192.168.1.1", "ip high"},
		{"reservnummer 22800102AB1C", "reservnummer high"},
		{"F84.0 autism", "icd10 medium"},
		{"Kortnummer: 4539 1488 0343 6467", "betalkort high"},
		{"4539148803436467", ""},
		{"LMA-nummer 12-345678", "lma high"},
		{"12-345678", ""},
		{"passnummer AA1234567", "pass high"},
		{"passnr 12345678", "pass high"},
		{"diagnos F32", "icd10 high"},
		{"Väg E20 vid A17", ""},
		{"Fordon ABC 12D", "registreringsnummer high"},
		{"SEK 360", ""},
		{"bil ABC123", "registreringsnummer high"},
		{"Bor på Storgatan 5 A, 123 45 Storstad", "postadress high"},
		{"Storgatan 5, lgh 1102, 123 45 Storstad", "postadress medium"},
		{"Fastigheten Ale Berga 1:2", "fastighetsbeteckning high"},
		{"klockan 19:30", ""},
		{"Dnr KS 2019/0296", "diarienummer high"},
		{"SN 2023-00123", "diarienummer medium"},
		{"läsåret 2022/23", ""},
		{"SOU 2021:1 och SFS 2022:1697", ""},
		{"KF 2023-02-27 § 12", ""},
		{"6580822, 674032", "koordinat medium"},
		{"59.32932, 18.06858", "koordinat medium"},
		{"10.0.0.1", "ip high"},
		{"00:1A:2B:3C:4D:5E", "mac high"},
		{"fe80::1ff:fe23:4567:890a", "ip high"},
		{"kl 12:30:45 den 2024-01-02", ""},
		{"anna.lind@kommun.example.se", "epost high"},
		{"HETU 131052-308T", "hetu high"},
		{"CPR 211062-5629", "cpr high"},
		{"kontonr 6789 123 456 789", "bankkonto high"},
		{"Konto: 8424-4, 983 189 224-6", "bankkonto high"},
		{"ISBN 978-91-7927-169-5", ""},
		{"Årsredovisning 2011-2014;2016-2020;2021-2025  EAN 7310865004703", ""},
		{"https://x/755f431c37f3408191447fe754130197.pdf", ""},
		{"körkortsnummer 19800102-2386", "personnummer high"},
		{"Körkort, referensnummer 123456789", "korkort high"},
		{"körkortets referensnr: 21436587", "korkort high"},
		{"Körkort utfärdat 20190314", ""},
		{"Ordernummer 123456789", ""},
		{"59°19'46\"N 18°04'07\"E", "koordinat medium"},
		{"N 59° 19,766', E 18° 4,124'", "koordinat medium"},
		{"59° 19′ 46,5″ N, 18° 4′ 7″ O", "koordinat medium"},
		{"59°19'N 18°04'E", ""},
		{"41°54'10\"N 12°29'47\"E", ""},
		{"vinkel 59° 19'", ""},
		{"regnr abc123", "registreringsnummer high"},
		{"Bilens reg.nr: abc 12d", "registreringsnummer high"},
		{"bilen abc123 står kvar", "registreringsnummer high"},
		{"bilen har 150 hk och kostar 900 kr", ""},
		{"filen abc123 är borta", ""},
		{"Box 123, 123 45 Storstad", "postadress medium"},
		{"Postadress: Box 22049, 104 22 Storstad", "postadress high"},
		{"box 12 i förrådet", ""},
		{"Xbox 360", ""},
		{"N06AB04", "atc medium"},
		{"SE556047352101", "momsnummer high"},
		{"SE2321000016-7T67", "hsa-id high"},
	} {
		text := []byte(c.text)
		var got []string
		for _, f := range e.Identify(text, s.Scan(text), nil) {
			if f.Confidence > 0 {
				got = append(got, fmt.Sprintf("%s %s", f.Identifier, f.Confidence))
			}
		}
		want := []string{c.want}
		if c.want == "" {
			want = nil
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

// TestHeader weighs cells under the head of their column.
func TestHeader(t *testing.T) {
	e := testEngine(t)
	head := slices.Clone(e.NewScanner().Scan([]byte("Pnr")))
	text := []byte("8001022386")
	found := e.Identify(text, e.NewScanner().Scan(text), head)
	if len(found) != 1 || found[0].Identifier != Personnummer || found[0].Confidence != High {
		t.Errorf("%+v", found)
	}
	head = slices.Clone(e.NewScanner().Scan([]byte("Mobil")))
	text = []byte("0701740607")
	for _, f := range e.Identify(text, e.NewScanner().Scan(text), head) {
		if f.Confidence > 0 && f.Identifier != Telefon {
			t.Errorf("%s under Mobil", f.Identifier)
		}
	}
}

// TestSlash: a slash between two personnummer parts them.
func TestSlash(t *testing.T) {
	e := testEngine(t)
	text := []byte("800102-2386/800103-2385")
	if found := e.Identify(text, e.NewScanner().Scan(text), nil); len(found) != 2 || found[1].Identifier != Personnummer {
		t.Errorf("%+v", found)
	}
}
