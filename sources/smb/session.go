package smb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/cloudsoda/go-smb2"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/keytab"

	"github.com/molnvakt/molnvakt/sources"
)

const (
	dialTime  = 15 * time.Second
	keepAlive = 30 * time.Second
	leaveTime = 2 * time.Second // to sign out in good order
	// patience is how long a server may owe an answer. Without an end to it a
	// server that hangs, or an answer whose signature does not hold and which
	// is therefore dropped, would stop a scan for ever.
	patience = time.Minute
)

// pool holds the connections to one server. Connections are shared: nobody
// waits for one that another keeps open. One that breaks is left to those who
// use it, and closed when the last of them has gone.
type pool struct {
	config   Config
	patience time.Duration

	mu          sync.Mutex
	connections []*connection

	login    sync.Mutex
	kerberos *client.Client // shared: tickets are renewed once
}

// connection is one session with the shares mounted on it.
type connection struct {
	users   int  // guarded by pool.mu
	retired bool // guarded by pool.mu: no longer in the pool

	making  chan struct{} // held while signing in or mounting; guards what follows
	session *smb2.Session // nil: not yet signed in
	shares  map[string]*smb2.Share
}

func newPool(c Config) *pool { return &pool{config: c, patience: patience} }

// use lends a connection to do, which may be called again: a connection that
// broke since it was last used is replaced. do's context ends when the server
// owes an answer for too long.
func (p *pool) use(ctx context.Context, do func(*lease) error) error {
	for {
		l, err := p.take(ctx)
		if err != nil {
			return err
		}
		err = do(l)
		stale := l.stale(err)
		err = l.end(err)
		if !stale {
			return err
		}
	}
}

// lease is a connection on loan, and the watch over its requests. It is used
// by one goroutine at a time.
type lease struct {
	*connection
	ctx   context.Context // of the requests: ends when the server keeps silent
	outer context.Context
	pool  *pool
	used  bool // the connection had served before
	stop  context.CancelCauseFunc
	watch *time.Timer
}

var errSilent = fmt.Errorf("%w: the server does not answer", sources.ErrUnavailable)

// take borrows a connection; end must follow.
func (p *pool) take(ctx context.Context) (*lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := &lease{connection: p.pick(), outer: ctx, pool: p}
	l.ctx, l.stop = context.WithCancelCause(ctx)
	l.watch = time.AfterFunc(p.patience, func() { l.stop(errSilent) })
	if err := l.signIn(); err != nil {
		return nil, l.end(err)
	}
	return l, nil
}

// pick chooses an idle connection, else a new one if there may be one more,
// else the one with the fewest users.
func (p *pool) pick() *connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	var best *connection
	for _, c := range p.connections {
		if best == nil || c.users < best.users {
			best = c
		}
	}
	if best == nil || best.users > 0 && len(p.connections) < p.config.Sessions {
		best = &connection{making: make(chan struct{}, 1), shares: map[string]*smb2.Share{}}
		p.connections = append(p.connections, best)
	}
	best.users++
	return best
}

func (l *lease) signIn() error {
	free, err := l.exclusively()
	if err != nil {
		return err
	}
	defer free()
	if l.session != nil {
		l.used = true
		return nil
	}
	l.session, err = l.pool.dial(l.ctx)
	return err
}

func (l *lease) exclusively() (free func(), err error) {
	select {
	case l.making <- struct{}{}:
		return func() { <-l.making }, nil
	case <-l.ctx.Done():
		return nil, l.ctx.Err()
	}
}

// asking starts the watch anew, before a request.
func (l *lease) asking() { l.watch.Reset(l.pool.patience) }

// resting stops the watch while nothing is asked of the server.
func (l *lease) resting() { l.watch.Stop() }

// stale tells whether an error may only mean that the connection broke while
// nobody used it: servers end idle ones.
func (l *lease) stale(err error) bool {
	return l.used && err != nil && !answered(err) && l.ctx.Err() == nil
}

