// Command parley is the app: `go run .` starts it, `fyne package` packages it.
// Fyne's tool wants the main package next to FyneApp.toml and the manifest.
package main

import "parley/client/ui"

//go:generate go run ./client/android manifest

func main() { ui.Run() }
