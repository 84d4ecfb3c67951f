package ui

import (
	"fmt"

	"fyne.io/fyne/v2"

	"parley/client/ui/lang"
	"parley/shared"
)

// attach asks for a file and shows it on a sheet.
func (p *roomPage) attach() {
	c := p.client
	if !p.canAttach() || c.window.Canvas().Overlays().Top() != nil {
		return
	}
	c.pickers.open(c.window, func(r fyne.URIReadCloser, err error) {
		c.bridge.Post(func() {
			switch {
			case err != nil:
				c.nav.Say(lang.T("file.unpicked"))
			case r == nil: // nothing was picked
			default:
				p.showSheet([]source{{uri: r.URI(), reader: r}})
			}
		})
	})
}

// dropped shows what was dropped onto the window.
func (p *roomPage) dropped(uris []fyne.URI) {
	if p.client.window.Canvas().Overlays().Top() != nil || len(uris) == 0 {
		return
	}
	if !p.canAttach() {
		key := "file.nobody"
		if p.conv.Status.MaxFile > 0 && p.conv.Hosting.Settings.Files == shared.WhoHosts {
			key = "file.hosts"
		}
		p.client.Say(lang.T(key))
		return
	}
	if len(uris) > maxAttached {
		p.client.Say(lang.T("file.many", "n", fmt.Sprint(maxAttached)))
	}
	sources := make([]source, min(len(uris), maxAttached))
	for i := range sources {
		sources[i] = source{uri: uris[i]}
	}
	p.showSheet(sources)
}

// maxAttached is how many files one sheet takes.
const maxAttached = 30

// canAttach reports whether files can be sent now.
func (p *roomPage) canAttach() bool {
	return p.conv.Status.MaxFile > 0 && p.conv.Hosting.MaySendFiles()
}
