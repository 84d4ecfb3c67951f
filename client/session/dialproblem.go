package session

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
)

// dialProblem says what an error on the way to a server means.
func dialProblem(ctx context.Context, err error) *Problem {
	var (
		dns     *net.DNSError
		op      *net.OpError
		timeout net.Error
		changed *CertificateError
	)
	detail := ""
	if errors.As(err, &op) {
		detail = op.Err.Error()
	}
	switch {
	case errors.As(err, &changed):
		return &Problem{CauseCertChanged, changed.Got}
	case isTLS(err):
		return &Problem{CauseTLS, innermost(err).Error()}
	case errors.As(err, &dns) && dns.IsNotFound:
		return &Problem{CauseNoSuchHost, dns.Name}
	case isRefused(err):
		return &Problem{CauseRefused, ""}
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return &Problem{CauseTimeout, ""}
	case op != nil && op.Op == "dial", dns != nil:
		return &Problem{CauseUnreachable, detail}
	case strings.Contains(err.Error(), "malformed HTTP"): // net/http has no type for it
		return &Problem{CauseNotParley, ""}
	}
	return &Problem{CauseLost, detail}
}

// statusProblem says what an HTTP status other than the wanted one means.
func statusProblem(resp *http.Response, body []byte) *Problem {
	var p struct{ Code, Detail string }
	_ = json.Unmarshal(body, &p) // an answer without a problem document has no detail
	if to, err := resp.Location(); err == nil {
		return &Problem{CauseRedirected, to.String()}
	}
	switch status := resp.StatusCode; status {
	case http.StatusForbidden:
		if p.Code == string(CauseWrongHost) {
			return &Problem{CauseWrongHost, p.Detail}
		}
		return &Problem{CauseRefusedOrigin, p.Detail}
	case http.StatusBadRequest:
		if p.Detail != "" {
			return &Problem{CauseBadRoom, p.Detail}
		}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		switch c := Cause(p.Code); c {
		case CauseRoomFull, CauseTooMany, CauseUnavailable, CauseServerRestart:
			return &Problem{c, p.Detail}
		}
		return &Problem{CauseServerFull, p.Detail}
	}
	return &Problem{CauseNotParley, http.StatusText(resp.StatusCode)}
}

func isRefused(err error) bool {
	const wsaeconnrefused = 10061 // the number that Windows has for it
	var no syscall.Errno
	return errors.As(err, &no) && (no == syscall.ECONNREFUSED || runtime.GOOS == "windows" && no == wsaeconnrefused)
}

func isTLS(err error) bool {
	var (
		record    tls.RecordHeaderError
		alert     tls.AlertError
		verify    *tls.CertificateVerificationError
		host      x509.HostnameError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
	)
	return errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &verify) ||
		errors.As(err, &host) || errors.As(err, &authority) || errors.As(err, &invalid) ||
		strings.Contains(err.Error(), "gave HTTP response to HTTPS client") // net/http has no type for it
}

func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

func readBody(resp *http.Response) []byte {
	if resp.Body == nil {
		return nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return nil // half of a problem document says nothing
	}
	return body
}
