package smb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
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
)

// pool holds the connections to one server. A connection serves one caller at
// a time and is thrown away when it breaks.
type pool struct {
	config Config
	free   chan *connection // nil stands for one not yet made

	mu       sync.Mutex
	kerberos *client.Client // shared: tickets are renewed once
}

// connection is one session with the shares mounted on it.
type connection struct {
	session *smb2.Session
	shares  map[string]*smb2.Share
}

func newPool(c Config) *pool {
	p := &pool{config: c, free: make(chan *connection, c.Sessions)}
	for range c.Sessions {
		p.free <- nil
	}
	return p
}

// use lends a connection to do. After an error that the connection did not
// survive, the next caller gets a new one.
func (p *pool) use(ctx context.Context, do func(*connection) error) error {
	c, err := p.take(ctx)
	if err != nil {
		return err
	}
	err = do(c)
	p.give(c, err)
	return translate(ctx, err)
}

// take is for what outlives a function: a file being read. give must follow.
func (p *pool) take(ctx context.Context) (*connection, error) {
	var c *connection
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case c = <-p.free:
	}
	if c != nil {
		return c, nil
	}
	session, err := p.dial(ctx)
	if err != nil {
		p.free <- nil
		return nil, translate(ctx, err)
	}
	return &connection{session: session, shares: map[string]*smb2.Share{}}, nil
}

func (p *pool) give(c *connection, err error) {
	if err != nil && !answered(err) {
		c.close()
		c = nil
	}
	p.free <- c
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
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kerberos == nil {
		k, err := p.login()
		if err != nil {
			return nil, err
		}
		p.kerberos = k
	}
	return &smb2.Krb5Initiator{Client: p.kerberos, TargetSPN: p.config.Kerberos.SPN}, nil
}

func (p *pool) login() (*client.Client, error) {
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

func (p *pool) close() {
	for range cap(p.free) {
		if c := <-p.free; c != nil {
			c.close()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kerberos != nil {
		p.kerberos.Destroy()
	}
}

func (c *connection) close() {
	_ = c.session.Logoff() // the connection may be broken already
}

// share mounts a share once for each connection.
func (c *connection) share(ctx context.Context, name string) (*smb2.Share, error) {
	if s := c.shares[name]; s != nil {
		return s.WithContext(ctx), nil
	}
	s, err := c.session.WithContext(ctx).Mount(name)
	if err != nil {
		return nil, err
	}
	c.shares[name] = s
	return s.WithContext(ctx), nil
}

// NTSTATUS values that decide something here ([MS-ERREF] 2.3.1).
const (
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
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrExist) || errors.Is(err, errVisit)
}
