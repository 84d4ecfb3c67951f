package main

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// ownPaths are the first segments of the server's own paths.
var ownPaths = []string{"api", "app", "chat", "debug", "favicon.ico", "files", "healthz", "join", "join.txt", "metrics", "qr", "r", "readyz", "static", "ws"}

var basePath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

// parseBasePath returns a --base-path with a slash at its beginning and none at
// its end; "" is the root. A segment of the server's own would be ambiguous.
func parseBasePath(s string) (string, error) {
	base := "/" + strings.Trim(s, "/")
	segments := strings.Split(base[1:], "/")
	switch {
	case base == "/":
		return "", nil
	case !basePath.MatchString(base):
		return "", fmt.Errorf("--base-path takes a path of letters, digits and hyphens, like /parley, not %q", s)
	}
	for _, segment := range segments {
		if slices.Contains(ownPaths, segment) {
			return "", fmt.Errorf("--base-path can't have the part %q, which is a path of the server's own: choose another, like /parley", segment)
		}
	}
	return base, nil
}

// below has a handler answer below a base path too. Without it the handler still
// answers, for a proxy that takes the base path away and for the local network.
func below(base string, next http.Handler) http.Handler {
	if base == "" {
		return next
	}
	stripped := http.StripPrefix(base, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.EscapedPath(); {
		case path == base:
			http.Redirect(w, r, base+"/", http.StatusMovedPermanently)
		case strings.HasPrefix(path, base+"/"):
			stripped.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}
