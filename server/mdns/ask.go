package mdns

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/ipv4"
)

// Found is one answer to Ask.
type Found struct {
	From     netip.Addr // who has answered; the others are what it says
	Instance string
	Host     string // with .local
	Port     uint16
	Text     map[string]string
}

// mostFound is how many answers Ask returns.
const mostFound = 64

// Ask asks everyone on a link who offers a service of a type such as "_http._tcp", and
// returns the answers that come until ctx ends, at most 64. Only answers from within
// the link count.
func Ask(ctx context.Context, l Link, typ string) ([]Found, error) {
	v4, _ := l.addresses()
	i, err := net.InterfaceByIndex(l.Index)
	if err != nil || len(v4) == 0 {
		return nil, fmt.Errorf("%s has no IPv4 address any more", l.Name)
	}
	c, err := net.ListenPacket("udp4", netip.AddrPortFrom(v4[0], 0).String())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	p := ipv4.NewPacketConn(c)
	if err := p.SetMulticastInterface(i); err != nil {
		return nil, err
	}
	_ = p.SetMulticastLoopback(true)
	name, err := dnsmessage.NewName(typ + ".local.")
	if err != nil {
		return nil, err
	}
	question := dnsmessage.Message{Header: dnsmessage.Header{ID: 1},
		Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET}}}
	packet, err := question.Pack()
	if err != nil {
		return nil, err
	}
	if _, err := c.WriteTo(packet, net.UDPAddrFromAddrPort(group)); err != nil {
		return nil, err
	}
	ended := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
	defer ended()
	var all []Found
	buf := make([]byte, largestPacket)
	for range 1000 {
		n, from, err := c.ReadFrom(buf)
		if err != nil || len(all) == mostFound {
			break
		}
		source := from.(*net.UDPAddr).AddrPort().Addr().Unmap()
		if found, ok := parse(buf[:n], typ); ok && l.has(source) {
			found.From = source
			all = append(all, found)
		}
	}
	return all, nil
}

// parse reads what one host says of itself.
func parse(packet []byte, typ string) (f Found, ok bool) {
	var p dnsmessage.Parser
	header, err := p.Start(packet)
	if err != nil || !header.Response || p.SkipAllQuestions() != nil {
		return f, false
	}
	suffix := "." + typ + ".local."
	walk(&p, func(h dnsmessage.ResourceHeader) (done bool, err error) {
		name := h.Name.String()
		if len(name) <= len(suffix) || !strings.EqualFold(name[len(name)-len(suffix):], suffix) {
			return false, nil
		}
		switch h.Type {
		case dnsmessage.TypeSRV:
			r, err := p.SRVResource()
			if err == nil {
				f.Instance, f.Port, f.Host, ok = name[:len(name)-len(suffix)], r.Port, strings.TrimSuffix(r.Target.String(), "."), true
			}
			return true, err
		case dnsmessage.TypeTXT:
			r, err := p.TXTResource()
			f.Text = make(map[string]string)
			for _, s := range r.TXT {
				key, value, _ := strings.Cut(s, "=")
				f.Text[key] = value
			}
			return true, err
		}
		return false, nil
	})
	return f, ok
}
