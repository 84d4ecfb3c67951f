package main

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"parley/server/chat"
)

// list defines a flag that may be repeated, and takes a comma-separated list.
func list(f *flag.FlagSet, name, usage string, add func(string) error) {
	f.Func(name, usage+"; may be repeated, or a comma-separated list", func(s string) error {
		for item := range strings.SplitSeq(s, ",") {
			if item = strings.TrimSpace(item); item != "" {
				if err := add(item); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// accessFlags say who may reach the server, and how.
func (o *options) accessFlags(f *flag.FlagSet) {
	list(f, "allow-host", "`name` by which browsers may reach this server, in addition to addresses and the host's own name, for example chat.example.org or *.ts.net", func(s string) error {
		if strings.ContainsAny(s, "/@ ") {
			return fmt.Errorf("%q is more than a name: chat.example.org is one", s)
		}
		o.chat.AllowHost = append(o.chat.AllowHost, s)
		return nil
	})
	list(f, "allow-origin", "`origin` of another host whose pages may connect, for example https://chat.example.org", func(s string) error {
		s = strings.TrimSuffix(s, "/")
		if _, host, ok := strings.Cut(s, "://"); ok && strings.Contains(host, "/") || !ok && strings.Contains(s, "/") {
			return fmt.Errorf("%q is more than an origin: https://chat.example.org is one", s)
		}
		o.chat.AllowOrigin = append(o.chat.AllowOrigin, s)
		return nil
	})
	list(f, "trusted-proxy", "`address` or network of a proxy whose X-Forwarded-For the server believes, for example 192.168.1.2 or 10.0.0.0/8", func(s string) error {
		p, err := parsePrefix(s)
		o.chat.TrustedProxy = append(o.chat.TrustedProxy, p)
		return err
	})
	f.StringVar(&o.tokenFile, "api-token-file", "", "`file` with a token for programs that post messages or read /metrics")
	f.StringVar(&o.tls, "tls", "", "with `auto`, serve TLS with a certificate that the server makes once and keeps in the data folder")
	f.StringVar(&o.tlsCert, "tls-cert", "", "serve TLS with the certificate in this `file` (PEM, with its chain); read again on SIGHUP")
	f.StringVar(&o.tlsKey, "tls-key", "", "`file` with the certificate's key")
	f.StringVar(&o.httpAddr, "http-addr", "", "with TLS, also listen on this `address` without TLS")
	f.StringVar(&o.metricsAddr, "metrics-addr", "", "also listen on this `address` for /metrics, without TLS and for whoever reaches it, for example localhost:9090")
	f.StringVar(&o.captiveAddr, "captive", "", "also listen on this `address`, normally :80, to answer the checks by which phones look for the Internet; see docs/access-point.md")
	f.BoolVar(&o.noAnnounce, "no-announce", false, "do not announce the server in the local networks; the app then does not find it by itself")
	f.BoolVar(&o.chat.Profiles, "pprof", false, "serve Go's profiles at /debug/pprof, next to /metrics")
	f.StringVar(&o.basePath, "base-path", "", "`path` below which a proxy shows the server, for example /parley")
}

// checkAccess looks at what only makes sense together.
func (o *options) checkAccess() error {
	if o.chat.Profiles && o.tokenFile == "" && o.metricsAddr == "" {
		return errors.New("--pprof needs --api-token-file or --metrics-addr: nobody could read the profiles")
	}
	var err error
	if o.basePath, err = parseBasePath(o.basePath); err != nil {
		return err
	}
	return o.checkTLS()
}

func (o *options) checkTLS() error {
	switch {
	case o.tls != "" && o.tls != "auto":
		return fmt.Errorf("--tls takes auto, not %q; a certificate is named by --tls-cert and --tls-key", o.tls)
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return errors.New("--tls-cert and --tls-key go together")
	case o.tls != "" && o.tlsCert != "":
		return errors.New("--tls auto makes its own certificate: leave it out, or --tls-cert and --tls-key")
	case o.httpAddr != "" && o.tls == "" && o.tlsCert == "":
		return errors.New("--http-addr is for a server with TLS: without it, --addr is plain HTTP")
	}
	return nil
}

// readToken reads the API's token.
func (o *options) readToken() error {
	if o.tokenFile == "" {
		return nil
	}
	data, err := os.ReadFile(o.tokenFile)
	if err != nil {
		return fmt.Errorf("the --api-token-file can't be read: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if len(token) < chat.MinToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("the --api-token-file %s needs one line of at least %d printable ASCII characters: openssl rand -hex 32 makes such a token", o.tokenFile, chat.MinToken)
	}
	o.chat.Token = token
	return nil
}

// parsePrefix reads an address, or a network.
func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is neither an address nor a network", s)
	}
	return p.Masked(), nil
}
