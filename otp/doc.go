// Package otp checks one-time codes: those of authenticator apps and hardware tokens ([TOTP], [HOTP]), codes that are
// delivered, and backup codes.
//
// For an authenticator app use [NewTOTP]: [TOTP.Enrol] makes a key, whose URI the caller shows as a QR code, and [TOTP.Verify]
// checks what the app shows. A token with a button counts instead of looking at the clock; [NewHOTP] is for those.
//
// A code that is sent, for one act of one person, is [NewCodes] and a policy: [SMS], [ClavePIN] or your own. [Codes.Request]
// has it sent, [Codes.Verify] checks what was typed. Codes on paper, for when all else is lost, are [NewBackupCodes]'s.
//
// # Life of a key
//
//	Enrol --> pending --first right code--> active --Remove--> gone
//	            |  (lapses, or is replaced)    ^
//	            +--> gone          Import -----+
//
// An active key goes on to count while another one is pending, and is displaced by the first right code of that.
//
// # Threat model
//
// Guessers: no comparison is to be had but through package lockout, which counts the attempt before; and a configuration
// whose codes could be guessed before the limit does not construct. Who reads a code over somebody's shoulder: a code is
// accepted once, by one conditional write, and after it no older one. Strangers who ask who is enrolled: the answers, the
// store calls and the number of codes computed are the same for everybody; only an imported key with another algorithm
// than the configuration's differs, by microseconds. A thief of the store: keys are at rest under the vault's seal only.
// A thief of the network: a code can be relayed while it counts, as with all codes that are typed; one-time codes do not
// resist phishing (NIST SP 800-63B-4 3.2.5).
//
// A delivered code is bound to its subject, request and purpose, which are compared with it as one: who sees a code that was
// sent for one act can do no other with it. Asking for new codes buys no guesses. Whoever the subject is, a request does the
// same work; only who has the telephone, or the app, learns whether anything was sent.
//
// Whoever may call Enrol and Verify for a subject can bind a key of their own. Let only those reach it who have just proved
// who they are, with the current key if there is one.
//
// # Events
//
// [Events] lists what is recorded of keys, delivered codes and backup codes.
//
// # Stored-format compatibility
//
// The kinds "totp.NAME", "hotp.NAME", "code.NAME", "code-pending.NAME" and "backup.NAME" are this package's, NAME being the
// configuration's. Later releases will read what earlier ones wrote. A configuration may be changed at any time: keys keep the
// algorithm, digits and period with which they were bound, and all else holds at once, the Name excepted.
package otp
