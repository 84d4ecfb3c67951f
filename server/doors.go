package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// doors are where the server listens: with TLS, next to it without, or only
// without.
type doors struct {
	main        net.Listener
	plain       net.Listener // nil without TLS
	certificate *certificate // nil without TLS
}

func openDoors(o *options) (*doors, error) {
	d := &doors{}
	var err error
	if d.certificate, err = openCertificate(o); err != nil {
		return nil, err
	}
	if d.main, err = listen(o.addr); err != nil {
		return nil, err
	}
	if d.certificate == nil {
		return d, nil
	}
	d.main = d.certificate.listen(d.main)
	if o.httpAddr == "" {
		return d, nil
	}
	if d.plain, err = listen(o.httpAddr); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *doors) close() {
	d.main.Close()
	if d.plain != nil {
		d.plain.Close()
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

// serve serves at every door until srv is shut down, and reads the certificate
// again on SIGHUP until ctx ends. The channel tells of a door that failed.
func (d *doors) serve(ctx context.Context, srv *http.Server, logger *slog.Logger) <-chan error {
	failed := make(chan error, 2)
	for _, l := range []net.Listener{d.main, d.plain} {
		if l != nil {
			go func() {
				if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
					failed <- err
				}
			}()
		}
	}
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

// greet tells the person at the terminal where the page is.
func (d *doors) greet(w io.Writer) {
	g := greeting{scheme: "http", addr: d.main.Addr()}
	if d.certificate != nil {
		g.scheme, g.words = "https", d.certificate.words()
	}
	if d.plain != nil {
		g.plain = d.plain.Addr()
	}
	g.write(w)
}
