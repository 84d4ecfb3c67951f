// Command go joins a room in the tutorial's dialect, says one thing, and prints
// what it hears.
//
//	go run ./examples/go ws://localhost:8000/ws/chat/Lobby/ann "hello from Go"
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: go run ./examples/go ws://HOST:PORT/ws/chat/ROOM/NAME TEXT")
	}
	ctx := context.Background()
	conn, _, err := websocket.Dial(ctx, os.Args[1], nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseNow() //nolint:errcheck // the program ends
	if err := wsjson.Write(ctx, conn, map[string]string{"message": os.Args[2]}); err != nil {
		log.Fatal(err)
	}
	for {
		var m struct{ Type, User, Message string }
		if err := wsjson.Read(ctx, conn, &m); err != nil {
			log.Fatal(err)
		}
		if m.Type == "error" {
			fmt.Printf("refused: %q\n", m.Message)
		} else {
			fmt.Printf("%q: %q\n", m.User, m.Message) // quoted: a terminal obeys control characters
		}
	}
}
