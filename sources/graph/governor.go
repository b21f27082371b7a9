package graph

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/molnvakt/molnvakt/sources"
)

const (
	// maxPause is the longest pause that is sat out. A service that asks for
	// more is left alone at once, and for as long as it asked.
	maxPause = time.Hour
	// maxRefusals is how many times in a row the service may refuse (429,
	// 503), pauses obeyed, until the circuit opens.
	maxRefusals = 10
	// coolDown is how long an open circuit stays open.
	coolDown = 10 * time.Minute
	// burst is the part of a minute's units that may be spent at once. Twice
	// 80 % is never spent in one minute: 0.2 at once + 0.8 in the minute.
	burst = 0.2
)

// Governor is the one place that decides when a request may go to a tenant:
// it spends resource units no faster than allowed, holds every request while
// the service asks for a pause, and stops asking a service that persistently
// refuses. Source of the figures: Microsoft, "Avoid getting throttled or
// blocked in SharePoint Online".
type Governor struct {
	limit   float64 // resource units a minute
	daily   float64 // resource units in 24 hours
	share   Share
	quiet   Quiet
	backoff time.Duration
	now     func() time.Time
	slots   chan struct{} // taken by requests that have no answer yet

	mu        sync.Mutex
	units     float64   // may be spent now; negative: owed
	counted   time.Time // when units was brought up to date
	slowed    float64   // part of the speed that is used; 1: all of it
	slowUntil time.Time // when full speed is tried again
	until     time.Time // end of the pause
	refusals  int       // in a row
	open      time.Time // until when the circuit is open
	openCause error
	dayStart  time.Time
	dayUnits  float64
	spent     sources.Spending
}

// NewGovernor returns the governor of the tenant that config describes.
func NewGovernor(config Config) *Governor {
	minute := minuteUnits(config.Licences)
	g := &Governor{
		limit:   minute,
		daily:   minute * 960, // 1,250 a minute go with 1.2 million in 24 hours
		share:   config.BudgetShare,
		quiet:   config.QuietHours,
		backoff: config.Backoff,
		now:     time.Now,
		slowed:  1,
		units:   minute * burst,
		// As many as it takes to spend the units at the latencies that are
		// usual; more would all be on their way when a pause is asked for.
		slots: make(chan struct{}, 4+int(minute/1000)),
	}
	g.spent.PerMinute = int64(minute)
	return g
}

// minuteUnits returns the resource units that one application may spend in a
// minute in a tenant with so many licences.
func minuteUnits(licences int) float64 {
	for _, class := range []struct {
		most  int
		units float64
	}{{1_000, 1250}, {5_000, 2500}, {15_000, 3750}, {50_000, 5000}} {
		if licences <= class.most {
			return class.units
		}
	}
	return 6250
}

// Spent returns what was asked so far.
func (g *Governor) Spent() sources.Spending {
	g.mu.Lock()
	defer g.mu.Unlock()
	spent := g.spent
	spent.PerMinute = int64(g.limit * float64(g.currentShare(g.now())))
	return spent
}

// Wait returns when a request that costs so many resource units may be sent.
// The caller calls done once, as soon as it has the answer and has shown it to
// Learn. Returns sources.ErrRefused while the circuit is open,
// sources.ErrUnavailable outside quiet hours that are kept strictly or when
// the day's units are spent, or the error of ctx.
func (g *Governor) Wait(ctx context.Context, units int) (done func(), err error) {
	start := g.now()
	for {
		select {
		case g.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		delay, err := g.claim(float64(units))
		if err == nil && delay <= 0 && ctx.Err() == nil {
			g.count(units, g.now().Sub(start))
			return func() { <-g.slots }, nil
		}
		<-g.slots
		if err != nil {
			return nil, err
		}
		if err := sleep(ctx, delay); err != nil {
			return nil, err
		}
	}
}

func (g *Governor) count(units int, waited time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.spent.Requests++
	g.spent.Units += int64(units)
	if waited > time.Millisecond {
		g.spent.Paused += waited
	}
}

// claim takes the units, or returns how long to wait before asking again.
func (g *Governor) claim(units float64) (time.Duration, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if now.Before(g.open) {
		return 0, g.openCause
	}
	if pause := g.until.Sub(now); pause > 0 {
		return pause, nil
	}
	share := g.currentShare(now)
	if share == 0 {
		return 0, fmt.Errorf("graph: outside quiet_hours: %w", sources.ErrUnavailable)
	}
	if now.Sub(g.dayStart) >= 24*time.Hour {
		g.dayStart, g.dayUnits = now, 0
	}
	if g.dayUnits+units > g.daily*float64(share) {
		return 0, fmt.Errorf("graph: the resource units of 24 hours are spent (%.0f): %w", g.dayUnits, sources.ErrUnavailable)
	}
	if g.slowed < 1 && now.After(g.slowUntil) {
		g.slowed = 1
	}
	rate := g.limit * float64(share) * g.slowed / 60 * (1 - burst) // units a second
	if !g.counted.IsZero() {
		g.units = min(g.limit*float64(share)*burst, g.units+now.Sub(g.counted).Seconds()*rate)
	}
	g.counted = now
	if g.units < units && g.units < g.limit*float64(share)*burst {
		return max(time.Millisecond, time.Duration((units-g.units)/rate*float64(time.Second))), nil
	}
	g.units -= units
	g.dayUnits += units
	return 0, nil
}

// currentShare is the share of the units that may be used now; 0: none.
func (g *Governor) currentShare(now time.Time) Share {
	quiet := g.quiet.at(now.Local())
	switch {
	case quiet:
		return g.quiet.Share
	case g.quiet.Only:
		return 0
	}
	return g.share
}

// Learn takes in what an answer says about pace. Every answer of the tenant,
// whichever host gave it, is shown to Learn before its body is read.
func (g *Governor) Learn(resp *http.Response) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
		g.refused(resp, now)
		return
	}
	if resp.StatusCode < 500 {
		g.refusals = 0
	} else if wait, asked := retryAfter(resp.Header, now); asked {
		g.until = later(g.until, now.Add(min(wait, maxPause)))
	}
	g.heed(resp.Header, now)
}

