package sdk

import (
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/molnvakt/molnvakt/sources/graph"
)

func mustBase(t *testing.T, config graph.Config) *http.Transport {
	t.Helper()
	base, err := config.Defaults().BaseTransport()
	if err != nil {
		t.Fatal(err)
	}
	return base
}

// proxyTo runs a proxy that leads every connection to one address.
func proxyTo(t *testing.T, address string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		there, err := net.Dial("tcp", address)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		here, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			there.Close()
			return
		}
		io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { io.Copy(there, here); there.Close() }()
		io.Copy(here, there)
		here.Close()
	})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return "http://" + l.Addr().String()
}
