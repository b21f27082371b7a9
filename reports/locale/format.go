package locale

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// noBreak keeps a number and its unit on one line.
const noBreak = "\u00a0"

// Number writes a whole number with the language's grouping: 12 345 in
// Swedish (no-break space), 12,345 in English.
func (l *Locale) Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	mark := l.T("number.group")
	// Four digits are written together in Swedish (Språkrådet, Svenska skrivregler).
	if len(digits) <= 3 || l.language == Swedish && len(digits) == 4 {
		return sign + digits
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(mark)
		}
		b.WriteRune(d)
	}
	return b.String()
}

// Percent writes a share, 0 to 1, without pretending that almost all is all
// or that almost nothing is nothing.
func (l *Locale) Percent(share float64) string {
	p := math.Round(share * 100)
	space := l.T("number.percent-space")
	switch {
	case share > 0 && p < 1:
		return "<" + noBreak + "1" + space + "%"
	case share < 1 && p >= 100:
		return l.decimal(math.Min(math.Floor(share*1000)/10, 99.9)) + space + "%"
	}
	return strconv.Itoa(int(p)) + space + "%"
}

// Bytes writes a size in decimal units: 1,2 MB.
func (l *Locale) Bytes(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	size, unit := float64(n), 0
	for size >= 999.5 && unit < len(units)-1 {
		size, unit = size/1000, unit+1
	}
	if unit == 0 {
		return l.Number(n) + noBreak + "B"
	}
	if size >= 99.95 {
		return strconv.Itoa(int(math.Round(size))) + noBreak + units[unit]
	}
	return l.decimal(size) + noBreak + units[unit]
}

func (l *Locale) decimal(f float64) string {
	s := strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
	return strings.Replace(s, ".", l.T("number.decimal"), 1)
}

// Date writes a day: 2026-11-22, as Swedish authorities do in both languages.
// The zero time is "".
func (l *Locale) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(l.zone).Format(time.DateOnly)
}

// DateTime writes a day and a minute: 2026-11-22 15:47. The zero time is "".
func (l *Locale) DateTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(l.zone).Format("2006-01-02 15:04")
}

// LongDate writes a day in words: 22 november 2026. The zero time is "".
func (l *Locale) LongDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(l.zone)
	month := l.T("month." + strconv.Itoa(int(t.Month())))
	return strconv.Itoa(t.Day()) + noBreak + month + " " + strconv.Itoa(t.Year())
}

// Duration writes a time span in its two largest units: "2 h 5 min".
func (l *Locale) Duration(d time.Duration) string {
	if d < time.Second {
		return strconv.FormatInt(d.Milliseconds(), 10) + noBreak + "ms"
	}
	d = d.Round(time.Second)
	days, hours := int(d.Hours())/24, int(d.Hours())%24
	minutes, seconds := int(d.Minutes())%60, int(d.Seconds())%60
	parts := []struct {
		n    int
		unit string
	}{{days, l.T("unit.day")}, {hours, "h"}, {minutes, "min"}, {seconds, "s"}}
	var words []string
	for i, p := range parts {
		if p.n == 0 {
			if len(words) > 0 {
				break
			}
			continue
		}
		words = append(words, strconv.Itoa(p.n)+noBreak+p.unit)
		if len(words) == 2 || i == len(parts)-1 {
			break
		}
	}
	return strings.Join(words, " ")
}
