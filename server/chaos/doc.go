// Package chaos holds Parley to its promise while faults are made on purpose:
// the real server runs as a process, people of both dialects talk over a proxy,
// and the server is killed, starved and cut off at random moments. After each
// fault every acknowledged message, edit, deletion and reaction must have been carried
// out once, and what each person saw must be the log, in order, without a gap or a
// double. In the end, everyone and the export have the same.
//
// It is made of tests only: a world (world_test.go) of a process
// (server_test.go), a proxy (proxy_test.go) and members (member_test.go), who
// change what was said (change_test.go); the faults, each with a test of its own
// (faults_test.go); and all of them together (chaos_test.go), for a minute with go test,
// for five with make chaos. A room with a host has a test of its own (hosts_test.go).
package chaos
