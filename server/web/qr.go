package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"rsc.io/qr"
)

// maxQR is how many bytes a QR code has at most. A phone reads more only from
// close by.
const maxQR = 1 << 10

// quiet is the white border that ISO/IEC 18004 asks for, in modules.
const quiet = 4

// qrSVG draws a text as a QR code, black on white in every colour scheme.
func qrSVG(text string) ([]byte, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("no QR code: %w", err)
	}
	var b bytes.Buffer
	size := code.Size + 2*quiet
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="qr" viewBox="0 0 %d %d" shape-rendering="crispEdges">`, size, size)
	fmt.Fprintf(&b, `<path fill="#fff" stroke="none" d="M0 0h%dv%dH0z"/><path fill="#000" stroke="none" d="`, size, size)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for code.Black(x, y) { // false outside
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes(), nil
}

// qr answers a POST from the page with its text as a QR code. The text may have a
// passphrase in it: it is in the body, and kept nowhere.
func (h *Handler) qr(w http.ResponseWriter, r *http.Request) {
	switch site := r.Header.Get("Sec-Fetch-Site"); {
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "POST")
		h.problem(w, r, http.StatusMethodNotAllowed, "QR codes are made of what is sent with POST.")
		return
	case r.Header.Get("Origin") == "", site != "" && site != "same-origin":
		h.problem(w, r, http.StatusForbidden, "QR codes are made for the server's own page.")
		return
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxQR))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		h.problem(w, r, http.StatusRequestEntityTooLarge, "The text is too long for a QR code that phones can read.")
		return
	case err != nil || len(text) == 0:
		h.problem(w, r, http.StatusBadRequest, "A QR code needs a text.")
		return
	}
	svg, err := qrSVG(string(text)) // it has place for maxQR bytes
	if err != nil {
		h.problem(w, r, http.StatusInternalServerError, "The QR code can't be made.")
		return
	}
	setHeader(w.Header(), r, contentTypes[".svg"])
	w.Header().Set("Cache-Control", "no-store")
	w.Write(svg)
}
