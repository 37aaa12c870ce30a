package main

import (
	"time"

	"github.com/civicpin/civicpin/examples/internal/agency"
)

const (
	second = time.Second
	minute = time.Minute
	day    = 24 * time.Hour

	officeZone = "Europe/Madrid"
)

// The plans. They, the policies and the roles of the staff are in package agency, which the portal shares.
var (
	planForgotten = agency.TUSSForgotten
	planCounter   = agency.TUSSCounter
)
