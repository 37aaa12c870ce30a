package waits

import (
	"maps"
	"slices"
	"strings"
)

// Page returns docs/waits.md.
func Page() string {
	var b strings.Builder
	b.WriteString(`# What waits, and what ends it

An act ends pending things that give power: an address, a run, a grant, a code, a device. It does not end what defends: an undo,
a repudiation, a notice. And it ends only what rests on weaker proof than its own. This page is written from
the table in internal/waits. The rows of addresses, contacts, runs, grants, repudiation links, codes and authenticators are
decided by it, by the acts that are counted. Codes and authenticators end so only in services that are given credentials
(otp.Rests, otp.Credentials). A test there plays each cell with the services, but for those marked –, whose reasons follow
below.

| cell | |
| --- | --- |
`)
	b.WriteString(legend())
	b.WriteString("\n| act | |\n| --- | --- |\n")
	for _, act := range Columns() {
		b.WriteString("| " + string(act) + " | " + act.name() + " |\n")
	}
	b.WriteString("\n| pending |")
	for _, act := range Columns() {
		b.WriteString(" " + string(act) + " |")
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", len(Columns())+1) + "\n")
	for _, r := range Table() {
		b.WriteString("| " + string(r.Thing) + " |")
		for i, c := range r.Cells {
			b.WriteString(" " + r.shown(Columns()[i], c) + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString(voids())
	b.WriteString(`
An address that an operator asked for survives the issue by the same operator: that is one sitting.

A code ends with an undo only if the undo takes or disputes its address: the holder of an old mailbox who undoes a change must
not end what the owner of another contact confirms.

A dispute ends when staff bring contacts, or take the last disputed one away, or as the subject said and proved, if no address
objected. A disputed address that staff did not see then still proves nothing. While there is a dispute, the citizen's removal
of a contact is refused.
`)
	return b.String()
}

// legend says what the cells are, as rows.
func legend() string {
	var b strings.Builder
	for _, c := range []struct{ cell, text string }{
		{"E", "ends"},
		{"k", "stays"},
		{"o", "ends all but its own, or the one that it names"},
		{"a", "ends what rests on that address"},
		{"s", "spent: the link says that it was dealt with since"},
		{"s: its own", "spends the links of the same recovery"},
		{"n", "is never ended by this act"},
		{"–", "cannot wait then"},
		{"cools anew", "its time in which it proves nothing begins once more"},
		{"E if since", "ends if it came with what the act takes back, or since"},
		{"E of it and later", "the links of the undone change and of later ones end"},
		{"resent", "the same parts are sent once more"},
		{"a: without its link", "its link ends if it went to that address; the notice is sent"},
	} {
		b.WriteString("| " + c.cell + " | " + c.text + " |\n")
	}
	return b.String()
}

// voids returns the void cells with their reasons, as rows.
func voids() string {
	var b strings.Builder
	b.WriteString("\n| – | |\n| --- | --- |\n")
	for _, r := range Table() {
		why := make(map[string]string) // by reason
		for _, act := range Columns() {
			if reason := Void(r.Thing, act); reason != "" {
				why[reason] += " " + string(act)
			}
		}
		for _, reason := range slices.Sorted(maps.Keys(why)) {
			b.WriteString("| " + string(r.Thing) + ":" + why[reason] + " | " + reason + " |\n")
		}
	}
	return b.String()
}

// shown returns a cell as the page has it.
func (r Row) shown(act Act, c Cell) string {
	if Void(r.Thing, act) == "" {
		return string(c)
	}
	return "–"
}

// name says what an act is.
func (a Act) name() string {
	return map[Act]string{
		Exchange: "exchange of the issued secret", Change: "change of the secret, also with a grant",
		Recovery: "a recovery is completed", Unlock: "a plan that ends in an unlock is completed",
		Issue: "issue at the citizen's request", Seen: "issue or import by staff", Revoke: "revocation by staff",
		GiveUp: "revocation by the citizen", Suspend: "suspension; a resumption brings nothing back", Adopt: "staff bring contacts",
		StaffTake: "staff remove or replace a contact", Take: "the citizen removes or replaces a contact",
		Undo: "a change of contacts is undone", Repudiate: `"it was not me"`, Erase: "the subject is erased",
	}[a]
}
