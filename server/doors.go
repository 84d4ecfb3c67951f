package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

// doors are where the server listens: with TLS, next to it without, or only
// without; and where its metrics are.
type doors struct {
	main        net.Listener
	plain       net.Listener // nil without TLS
	metrics     net.Listener // nil without --metrics-addr
	captive     net.Listener // nil without --captive
	taken       string       // the address that main was to have; "" if it has it
	certificate *certificate // nil without TLS
}

// openDoors opens what the options name. terminal tells that a person looks on.
func openDoors(o *options, terminal bool) (*doors, error) {
	d := &doors{}
	var err error
	if d.certificate, err = openCertificate(o); err != nil {
		return nil, err
	}
	if d.main, d.taken, err = openMain(o, terminal); err != nil {
		return nil, err
	}
	if d.certificate != nil {
		d.main = d.certificate.listen(d.main)
	}
	if o.httpAddr != "" {
		d.plain, err = listen("http-addr", o.httpAddr)
	}
	if o.metricsAddr != "" && err == nil {
		d.metrics, err = listen("metrics-addr", o.metricsAddr)
	}
	if o.captiveAddr != "" && err == nil {
		d.captive, err = listenCaptive(o.captiveAddr, d.main)
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *doors) close() {
	for _, l := range []net.Listener{d.main, d.plain, d.metrics, d.captive} {
		if l != nil {
			l.Close()
		}
	}
}

func (d *doors) addr() net.Addr { return d.main.Addr() }

// names are those that the certificate vouches for.
func (d *doors) names() []string {
	if d.certificate == nil {
		return nil
	}
	return d.certificate.names()
}

func (d *doors) handler(next http.Handler) http.Handler {
	if d.certificate == nil {
		return next
	}
	return d.certificate.stayOnTLS(next)
}

// serve serves at every door until the servers are shut down, and reads the
// certificate again on SIGHUP until ctx ends. The channel tells of a door that failed.
func (d *doors) serve(ctx context.Context, srv, metrics, captive *http.Server, logger *slog.Logger) <-chan error {
	failed := make(chan error, 4)
	told := &rate.Sometimes{Interval: time.Minute}
	open := func(l net.Listener, srv *http.Server) {
		if l == nil {
			return
		}
		go func() {
			if err := srv.Serve(descriptorListener{l, logger, told}); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		}()
	}
	open(d.main, srv)
	open(d.plain, srv)
	open(d.metrics, metrics)
	open(d.captive, captive)
	if d.certificate != nil {
		hangup := make(chan os.Signal, 1)
		signal.Notify(hangup, syscall.SIGHUP)
		go d.reload(ctx, hangup, logger)
	}
	return failed
}

func (d *doors) reload(ctx context.Context, hangup chan os.Signal, logger *slog.Logger) {
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		}
		if err := d.certificate.load(); err != nil {
			logger.Error("the certificate stays as it was", "error", err)
			continue
		}
		logger.Info("the certificate was read again")
	}
}

// invitation returns what leads to the doors, from now on wherever they are.
func (d *doors) invitation(a *addresses, o *options) *invitation {
	i := &invitation{addresses: a, listening: addrPort(d.main), path: o.basePath, room: o.room, taken: d.taken, url: o.url,
		host: func() string { return "" }, words: func() string { return "" }}
	if o.wifi.SSID != "" {
		i.wifi = &o.wifi
	}
	if d.certificate != nil {
		i.tls, i.words = true, d.certificate.words
	}
	if d.plain != nil {
		i.plain = addrPort(d.plain)
	}
	if d.metrics != nil {
		i.metrics = addrPort(d.metrics)
	}
	return i
}

func addrPort(l net.Listener) netip.AddrPort { return l.Addr().(*net.TCPAddr).AddrPort() }
