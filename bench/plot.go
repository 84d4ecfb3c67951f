package main

import (
	"bytes"
	"fmt"
	"math"
)

type point struct{ x, y float64 }

type curve struct {
	name   string
	points []point
}

var colours = []string{"#4f46e5", "#d97706", "#059669", "#dc2626", "#0891b2", "#7c3aed", "#64748b"}

// plot draws the curves over two logarithmic axes.
func plot(curves []curve) []byte {
	const width, height, left, bottom, top, right = 720, 420, 80, 50, 20, 120
	minX, maxX, minY, maxY := math.Inf(1), 0.0, math.Inf(1), 0.0
	for _, c := range curves {
		for _, p := range c.points {
			if p.y > 0 {
				minX, maxX, minY, maxY = min(minX, p.x), max(maxX, p.x), min(minY, p.y), max(maxY, p.y)
			}
		}
	}
	minY, maxY = math.Pow(10, math.Floor(math.Log10(minY))), math.Pow(10, math.Ceil(math.Log10(maxY)))
	x := func(v float64) float64 {
		return left + (width-left-right)*(math.Log(v)-math.Log(minX))/(math.Log(maxX)-math.Log(minX))
	}
	y := func(v float64) float64 {
		return height - bottom - (height-bottom-top)*(math.Log(v)-math.Log(minY))/(math.Log(maxY)-math.Log(minY))
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for v := minY; v <= maxY*1.01; v *= 10 {
		fmt.Fprintf(&b, `<path d="M%d %.1fH%d" stroke="#e2e8f0"/><text x="%d" y="%.1f" text-anchor="end" fill="#475569">%s</text>`+"\n",
			left, y(v), width-right, left-8, y(v)+4, axis(v))
	}
	for v := minX; v <= maxX*1.01; v *= 10 {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#475569">%s</text>`+"\n", x(v), height-bottom+20, axis(v))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle" fill="#475569">members of the room; deliveries a second upwards</text>`+"\n", (left+width-right)/2, height-10)
	for i, c := range curves {
		colour := colours[i%len(colours)]
		path, end := "", point{}
		for _, p := range c.points {
			if p.y <= 0 {
				continue
			}
			command := "L"
			if path == "" {
				command = "M"
			}
			path += fmt.Sprintf("%s%.1f %.1f", command, x(p.x), y(p.y))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(p.x), y(p.y), colour)
			end = p
		}
		if path != "" {
			fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/><text x="%.1f" y="%.1f" fill="%s">%s</text>`+"\n",
				path, colour, x(end.x)+8, y(end.y)+4, colour, c.name)
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func axis(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%g M", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%g k", v/1e3)
	}
	return fmt.Sprintf("%g", v)
}
