package graphtest

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ledger counts resource units as SharePoint Online does.
type ledger struct {
	minute time.Time
	units  int
	total  int
}

// charge books units. It returns the headers that tell the state of the
// minute, from 80 % on, or a refusal. Refused requests count too.
func (l *ledger) charge(units int, o Options) (headers map[string]string, refusal *reply) {
	l.total += units
	if o.UnitLimit == 0 {
		return nil, nil
	}
	now := time.Now()
	if now.Sub(l.minute) >= time.Minute {
		l.minute, l.units = now, 0
	}
	l.units += units
	reset := strconv.Itoa(int(math.Ceil(l.minute.Add(time.Minute).Sub(now).Seconds())))
	if l.units <= o.UnitLimit*8/10 {
		return nil, nil
	}
	headers = map[string]string{
		"RateLimit-Limit": strconv.Itoa(o.UnitLimit), "RateLimit-Remaining": strconv.Itoa(max(0, o.UnitLimit-l.units)), "RateLimit-Reset": reset,
	}
	if l.units <= o.UnitLimit {
		return headers, nil
	}
	a := refuse(http.StatusTooManyRequests, "activityLimitReached", "The request has been throttled")
	a.header = headers
	a.header["Retry-After"] = reset
	if o.RetryAfter != "" {
		a.header["Retry-After"] = o.RetryAfter
	}
	return nil, &a
}

// Units returns the resource units spent so far.
func (t *Tenant) Units() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ledger.total
}

// cost is what a request costs: 1 an item, a delta with a token, a download; 2
// a list, a delta without one, a change; 5 permissions.
func cost(r *http.Request) int {
	p := r.URL.Path
	switch {
	case strings.HasSuffix(p, "/permissions"):
		return 5
	case r.Method != http.MethodGet:
		return 2
	case strings.Contains(p, "delta"):
		if strings.Contains(p, "token") || r.URL.Query().Has("token") {
			return 1
		}
		return 2
	case strings.HasSuffix(p, "/content"), strings.HasSuffix(p, "/filesFolder"):
		return 1
	}
	parts := strings.Split(strings.Trim(p, "/"), "/")
	if len(parts) > 2 && parts[len(parts)-2] == "items" || len(parts) == 3 && parts[1] == "sites" && strings.Contains(parts[2], ",") {
		return 1
	}
	return 2
}