// end gives the connection back and names the error that ended its use.
func (l *lease) end(err error) error {
	l.watch.Stop()
	silent := errors.Is(context.Cause(l.ctx), errSilent)
	l.pool.give(l.connection, err)
	l.stop(nil)
	if err != nil && silent && l.outer.Err() == nil {
		return errSilent
	}
	return translate(l.outer, err)
}

func (p *pool) give(c *connection, err error) {
	p.mu.Lock()
	c.users--
	if err != nil && !answered(err) {
		p.retire(c)
	}
	last := c.retired && c.users == 0
	p.mu.Unlock()
	if last {
		c.close(0)
	}
}

// retire takes a connection out of the pool; p.mu is held.
func (p *pool) retire(c *connection) {
	c.retired = true
	p.connections = slices.DeleteFunc(p.connections, func(x *connection) bool { return x == c })
}

// close ends the connections; those in use end with their use.
func (p *pool) close() {
	p.mu.Lock()
	var idle []*connection
	for _, c := range slices.Clone(p.connections) {
		p.retire(c)
		if c.users == 0 {
			idle = append(idle, c)
		}
	}
	p.mu.Unlock()
	for _, c := range idle {
		c.close(leaveTime)
	}
	p.login.Lock()
	defer p.login.Unlock()
	if p.kerberos != nil {
		p.kerberos.Destroy()
		p.kerberos = nil
	}
}

// close signs out, for as long as that may take, and ends the connection.
func (c *connection) close(wait time.Duration) {
	if c.session == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	_ = c.session.WithContext(ctx).Logoff() // it may be broken already
}

// share mounts a share once for each connection.
func (l *lease) share(name string) (*smb2.Share, error) {
	free, err := l.exclusively()
	if err != nil {
		return nil, err
	}
	defer free()
	s := l.shares[name]
	if s == nil {
		if s, err = l.session.WithContext(l.ctx).Mount(name); err != nil {
			return nil, err
		}
		l.shares[name] = s
	}
	return s.WithContext(l.ctx), nil
}

func (p *pool) dial(ctx context.Context) (*smb2.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	initiator, err := p.initiator()
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{KeepAlive: keepAlive}).DialContext(ctx, "tcp", p.config.Server)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", sources.ErrUnavailable, err)
	}
	// Signing is always demanded: otherwise whoever stands between could
	// answer in the server's place.
	d := &smb2.Dialer{Negotiator: smb2.Negotiator{RequireMessageSigning: true}, Initiator: initiator}
	session, err := d.DialConn(ctx, conn, p.config.Server)
	if err != nil {
		conn.Close()
		return nil, signInError(err)
	}
	return session, nil
}

func (p *pool) initiator() (smb2.Initiator, error) {
	if p.config.Kerberos.Keytab == "" {
		password, err := p.config.Password.value()
		if err != nil {
			return nil, err
		}
		return &smb2.NTLMInitiator{User: p.config.User, Password: password, Domain: p.config.Domain}, nil
	}
	p.login.Lock()
	defer p.login.Unlock()
	if p.kerberos == nil {
		k, err := p.loginKerberos()
		if err != nil {
			return nil, err
		}
		p.kerberos = k
	}
	return &smb2.Krb5Initiator{Client: p.kerberos, TargetSPN: p.config.Kerberos.SPN}, nil
}

func (p *pool) loginKerberos() (*client.Client, error) {
	k := p.config.Kerberos
	conf, err := config.Load(k.Config)
	if err != nil {
		return nil, fmt.Errorf("%w: kerberos: config: %w", sources.ErrConfig, err)
	}
	tab, err := keytab.Load(k.Keytab)
	if err != nil {
		return nil, fmt.Errorf("%w: kerberos: keytab: %w", sources.ErrConfig, err)
	}
	c := client.NewWithKeytab(p.config.User, k.Realm, tab, conf, client.DisablePAFXFAST(true))
	if err := c.Login(); err != nil {
		return nil, fmt.Errorf("%w: kerberos: %w", sources.ErrRefused, err)
	}
	return c, nil
}

