package oath

// Truncate is truncate, for vectors that begin with the HMAC.
var Truncate = truncate
