package patterns

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// reDate is what appendDates finds, as an expression.
var reDate = regexp.MustCompile(`(?:\b\d{1,2}/\d{1,2}\b|\b20\d\d-\d\d-\d\d\b|\b(?:kl\.?|klockan) ?\d{1,2}[.:]\d\d|\bden \d{1,2} (?:jan|feb|mar|apr|maj|jun|jul|aug|sep|okt|nov|dec)|\b\d{6}\b)`)

// TestDates: dates are where the expression says.
func TestDates(t *testing.T) {
	parts := strings.Fields("12 3 2024 2024-05-06 202 240506 1/2 12/11 kl kl. klockan 14:30 8.15 den jan februari 3maj k d / - . : _ å x 20 7")
	r := rand.New(rand.NewPCG(3, 3))
	found := 0
	for range 20_000 {
		var b strings.Builder
		for range 1 + r.IntN(9) {
			b.WriteString(parts[r.IntN(len(parts))])
			if r.IntN(3) > 0 {
				b.WriteByte(" \n"[r.IntN(2)])
			}
		}
		text := []byte(b.String())
		var want []int
		for _, m := range reDate.FindAllIndex(text, -1) {
			want = append(want, m[0])
		}
		if got := appendDates(nil, text); !slices.Equal(got, want) {
			t.Fatalf("%q: got %v, want %v", text, got, want)
		}
		found += len(want)
	}
	if found == 0 {
		t.Fatal("no dates tried")
	}
}

// TestIdentifies: trying the expression only where it may begin finds what
// searching everywhere finds.
func TestIdentifies(t *testing.T) {
	parts := strings.Split("f,f.,född,FÖDD,föds,födelsedatum:,den,19,20,1980,2004,7,12,år,mån,månader,gammal,åk,Åk,årskurs,klass,förskoleklass,kl,kl.,6C,7b,|,| (12),(12),19800102,800102-,xxxx,N,NA,NA2,N3c,lgh,lägenhet,1102,-,.,:,a,å,Bo,_,K,Å,ſ,r", ",")
	r := rand.New(rand.NewPCG(4, 4))
	found := 0
	for range 40_000 {
		var b strings.Builder
		for range 1 + r.IntN(6) {
			b.WriteString(parts[r.IntN(len(parts))])
			if r.IntN(3) > 0 {
				b.WriteByte(' ')
			}
		}
		text := []byte(b.String())
		want := reIdentity.Match(text)
		if got := identifies(text); got != want {
			t.Fatalf("%q: got %v, want %v", text, got, want)
		}
		if want {
			found++
		}
	}
	if found == 0 {
		t.Fatal("nothing identified")
	}
}