// refused holds every request for as long as the service asks, and opens the
// circuit when it has been asked too often.
func (g *Governor) refused(resp *http.Response, now time.Time) {
	g.spent.Throttled++
	if !now.Before(g.until) { // not one of those already on their way
		g.refusals++
		g.slowed = max(0.1, g.slowed*0.7)
	}
	defer func() { g.slowUntil = later(g.slowUntil, g.until.Add(2*time.Minute)) }()
	wait, asked := retryAfter(resp.Header, now)
	if reset, ok := seconds(resp.Header.Get("RateLimit-Reset")); ok && resp.StatusCode == http.StatusTooManyRequests {
		wait, asked = max(wait, reset), true
	}
	if !asked {
		wait = g.exponential(g.refusals)
	}
	g.until = later(g.until, now.Add(wait))
	cause := newError(resp.StatusCode, resp.Header, nil)
	switch {
	case wait > maxPause:
		g.openUntil(now.Add(wait), fmt.Errorf("graph: the service asks for a pause of %v: %w", wait.Round(time.Second), errors.Join(sources.ErrRefused, cause)))
	case g.refusals >= maxRefusals:
		g.openUntil(later(g.until, now.Add(coolDown)), fmt.Errorf("graph: the service refused %d times in a row: %w", g.refusals, errors.Join(sources.ErrRefused, cause)))
	}
}

// heed slows down as the service's own count nears its end.
func (g *Governor) heed(h http.Header, now time.Time) {
	limit, ok1 := number(h.Get("RateLimit-Limit"))
	left, ok2 := number(h.Get("RateLimit-Remaining"))
	reset, ok3 := seconds(h.Get("RateLimit-Reset"))
	if !ok2 {
		return
	}
	if ok1 && limit > 0 && left > limit/5 {
		return
	}
	if left <= 0 && ok3 {
		g.until = later(g.until, now.Add(min(reset, 2*time.Minute)))
	}
	if ok3 && reset > 0 {
		full := g.limit * float64(g.share) / 60
		g.slowed = min(1, max(0.005, left/reset.Seconds()/full))
		g.slowUntil = now.Add(min(reset, 2*time.Minute))
		g.units = min(g.units, left/4)
	}
}

// Failed takes in that a request got no usable answer, and returns how long
// its sender waits before it tries again.
func (g *Governor) Failed(attempt int) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.exponential(attempt)
}

func (g *Governor) openUntil(t time.Time, cause error) {
	g.open, g.openCause = later(g.open, t), cause
	g.refusals = maxRefusals - 1 // half open afterwards: one refusal opens it again
}

func (g *Governor) exponential(n int) time.Duration {
	d := min(float64(g.backoff)*math.Pow(2, float64(max(n, 1)-1)), float64(30*g.backoff))
	return time.Duration(d * (0.75 + rand.Float64()/2))
}

// retryAfter reads Retry-After as seconds, whole or fractional, or as a date,
// which counts from the service's own clock. RFC 9110, 10.2.3. Not asked:
// absent, negative or unreadable.
func retryAfter(h http.Header, now time.Time) (wait time.Duration, asked bool) {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if ms, ok := number(h.Get("Retry-After-Ms")); ok && text == "" {
		return time.Duration(min(ms, 1e9) * float64(time.Millisecond)), true
	}
	if d, ok := seconds(text); ok {
		return d, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	// Both are cut to whole seconds: one more makes sure.
	return max(0, at.Sub(now)) + time.Second, true
}

// seconds reads a delay, at most ten years.
func seconds(text string) (time.Duration, bool) {
	n, ok := number(text)
	return time.Duration(min(n, 10*365*86400) * float64(time.Second)), ok
}

// number reads a number that is zero or more.
func number(text string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if errors.Is(err, strconv.ErrRange) && n > 0 {
		err = nil
	}
	return n, err == nil && n >= 0
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
