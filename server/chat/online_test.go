package chat_test

import "testing"

// TestOnline counts the people of several rooms, each of them once, as the page says that
// they are online.
func TestOnline(t *testing.T) {
	t.Parallel()
	s := start(t)
	online := func(want int, when string) {
		t.Helper()
		var info struct{ People int }
		_, body, _ := s.get("/api/server")
		if decodeJSON(t, body, &info); info.People != want || s.hub.People("") != want {
			t.Errorf("%s: %d people, and %d at /join, want %d", when, info.People, s.hub.People(""), want)
		}
	}
	device := newDevice()
	for _, room := range []string{"hall", "lab", "attic"} {
		s.join(room, hello("Ann", device))
		s.join(room, hello("Bob", newDevice()))
	}
	online(4, "Ann in three rooms, and three Bobs")
	s.tutorial("hall/Cleo/")
	s.tutorial("lab/Cleo/")
	s.tutorial("yard/Ann/")
	s.until("Cleo and Dan came", func() bool { return s.hub.People("lab") == 3 && s.hub.People("hall") == 3 && s.hub.People("yard") == 1 })
	online(5, "Cleo in two, without a device, and Ann without hers")
	hidden := withKey("Eve", passphrase)
	hidden.Hidden = true
	s.join("cellar", hidden)
	online(5, "Eve in a hidden room")
}
