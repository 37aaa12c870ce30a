// Package agency holds what makes each of the four systems of the examples its own: policies, plans and roles. The programs
// that tell their stories share it with the portal.
package agency
