package kit

import (
	"embed"
	"fmt"
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
)

//go:embed icons/*.svg
var iconFiles embed.FS

func iconFile(name string) string {
	data, err := iconFiles.ReadFile("icons/" + name + ".svg")
	if err != nil {
		panic(err) // a name that is not in this folder
	}
	return string(data)
}

// Logo is the app's icon.
func Logo() fyne.Resource { return fyne.NewStaticResource("logo.svg", []byte(iconFile("logo"))) }

var icons = make(map[string]fyne.Resource)

// Icon gives one of icons/*.svg in a colour. Fyne's themed resources colour
// what is filled and leave strokes black.
func Icon(name string, c color.NRGBA) fyne.Resource {
	hex := fmt.Sprintf("%02x%02x%02x", c.R, c.G, c.B)
	key := name + "-" + hex + ".svg"
	r, ok := icons[key]
	if !ok {
		r = fyne.NewStaticResource(key, []byte(strings.ReplaceAll(iconFile(name), "#000000", "#"+hex)))
		icons[key] = r
	}
	return r
}
