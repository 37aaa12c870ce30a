// Package waits says what becomes of that which waits when something happens: an address for its proof, a contact for the end
// of its cooling down, a recovery for its next step, a grant for its use. It is a table, [Of], and what follows from it.
//
// A credential and a subject's contacts are two records, and no write covers both. So what waits in the one names what was
// counted of the acts upon the other when it came to wait ([Stamp]), and that is compared wherever the thing is used. What an
// act since has ended is dead, whatever wrote it, and however late.
package waits

import "slices"

// An Act is one after which something that waits may be good no longer.
type Act string

// The acts.
const (
	Exchange  Act = "X"
	Change    Act = "C" // of the secret, with the secret or with a grant
	Recovery  Act = "R" // is completed
	Unlock    Act = "U" // a plan that ends in an unlock is completed
	Issue     Act = "I" // asked for by the citizen
	Seen      Act = "S" // staff issue or import on evidence
	Revoke    Act = "V" // staff do
	GiveUp    Act = "v" // the citizen revokes
	Suspend   Act = "H"
	Adopt     Act = "A" // staff bring contacts
	StaffTake Act = "P" // staff remove or replace a contact
	Take      Act = "p" // the citizen does
	Undo      Act = "N" // a change of contacts is undone
	Repudiate Act = "Q" // "it was not me"
	Erase     Act = "Z"
)

// Columns returns all acts, in the order of the table.
func Columns() []Act {
	return []Act{
		Exchange, Change, Recovery, Unlock, Issue, Seen, Revoke, GiveUp, Suspend, Adopt, StaffTake, Take, Undo, Repudiate, Erase,
	}
}

// A Thing is something that waits.
type Thing string

// The things.
const (
	Asked    Thing = "address asked for by the citizen, its link and code"
	ByStaff  Thing = "address asked for by staff"
	Cooling  Thing = "contact that cools down"
	Run      Thing = "visitor's run, resting too, its uploads"
	Proved   Thing = "visitor's run in which a contact was proved"
	Approved Thing = "run with staff's approvals"
	Grant    Thing = "grant"
	Code     Thing = "delivered code"
	Enrolled Thing = "pending authenticator"
	Device   Thing = "device"
	Bound    Thing = "authenticator, backup codes"
	UndoLink Thing = "undo link"
	Denial   Thing = "repudiation link"
	Parts    Thing = "issued parts, queued secrets"
	Notice   Thing = "queued notice"
	Dispute  Thing = "dispute after an undo"
	Settling Thing = "end of a dispute that the subject asked for, and proved"
)

// A Cell says what an act does to a thing.
type Cell string

// The cells.
const (
	Ends    Cell = "E"
	Keeps   Cell = "k"
	Others  Cell = "o"          // ends all but its own, or the one that it names
	Resting Cell = "a"          // ends what rests on the address
	Spends  Cell = "s"          // the link says that it was dealt with since
	Once    Cell = "s: its own" // one of another recovery defends against that one still
	Never   Cell = "n"
	Anew    Cell = "cools anew"
	IfSince Cell = "E if since"
	Later   Cell = "E of it and later"
	Resent  Cell = "resent"
	Bare    Cell = "a: without its link"
)

// Ends reports whether a thing is dead after the act, if it was there before. The act's own thing comes after it.
func (c Cell) Ends() bool { return c == Ends || c == Others || c == Spends }

// A Row is a thing with its cells, in the order of [Columns].
type Row struct {
	Thing Thing
	Cells [15]Cell
}

// Table returns the whole table. It is an array, so that a look-up allocates nothing: each reading of contacts makes several.
func Table() [17]Row {
	const (
		E, k, o, a, s, n = Ends, Keeps, Others, Resting, Spends, Never
		since            = IfSince
	)
	return [17]Row{ //   X  C  R     U  I       S  V  v  H  A  P  p     N      Q      Z
		{Asked, [15]Cell{E, E, o, k, E, E, E, E, E, o, E, a, E, E, E}},
		{ByStaff, [15]Cell{k, k, k, k, k, o, E, E, k, o, a, k, k, k, E}},
		{Cooling, [15]Cell{k, k, Anew, k, k, o, E, E, k, o, a, a, since, since, E}},
		{Run, [15]Cell{E, E, E, k, k, E, E, E, E, o, E, a, E, E, E}},
		{Proved, [15]Cell{k, k, E, k, k, E, E, E, E, o, E, a, E, E, E}},
		{Approved, [15]Cell{E, E, E, k, k, o, E, E, E, o, a, a, k, k, E}},
		{Grant, [15]Cell{E, E, E, k, E, E, E, E, E, E, E, E, E, E, E}},
		{Code, [15]Cell{k, E, E, k, k, E, E, E, E, k, a, a, a, E, E}},
		{Enrolled, [15]Cell{k, E, E, k, k, E, E, E, E, k, k, k, E, E, E}},
		{Device, [15]Cell{k, k, E, k, k, E, E, E, E, k, k, k, since, since, E}},
		{Bound, [15]Cell{k, k, k, k, k, E, E, E, E, k, k, k, since, since, E}},
		{UndoLink, [15]Cell{k, k, k, k, k, k, k, k, k, k, a, k, Later, k, E}},
		{Denial, [15]Cell{k, k, k, k, k, s, s, k, k, k, a, k, k, Once, E}},
		{Parts, [15]Cell{E, E, o, k, Resent, o, E, E, E, k, a, a, a, E, E}},
		{Notice, [15]Cell{n, n, n, n, n, n, n, n, n, n, Bare, n, n, n, E}},
		{Dispute, [15]Cell{k, k, k, k, k, k, k, k, k, E, a, k, k, k, E}},
		{Settling, [15]Cell{k, k, E, k, k, E, E, E, k, E, E, k, E, since, E}},
	}
}

// Of returns what an act does to a thing. An act that is not in the table ends it.
func Of(thing Thing, act Act) Cell {
	column := slices.Index(Columns(), act)
	for _, r := range Table() {
		if r.Thing == thing && column >= 0 {
			return r.Cells[column]
		}
	}
	return Ends
}
