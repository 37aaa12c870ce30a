package sqlstore

import (
	"context"
	"database/sql"
	"sync/atomic"
)

// settleStatement writes a few bytes to PostgreSQL's log that mean nothing, as a transaction.
const settleStatement = "SELECT pg_logical_emit_message(true, 'civicpin', '')"

// doubt keeps reads honest after a write whose outcome is unknown. Normally PostgreSQL shows a write only when it is as
// durable as the settings ask for. But if the wait for a synchronous standby is broken off, because the client cancels it
// (drivers do when a context is done or a connection breaks) or the server crashes, the write is shown although the
// standby does not have it. Whoever then looks whether it was done, and says so, promises what is lost if the primary is
// lost. So as long as there is doubt, a read or a conflict is followed by a small write of its own, whose acknowledgement
// means that all before it is durable, too.
//
// It knows of the writes of its own Store only, which is where somebody looks for the write that they lost sight of. A
// zero doubt, without a database, has none.
type doubt struct {
	db              *sql.DB
	raised, settled atomic.Uint64
}

// raise says that the outcome of a write is unknown.
func (d *doubt) raise() { d.raised.Add(1) }

// settle is called after a read, or a write that was refused for what is there. It returns nil when what was read is
// durable.
func (d *doubt) settle(ctx context.Context) error {
	raised := d.raised.Load()
	if d.db == nil || d.settled.Load() >= raised {
		return nil
	}
	if _, err := d.db.ExecContext(ctx, settleStatement); err != nil {
		return err
	}
	for {
		settled := d.settled.Load()
		if settled >= raised || d.settled.CompareAndSwap(settled, raised) {
			return nil
		}
	}
}
