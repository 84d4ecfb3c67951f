package ui

import handset "parley/client/phone"

// system is what package phone asks Android for.
type system struct {
	asksToNotify   func() bool
	askToNotify    func(channel string)
	asksForNetwork func() bool
	askForNetwork  func()
	notify         func(handset.Notice) bool
	withdraw       func(tag string)
	open           func(address, kind string) bool
}

var android = system{handset.AsksToNotify, handset.AskToNotify, handset.AsksForNetwork, handset.AskForNetwork, handset.Notify, handset.Withdraw, handset.Open}
