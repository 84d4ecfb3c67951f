package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"

	"github.com/mdp/qrterminal/v3"
)

// greet tells the person at the terminal where the page is, and shows the first
// address as a QR code for the phones.
func greet(w io.Writer, addr net.Addr) {
	tcp := addr.(*net.TCPAddr).AddrPort()
	urls, lan := pageURLs(tcp, localAddresses())
	fmt.Fprintln(w, "Parley is open. On any device in this network, go to:")
	for _, u := range urls {
		fmt.Fprintln(w, "  "+u)
	}
	if lan {
		fmt.Fprintln(w)
		qrterminal.GenerateHalfBlock(urls[0], qrterminal.L, w)
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
func pageURLs(listening netip.AddrPort, local []netip.Addr) (urls []string, lan bool) {
	url := func(host string) string {
		return "http://" + net.JoinHostPort(host, strconv.Itoa(int(listening.Port()))) + "/"
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
