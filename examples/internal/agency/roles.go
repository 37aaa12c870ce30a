package agency

import (
	"time"

	"github.com/civicpin/civicpin/recovery"
)

const (
	quito  = "America/Guayaquil"
	madrid = "Europe/Madrid"
)

// IESSRoles are those of the staff. Video calls are taken from eight to five, every day.
func IESSRoles() map[string]recovery.Role {
	return map[string]recovery.Role{
		"agency": {Unlocks: true},
		"video":  {From: 8 * time.Hour, To: 17 * time.Hour, Zone: quito},
		"desk":   {PerHour: 30},
	}
}

// TUSSRoles are the staff: the counters are open in the morning of working days; the telephone may tell, and do nothing.
func TUSSRoles() map[string]recovery.Role {
	workdays := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	return map[string]recovery.Role{
		"counter":   {From: 9 * time.Hour, To: 14 * time.Hour, Days: workdays, Zone: madrid, PerHour: 20, Unlocks: true},
		"telephone": {},
	}
}
