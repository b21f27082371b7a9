package extract

import "strings"

// Delimiter finds what separates the columns of a text that is a table. It
// says false for text that is none: a letter has commas too, but not the
// same number on every line.
func Delimiter(sample string) (delimiter rune, isTable bool) {
	best, bestFields := rune(0), 0
	for _, d := range []rune{'\t', ';', '|', ','} {
		if n := columns(sample, d); n > bestFields {
			best, bestFields = d, n
		}
	}
	return best, bestFields > 0
}

// columns returns how many columns d makes of the sample, or 0 if its lines
// do not agree.
func columns(sample string, d rune) int {
	counts := map[int]int{}
	lines := 0
	for line := range records(sample) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		counts[fields(line, d)]++
		if lines++; lines == 500 {
			break
		}
	}
	usual := 0
	for n, c := range counts {
		if c > counts[usual] || c == counts[usual] && n > usual {
			usual = n
		}
	}
	agreed := counts[usual]
	switch {
	case usual < 2 || lines < 2:
		return 0
	case d == ',' && (agreed < lines || lines < 5 && usual < 3 || lines < 3 && usual < 4):
		return 0
	case d == '|' && (agreed < lines || lines < 3):
		return 0
	case agreed*20 < lines*17:
		return 0
	}
	return usual
}

// records yields the whole lines of a sample, those inside quotes joined. The
// last line is left out when it may be cut off.
func records(sample string) func(yield func(string) bool) {
	whole := len(sample) < sniffHead/4
	return func(yield func(string) bool) {
		for first := true; sample != ""; first = false {
			end, quoted := recordEnd(sample)
			if end < 0 {
				if !first && whole && !quoted {
					yield(sample)
				}
				return
			}
			if !yield(strings.TrimSuffix(sample[:end], "\r")) {
				return
			}
			sample = sample[end+1:]
		}
	}
}

// recordEnd is where the first line ends that does not end in quotes, or -1.
func recordEnd(sample string) (end int, quoted bool) {
	for at := 0; ; {
		i := strings.IndexByte(sample[at:], '\n')
		if i < 0 {
			return -1, quoted != (strings.Count(sample[at:], `"`)%2 == 1)
		}
		quoted = quoted != (strings.Count(sample[at:at+i], `"`)%2 == 1)
		at += i
		if !quoted {
			return at, false
		}
		at++
	}
}

func fields(line string, d rune) int {
	if strings.IndexByte(line, '"') < 0 {
		return strings.Count(line, string(d)) + 1
	}
	n, quoted := 1, false
	for _, r := range line {
		switch {
		case r == '"':
			quoted = !quoted
		case r == d && !quoted:
			n++
		}
	}
	return n
}
