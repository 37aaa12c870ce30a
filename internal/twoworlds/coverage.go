package twoworlds

import (
	"slices"
	"strings"

	"github.com/civicpin/civicpin"
)

// Coverage counts what schedules reached, so that a model that does nothing does not pass: the acts, the words of answers,
// and the codes of the events in the first world.
type Coverage map[string]int

func (c Coverage) reach(s step, views []View, events []civicpin.EventCode) {
	c["steps"]++
	if s.act != nil {
		c[s.act.name]++
	} else {
		c["at once"]++
	}
	if s.fault != nil {
		c["faults"]++
	}
	for _, code := range events {
		c["event "+string(code)]++
	}
	for _, v := range views {
		for _, word := range []string{"locked{", "new=true", "refused{", "injected or cancelled", "busy"} {
			if strings.Contains(v.Answer, word) {
				c[word]++
			}
		}
	}
}

// wanted lists what schedules reach at the least beside every act: locks, refusals, messages, finished recoveries.
func wanted() []string {
	return []string{
		"at once", "faults", "locked{", "new=true", "refused{", "injected or cancelled",
		"event outbox.sent", "event pin.part_accepted", "event pin.issued", "event pin.refused", "event pin.verified",
		"event pin.suspended", "event pin.revoked", "event lockout.locked", "event lockout.unlocked", "event lockout.slowed",
		"event otp.code_requested", "event otp.code_verified", "event otp.code_refused", "event otp.code_cancelled",
		"event otp.refused", "event otp.backup_used", "event otp.backup_refused", "event contact.changed", "event recovery.started",
		"event recovery.step", "event recovery.sent", "event recovery.finished", "event pin.granted", "event pin.recovered",
		"event pin.issued_aside", "event pin.resent", "event pin.nothing_issued",
	}
}

// Missing returns what no schedule reached, and should have.
func (c Coverage) Missing() []string {
	all := wanted()
	for _, a := range acts() {
		all = append(all, a.name)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(what string) bool { return c[what] > 0 })
}
