package graph

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/molnvakt/molnvakt/sources"
)

func TestRetryAfterInEveryForm(t *testing.T) {
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"120":                            2 * time.Minute,
		" 7 ":                            7 * time.Second,
		"0":                              0,
		"1.5":                            1500 * time.Millisecond,
		"Mon, 02 Mar 2026 10:00:30 GMT":  31 * time.Second,
		"Monday, 02-Mar-26 10:00:30 GMT": 31 * time.Second,
		"Mon Mar  2 10:00:30 2026":       31 * time.Second,
		"Mon, 02 Mar 2026 09:00:00 GMT":  time.Second, // passed
		"99999999999999999999999":        10 * 365 * 24 * time.Hour,
		"1e400":                          10 * 365 * 24 * time.Hour,
		"":                               -1,
		"-5":                             -1,
		"soon":                           -1,
		"NaN":                            -1,
	} {
		got, asked := retryAfter(http.Header{"Retry-After": {text}}, now)
		if !asked {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	// The service's clock counts, not ours.
	h := http.Header{"Retry-After": {"Mon, 02 Mar 2026 12:00:10 GMT"}, "Date": {"Mon, 02 Mar 2026 12:00:00 GMT"}}
	if got, _ := retryAfter(h, now); got != 11*time.Second {
		t.Errorf("with a Date two hours ahead: %v, want 11 s", got)
	}
}

func answer(status int, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h}
}

func governed(c Config) *Governor { return NewGovernor(c.Defaults()) }

// pass waits and hands the slot back.
func pass(ctx context.Context, g *Governor, units int) error {
	done, err := g.Wait(ctx, units)
	if err == nil {
		done()
	}
	return err
}

func TestPauseHoldsEveryRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := governed(Config{})
		g.Learn(answer(429, "Retry-After", "120", "RateLimit-Reset", "180"))
		start := time.Now()
		for range 5 {
			if err := pass(t.Context(), g, 0); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(start); waited < 180*time.Second || waited > 182*time.Second {
			t.Errorf("waited %v, want the larger of both: 180 s", waited)
		}
		if g.Spent().Throttled != 1 {
			t.Errorf("spent %+v", g.Spent())
		}
	})
}

func TestUnitsAreSpentNoFasterThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := governed(Config{Licences: 1000, BudgetShare: 1})
		start := time.Now()
		var at []time.Duration
		for range 5000 {
			if err := pass(t.Context(), g, 1); err != nil {
				t.Fatal(err)
			}
			at = append(at, time.Since(start))
		}
		for i := 1250; i < len(at); i++ {
			if at[i]-at[i-1250] < 59*time.Second {
				t.Fatalf("1251 units between %v and %v", at[i-1250], at[i])
			}
		}
		if at[4999] > 6*time.Minute {
			t.Errorf("5,000 units took %v", at[4999])
		}
	})
}

func TestSlowsDownBeforeTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := governed(Config{Licences: 1000, BudgetShare: 1})
		pass(t.Context(), g, 1)
		g.Learn(answer(200, "RateLimit-Limit", "1250", "RateLimit-Remaining", "20", "RateLimit-Reset", "40"))
		start := time.Now()
		for range 20 {
			pass(t.Context(), g, 1)
		}
		if took := time.Since(start); took < 20*time.Second {
			t.Errorf("the last 20 units were spent in %v of 40 s", took)
		}
		time.Sleep(2 * time.Minute) // the service's count has begun anew
		start = time.Now()
		for range 200 {
			pass(t.Context(), g, 1)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("afterwards 200 units took %v", took)
		}
	})
}

func TestCircuitOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := governed(Config{})
		for i := range 50 {
			err := pass(t.Context(), g, 1)
			if err != nil {
				if !errors.Is(err, sources.ErrRefused) || i != maxRefusals {
					t.Errorf("after %d refusals: %v", i, err)
				}
				break
			}
			g.Learn(answer(503))
		}
		time.Sleep(2 * coolDown) // half open: one may try
		if err := pass(t.Context(), g, 1); err != nil {
			t.Errorf("after the cool-down: %v", err)
		}
		g.Learn(answer(200))
		if err := pass(t.Context(), g, 1); err != nil {
			t.Errorf("healed: %v", err)
		}
	})
}

func TestAbsurdPauseEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := governed(Config{})
		g.Learn(answer(429, "Retry-After", "86400"))
		start := time.Now()
		if err := pass(t.Context(), g, 1); !errors.Is(err, sources.ErrRefused) || time.Since(start) > 0 {
			t.Errorf("got %v after %v, want ErrRefused at once", err, time.Since(start))
		}
		time.Sleep(23 * time.Hour)
		if err := pass(t.Context(), g, 1); !errors.Is(err, sources.ErrRefused) {
			t.Errorf("inside the pause: %v", err)
		}
		time.Sleep(2 * time.Hour)
		if err := pass(t.Context(), g, 1); err != nil {
			t.Errorf("after the pause: %v", err)
		}
	})
}

func TestQuietHours(t *testing.T) {
	night := Quiet{From: "19:00", To: "06:00", Weekends: true}
	for clock, want := range map[string]bool{
		"2026-03-02 18:59": false, "2026-03-02 19:00": true, "2026-03-03 05:59": true, "2026-03-03 06:00": false,
		"2026-03-07 12:00": true, // a Saturday
	} {
		at, _ := time.Parse("2006-01-02 15:04", clock)
		if got := night.at(at); got != want {
			t.Errorf("%s: %v", clock, got)
		}
	}
	g := governed(Config{QuietHours: Quiet{From: "19:00", To: "06:00", Only: true}})
	g.now = func() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.Local) }
	if err := pass(t.Context(), g, 1); !errors.Is(err, sources.ErrUnavailable) {
		t.Errorf("by day: %v, want ErrUnavailable", err)
	}
}

func TestCancelledWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := governed(Config{})
		g.Learn(answer(429, "Retry-After", "300"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := pass(ctx, g, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
