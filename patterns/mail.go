package patterns

import (
	"bytes"
	"strings"
)

// mailPass finds e-mail addresses from their @ on.
func mailPass(b []byte, hits []Hit) []Hit {
	for i := 0; i < len(b); {
		k := bytes.IndexByte(b[i:], '@')
		if k < 0 {
			break
		}
		at := i + k
		i = at + 1
		if from, to := mailAround(b, at); to > 0 {
			shape := ShapeDashed
			if functionalMailbox(string(b[from:at])) {
				shape |= ShapeFunctional
			}
			hits = append(hits, Hit{Start: from, End: to, Kind: IdentifierHit, Identifier: Epost, Shape: shape})
			i = to
		}
	}
	return hits
}

// Limits of RFC 5321 section 4.5.3.1.
const (
	maxMailLocal  = 64
	maxMailDomain = 255
)

// mailAround returns the address around the @, or zeros.
func mailAround(b []byte, at int) (from, to int) {
	from = at
	for from > 0 && at-from < maxMailLocal && mailByte(b[from-1]) {
		from--
	}
	for from < at && !asciiLetter(b[from]) && !asciiDigit(b[from]) {
		from++
	}
	dot := -1
	to = at + 1
	for to < len(b) && to-at < maxMailDomain {
		c := b[to]
		if c == '.' {
			if to == at+1 || to+1 >= len(b) || !asciiLetter(b[to+1]) && !asciiDigit(b[to+1]) {
				break
			}
			dot = to
		} else if !asciiLetter(c) && !asciiDigit(c) && c != '-' {
			break
		}
		to++
	}
	if from == at || dot < 0 || to-dot < 3 || letterAt(b, to) {
		return 0, 0
	}
	for _, c := range b[dot+1 : to] {
		if !asciiLetter(c) {
			return 0, 0
		}
	}
	return from, to
}

func mailByte(c byte) bool {
	return asciiLetter(c) || asciiDigit(c) || c == '.' || c == '-' || c == '_' || c == '+' || c == '%'
}

// functionalMailbox knows the mailboxes that belong to an office.
func functionalMailbox(local string) bool {
	local = strings.ToLower(local)
	for _, name := range [...]string{"registrator", "kommun", "info", "kontakt", "kundcenter", "kundtjanst", "kansli", "reception", "support", "noreply", "no-reply", "postmaster", "webmaster", "dataskydd", "dso", "faktura", "press", "helpdesk", "servicedesk", "medborgarservice", "kontaktcenter", "diarium", "nämnd", "namnd", "forvaltning", "expedition", "rektor", "skola", "byggnadsnamnden", "socialnamnden", "overformyndare", "socialtjanst", "jour", "vaxel", "bibliotek", "arkiv", "upphandling", "it"} {
		if local == name || len(name) > 3 && strings.HasPrefix(local, name) || len(name) > 5 && strings.HasSuffix(local, name) {
			return true
		}
	}
	return false
}
