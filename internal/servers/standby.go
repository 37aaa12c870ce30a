package servers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// standbyName is what a standby calls itself, and what its primary waits for.
const standbyName = "standby"

// AddStandby makes a new server a synchronous standby of this one, which must have no other: when it returns, the server
// acknowledges no write any more that the standby does not have on its disk, too. Writes may go on meanwhile.
func (p *Postgres) AddStandby(ctx context.Context) (*Postgres, error) {
	if _, err := os.Stat(filepath.Join(p.bin, "pg_basebackup")); err != nil {
		return nil, fmt.Errorf("servers: a standby needs pg_basebackup and psql: %w", err)
	}
	s := newPostgres(p.tb, p.bin)
	cmd, err := s.command(ctx, "pg_basebackup", "--pgdata="+s.data(), "--dbname="+p.DSN()+"&application_name="+standbyName,
		"--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync")
	if err != nil {
		return nil, err
	}
	if _, err := run(cmd); err != nil {
		return nil, err
	}
	if err := s.Restart(); err != nil {
		return nil, err
	}
	return s, p.waitFor(ctx, standbyName)
}

// waitFor makes the server wait for a standby from now on, and returns when it does.
func (p *Postgres) waitFor(ctx context.Context, name string) error {
	const attached = "SELECT count(*) FROM pg_stat_replication WHERE application_name = '%s' AND state = 'streaming'"
	if err := p.poll(ctx, fmt.Sprintf(attached, name), "1"); err != nil {
		return err
	}
	if err := p.setStandbys(ctx, name); err != nil {
		return err
	}
	// What was acknowledged before must be there, too.
	lsn, err := p.Query(ctx, "SELECT pg_current_wal_flush_lsn()")
	if err != nil {
		return err
	}
	return p.poll(ctx, fmt.Sprintf(attached, name)+" AND sync_state = 'sync' AND flush_lsn >= '"+lsn+"'", "1")
}

// setStandbys says which standby the server waits for, "" for none, and returns when all of its processes have heard it.
func (p *Postgres) setStandbys(ctx context.Context, name string) error {
	for _, q := range []string{"ALTER SYSTEM SET synchronous_standby_names = '" + name + "'", "SELECT pg_reload_conf()"} {
		if _, err := p.Query(ctx, q); err != nil {
			return err
		}
	}
	// A new connection shows what the server's first process has read. That one has told the others by then; and it is the
	// checkpointer that tells those which commit, before it begins its next checkpoint but one.
	if err := p.poll(ctx, "SHOW synchronous_standby_names", name); err != nil {
		return err
	}
	for range 2 {
		if _, err := p.Query(ctx, "CHECKPOINT"); err != nil {
			return err
		}
	}
	return nil
}

// Promote makes a standby a server of its own, which waits for no standby. It returns when it takes writes. Its primary
// must be dead: two that take writes are two truths.
func (p *Postgres) Promote(ctx context.Context) error {
	if _, err := p.Query(ctx, "SELECT pg_promote(true, 30)"); err != nil {
		return err
	}
	if err := p.poll(ctx, "SELECT pg_is_in_recovery()", "f"); err != nil {
		return err
	}
	// Otherwise, writes would wait for a standby that it does not have.
	return p.setStandbys(ctx, "")
}

// poll runs a query until it gives an answer.
func (p *Postgres) poll(ctx context.Context, query, want string) error {
	var got string
	for start := time.Now(); time.Since(start) < patience; time.Sleep(20 * time.Millisecond) {
		var err error
		if got, err = p.Query(ctx, query); err != nil {
			return err
		}
		if got == want {
			return nil
		}
	}
	return fmt.Errorf("servers: %s is %q after %v, not %q", query, got, patience, want)
}
