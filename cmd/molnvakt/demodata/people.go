package demodata

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Person is somebody invented.
type Person struct {
	First, Last string
	Number      string // personnummer, twelve digits, an official test number
	Address     string
	Postal      string
	Phone       string
}

// Name returns first and last name.
func (p Person) Name() string { return p.First + " " + p.Last }

// Born returns the birth date as 2006-01-02.
func (p Person) Born() string { return p.Number[:4] + "-" + p.Number[4:6] + "-" + p.Number[6:8] }

func (p Person) woman() bool { return (p.Number[10]-'0')%2 == 0 }

// people are adults and children; the same number is always the same person.
type people struct{ adults, children []Person }

//go:embed data/personnummer.txt
var numbers string

func readPeople() (*people, error) {
	all := &people{}
	for i, number := range strings.Fields(numbers) {
		if len(number) != 12 {
			return nil, fmt.Errorf("personnummer.txt: line %d is no personnummer", i+1)
		}
		p := invent(number)
		if number < "2008" {
			all.adults = append(all.adults, p)
		} else {
			all.children = append(all.children, p)
		}
	}
	return all, nil
}

// invent gives a number its person.
func invent(number string) Person {
	var seed uint64
	for _, digit := range number {
		seed = seed*10 + uint64(digit-'0')
	}
	rng := rand.New(rand.NewPCG(seed, 4711))
	p := Person{Number: number}
	first := menOld
	switch old := number < "1985"; {
	case p.woman() && old:
		first = womenOld
	case p.woman():
		first = womenYoung
	case !old:
		first = menYoung
	}
	p.First, p.Last = pick(rng, first), pick(rng, surnames)
	p.Address = fmt.Sprintf("%s %d", pick(rng, streets), 1+rng.IntN(68))
	p.Postal = pick(rng, []string{"900 01 Björkfors", "900 02 Björkfors", "900 13 Norrby", "900 17 Åkerlunda"})
	p.Phone = fmt.Sprintf("070-174 06 %02d", 5+rng.IntN(95)) // a series kept for fiction (PTS)
	return p
}

func (f *people) adult(rng *rand.Rand) Person { return pick(rng, f.adults) }
func (f *people) child(rng *rand.Rand) Person { return pick(rng, f.children) }

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// Common names, so that detection meets what it will meet; the combinations
// are invented.
var (
	womenOld   = strings.Fields("Anna Eva Maria Karin Kristina Lena Birgitta Inger Marie Ulla Gunilla Ingrid Monica Barbro Susanne Annika Helena Åsa Yvonne Margareta Fatima Leila Marja Katarina Ann-Christin")
	womenYoung = strings.Fields("Alva Alma Ebba Elsa Vera Wilma Maja Astrid Saga Freja Selma Olivia Signe Ines Iris Stella Ellen Amira Yasmin Zahra Hanna Emma Julia Moa Linnéa Matilda Tindra Nora Edith Leona")
	menOld     = strings.Fields("Lars Anders Johan Per Nils Mikael Jan Karl Hans Peter Erik Bengt Bo Gunnar Sven Göran Leif Kjell Ulf Roger Ahmed Hassan Juha Stefan Ove")
	menYoung   = strings.Fields("William Liam Noah Hugo Oliver Elias Adam August Vincent Theo Leo Alexander Nils Arvid Viggo Melvin Ludvig Omar Ali Yusuf Filip Oscar Lucas Axel Emil Albin Isak Edvin Sixten Malte")
	surnames   = strings.Fields("Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Lindberg Lindström Berglund Sandberg Forsberg Sjögren Wallin Engström Eklund Danielsson Håkansson Lundin Björk Bergman Holmqvist Nyström Löfgren Nyberg Söderberg Ström Hedlund Blom Åberg Norberg Viklund Hellström Öberg Hassan Ali Mohamed Ahmadi Korhonen Virtanen Haddad Petrović Nguyen Lind Ek Dahl Sandström Sundqvist Åkesson Månsson Fransson")
	streets    = strings.Fields("Storgatan Kyrkogatan Björkvägen Lindvägen Skolgatan Ängsvägen Åkervägen Stationsgatan Nygatan Tallvägen Rönnvägen Backgatan Granitvägen Smedjegatan Kvarngatan Ringvägen")
)
