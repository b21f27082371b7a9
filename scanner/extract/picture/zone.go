package picture

import (
	"context"
	"image"
	"strings"
)

// A machine-readable zone is the two or three lines at the foot of passports
// and identity cards (ICAO Doc 9303): capitals, digits and "<", in lines of
// 30, 36 or 44.

// looksLikeZone: an ordinary reading of a zone has runs of "<", or of what
// "<" is misread as.
func looksLikeZone(text string) bool {
	for line := range strings.Lines(text) {
		line = strings.ReplaceAll(line, " ", "")
		if len(line) >= 25 && strings.Count(line, "<")+2*strings.Count(line, "«")+strings.Count(line, "£") >= 3 {
			return true
		}
	}
	return false
}

const zoneLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"

// zone reads the part of the page where the zone is once more, with nothing
// but its letters allowed, and returns its lines if their check digits agree.
func (r *recogniser) zone(ctx context.Context, first reading, page *image.Gray) (string, error) {
	area := zoneArea(first, page.Rect)
	part := image.NewGray(image.Rect(0, 0, area.Dx(), area.Dy()))
	for y := range area.Dy() {
		copy(part.Pix[y*part.Stride:], page.Pix[page.PixOffset(area.Min.X, area.Min.Y+y):][:area.Dx()])
	}
	again, err := r.run(ctx, pnm(part), dots(page), psmBlock, "-c", "tessedit_char_whitelist="+zoneLetters,
		"-c", "load_system_dawg=0", "-c", "load_freq_dawg=0")
	if err != nil {
		return "", err
	}
	for _, candidate := range []string{again.text(), first.text()} {
		if lines := zoneLines(candidate); lines != nil {
			return strings.Join(lines, "\n") + "\n" + zoneFacts(lines), nil
		}
	}
	return "", nil
}

// zoneFacts says in words what a zone holds besides the name: the document's
// number and, in Swedish ones, the bearer's. In the zone itself they stand
// between letters, where no number is looked for.
func zoneFacts(zone []string) string {
	number, optional, kind := zone[0][5:14], zone[0][15:30], "ID-kort nr"
	if len(zone) == 2 {
		number, optional = zone[1][0:9], zone[1][28:]
	}
	if zone[0][0] == 'P' {
		kind = "Passnummer"
	}
	var facts strings.Builder
	if n := strings.Trim(number, "<"); n != "" {
		facts.WriteString(kind + ": " + n + "\n")
	}
	digits := optional[:min(12, len(optional))]
	if zone[0][2:5] == "SWE" && strings.Trim(digits, "0123456789") == "" && len(digits) == 12 {
		facts.WriteString("Personnummer: " + digits[:8] + "-" + digits[8:] + "\n")
	}
	return facts.String()
}

// zoneArea is the band of the page that the zone's lines take, with margins.
func zoneArea(words reading, page image.Rectangle) image.Rectangle {
	var area image.Rectangle
	for _, w := range words {
		if strings.Count(w.text, "<")+strings.Count(w.text, "«")+strings.Count(w.text, "£") >= 2 {
			area = area.Union(w.box)
		}
	}
	if area.Empty() {
		return page
	}
	margin := 3 * page.Dy() / 40
	return image.Rect(page.Min.X, area.Min.Y-margin, page.Max.X, area.Max.Y+margin).Intersect(page)
}

// zoneLines finds lines that follow each other and form a zone.
func zoneLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.NewReplacer(" ", "", "«", "<<", "£", "<", "\n", "").Replace(strings.ToUpper(line))
		if len(line) >= 20 && strings.Trim(line, zoneLetters) == "" {
			lines = append(lines, line)
		}
	}
	for i := range lines {
		for _, f := range zoneFormats {
			if i+f.lines <= len(lines) {
				if zone := f.repair(lines[i : i+f.lines]); zone != nil {
					return zone
				}
			}
		}
	}
	return nil
}

// zoneFormat says where the checked fields stand: on which line, from where to
// where, the check digit right behind.
type zoneFormat struct {
	lines, width int
	fields       []zoneField
}

type zoneField struct {
	line, from, to int
	letters        zoneAlphabet
}

type zoneAlphabet int

const (
	mixed   zoneAlphabet = iota
	numbers              // dates
	names                // countries: no check digit
)

var zoneFormats = []zoneFormat{
	{3, 30, []zoneField{ // identity card, TD1
		{0, 2, 5, names}, {0, 5, 14, mixed}, {1, 0, 6, numbers}, {1, 8, 14, numbers}, {1, 15, 18, names},
	}},
	{2, 44, []zoneField{ // passport, TD3
		{0, 2, 5, names}, {1, 0, 9, mixed}, {1, 10, 13, names}, {1, 13, 19, numbers}, {1, 21, 27, numbers},
	}},
	{2, 36, []zoneField{ // identity card, TD2
		{0, 2, 5, names}, {1, 0, 9, mixed}, {1, 10, 13, names}, {1, 13, 19, numbers}, {1, 21, 27, numbers},
	}},
}

// repair brings lines to their width, puts digits where only digits can be and
// letters where only letters can,
// and returns them if all dates check: nil otherwise.
func (f zoneFormat) repair(lines []string) []string {
	zone := make([]string, f.lines)
	for i, line := range lines {
		line = fit(line, f.width)
		if line == "" {
			return nil
		}
		zone[i] = line
	}
	for _, field := range f.fields {
		line := []byte(zone[field.line])
		switch field.letters {
		case names:
			for i := field.from; i < field.to; i++ {
				line[i] = letter(line[i])
			}
		case numbers:
			for i := field.from; i <= field.to; i++ {
				line[i] = digit(line[i])
			}
		case mixed:
			line[field.to] = digit(line[field.to])
		}
		zone[field.line] = string(line)
		if field.letters == numbers && checkDigit(line[field.from:field.to]) != line[field.to] {
			return nil
		}
	}
	return zone
}

// fit brings a line to its width, if all it lacks or has too many of are the
// fillers at its end.
func fit(line string, width int) string {
	const tolerance = 6
	switch {
	case len(line) == width:
		return line
	case len(line) > width && len(line) <= width+tolerance && strings.Trim(line[width:], "<") == "":
		return line[:width]
	case len(line) < width && len(line) >= width-tolerance && strings.HasSuffix(line, "<"):
		return line + strings.Repeat("<", width-len(line))
	}
	return ""
}

// digit is what a letter is where only a digit can stand.
func digit(c byte) byte {
	switch c {
	case 'O', 'Q', 'D':
		return '0'
	case 'I', 'L':
		return '1'
	case 'Z':
		return '2'
	case 'S':
		return '5'
	case 'G':
		return '6'
	case 'B':
		return '8'
	}
	return c
}

// letter is what a digit is where only a letter can stand.
func letter(c byte) byte {
	switch c {
	case '0':
		return 'O'
	case '1':
		return 'I'
	case '2':
		return 'Z'
	case '5':
		return 'S'
	case '6':
		return 'G'
	case '8':
		return 'B'
	}
	return c
}

// checkDigit is that of ICAO Doc 9303 part 3, section 4.9: weights 7, 3, 1.
func checkDigit(field []byte) byte {
	weights, sum := [3]int{7, 3, 1}, 0
	for i, c := range field {
		v := 0
		switch {
		case '0' <= c && c <= '9':
			v = int(c - '0')
		case 'A' <= c && c <= 'Z':
			v = int(c-'A') + 10
		}
		sum += v * weights[i%3]
	}
	return byte('0' + sum%10)
}
