package session_test

const childRole = "PARLEY_SESSION_TEST_CHILD"

func child(string) int { return 2 }
