package main

import (
	"time"

	"github.com/civicpin/civicpin/examples/internal/agency"
)

const (
	day  = 24 * time.Hour
	zone = "America/Guayaquil"
)

// The plans by their names. They, the policy of the clave and the roles of the staff are in package agency, which the portal
// shares.
const (
	firstKey, forgotten = agency.IESSFirst, agency.IESSForgotten
	byLink, byVideo     = agency.IESSByLink, agency.IESSByVideo
	inPerson, byDesk    = agency.IESSInPerson, agency.IESSByDesk
)

var (
	questions = agency.IESSQuestions
	images    = agency.IESSImages
)
