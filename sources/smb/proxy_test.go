package smb_test

import (
	"io"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between the client and a server and does to connections what
// networks do.
type proxy struct {
	addr    string
	server  string
	passed  atomic.Int64  // bytes from the server so far
	cutAt   atomic.Int64  // every connection ends after as many bytes from the server
	once    atomic.Bool   // only the first connection that gets there is cut
	stalled atomic.Bool   // nothing passes any more, connections stay open
	ended   chan struct{} // closed at the test's end
}

func startProxy(t *testing.T, server string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{addr: l.Addr().String(), server: server, ended: make(chan struct{})}
	p.cutAt.Store(math.MaxInt64)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { p.carry(client) })
		}
	})
	t.Cleanup(func() { l.Close(); close(p.ended); all.Wait() })
	return p
}

func (p *proxy) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{}, 2)
	go func() { p.pass(client, server, nil); done <- struct{}{} }()
	var passed int64
	go func() { p.pass(server, client, &passed); done <- struct{}{} }()
	select {
	case <-done:
	case <-p.ended:
	}
}

func (p *proxy) pass(from io.Reader, to io.Writer, passed *int64) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if p.stalled.Load() {
			<-p.ended
			return
		}
		cut := false
		if passed != nil {
			if left := p.cutAt.Load() - *passed; int64(n) >= left {
				n, cut = int(max(left, 0)), true
			}
			*passed += int64(n)
			p.passed.Add(int64(n))
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if cut && p.once.Load() {
			p.cutAt.Store(math.MaxInt64)
		}
		if err != nil || cut {
			return
		}
	}
}
