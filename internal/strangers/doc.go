// Package strangers measures for how long attackers keep a subject out of a portal. In simulated time, attackers with so many
// solved captchas and so many source addresses do all that a door allows, for a day. In each minute, after them, the owner
// tries the same door. What the owner does is undone, so it is measured and changes nothing.
//
// Only tests import this package. Their numbers stand in docs/threats.md.
package strangers
