// Package pin issues, delivers, checks and ends the PINs and passwords of a portal's citizens, members or customers.
//
// A [Policy] says what one system is like; [New] makes a [Service] of it. The two calls to begin with are [Service.Issue],
// which makes a secret at random and sends it in parts over different channels, and [Service.Verify], which checks what
// somebody typed. What is issued is provisional: at its first use the citizen exchanges it for a secret of their own with
// [Service.Exchange] (OWASP ASVS 6.4.1). An activation code that is handed over at a desk is an issue in one part.
//
// # Life of a credential
//
//	Issue --> provisional --Exchange--> active --Change--> active
//	              |  (re-issue, expiry)    |  (expiry since change or use)
//	              +------- Revoke ---------+--> revoked --Issue--> provisional ...
//	              +------- a Grant: Set --> active, Reissue --> provisional
//
// [Service.Attest] raises the level of assurance on recorded evidence; [Service.Suspend] and [Service.Resume] stop and go; a
// lost secret is set or issued anew under a [Grant], which package recovery gives for a completed plan, and nobody else can;
// [Service.Epoch] says whether a session of the portal goes on; [Service.Import] takes over hashes from an older system.
// [Service.Status] shows it all to operators.
//
// # Threat model
//
// Guessers: every comparison goes through package lockout, taken before it is compared; chosen secrets are held against
// the values that are guessed first; policies whose secrets could be guessed do not construct. Strangers who ask who is
// registered: Verify, Exchange, Change and Resend do the same work and give the same answers for subjects that are unknown,
// revoked, suspended or were never issued a credential. A thief of one part: the parts are compared as one, under one count,
// and no answer says which was wrong. A thief of the store: see package store; a secret is at rest only as an argon2id hash
// under a seal, and the text of a part under a seal while it may have to be sent again. Staff: nobody sees or chooses the
// citizen's own secret, and at most one part of an issue is printed. Floods: hashing is bounded, and refused before a try is
// counted; messages are limited by subject, address, country and source. Strangers who lock citizens out: where the policy has
// known devices, [Service.RememberDevice] gives the device of a citizen who has logged in a lane that strangers cannot lock; a
// stolen one gives its few guesses and nothing else, and all are forgotten when the PIN is revoked or recovered.
//
// Not covered: whoever receives all parts is the citizen as far as this package can tell, and a secret typed into a
// stranger's page is gone.
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
