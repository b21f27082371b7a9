package extract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// tape is a Sink that writes down what it is given.
type tape struct {
	strings.Builder
	fail error
}

func (s *tape) Text(p Part, text string) error {
	fmt.Fprintf(s, "[%s %s|%s]", p.Kind, p.Place, text)
	return s.fail
}

func (s *tape) Row(p Part, r Row) error {
	fmt.Fprintf(s, "[row %d %s]", r.Number, strings.Join(r.Cells, ","))
	return s.fail
}

func (s *tape) File(f File) error { fmt.Fprintf(s, "[file %s]", f.Name); return s.fail }

func (s *tape) Gap(place string, reason error) error {
	fmt.Fprintf(s, "[gap %s]", place)
	return s.fail
}

func TestFlowKeepsReadingOrder(t *testing.T) {
	s := &tape{}
	f := NewFlow(t.Context(), s)
	f.In(Part{Kind: Heading})
	f.Write("Rubrik")
	f.Line()
	f.In(Part{Kind: Body})
	f.Write("ett ")
	f.Aside(Part{Kind: Deleted}, "borttaget\n")
	f.Write("två")
	f.Line()
	f.Line() // an empty line is none
	f.Row(Part{Kind: Body}, Row{Number: 3, Cells: []string{"a", "b\x00\xFF"}})
	f.Alone(Part{Kind: Note}, "  fotnot \n")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	want := "[heading |Rubrik\n][body |ett två\n][row 3 a,b\uFFFD][note |fotnot\n][deleted |borttaget\n]"
	if s.String() != want {
		t.Errorf("got %s\nwant %s", s, want)
	}
}

func TestFlowHandsOverLongTextsInPieces(t *testing.T) {
	s := &tape{}
	f := NewFlow(t.Context(), s)
	f.In(Part{Kind: Body})
	for range 100_000 {
		f.Write("åäö ord utan radslut ")
	}
	if strings.Count(s.String(), "[body") < 2 {
		t.Error("a line without end was held back")
	}
	if err := f.Close(); err != nil || !utf8.ValidString(s.String()) || strings.Contains(s.String(), "\uFFFD") {
		t.Errorf("cut inside a letter, or %v", err)
	}
}

func TestFlowStopsAtTheSinksError(t *testing.T) {
	s := &tape{fail: errors.New("full")}
	f := NewFlow(t.Context(), s)
	f.Alone(Part{Kind: Body}, "ett")
	f.Alone(Part{Kind: Title}, "två")
	f.Gap("place", ErrDamaged)
	f.File(File{Name: "x"})
	if err := f.Close(); !errors.Is(err, s.fail) || strings.Count(s.String(), "[") != 1 {
		t.Errorf("%v after %s", err, s)
	}
}

func TestFlowGivesWhatItHasBeforeALimit(t *testing.T) {
	s := &tape{}
	f := NewFlow(t.Context(), s)
	f.Aside(Part{Kind: Comment}, "kommentar\n")
	f.Alone(Part{Kind: Body}, "text")
	f.Gap("part", fmt.Errorf("deep: %w", ErrLimit))
	if f.Err() == nil {
		t.Error("a limit did not end the flow")
	}
	if err := f.Close(); !errors.Is(err, ErrLimit) || !strings.Contains(s.String(), "kommentar") || !strings.Contains(s.String(), "text") {
		t.Errorf("%v after %s", err, s)
	}
}

func TestFlowObeysCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &tape{}
	f := NewFlow(ctx, s)
	f.Alone(Part{Kind: Body}, "text")
	if err := f.Close(); !errors.Is(err, context.Canceled) || s.String() != "" {
		t.Errorf("%v after %s", err, s)
	}
}
