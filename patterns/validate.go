package patterns

import "time"

// Validators work on slices of ASCII digits unless they say otherwise.

// luhn reports whether the last digit is right by ISO/IEC 7812-1 annex B.
func luhn(d []byte) bool {
	sum := 0
	double := false
	for i := len(d) - 1; i >= 0; i-- {
		v := int(d[i] - '0')
		if double {
			v = int(luhnDoubled[v])
		}
		sum += v
		double = !double
	}
	return sum%10 == 0
}

var luhnDoubled = [10]uint8{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}

// mod11 reports whether the weights 1, 2 … 10, 1 … from the right give a sum
// divisible by eleven (Bankgirot, "Bankernas kontonummer").
func mod11(d []byte) bool {
	sum, weight := 0, 1
	for i := len(d) - 1; i >= 0; i-- {
		sum += int(d[i]-'0') * weight
		if weight++; weight > 10 {
			weight = 1
		}
	}
	return sum%11 == 0
}

// mod97 reports whether letters and digits, moved as ISO 13616 says, leave 1.
func mod97(iban []byte) bool {
	r := 0
	put := func(c byte) {
		if c <= '9' {
			r = (r*10 + int(c-'0')) % 97
		} else {
			r = (r*100 + int(c-'A') + 10) % 97
		}
	}
	for _, c := range iban[4:] {
		put(c)
	}
	for _, c := range iban[:4] {
		put(c)
	}
	return r == 1
}

func two(d []byte) int  { return int(d[0]-'0')*10 + int(d[1]-'0') }
func four(d []byte) int { return two(d)*100 + two(d[2:]) }

var monthDays = [13]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func validDate(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 || day > monthDays[month] {
		return false
	}
	return month != 2 || day < 29 || year%4 == 0 && (year%100 != 0 || year%400 == 0)
}

// civilDate is a date as year*10000 + month*100 + day.
type civilDate int

func civil(t time.Time) civilDate {
	return civilDate(t.Year()*10000 + int(t.Month())*100 + t.Day())
}

// earliestBirth is the first year of Skatteverket's test numbers; nobody
// alive is older.
const earliestBirth = 1890

// personKind tells what ten digits are: Personnummer, Samordningsnummer or
// neither. The century is not part of the check digit. Skatteverket's test
// numbers show samordningsnummer with month 00, day 60 and day 91 in months
// of thirty days, so their date is not held against the calendar.
func personKind(year int, d []byte) Identifier {
	if d[6] == '0' && d[7] == '0' && d[8] == '0' {
		return NoIdentifier
	}
	month, day := two(d[2:]), two(d[4:])
	if month > 12 {
		return NoIdentifier
	}
	switch {
	case day >= 60 && day <= 91:
		if luhn(d) {
			return Samordningsnummer
		}
	case validDate(year, month, day) && luhn(d):
		return Personnummer
	}
	return NoIdentifier
}

// centuryOf returns the year that two digits mean: the newest that does not
// lie in the future, a century earlier when a plus sign says so.
func centuryOf(d []byte, plus bool, today civilDate) int {
	year := int(today)/10000/100*100 + two(d)
	month, day := two(d[2:]), two(d[4:])
	if day > 60 {
		day -= 60
	}
	if civilDate(year*10000+month*100+day) > today {
		year -= 100
	}
	if plus {
		year -= 100
	}
	return year
}

// personTen validates YYMMDDNNNC and returns the full year.
func personTen(d []byte, plus bool, today civilDate) (Identifier, int) {
	// Third digit 2 or more is an organisationsnummer: most numbers end here.
	if d[2] > '1' {
		return NoIdentifier, 0
	}
	year := centuryOf(d, plus, today)
	if year < earliestBirth {
		return NoIdentifier, 0
	}
	return personKind(year, d), year
}

