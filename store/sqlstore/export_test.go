package sqlstore

import (
	"database/sql"
	"time"
)

// The encodings of columns.
var (
	EncodeKey = encodeKey
	DecodeKey = decodeKey
	KeyRange  = keyRange
)

// PageSize is how many rows a listing reads at a time.
const PageSize = page

// PurgeBatch is how many rows a statement of PurgeExpired deletes.
const PurgeBatch = purgeBatch

// NewVersion returns a version as Put makes it.
func NewVersion() int64 { return newVersion() }

// EncodeExpires returns a time as it is stored.
func EncodeExpires(t time.Time) (sql.NullInt64, error) { return encodeExpires(t) }

// DecodeExpires undoes EncodeExpires.
func DecodeExpires(n sql.NullInt64) time.Time { return decodeExpires(n) }
