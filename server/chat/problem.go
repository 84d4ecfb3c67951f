package chat

import (
	"encoding/json"
	"net/http"
)

// Problem answers a request with a problem document (RFC 9457). The detail is a
// sentence for a person.
func Problem(w http.ResponseWriter, status int, detail string) { refuse(w, status, "", detail) }

// refuse is Problem for what shared/lang has a sentence for: cause.code.
func refuse(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
		Code   string `json:"code,omitempty"`
	}{"about:blank", http.StatusText(status), status, detail, code})
}
