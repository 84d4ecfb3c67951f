// Command parley is the app: `go run .` starts it, `fyne package` packages it. A link
// as its argument leads to a server or into a room, after a question.
// Fyne's tool wants the main package next to FyneApp.toml and the manifest.
package main

import (
	"os"
	"strings"

	"parley/client/ui"
)

//go:generate go run ./client/android manifest

func main() {
	link := ""
	if len(os.Args) > 1 { // on Android there are none
		link = strings.Join(os.Args[1:], " ")
	}
	ui.Run(link)
}
