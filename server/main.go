// Command server is the Parley server: chat rooms for everyone on the same
// network, over WebSocket, with a page and a log on disk.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"

	"parley/server/chat"
	"parley/server/files"
	"parley/server/web"
	"parley/shared"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	var found diagnosis
	switch {
	case errors.Is(err, errHelp):
	case errors.As(err, &found):
		os.Exit(int(found.worst))
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "parley-server:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "parley-server:", err)
		os.Exit(1)
	}
}

const (
	// shutdownLimit bounds how long a stopping server waits, drainWait included.
	shutdownLimit = 10 * time.Second

	// drainWait is how long a server that shares its log still takes connections after it
	// is told to stop: a proxy that asks /readyz each second has found out by then.
	drainWait = 3 * time.Second
)

// run is the program, from its arguments to the end of ctx and the orderly
// shutdown after it. Its errors are sentences for the person who started it.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "help" {
		args = append(slices.Clone(args[1:min(len(args), 2)]), "--help")
	}
	if found, err := runCommand(ctx, args, environ, stdout, stderr); found {
		return err
	}
	opt, err := parseOptions(args, environ, stdout)
	if err != nil {
		return misunderstood(err)
	}
	if opt.version {
		fmt.Fprintln(stdout, "parley-server", shared.Version)
		return nil
	}
	logger := slog.New(limitLog(slog.NewTextHandler(stderr, nil)))
	if opt.logFormat == "json" {
		logger = slog.New(limitLog(slog.NewJSONHandler(stderr, nil)))
	}

	doors, err := openDoors(opt, isTerminal(stdout))
	if err != nil {
		return err
	}
	defer doors.close()
	if doors.certificate == nil && !signal.Ignored(syscall.SIGHUP) {
		// The terminal has gone, and there is no certificate to read again.
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
		defer stop()
	}
	var hub *chat.Hub
	store, err := openLog(ctx, opt, logger, func(d time.Duration) { hub.ObserveAppend(d) })
	if err != nil {
		return err
	}
	if err := keepHostKey(ctx, opt.data, store, opt.log != "", logger); err != nil {
		return errors.Join(err, store.Close())
	}
	filed, err := openFiles(ctx, opt, store, store.ID(), func() *chat.Hub { return hub }, logger)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	var invitation *invitation
	opt.chat.FileURL = func() string { return invitation.filesURL() }
	opt.chat.AllowHost = append(opt.chat.AllowHost, doors.names()...)
	opt.chat.Log, opt.chat.Registry, opt.chat.RetainBytes = store, store, opt.retain.Bytes
	opt.chat.Logger, opt.chat.Version, opt.chat.Now = logger, shared.Version, now
	opt.chat.ID = store.ID()
	pages := web.New(opt.basePath, func(w http.ResponseWriter, _ *http.Request, status int, detail string) {
		chat.Problem(w, status, detail)
	})
	opt.chat.WrongHost = http.HandlerFunc(pages.ServeWrongHost)
	announcer := newAnnouncer(store.ID(), addrPort(doors.main), doors.certificate != nil, logger)
	opt.chat.IsHost = announcer.isHost
	hub = chat.NewHub(opt.chat)
	hub.Collect(filed.Metrics())
	opt.bound(store, logger)
	warnOfLocks(ctx, opt.chat.Rooms, store, logger)
	opt.retain.Expired, opt.retain.Now = hub.ObserveExpired, now
	store.Retain(opt.retain)

	invitation = doors.invitation(findAddresses(), opt)
	invitation.server = hub.Name()
	if err := pages.OfferAPKs(opt.apkFolder); err != nil && opt.apkGiven {
		logger.Warn("/app offers no app: give --apk a folder that has .apk files, then start the server again", "error", err)
	}
	pages.Invite(func() web.Invitation { return invitation.page(hub.People(opt.room)) })

	router := chi.NewRouter()
	hub.Routes(router)
	filed.Routes(router)
	router.Mount("/", pages)
	limit := newConnLimit(opt, hub.Arrives, hub.CountLimit).state
	srv := newServer(patient(doors.handler(below(opt.basePath, router)), patience), limit, logger)
	srv.RegisterOnShutdown(filed.Stop)
	metrics := newServer(hub.Metrics(), limit, logger)
	metrics.WriteTimeout = 0 // a profile takes as long as it is asked to
	defer metrics.Close()
	checks := newServer(&captive{invitation}, limit, logger)
	checks.SetKeepAlivesEnabled(false) // a check is one request
	defer checks.Close()
	control := openControl(opt.data, hub, invitation.everywhere, logger)
	served := doors.serve(ctx, srv, metrics, checks, logger)
	logger.Info("serving", "addr", doors.addr().String(), "tls", doors.certificate != nil, "data", opt.data, "version", shared.Version)
	if doors.captive != nil {
		logger.Info("answering the checks of phones", "addr", doors.captive.Addr().String())
	}
	follow := func() {}
	if !opt.noAnnounce {
		announcer.begin(hub.Name(), invitation.addresses)
		follow = func() { announcer.follow(invitation.addresses) }
	}
	invitation.host = announcer.host
	invitation.greet(stdout)
	go invitation.addresses.watch(ctx, func() { invitation.moved(stdout) }, follow)

	select {
	case err = <-served:
		err = fmt.Errorf("the server can't accept connections any more: %w", err)
	case <-ctx.Done():
	}
	announcer.close()
	drain := time.Duration(0)
	if opt.log != "" {
		drain = drainWait
	}
	return errors.Join(err, shutdown(drain, srv, control, hub, filed, store, logger))
}

func newServer(handler http.Handler, limit func(net.Conn, http.ConnState), logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ConnState:         limit,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// shutdown says that the server stops, and after a while stops accepting, lets the sessions
// end, and then closes the log.
func shutdown(drain time.Duration, srv *http.Server, control *control, hub *chat.Hub, filed *files.Store, store chat.Log, logger *slog.Logger) error {
	logger.Info("stopping")
	ctx, cancel := context.WithTimeout(context.Background(), shutdownLimit)
	defer cancel()
	hub.Drain()
	time.Sleep(drain)
	requests := make(chan error, 1)
	go func() { requests <- srv.Shutdown(ctx) }()
	control.close(ctx)
	if err := hub.Shutdown(ctx); err != nil {
		logger.Warn("some sessions were cut off", "error", err)
	}
	if err := <-requests; err != nil {
		logger.Warn("some requests were cut off", "error", err)
		srv.Close()
	}
	filed.Close()
	if err := store.Close(); err != nil {
		return fmt.Errorf("the log did not close cleanly: %w", err)
	}
	logger.Info("stopped")
	return nil
}

// inUseError says that another program listens on an address.
type inUseError struct{ error }

// listen opens the listener of a flag.
func listen(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, inUseError{fmt.Errorf("the address %s is in use by another program: stop that, or choose another port with --%s :8001", addr, flag)}
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("this computer does not have the address of %s: choose one that it has, or all of them with --%s :8000", addr, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s: choose a port from 1024 on with --%s :8000", addr, flag)
	}
	return nil, fmt.Errorf("can't listen on %q (%w): --%s takes an address like :8000 or 192.168.1.5:8000", addr, err, flag)
}
