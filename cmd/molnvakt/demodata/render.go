package demodata

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

// render writes a sheet in a format and returns the ending of its name.
func render(rng *rand.Rand, format string, s sheet) (content []byte, ending string, err error) {
	switch format {
	case "txt", "md", "log", "sql", "py":
		return []byte(plain(s, "\n")), "." + format, nil
	case "txt-1252":
		content, err = encoded(charmap.Windows1252, plain(s, "\r\n"))
		return content, ".txt", err
	case "txt-850":
		content, err = encoded(charmap.CodePage850, plain(s, "\r\n"))
		return content, ".txt", err
	case "txt-mac":
		content, err = encoded(charmap.Macintosh, plain(s, "\r"))
		return content, ".txt", err
	case "txt-16":
		return utf16LE(plain(s, "\r\n")), ".txt", nil
	case "csv":
		return []byte("\ufeff" + separated(s, ";", "\r\n")), ".csv", nil
	case "csv-1252":
		content, err = encoded(charmap.Windows1252, separated(s, ";", "\r\n"))
		return content, ".csv", err
	case "html":
		return []byte(page(s)), ".html", nil
	case "rtf":
		return rich(s), ".rtf", nil
	case "pdf":
		return pdf(s, ""), ".pdf", nil
	case "pdf-locked":
		return pdf(s, "hemligt"), ".pdf", nil
	case "png":
		content, err = scanned(rng, s)
		return content, ".png", err
	case "docx", "xlsx", "pptx", "odt", "ods":
		content, err = packed(format, s)
		return content, "." + format, err
	case "docx-damaged":
		return damaged(rng), ".docx", nil
	case "dwg":
		return append([]byte("AC1032\x00\x00\x00\x00\x00"), noise(rng, 4000)...), ".dwg", nil
	case "docx-locked":
		return locked(rng), ".docx", nil
	case "msg":
		return message(s), ".msg", nil
	case "json":
		content, err = records(s)
		return content, ".json", err
	case "tgz":
		content, err = tarball(s)
		return content, ".tar.gz", err
	case "eml":
		return mail(s, "", nil), ".eml", nil
	case "eml-docx", "eml-pdf", "zip":
		content, err = wrapped(format, s)
		return content, map[bool]string{true: ".zip", false: ".eml"}[format == "zip"], err
	}
	return nil, "", fmt.Errorf("unknown format %q", format)
}

// gapOf returns the reason why a document of this format cannot be read.
func gapOf(format string) string {
	return map[string]string{"pdf-locked": "encrypted", "docx-locked": "encrypted", "docx-damaged": "damaged", "dwg": "unsupported"}[format]
}

// wrapped puts the sheet inside a mail or an archive.
func wrapped(format string, s sheet) ([]byte, error) {
	covering := sheet{Name: s.Name, Title: s.Title, Blocks: []block{{Text: "Hej! Bifogar dokumentet enligt överenskommelse."}, {Text: "Vänliga hälsningar"}}}
	switch format {
	case "eml-docx":
		inner, err := packed("docx", s)
		return mail(covering, s.Name+".docx", inner), err
	case "eml-pdf":
		return mail(covering, s.Name+".pdf", pdf(s, "")), nil
	}
	inner, err := packed("docx", s)
	if err != nil {
		return nil, err
	}
	return archive([]part{{"Läs mig.txt", []byte(plain(covering, "\r\n"))}, {"Underlag/" + s.Name + ".docx", inner}})
}

// plain is the sheet as lines of text, tables with tabs.
func plain(s sheet, newline string) string {
	var b strings.Builder
	for i, block := range s.Blocks {
		if i > 0 {
			b.WriteString(newline)
		}
		for _, row := range block.Rows {
			b.WriteString(strings.Join(row, "\t") + newline)
		}
		if block.Rows == nil {
			b.WriteString(block.Text + newline)
		}
	}
	return b.String()
}

// separated is the sheet as cells; a quote protects what needs it.
func separated(s sheet, comma, newline string) string {
	var b strings.Builder
	for _, block := range s.Blocks {
		rows := block.Rows
		if rows == nil {
			rows = [][]string{{block.Text}}
		}
		for _, row := range rows {
			for i, cell := range row {
				if i > 0 {
					b.WriteString(comma)
				}
				if strings.ContainsAny(cell, comma+"\"\n") {
					cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
				}
				b.WriteString(cell)
			}
			b.WriteString(newline)
		}
	}
	return b.String()
}

