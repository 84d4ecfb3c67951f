package shared_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"parley/shared"
)

func TestCheckHost(t *testing.T) {
	seconds := func(n int) *shared.Settings { return &shared.Settings{Slow: &n} }
	for want, messages := range map[string][]shared.Message{
		"": {
			{Do: shared.DoRemove, User: "Bob"}, {Do: shared.DoRemove, Target: 5, Of: "a"}, {Do: shared.DoAdmit, User: "Bob"},
			{Do: shared.DoSilence, User: "Bob"}, {Do: shared.DoUnsilence, User: "Bob"}, {Do: shared.DoHost, User: "Bob"}, {Do: shared.DoUnhost, User: "Bob"},
			{Do: shared.DoDeleteAll, Target: 5, Of: "a"}, {Do: shared.DoAdmit, Whom: "b"}, {Do: shared.DoPin}, {Do: shared.DoPin, Target: 5, Of: "a"},
			{Do: shared.DoSet, Settings: seconds(0)}, {Do: shared.DoSet, Settings: seconds(3600)}, {Do: shared.DoSet, Settings: new(shared.OpenSettings())},
			{Do: shared.DoSet, Settings: &shared.Settings{Write: "hosts", Door: "known", Files: "none"}}, {Do: shared.DoSet, Settings: &shared.Settings{Door: "closed", Files: "hosts"}},
		},
		"nothing that is called": {{}, {Do: "open", User: "Bob"}, {Do: "promote", User: "Bob"}, {Do: "Remove", User: "Bob"}},
		`"settings" goes with`:   {{Do: shared.DoSet}, {Do: shared.DoRemove, User: "Bob", Settings: seconds(1)}},
		"sets nothing":           {{Do: shared.DoSet, Settings: &shared.Settings{}}},
		"has a value":            {{Do: shared.DoSet, Settings: seconds(3601)}, {Do: shared.DoSet, Settings: seconds(-1)}, {Do: shared.DoSet, Settings: &shared.Settings{Write: "none"}}, {Do: shared.DoSet, Settings: &shared.Settings{Door: "ajar"}}, {Do: shared.DoSet, Settings: &shared.Settings{Files: "some"}}},
		`"of" is missing`:        {{Do: shared.DoRemove, Target: 5}, {Do: shared.DoPin, Target: 5}},
		"about nobody":           {{Do: shared.DoPin, User: "Bob"}, {Do: shared.DoPin, Whom: "b"}, {Do: shared.DoSet, Whom: "b", Settings: seconds(1)}, {Do: shared.DoSet, User: "Bob", Settings: seconds(1)}, {Do: shared.DoSet, Target: 5, Of: "a", Settings: seconds(1)}},
		`one of "user"`: {{Do: shared.DoRemove}, {Do: shared.DoHost, User: "Bob", Target: 5, Of: "a"}, {Do: shared.DoHost, User: "Bob", Whom: "b"},
			{Do: shared.DoAdmit, Whom: "b", Target: 5, Of: "a"}},
	} {
		for _, m := range messages {
			m.Type = shared.TypeHost
			err := shared.CheckHost(m)
			if (err == nil) != (want == "") || err != nil && (!errors.Is(err, shared.ErrBadFrame) || !strings.Contains(err.Error(), want)) {
				t.Errorf("%+v: got %v, want %q", m, err, want)
			}
		}
	}
}

func TestSettingsWith(t *testing.T) {
	open := shared.OpenSettings()
	quiet := open.With(shared.Settings{Write: shared.WhoHosts, Door: shared.DoorKnown})
	slow := quiet.With(shared.Settings{Files: shared.WhoNone, Slow: new(30)})
	if want := (shared.Settings{Write: "hosts", Door: "known", Files: "none", Slow: new(30)}); !reflect.DeepEqual(slow, want) {
		t.Errorf("got %+v", slow)
	}
	if again := slow.With(open); !reflect.DeepEqual(again, shared.OpenSettings()) || !reflect.DeepEqual(open, shared.OpenSettings()) {
		t.Errorf("got %+v, %+v", again, open)
	}
}
