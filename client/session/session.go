// Package session is one person's connection to a room: it dials, says hello,
// resumes, keeps the outbox and the timeline, and saves both. It knows no
// screen; what a screen shows comes out of Room.Take as a list of changes.
//
// # How it is put together
//
// Each Room has one goroutine, its loop, which owns the timeline, the outbox
// and the choice of connection. The methods of Room put commands into its
// mailbox and return at once. A connection's two goroutines read and write one
// WebSocket; what they report carries the connection's generation, and the loop
// drops the reports of any but the present one.
//
// In every round the loop takes all that waits, commands and frames alike,
// applies it to the timeline, saves the outcome in one transaction, and only
// then shows it (Take) and writes to the connection. So whatever was shown or
// sent is in the store, and a burst costs one transaction.
//
// # Order and exactly once
//
// The outbox is a queue of which one message at a time is on its way: the next
// one goes out when the room has echoed or acknowledged the one before, so a
// message that is refused for a while can't be overtaken. A message keeps its id
// over reconnects and restarts, and the server knows the ids that it has.
//
// # What is done to messages
//
// An edit, a deletion or a reaction is an Amendment. It waits like a message, goes out
// after the messages that were written before it, and shows in its row at once. Row.Content
// is what the log has, so a refusal takes back what is shown, and an Undone hands back what
// was written. A change of the log counts if its offset is greater than the row's Changed.
// What came while the room was not followed is asked for: see Behind. An answer that is
// older than a change that came meanwhile is asked for again.
//
// # Files
//
// A message with a file waits in the outbox like others, but lets them pass until the
// server has the file. Row.Copy is the file in the store's folder, Item.File what the
// screen shows of it. See SendFile, Fetch and Thumb.
//
// # Hosts
//
// What holds in the room (Rules) comes with the welcome; later notices change it. What a
// host does (Act) waits as an Amendment. What hosts did stands in the timeline as rows of
// KindNotice, which are asked for separately and come into a gap once it is filled. The
// key of the server's operator is in memory only, until the server has answered.
//
// # For the screen
//
// Beyond the plain calls there are Room.MarkRead, Room.Draft and Room.SetDraft,
// Room.Task and Room.SetTask; the change kind StoreFailed; and the rules for Insert,
// Remove and Prepend at ChangeKind.
//
// # The files
//
//	connection  connection, transport, pins, probe, address, dialproblem, problem, backoff
//	model       item, timeline, rows, content, history, crowd, outbox, amendments, hosting, notices, roles
//	discovery   discover, announcement, network, move
//	files       file, uploads, transfer
//	store       the contract alone; package store has the files
//	the loop    room, loop, commands, questions, status
package session
