package pglog

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// A notification is a text of less than 8,000 bytes:
//
//	"2" server " " base64(run, 16 bytes; counter, 8 bytes; sealed content)
//
// Whoever may connect to the database can send one, and hear all: so the content is
// sealed by AES-256-GCM. The key comes from the log's secret and from run, which is
// random and new with each connection that speaks; the nonce is counter, which grows.
// Version, server and the number of the backend that speaks are sealed with it: the
// database tells whoever hears it that number, so what somebody else repeats is noticed.
// content.go has what the content is.
const (
	formatVersion = "2"
	runBytes      = 16
	counterBytes  = 8
	sealBytes     = 16
	mostPayload   = 7999 // bytes
)

// seal makes the cipher of a run.
func seal(secret []byte, run string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret, []byte(run), "parley notification", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func nonce(counter uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 4, 12), counter)
}

func bound(server string, backend uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte(formatVersion+server+" "), backend)
}

// voice seals what a server says over one connection.
type voice struct {
	server  string
	run     string
	bound   []byte
	counter uint64
	aead    cipher.AEAD
	body    []byte // of the last notification, for its memory
}

func newVoice(secret []byte, server string, backend uint32) (*voice, error) {
	run := make([]byte, runBytes)
	_, _ = rand.Read(run) // never fails
	aead, err := seal(secret, string(run))
	return &voice{server: server, run: string(run), bound: bound(server, backend), aead: aead}, err
}

// most is how many bytes of content fit into a notification.
func (v *voice) most() int {
	return (mostPayload-len(formatVersion)-len(v.server)-1)/4*3 - runBytes - counterBytes - sealBytes
}

// say appends a notification to out, sealed.
func (v *voice) say(out, content []byte) []byte {
	v.counter++
	v.body = append(v.body[:0], v.run...)
	v.body = binary.BigEndian.AppendUint64(v.body, v.counter)
	v.body = v.aead.Seal(v.body, nonce(v.counter), content, v.bound)
	out = append(append(append(out, formatVersion...), v.server...), ' ')
	return base64.RawStdEncoding.AppendEncode(out, v.body)
}

// ears open what other servers say.
type ears struct {
	secret []byte
	runs   map[string]*heardRun
	body   []byte // of the last notification, for its memory
}

type heardRun struct {
	aead cipher.AEAD
	last uint64
}

// mostRuns is how many runs are remembered. If there were more, all are forgotten: what
// was said over a connection that is gone could be repeated only by a backend with the
// same number.
const mostRuns = 1000

var errNotTrue = errors.New("not from a server of this log, or heard before")

// open returns the content of a notification that a backend has sent. It is valid until
// the next call.
func (e *ears) open(payload []byte, backend uint32) ([]byte, error) {
	server, text, found := bytes.Cut(payload, []byte(" "))
	server, rightVersion := bytes.CutPrefix(server, []byte(formatVersion))
	var err error
	e.body, err = base64.RawStdEncoding.AppendDecode(e.body[:0], text)
	body := e.body
	if !found || !rightVersion || err != nil || len(body) < runBytes+counterBytes+sealBytes {
		return nil, errNotTrue
	}
	r, known := e.runs[string(body[:runBytes])]
	if !known {
		aead, err := seal(e.secret, string(body[:runBytes]))
		if err != nil {
			return nil, err
		}
		r = &heardRun{aead: aead}
	}
	counter := binary.BigEndian.Uint64(body[runBytes:])
	if counter <= r.last {
		return nil, errNotTrue
	}
	sealed := body[runBytes+counterBytes:]
	content, err := r.aead.Open(sealed[:0], nonce(counter), sealed, bound(string(server), backend))
	if err != nil {
		return nil, errNotTrue
	}
	if r.last = counter; !known {
		if len(e.runs) >= mostRuns {
			clear(e.runs)
		}
		e.runs[string(body[:runBytes])] = r
	}
	return content, nil
}
