package main

import (
	"net/http"
	"runtime"
	"time"
)

// patience is how long a peer may take nothing of an answer before it is cut off.
const patience = 30 * time.Second

// pieceBytes is how much of an answer is written at once. Less than that in patience
// counts as nothing.
const pieceBytes = 32 << 10

// patient has an answer take as long as it takes, while the peer takes it. A server's
// own limit is one for the whole answer, which a large file on a slow network exceeds.
func patient(next http.Handler, patience time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&patientWriter{w, http.NewResponseController(w), patience}, r)
	})
}

type patientWriter struct {
	http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
}

// wait gives the next piece its time. The one for reading is put off, too: when it is
// over, a server believes that the peer has gone.
func (w *patientWriter) wait() {
	deadline := time.Now().Add(w.patience)
	_ = w.control.SetWriteDeadline(deadline) // without it, the server's own limit holds
	_ = w.control.SetReadDeadline(deadline)
}

func (w *patientWriter) Write(p []byte) (n int, err error) {
	for {
		w.wait()
		piece := p[:min(len(p), pieceBytes)]
		wrote, err := w.ResponseWriter.Write(piece)
		n, p = n+wrote, p[wrote:]
		if err != nil || len(p) == 0 {
			return n, err
		}
		runtime.Gosched() // or a thousand who take a large file hold up what others say
	}
}

// Unwrap is for an http.ResponseController, and for what takes a connection over.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
