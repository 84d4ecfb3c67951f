//go:build !android

package ui

import (
	"errors"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"parley/client/session"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
	"parley/shared"
)

// A host opens a room in the app, quietens it, pins, silences and removes, by what is on
// the screen; the server carries it out.
func TestHosting(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	address, ctx := startServer(t), t.Context()
	w.client.net.open = session.Open
	w.client.prefs.setServer("http://" + address)
	w.client.start()
	showLock(w.client.client, "Class")
	tapAction(t, w, lang.T("host.ask"))
	tapAction(t, w, lang.T("key.enter"))
	p := w.page()
	w.settle(func() bool { return p.conv.Hosting.Host })
	w.say(p, "Good morning")

	bob := join(t, ctx, address, "Class", "Bob")
	bob.Say(ctx, "BOO")
	w.settle(func() bool { return strings.Contains(uitest.Texts(p.list), "BOO") })
	w.menuOf(p, "BOO")
	tapAction(t, w, lang.T("act.pin"))
	w.settle(func() bool { return strings.Contains(uitest.Sentence(p.pinned), "Bob: BOO") })
	w.menuOf(p, "BOO")
	tapAction(t, w, lang.T("menu.delete"))
	tapAction(t, w, lang.T("menu.delete"))
	w.settle(func() bool { return p.pinned.Hidden && strings.Contains(uitest.Texts(p.list), "1 message deleted") })

	showHostSheet(p)
	tapAction(t, w, lang.T("host.quiet"))
	w.settle(func() bool {
		return strings.Contains(uitest.Sentence(p.list), "Ann: only hosts write, only those who were here before come in")
	})
	bob.write(ctx, shared.Message{Type: shared.TypeChat, ID: "late", Text: "boo"})
	if m := bob.next(ctx, shared.TypeError); m.Code != shared.CodeNotAllowed {
		t.Errorf("in a quiet room Bob gets %+v", m)
	}
	tapAction(t, w, lang.T("host.quiet"))
	w.settle(func() bool {
		return strings.Contains(uitest.Sentence(p.list), "Ann: everyone writes, everyone may come in")
	})
	w.client.back(false)
	bob.Say(ctx, "again")

	w.settle(func() bool { return len(p.conv.People) == 2 })
	w.people()
	tapAction(t, w, "Bob")
	tapAction(t, w, lang.T("act.silence"))
	w.settle(func() bool { return strings.Contains(uitest.Sentence(p.list), "Ann silenced Bob") })
	w.menuOf(p, "again")
	tapAction(t, w, "Bob…")
	w.settle(func() bool { return strings.Contains(w.question(), lang.T("act.unsilence")) })
	tapAction(t, w, lang.T("act.remove"))
	tapAction(t, w, lang.T("act.remove"))
	w.settle(func() bool { return strings.Contains(uitest.Sentence(p.list), "Ann removed Bob") })
	for {
		_, _, err := bob.conn.Read(ctx)
		var closed websocket.CloseError
		if errors.As(err, &closed) {
			if closed.Code != websocket.StatusCode(shared.CloseRemoved) {
				t.Errorf("Bob ends with %v", err)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	showHostSheet(p)
	w.settle(func() bool { return strings.Contains(w.question(), lang.T("act.admit")) })
	tapAction(t, w, lang.T("act.admit"))
	w.settle(func() bool { return strings.Contains(uitest.Sentence(p.list), "Ann let Bob in again") })
	w.settle(func() bool { return !strings.Contains(w.question(), lang.T("act.admit")) })
}
