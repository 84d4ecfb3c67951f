package main

import "time"

// comings has somebody come to the first room at the first server all the time, and who
// came before go. It returns what n of each cost, what would be used at rest taken off,
// and how often each member was told.
func (f *fleet) comings(n int, rest usage) (u usage, told float64, err error) {
	const apart = 1100 * time.Millisecond // Parley tells once a second what has changed
	visitors := &crowd{peer: f.peer, server: f.crowds[0].server}
	defer visitors.disperse()
	began, before := time.Now(), int64(0)
	first := int(f.peer.gone/apart) + 1 // from here on as many are told of as come
	for i := range first + n + 1 {
		time.Sleep(time.Until(began.Add(time.Duration(i) * apart)))
		switch i {
		case first:
			u, before = f.look(), f.heard()
		case first + n:
			u = f.look().since(u)
			told = float64(f.heard() - before)
			continue
		}
		m, err := visitors.join("room0", 500_000+i, nil) // nobody else has that number
		if err != nil {
			return u, 0, err
		}
		if visitors.members = append(visitors.members, m); i > 0 {
			visitors.members[i-1].close()
		}
	}
	members := 0
	for i, c := range f.crowds {
		members += len(c.members)
		u.servers[i] -= rest.servers[i] / rest.seconds * u.seconds
	}
	u.store -= rest.store / rest.seconds * u.seconds
	return u, told / float64(members), nil
}