// records is each table of the sheet as a list of objects.
func records(s sheet) ([]byte, error) {
	var all []map[string]string
	for _, block := range s.Blocks {
		for i, row := range block.Rows {
			record := map[string]string{}
			for j, cell := range row {
				if i > 0 && j < len(block.Rows[0]) {
					record[block.Rows[0][j]] = cell
				}
			}
			if len(record) > 0 {
				all = append(all, record)
			}
		}
	}
	return json.MarshalIndent(map[string]any{"titel": s.Title, "rader": all}, "", " ")
}

// tarball is the sheet in a compressed archive, as exports come.
func tarball(s sheet) ([]byte, error) {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	t := tar.NewWriter(zipped)
	content := []byte(separated(s, ";", "\n"))
	if err := t.WriteHeader(&tar.Header{Name: "export/data.csv", Mode: 0o600, Size: int64(len(content))}); err != nil {
		return nil, err
	}
	if _, err := t.Write(content); err != nil {
		return nil, err
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	err := zipped.Close()
	return out.Bytes(), err
}

func page(s sheet) string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html lang=\"sv\"><head><meta charset=\"utf-8\"><title>" + html.EscapeString(s.Title) + "</title></head>\n<body>\n")
	for _, block := range s.Blocks {
		switch {
		case block.Rows != nil:
			b.WriteString("<table>\n")
			for i, row := range block.Rows {
				tag := map[bool]string{true: "th", false: "td"}[i == 0]
				b.WriteString("<tr>")
				for _, cell := range row {
					b.WriteString("<" + tag + ">" + html.EscapeString(cell) + "</" + tag + ">")
				}
				b.WriteString("</tr>\n")
			}
			b.WriteString("</table>\n")
		case block.Heading:
			b.WriteString("<h1>" + html.EscapeString(block.Text) + "</h1>\n")
		default:
			b.WriteString("<p>" + html.EscapeString(block.Text) + "</p>\n")
		}
	}
	return b.String() + "</body></html>\n"
}

// encoded writes text in an old character set; signs it lacks become close ones.
func encoded(set *charmap.Charmap, text string) ([]byte, error) {
	text = strings.NewReplacer("–", "-", "”", `"`, "’", "'", "…", "...", "•", "*", "ć", "c").Replace(text)
	return encoding.ReplaceUnsupported(set.NewEncoder()).Bytes([]byte(text))
}

func utf16LE(text string) []byte {
	out := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return out
}

// rich is the sheet as RTF in Windows-1252, as old word processors save it.
func rich(s sheet) []byte {
	var b bytes.Buffer
	b.WriteString(`{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}}\f0\fs22` + "\n")
	for _, block := range s.Blocks {
		for _, row := range block.Rows {
			b.WriteString(`\trowd`)
			for i := range row {
				fmt.Fprintf(&b, `\cellx%d`, (i+1)*2200)
			}
			b.WriteString("\n")
			for _, cell := range row {
				b.WriteString(`\intbl ` + richText(cell) + `\cell `)
			}
			b.WriteString(`\row` + "\n")
		}
		switch {
		case block.Rows != nil:
			b.WriteString(`\pard` + "\n")
		case block.Heading:
			b.WriteString(`{\b\fs28 ` + richText(block.Text) + `}\par` + "\n")
		default:
			b.WriteString(richText(block.Text) + `\par` + "\n")
		}
	}
	b.WriteString("}\n")
	return b.Bytes()
}

func richText(text string) string {
	var b strings.Builder
	for _, r := range text {
		latin, known := charmap.Windows1252.EncodeRune(r)
		switch {
		case r == '\\' || r == '{' || r == '}':
			b.WriteString(`\` + string(r))
		case r < 0x80:
			b.WriteRune(r)
		case known:
			fmt.Fprintf(&b, `\'%02x`, latin)
		default:
			fmt.Fprintf(&b, `\u%d?`, int16(r))
		}
	}
	return b.String()
}

func noise(rng *rand.Rand, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(rng.Uint32())
	}
	return out
}

// damaged begins as an office document and goes on as noise.
func damaged(rng *rand.Rand) []byte {
	return append([]byte("PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00\x21\x00"), noise(rng, 6000)...)
}
