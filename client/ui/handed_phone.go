//go:build android || ios

package ui

func (c *client) watchInbox() {}
