package session

// Moved says that the store has moved what it has of servers to other addresses. Until
// then Pins may remember certificates and secrets by the ones before.
func (p *Pins) Moved(servers ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, server := range servers {
		delete(p.words, server)
		delete(p.words, linked(server))
		delete(p.refused, server)
	}
	for identity := range p.devices {
		if !p.unkept[identity] { // the store has it
			delete(p.devices, identity)
		}
	}
}
