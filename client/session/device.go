package session

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"net/url"
	"strings"
)

// NewDevice makes a secret by which a server knows this installation. Each server
// gets one of its own: whoever has it owns the names that it was used with.
func NewDevice() string { return rand.Text() }

// Identity tells servers apart: by the certificate that one is known by, or else by
// its scheme, host and port. It never depends on what a server says of itself. server
// is as ParseServer gives it, pin as a Store keeps it.
func Identity(server, pin string) string {
	if pin != "" && pin != vouched {
		return "certificate " + pin
	}
	u, err := url.Parse(server)
	if err != nil {
		return server // nothing connects with it
	}
	host := strings.TrimSuffix(u.Host, ":")
	if u.Port() == "" {
		host += map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	}
	return u.Scheme + "://" + host
}

// Device is the secret that a server knows this installation by. Ask after the
// server has shown its certificate. Without a store, or if its file can't be used,
// the secret is made from the spare one. It stays the same as long as the app runs,
// also if the store fails or works again.
func (p *Pins) Device(server string) string {
	return p.deviceOf(Identity(server, p.known(server)))
}

func (p *Pins) deviceOf(identity string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if device := p.devices[identity]; device != "" {
		if p.unkept[identity] {
			p.setDevice(identity, device)
		}
		return device
	}
	if p.store != nil {
		if device, err := p.store.Device(identity); err == nil {
			p.devices[identity] = device
			return device
		}
	}
	mac := hmac.New(sha256.New, []byte(p.spare))
	mac.Write([]byte(identity)) // it can't fail
	device := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil))
	p.setDevice(identity, device)
	return device
}

// setDevice makes a secret that of an identity, and keeps it if the store can. The caller
// has the lock.
func (p *Pins) setDevice(identity, device string) {
	p.devices[identity] = device
	p.unkept[identity] = p.store != nil && p.store.KeepDevice(identity, device) != nil
}

// UseSpare sets the secret that devices are made from if no store has them. By
// default it is random, and lasts as long as the app.
func (p *Pins) UseSpare(secret string) { p.spare = secret }

// handOver lets a server that has another identity now, which the person has
// confirmed, know this installation by the same secret.
func (p *Pins) handOver(from, to string) {
	device := p.deviceOf(from)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.devices[to] != "" {
		return
	}
	if p.store != nil && p.store.KeepDevice(to, device) == nil {
		return // the store may have had another one
	}
	p.devices[to], p.unkept[to] = device, p.store != nil
}
