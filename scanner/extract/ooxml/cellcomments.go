package ooxml

import (
	"errors"
	"io"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// readCellComments reads the comments of a sheet, each at its cell.
func (d *document) readCellComments(x *extract.XML, sheet string) error {
	var authors []string
	var ref, author string
	var text strings.Builder
	inText := false
	for {
		kind, err := x.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case kind == extract.XMLText:
			if inText && text.Len() < 1<<20 {
				text.Write(x.Text())
			}
		case x.Name == "t":
			inText = kind == extract.XMLStart
		case x.Name == "author" && kind == extract.XMLStart:
			name, err := elementText(x)
			if err != nil {
				return err
			}
			authors = append(authors, name)
		case x.Name == "comment" && kind == extract.XMLStart:
			ref, author = x.Attr("ref"), pick(authors, x.Attr("authorId"))
			text.Reset()
		case x.Name == "comment":
			d.cellComment(sheet, ref, author, text.String())
			if err := d.flow.Err(); err != nil {
				return err
			}
		}
	}
}

func pick(list []string, index string) string {
	n := 0
	for _, c := range index {
		if c < '0' || c > '9' || n > len(list) {
			return ""
		}
		n = n*10 + int(c-'0')
	}
	if index == "" || n >= len(list) {
		return ""
	}
	return list[n]
}

// cellComment writes a comment, with its author where it does not begin with
// the name itself, as Excel's do.
func (d *document) cellComment(sheet, ref, author, text string) {
	if author != "" && !strings.HasPrefix(text, author) {
		text = author + ": " + text
	}
	d.flow.Alone(extract.Part{Kind: extract.Comment, Place: strings.Trim(sheet+"!"+ref, "!")}, text)
}

// readThreadedComments reads the comments of newer programs.
func (d *document) readThreadedComments(x *extract.XML, sheet string) error {
	ref := ""
	return d.eachStart(x, func() error {
		switch x.Name {
		case "threadedComment":
			ref = x.Attr("ref")
		case "text":
			text, err := elementText(x)
			d.cellComment(sheet, ref, "", text)
			if err != nil {
				return err
			}
		}
		return d.flow.Err()
	})
}
