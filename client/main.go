// Command client is Parley's app for phones and desktops.
package main

import "parley/client/ui"

func main() { ui.Run() }
