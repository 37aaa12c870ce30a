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
	firstKey  = agency.IESSFirst
	forgotten = agency.IESSForgotten
	byLink    = agency.IESSByLink
	byVideo   = agency.IESSByVideo
	inPerson  = agency.IESSInPerson
	byDesk    = agency.IESSByDesk
)

var (
	questions = agency.IESSQuestions
	images    = agency.IESSImages
)
