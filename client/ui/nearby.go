package ui

import (
	"context"
	"fmt"
	"slices"

	"fyne.io/fyne/v2"

	handset "parley/client/phone"
	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
)

// nearby is the list of the servers that a search has found, and a line below it that
// leads to why one is missing. It searches while it is begun.
type nearby struct {
	client *client
	column *kit.Column
	list   *kit.Column
	line   *kit.Text
	join   func(base string)
	told   func() // its height may have changed

	found []session.Nearby
	trace session.Trace
	stop  context.CancelFunc // of the search that runs; nil while none does
}

func newNearby(c *client, join func(base string)) *nearby {
	n := &nearby{client: c, join: join, told: func() {}, list: kit.NewColumn(0)}
	sentences := kit.NewProblem(lang.T("nearby.looking"), lang.T("nearby.none"), lang.T("nearby.why")) // it moves nothing below
	n.line = sentences.Text
	why := kit.NewTile(n.line, n.explain)
	why.Inset = kit.Around(0)
	n.column = kit.NewColumn(kit.Unit, n.list, why)
	n.draw()
	return n
}

// begin searches anew. What was found before stays until it is found again, or is not.
func (n *nearby) begin(harder bool) {
	if n.client.net.search == nil {
		return
	}
	n.end()
	n.client.askForNetwork()
	ctx, cancel := context.WithCancel(n.client.bridge.Context)
	n.stop = cancel
	known := n.client.knownServers()
	var fresh []session.Nearby
	hearMulticast(n.client, ctx)
	n.client.bridge.Run(ctx, func(running context.Context) func() {
		trace := n.client.net.search(running, session.Discovery{Pins: n.client.pins, Known: known, Harder: harder}, func(f session.Nearby) {
			n.client.bridge.Post(func() {
				if ctx.Err() == nil {
					fresh = append(fresh, f)
					n.add(f)
				}
			})
		})
		return func() {
			if ctx.Err() != nil {
				return
			}
			n.trace, n.stop = trace, nil
			n.found = slices.DeleteFunc(n.found, func(f session.Nearby) bool {
				return !slices.ContainsFunc(fresh, func(g session.Nearby) bool { return g.Base == f.Base })
			})
			n.draw()
			cancel()
		}
	})
	n.draw()
}

// end ends the search.
func (n *nearby) end() {
	if n.stop != nil {
		n.stop()
		n.stop = nil
	}
}

// add shows a server. Those that are shown stay where they are, under a finger.
func (n *nearby) add(f session.Nearby) {
	if i := slices.IndexFunc(n.found, func(g session.Nearby) bool { return g.Base == f.Base }); i >= 0 {
		n.found[i] = f
	} else {
		n.found = append(n.found, f)
	}
	n.draw()
}

func (n *nearby) draw() {
	n.list.Objects = nil
	if len(n.found) > 0 {
		tiles := kit.NewColumn(0)
		for _, f := range n.found {
			tiles.Objects = append(tiles.Objects, n.tile(f))
		}
		n.list.Objects = []fyne.CanvasObject{kit.NewColumn(kit.Unit, kit.NewText(lang.T("nearby.title"), kit.FontLabel, kit.RoleMuted), kit.NewCard(tiles, kit.Around(kit.Unit)))}
	}
	n.line.Role = kit.RoleAccent
	switch {
	case n.stop != nil:
		n.line.Role = kit.RoleMuted
		n.line.SetText(lang.T("nearby.looking"))
	case len(n.found) == 0:
		n.line.SetText(lang.T("nearby.none"))
	default:
		n.line.SetText(lang.T("nearby.why"))
	}
	n.column.Hidden = n.client.net.search == nil
	n.told()
}