// personTwelve validates YYYYMMDDNNNC.
func personTwelve(d []byte, today civilDate) Identifier {
	year := four(d)
	if year < earliestBirth || year > int(today)/10000 {
		return NoIdentifier
	}
	day := two(d[6:])
	if day > 60 {
		day -= 60
	}
	if civilDate(year*10000+two(d[4:])*100+day) > today {
		return NoIdentifier
	}
	return personKind(year, d[2:])
}

// interimLetters stand for the first digit of the birth number and count as 1
// (personnummer.dev, specification 3.1).
const interimLetters = "TRSUWXJKLMN"

// organisation validates ten digits of an organisationsnummer.
func organisation(d []byte) bool {
	return d[0] != '0' && d[0] != '4' && d[2] >= '2' && luhn(d)
}

// paymentCard validates the issuer's prefix, the length and the check digit.
func paymentCard(d []byte) bool {
	n, p2 := len(d), two(d)
	p3, p4 := p2*10+int(d[2]-'0'), four(d)
	var ok bool
	switch {
	case d[0] == '4': // Visa
		ok = n == 13 || n == 16 || n == 19
	case p2 >= 51 && p2 <= 55, p4 >= 2221 && p4 <= 2720: // Mastercard
		ok = n == 16
	case p2 == 34 || p2 == 37: // American Express
		ok = n == 15
	case p3 >= 300 && p3 <= 305, p2 == 36, p2 == 38, p2 == 39: // Diners
		ok = n == 14
	case p4 == 6011, p2 == 65, p3 >= 644 && p3 <= 649: // Discover
		ok = n == 16 || n == 19
	case p4 >= 3528 && p4 <= 3589: // JCB
		ok = n == 16
	case p2 == 50, p2 >= 56 && p2 <= 69: // Maestro
		ok = n == 16 || n == 18 || n == 19
	}
	return ok && !sameDigits(d) && luhn(d)
}

// sameDigits reports whether all digits are equal.
func sameDigits(d []byte) bool {
	for _, c := range d {
		if c != d[0] {
			return false
		}
	}
	return true
}

var norwegianFirst = [9]int{3, 7, 6, 1, 8, 9, 4, 5, 2}
var norwegianSecond = [10]int{5, 4, 3, 2, 7, 6, 5, 4, 3, 2}

// fodselsnummer validates eleven Norwegian digits: two mod 11 checks; day +40
// is a D number, month +40 an H number, month +80 a test number.
func fodselsnummer(d []byte) bool {
	day, month := two(d), two(d[2:])
	if day > 40 {
		day -= 40
	}
	switch {
	case month > 80:
		month -= 80
	case month > 40:
		month -= 40
	}
	if !validDate(2000, month, day) {
		return false
	}
	return norwegianCheck(d, norwegianFirst[:], d[9]) && norwegianCheck(d, norwegianSecond[:], d[10])
}

func norwegianCheck(d []byte, weights []int, check byte) bool {
	sum := 0
	for i, w := range weights {
		sum += w * int(d[i]-'0')
	}
	return (11-sum%11)%11 == int(check-'0') // 10 never equals a digit
}

// cprNumber checks only the date: Danish numbers have had no check digit
// since 2007.
func cprNumber(d []byte) bool {
	return validDate(2000, two(d[2:]), two(d)) && (d[6] != '0' || d[7] != '0' || d[8] != '0' || d[9] != '0')
}

const finnishCheck = "0123456789ABCDEFHJKLMNPRSTUVWXY"

// hetu validates DDMMYY and NNNC: mod 31 (Finnish statute 690/2022 added
// century signs; the caller checks the sign).
func hetu(date, tail []byte) bool {
	if !validDate(2000, two(date[2:]), two(date)) {
		return false
	}
	v := 0
	for _, c := range date {
		v = v*10 + int(c-'0')
	}
	for _, c := range tail[:3] {
		v = v*10 + int(c-'0')
	}
	return v%1000 >= 2 && finnishCheck[v%31] == tail[3]
}
