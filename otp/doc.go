// Package otp checks one-time codes: those of authenticator apps and hardware tokens ([TOTP], [HOTP]), codes that are
// delivered, and backup codes.
//
// For an authenticator app use [NewTOTP]: [TOTP.Enrol] makes a key, whose URI the caller shows as a QR code, and [TOTP.Verify]
// checks what the app shows. A token with a button counts instead of looking at the clock; [NewHOTP] is for those.
//
// A code that is sent, for one act of one subject, takes [NewCodes] and a policy: [SMS], [ClavePIN] or your own.
// [Codes.Request] sends it, [Codes.Verify] checks the typed one. Codes on paper, for when all else is lost, take
// [NewBackupCodes].
//
// # Life of a key
//
//	Enrol --> pending --first right code--> active --Remove--> gone
//	            |  (lapses, or is replaced)    ^
//	            +--> gone          Import -----+
//
// An active key stays good while another one is pending. The first right code of the pending key replaces it.
//
// # Threat model
//
// Guessers: every comparison goes through package lockout, which counts the attempt before, and a policy whose codes could be
// guessed before the limit does not construct. An attacker who reads a code over the subject's shoulder: a code is accepted
// once, by one conditional write, and after it no older one. Strangers who ask who is enrolled: the answers, the store calls
// and the number of codes computed are the same for every subject; only an imported key with another algorithm than the
// policy's differs, by microseconds. A thief of the store: keys are at rest only under the vault's seal. A thief of the
// network: a code can be relayed while it is good, as with all typed codes; one-time codes do not resist phishing (NIST SP
// 800-63B-4 3.2.5).
//
// A delivered code is bound to its subject, request and purpose, which are compared with it as one: an attacker who sees a code
// that was sent for one act can do no other act with it. Asking for new codes buys no guesses. A request does the same work for
// every subject; only the holder of the telephone, or of the app, learns whether anything was sent.
//
// A caller of Enrol and Verify for a subject can bind a key of their own. Let only a subject reach them who has just proved who
// they are, with the current key if there is one.
//
// # What ends codes early
//
// Services that are given the credentials of the subjects ([Rests], [Credentials]) end codes, keys and sets by what happens to
// the subject's secret: a delivered code with a change, a recovery, an issue by staff, a revocation, a suspension or a
// repudiation; keys and sets with an issue by staff, a revocation or a suspension, since a thief may have bound them. The page
// docs/waits.md has all cells. A visitor sees a wrong code. Without credentials no such act ends anything: cancel, remove and
// revoke it yourself. In both cases give [TOTP.Unbind] and [BackupCodes.Unbind] to recovery.Config.Unbind.
//
// # Events
//
// [Events] lists what is recorded of keys, delivered codes and backup codes.
//
// # Stored-format compatibility
//
// The kinds "totp.NAME", "hotp.NAME", "code.NAME", "code-pending.NAME" and "backup.NAME" are this package's, NAME being the
// policy's. Later releases will read what earlier ones wrote. A policy may be changed at any time: keys keep the
// algorithm, digits and period with which they were bound, and all else holds at once, the Name excepted.
package otp
