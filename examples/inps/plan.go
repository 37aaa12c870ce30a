package main

import "github.com/civicpin/civicpin/examples/internal/agency"

// The policy of the PIN, and the plan for a lost one, are in package agency, which the portal shares.
var lostPIN = agency.INPSLost()
