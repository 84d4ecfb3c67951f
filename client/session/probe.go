package session

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"parley/shared"
)

// ServerInfo is what a server says of itself. Name and Version are its words:
// show them as text only.
type ServerInfo struct {
	Name, Version string
	People, Rooms int
	Limits        shared.Limits
	Words         string // the fingerprint by which it is known; "" if none is needed

	// ID is what the server says that its log is: 32 hexadecimal digits, which stay the
	// same when its address changes. It is a claim, and no proof. "" if it says none.
	ID string
}

// RoomInfo is a room that the server lists: one with people in it, or one in
// which something was said.
type RoomInfo struct {
	Name         string
	Count        int       // people
	LastActivity time.Time // of the last message; zero when there was none
	Locked       bool      // it wants a passphrase
}

// answerLimit is the most that is read of an answer, in bytes.
const answerLimit = 1 << 20

// Probe asks the server at base, as ParseServer gives it, who it is. It waits
// as long as ctx lets it. The error is a *Problem.
func (d DialFunc) Probe(ctx context.Context, base string, pins *Pins) (ServerInfo, error) {
	var answer struct {
		Name, Version, Protocol, ID string
		People, Rooms               int
		Limits                      shared.Limits
	}
	if err := d.get(ctx, base, pins, "/api/server", &answer); err != nil {
		return ServerInfo{}, err
	}
	switch answer.Protocol {
	case shared.Protocol:
	case "":
		return ServerInfo{}, &Problem{CauseNotParley, ""}
	default:
		return ServerInfo{}, &Problem{CauseVersion, answer.Protocol}
	}
	if !isID(answer.ID) {
		answer.ID = ""
	}
	return ServerInfo{answer.Name, answer.Version, answer.People, answer.Rooms, answer.Limits, pins.Words(base), answer.ID}, nil
}

func isID(s string) bool { return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == "" }

// Rooms lists the rooms of the server at base: those that have people in them,
// then the last in which something was said. The error is a *Problem.
func (d DialFunc) Rooms(ctx context.Context, base string, pins *Pins) ([]RoomInfo, error) {
	var answer struct {
		Rooms []struct {
			Name         string
			Count        int
			LastActivity time.Time `json:"last_activity"`
			Locked       bool
		}
	}
	if err := d.get(ctx, base, pins, "/api/rooms", &answer); err != nil {
		return nil, err
	}
	rooms := make([]RoomInfo, 0, len(answer.Rooms))
	for _, r := range answer.Rooms {
		rooms = append(rooms, RoomInfo(r))
	}
	return rooms, nil
}

func (d DialFunc) get(ctx context.Context, base string, pins *Pins, path string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return &Problem{CauseBadAddress, ""}
	}
	client := d.client(base, pins)
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return dialProblem(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return dialProblem(ctx, err)
	}
	if resp.StatusCode != http.StatusOK {
		return statusProblem(resp, body)
	}
	if json.Unmarshal(body, answer) != nil {
		return &Problem{CauseNotParley, ""}
	}
	return nil
}