// NTSTATUS values that decide something here ([MS-ERREF] 2.3.1).
const (
	statusNoSuchFile          = 0xC000000F
	statusNoMemory            = 0xC0000017
	statusAccessDenied        = 0xC0000022
	statusObjectNameInvalid   = 0xC0000033
	statusSharingViolation    = 0xC0000043
	statusFileLockConflict    = 0xC0000054
	statusDeletePending       = 0xC0000056
	statusLogonFailure        = 0xC000006D
	statusAccountRestriction  = 0xC000006E
	statusInvalidLogonHours   = 0xC000006F
	statusPasswordExpired     = 0xC0000071
	statusAccountDisabled     = 0xC0000072
	statusFileIsADirectory    = 0xC00000BA
	statusNetworkNameDeleted  = 0xC00000C9
	statusBadNetworkName      = 0xC00000CC
	statusNotADirectory       = 0xC0000103
	statusFileClosed          = 0xC0000128
	statusAccountExpired      = 0xC0000193
	statusUserSessionDeleted  = 0xC0000203
	statusPathNotCovered      = 0xC0000257
	statusAccountLockedOut    = 0xC0000234
	statusPasswordMustChange  = 0xC0000224
	statusNetworkSessionEnded = 0xC000035C
	statusVirusInfected       = 0xC0000906
	statusVirusDeleted        = 0xC0000907
)

// meanings says what the server's refusals are called in this house.
var meanings = map[uint32]error{
	statusAccessDenied:       sources.ErrDenied,
	statusObjectNameInvalid:  sources.ErrUnsupported,
	statusSharingViolation:   sources.ErrUnavailable,
	statusFileLockConflict:   sources.ErrUnavailable,
	statusDeletePending:      sources.ErrGone,
	statusNotADirectory:      sources.ErrGone,
	statusFileIsADirectory:   sources.ErrGone,
	statusBadNetworkName:     sources.ErrGone,
	statusPathNotCovered:     sources.ErrUnsupported,
	statusLogonFailure:       sources.ErrRefused,
	statusAccountRestriction: sources.ErrRefused,
	statusInvalidLogonHours:  sources.ErrRefused,
	statusPasswordExpired:    sources.ErrRefused,
	statusAccountDisabled:    sources.ErrRefused,
	statusAccountExpired:     sources.ErrRefused,
	statusAccountLockedOut:   sources.ErrRefused,
	statusPasswordMustChange: sources.ErrRefused,
	statusVirusInfected:      sources.ErrMalware,
	statusVirusDeleted:       sources.ErrMalware,
}

// translate names the server's and the network's errors in this house's words.
func translate(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// Errors reach logs, and a file's name may hold somebody's number.
	var named *fs.PathError
	if errors.As(err, &named) {
		err = fmt.Errorf("%s: %w", named.Op, named.Err)
	}
	for _, known := range []error{
		sources.ErrGone, sources.ErrDenied, sources.ErrUnavailable, sources.ErrConfig, sources.ErrRefused,
		sources.ErrUnsupported, sources.ErrMalware, sources.ErrChanged,
	} {
		if errors.Is(err, known) {
			return err
		}
	}
	var refused *smb2.ResponseError
	if errors.As(err, &refused) {
		if meaning := meanings[refused.Code]; meaning != nil {
			return fmt.Errorf("%w: %w", meaning, err)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", sources.ErrGone, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", sources.ErrDenied, err)
	}
	return fmt.Errorf("%w: %w", sources.ErrUnavailable, err)
}

// signInError is translate for a sign-in, where a refusal means the account.
func signInError(err error) error {
	var refused *smb2.ResponseError
	if errors.As(err, &refused) || errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: sign-in: %w", sources.ErrRefused, err)
	}
	return fmt.Errorf("%w: sign-in: %w", sources.ErrUnavailable, err)
}

// answered tells whether the server answered in good order, so that the
// connection can be used on.
func answered(err error) bool {
	var refused *smb2.ResponseError
	if errors.As(err, &refused) {
		switch refused.Code {
		case statusUserSessionDeleted, statusNetworkNameDeleted, statusNetworkSessionEnded, statusFileClosed, statusNoMemory:
			return false
		}
		return true
	}
	for _, known := range []error{fs.ErrNotExist, fs.ErrPermission, fs.ErrExist, errVisit, sources.ErrGone, sources.ErrChanged} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
