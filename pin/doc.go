// Package pin issues, delivers, checks and ends the PINs and passwords of a portal's citizens, members or customers.
//
// A [Policy] says what one system is like; [New] makes a [Service] of it. The two calls to begin with are [Service.Issue],
// which makes a secret at random and sends it in parts over different channels, and [Service.Verify], which checks a typed
// secret. An issued secret is provisional: at its first use the subject exchanges it for a secret of their own with
// [Service.Exchange] (OWASP ASVS 6.4.1). An activation code that is handed over at a desk is an issue in one part.
//
// # Life of a credential
//
//	Issue --> provisional --Exchange--> active --Change--> active
//	              |  (re-issue, expiry)    |  (expiry since change or use)
//	              +------- Revoke ---------+--> revoked --Issue--> provisional ...
//	              +------- a Grant: Set --> active, Reissue --> provisional
//
// [Service.Attest] raises the level of assurance on recorded evidence. [Service.Suspend] refuses a credential until
// [Service.Resume]. A lost secret is set or issued anew under a [Grant], which only package recovery gives, for a completed
// plan. [Service.Epoch] says whether a session of the portal goes on. [Service.Import] takes over hashes from an older system.
// [Service.Status] shows it all to operators.
//
// # Threat model
//
// Guessers: every attempt is counted by package lockout before it is compared; a chosen secret must not be one of the values
// that are guessed first; policies whose secrets could be guessed do not construct, unless an exception names it. Strangers who
// ask who is registered: Verify, Exchange, Change and Resend do the same work and give the same answers for subjects that are
// unknown, revoked, suspended or were never issued a credential. A thief of one part: the parts are compared as one, under one
// count, and no answer says which was wrong. A thief of the store: see package store; a secret is at rest only as an argon2id
// hash under a seal, and the text of a part under a seal while it may have to be sent again. Staff: no operator sees or chooses
// the subject's own secret, and at most one part of an issue is printed. Floods: hashing is bounded, and refused before a try
// is counted; messages are limited by subject, address, country and source. Strangers who lock subjects out: where the policy
// has known devices, [Service.RememberDevice] gives the device of a subject who has logged in a lane that strangers cannot
// lock. A stolen device gives its few guesses and nothing else, and all devices are forgotten when the PIN is suspended,
// revoked or recovered.
//
// Not covered: an attacker who receives all parts, or to whose page the subject types the secret.
//
// # Events
//
// [Events] lists what is recorded of credentials; package lockout records the locks.
//
// # Stored-format compatibility
//
// The kinds "pin.NAME" and "pin-receipt.NAME" are this package's, NAME being the policy's. Later releases will read what
// earlier ones wrote; a policy may be changed at any time and holds for what comes after, its Name excepted.
package pin
