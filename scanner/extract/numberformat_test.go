package extract

import "testing"

func TestNumberFormat(t *testing.T) {
	for _, test := range []struct {
		code string
		v    float64
		want string
	}{
		{"000000-0000", 507091234, "050709-1234"},
		{`000000\-0000`, 6709199530, "670919-9530"},
		{"00000000-0000", 196709199530, "19670919-9530"},
		{"[<=9999999999]000000-0000;00000000-0000", 196709199530, "19670919-9530"},
		{"[<=9999999999]000000-0000;00000000-0000", 6709199530, "670919-9530"},
		{"General", 196709199530, "196709199530"},
		{"#,##0", 196709199530, "196709199530"},
		{"0.00E+00", 196709199530, "196709199530"},
		{"0.00", 1234.5, "1234.50"},
		{"0", 2.5, "3"},
		{"0.00", 0.125, "0.13"},
		{"#,##0.00 kr", 1234.5, "1234.50 kr"},
		{"0%", 0.25, "25%"},
		{"yyyy-mm-dd", 24734, "1967-09-19"},
		{"yymmdd", 24734, "670919"},
		{"yyyymmdd", 24734, "19670919"},
		{"d/m/yy", 24734, "19/9/67"},
		{"mmm-yy", 24734, "1967-09-19"},
		{"[$-41D]d mmmm yyyy;@", 24734, "1967-09-19"},
		{"yyyy-mm-dd hh:mm", 24734.5, "1967-09-19 12:00"},
		{"[h]:mm", 1.5, "36:00"},
		{"mm:ss", 0.5 / 1440, "00:30"},
		{"h:mm AM/PM", 0.75, "6:00 PM"},
		{"0;-0", -5, "-5"},
		{"0;(0)", -5, "(5)"},
		{"0", -5, "-5"},
		{"0.0", -0.01, "0.0"},
		{";;;", 6709199530, "6709199530"},
		{`"Pnr "000000-0000`, 6709199530, "Pnr 670919-9530"},
		{"@", 6709199530, "6709199530"},
		{"0000 00 000 00", 55551234567, "5555 12 345 67"},
		{"# ?/?", 0.5, "0.5"},
		{"#", 0, ""},
		{`_-* #,##0.00\ "kr"_-;\-* #,##0.00\ "kr"_-;_-* "-"??\ "kr"_-;_-@_-`, -12.5, "-12.50 kr"},
	} {
		if got := ParseNumberFormat(test.code).Format(test.v, false); got != test.want {
			t.Errorf("%v in %s: got %q, want %q", test.v, test.code, got, test.want)
		}
	}
}

func TestPlainNumberKeepsDigits(t *testing.T) {
	for want, v := range map[string]float64{"0.3": 0.1 + 0.2, "196709199530": 196709199530, "-1.5": -1.5, "1234567890123456": 1234567890123456} {
		if got := PlainNumber(v); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func FuzzNumberFormat(f *testing.F) {
	f.Add("000000-0000", 507091234.0)
	f.Add("[$-41D]d mmmm yyyy;@", 24734.0)
	f.Add("[h]:mm:ss.0 AM/PM", -1.5)
	f.Add("00AM/PM", -1.5)
	f.Add("[\x80;\xff\xffD]d yyyy\xff@", 10992.9)
	f.Fuzz(func(_ *testing.T, code string, v float64) {
		format := ParseNumberFormat(code)
		format.Format(v, false)
		format.Format(v, true)
	})
}
