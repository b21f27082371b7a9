package plaintext

import (
	"context"
	"fmt"
	"html"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/molnvakt/molnvakt/scanner/extract"
)

// speech gathers captions into paragraphs: what Teams and Zoom keep of a
// recorded meeting is cut into lines of a screen's width, which divide names
// and numbers. It reads WebVTT (w3.org/TR/webvtt1) and SubRip.
type speech struct {
	flow    *extract.Flow
	began   int    // line where the paragraph begins
	speaker string // of the paragraph
	said    strings.Builder
}

// paragraph is where what one person says is handed on, in bytes.
const paragraph = 2 << 10

var (
	captionTag   = regexp.MustCompile(`</?[a-zA-Z0-9][^<>]*>|\{\\an?[0-9]+\}`) // <i>, <c.yellow>, <00:01:02.000>, {\an8}
	captionVoice = regexp.MustCompile(`^<v(?:\.[^\s>]*)?[ \t]+([^>]*)>`)
	captionEnd   = regexp.MustCompile(`[.?!…]["”»]?$`)
)

// captions reads captions from a text.
func captions(ctx context.Context, in extract.Input, text io.Reader, out extract.Sink) error {
	all, err := io.ReadAll(io.LimitReader(text, in.Limits.Text+1))
	if err != nil {
		return extract.Damaged(err)
	}
	s := speech{flow: extract.NewFlow(ctx, out)}
	var block []string
	number := 0
	for line := range strings.Lines(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(all))) {
		number++
		line = strings.TrimSpace(strings.Trim(line, "\ufeff\x00\n"))
		if line != "" {
			block = append(block, line)
			continue
		}
		s.block(block, number-len(block))
		block = block[:0]
	}
	s.block(block, number-len(block)+1)
	s.end()
	if err := s.flow.Close(); err != nil {
		return err
	}
	if int64(len(all)) > in.Limits.Text {
		return fmt.Errorf("captions: %w", extract.ErrLimit)
	}
	return nil
}

// block reads the lines between two empty ones: a caption behind its name and
// time, a note, the header. Whatever it is, what it says is read.
func (s *speech) block(lines []string, number int) {
	at := len(lines)
	for i, line := range lines[:min(len(lines), 3)] {
		if strings.Contains(line, "-->") {
			at = i + 1
			break
		}
	}
	switch {
	case len(lines) == 0:
	case at < len(lines):
		for _, line := range lines[at:] {
			s.say(line, number)
		}
	case strings.HasPrefix(lines[0], "STYLE"), strings.HasPrefix(lines[0], "REGION"), strings.Contains(lines[len(lines)-1], "-->"):
	default: // the header, a note
		text := strings.TrimPrefix(strings.Join(lines, "\n"), "WEBVTT")
		if text = strings.TrimSpace(strings.TrimPrefix(text, "NOTE")); text != "" {
			s.flow.Aside(extract.Part{Kind: extract.Comment, Place: place(number)}, text+"\n")
		}
	}
}

// say adds a line of a caption to what its speaker says.
func (s *speech) say(line string, number int) {
	if voice := captionVoice.FindStringSubmatch(line); voice != nil {
		if name := html.UnescapeString(strings.TrimSpace(voice[1])); name != s.speaker {
			s.end()
			s.speaker = name
		}
	}
	line = strings.TrimSpace(html.UnescapeString(captionTag.ReplaceAllString(line, "")))
	if line == "" {
		return
	}
	if s.said.Len() == 0 {
		s.began = number
		if s.speaker != "" {
			s.said.WriteString(s.speaker + ": ")
		}
	} else if !strings.HasSuffix(s.said.String(), "-") || !startsWithDigit(line) {
		s.said.WriteByte(' ')
	}
	s.said.WriteString(line)
	if s.said.Len() > paragraph || s.speaker == "" && captionEnd.MatchString(line) {
		s.end()
	}
}

func startsWithDigit(line string) bool { return line[0] >= '0' && line[0] <= '9' }

// end hands on the paragraph.
func (s *speech) end() {
	if s.said.Len() > 0 {
		s.flow.Alone(extract.Part{Kind: extract.Body, Place: place(s.began)}, s.said.String())
	}
	s.said.Reset()
}

func place(line int) string { return "line " + strconv.Itoa(line) }
