package otelcivicpin

// RegisterBacklogOf is RegisterBacklog with another number of entries for one collection.
var RegisterBacklogOf = registerBacklog

// MaxCounted is how many entries one collection looks at.
const MaxCounted = maxCounted
