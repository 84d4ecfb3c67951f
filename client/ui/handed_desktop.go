//go:build !android && !ios

package ui

import (
	"context"
	"path/filepath"

	"fyne.io/fyne/v2"
	"github.com/fsnotify/fsnotify"
)

// watchInbox takes links that are left while the app runs, and shows the window. On phones
// the app comes to the front by itself.
func (c *client) watchInbox() {
	if c.inbox == "" {
		return
	}
	w, err := fsnotify.NewWatcher()
	if err == nil {
		err = w.Add(filepath.Dir(c.inbox))
	}
	if err != nil {
		fyne.LogError("Links are taken only when the window gets the focus", err)
		return
	}
	c.bridge.Run(c.bridge.Context, func(ctx context.Context) func() {
		defer w.Close()
		for {
			select {
			case <-ctx.Done():
				return nil
			case e, more := <-w.Events:
				if !more {
					return nil
				}
				if e.Name == c.inbox && e.Has(fsnotify.Create) {
					c.bridge.Post(func() {
						c.window.RequestFocus()
						c.takeLink()
					})
				}
			case _, more := <-w.Errors: // of too many changes at once: the focus is left
				if !more {
					return nil
				}
			}
		}
	})
}