// tile is a server of the list; a lock marks TLS.
func (n *nearby) tile(f session.Nearby) fyne.CanvasObject {
	about := kit.NewColumn(2, kit.NewText(serverName(f.Info), kit.FontStrong, kit.RoleText).Lines(2),
		kit.NewText(hostOf(f.Base)+" · "+lang.Plural("people", f.Info.People), kit.FontSmall, kit.RoleMuted).Lines(3))
	line := kit.NewRow(3*kit.Unit, 0, about)
	if f.Info.Words != "" || isTLS(f.Base) {
		line.Objects = append(line.Objects, kit.NewPicture("lock", kit.RoleMuted, 16))
	}
	t := kit.NewTile(line, func() { n.join(f.Base) })
	t.Inset = kit.Sides(2*kit.Unit, 3*kit.Unit, 2*kit.Unit, 3*kit.Unit)
	return t
}

// explain says what the search did, and why a server may not be seen.
func (n *nearby) explain() {
	if n.stop != nil {
		return // it says so when it is over
	}
	say := func(s string) fyne.CanvasObject { return kit.NewText(s, kit.FontSmall, kit.RoleText) }
	did := kit.NewColumn(kit.Unit)
	for _, a := range n.trace.Networks {
		address := a.Prefix.Addr().String()
		if a.Packets == 0 {
			did.Objects = append(did.Objects, say(lang.T("nearby.unsent", "network", text.OneLine(a.Name), "address", address)))
			continue
		}
		did.Objects = append(did.Objects, say(lang.T("nearby.sent", "network", text.OneLine(a.Name), "address", address, "packets", fmt.Sprint(a.Packets))))
	}
	if len(n.trace.Networks) == 0 {
		did.Objects = append(did.Objects, say(lang.T("nearby.nowhere")))
	} else {
		did.Objects = append(did.Objects, say(lang.T("nearby.came", "answers", fmt.Sprint(n.trace.Answers),
			"dropped", fmt.Sprint(n.trace.Dropped), "silent", fmt.Sprint(n.trace.Silent))))
	}
	causes := kit.NewColumn(kit.Unit)
	usual := []string{lang.T("nearby.wifi"), lang.T("nearby.mobile"), lang.T("nearby.apart")}
	if n.client.system.asksForNetwork() {
		usual = []string{lang.T("nearby.forbidden")} // no other one is known before
	}
	for _, cause := range usual {
		causes.Objects = append(causes.Objects, say("• "+cause))
	}
	var o *kit.Overlay
	again := func(harder bool) func() {
		return func() { o.Close(); n.begin(harder) }
	}
	o = kit.ShowForm(n.client.window.Canvas(), lang.T("nearby.why"), kit.NewText(lang.T("nearby.why.also"), kit.FontSmall, kit.RoleMuted),
		did, causes,
		kit.NewPrimary(lang.T("nearby.again"), again(false)),
		kit.NewColumn(kit.Unit, kit.NewSecondary(lang.T("nearby.harder"), again(true)), kit.NewText(lang.T("nearby.harder.also"), kit.FontSmall, kit.RoleMuted)))
}

// askForNetwork lets Android ask, once in each run, whether the app may reach the local
// network. After the answer the app is in front again, and searches again.
func (c *client) askForNetwork() {
	if !c.networkAsked && c.system.asksForNetwork() {
		c.networkAsked = true
		c.system.askForNetwork()
	}
}

// hearMulticast has a phone's Wi-Fi take in multicast until ctx ends, or the last of
// several does.
func hearMulticast(c *client, ctx context.Context) {
	c.hearing++
	handset.HearMulticast(true)
	context.AfterFunc(ctx, func() {
		c.bridge.Post(func() {
			if c.hearing--; c.hearing == 0 {
				handset.HearMulticast(false)
			}
		})
	})
}

// maxKnown is how many servers of earlier visits are asked for.
const maxKnown = 8

// knownServers are those that the person has been on, the last one first.
func (c *client) knownServers() (bases []string) {
	add := func(base string) {
		if base != "" && len(bases) < maxKnown && !slices.Contains(bases, base) {
			bases = append(bases, base)
		}
	}
	add(c.prefs.server())
	if c.store != nil {
		for _, r := range c.store.Recent() {
			add(r.Server)
		}
	}
	return bases
}
