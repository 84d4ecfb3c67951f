package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"

	"github.com/mdp/qrterminal/v3"
)

// greeting tells the person at the terminal where the page is, and shows the
// first address as a QR code for the phones.
type greeting struct {
	scheme string
	addr   net.Addr
	path   string   // of the page
	plain  net.Addr // where it is without TLS too; nil for nowhere
	words  string   // the fingerprint of a certificate that nobody else vouches for

	metrics net.Addr // nil for nowhere
}

func (g greeting) write(w io.Writer) {
	urls, lan := pageURLs(g.scheme, g.addr.(*net.TCPAddr).AddrPort(), localAddresses())
	fmt.Fprintln(w, "Parley is open. On any device in this network, go to:")
	link := g.path
	if g.words != "" {
		link += "#" + g.words
	}
	for _, u := range urls {
		fmt.Fprintln(w, "  "+u+link)
	}
	if g.words != "" {
		fmt.Fprintln(w, "Browsers warn of its own certificate. The app shows these words; they must be the same:\n  "+g.words)
	}
	if g.plain != nil {
		urls, _ := pageURLs("http", g.plain.(*net.TCPAddr).AddrPort(), localAddresses())
		fmt.Fprintln(w, "Without encryption it is also at:\n  "+urls[0]+g.path)
	}
	if g.metrics != nil {
		urls, _ := pageURLs("http", g.metrics.(*net.TCPAddr).AddrPort(), localAddresses())
		fmt.Fprintln(w, "Metrics are at:\n  "+urls[0]+"metrics")
	}
	if lan {
		fmt.Fprintln(w)
		qrterminal.GenerateHalfBlock(urls[0]+link, qrterminal.L, w)
	}
	fmt.Fprintln(w, "Ctrl-C stops it. What was said stays.")
}

func localAddresses() (local []netip.Addr) {
	addrs, _ := net.InterfaceAddrs() // none is as good as an error here
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			local = append(local, p.Addr())
		}
	}
	return local
}

// pageURLs returns the addresses of the page, those that other hosts can reach
// first, and whether there is any of those.
func pageURLs(scheme string, listening netip.AddrPort, local []netip.Addr) (urls []string, lan bool) {
	url := func(host string) string {
		return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(listening.Port()))) + "/"
	}
	ip := listening.Addr().Unmap()
	if !ip.IsUnspecified() {
		return []string{url(ip.String())}, !ip.IsLoopback()
	}
	for _, a := range local {
		if a.Is4() && !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			urls = append(urls, url(a.String()))
		}
	}
	return append(urls, url("localhost")), len(urls) > 0
}
