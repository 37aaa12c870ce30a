package otp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
)

// backupKit is a BackupCodes with everything around it.
type backupKit struct {
	*otp.BackupCodes
	clock  *testkit.Clock
	events *testkit.Recorder
	config otp.BackupPolicy
}

// paper is the policy of these tests.
var paper = otp.BackupPolicy{Name: "paper"}

func newBackupKit(t testing.TB) *backupKit {
	t.Helper()
	return newBackupKitOn(t, store.NewMemory(), paper, newClock(), &testkit.Recorder{})
}

func newBackupKitOn(t testing.TB, s store.Store, c otp.BackupPolicy, clock *testkit.Clock, r *testkit.Recorder) *backupKit {
	t.Helper()
	b, err := otp.NewCheapBackup(testkit.Vault(t, s, clock, r), c)
	require.NoError(t, err)
	return &backupKit{BackupCodes: b, clock: clock, events: r, config: c}
}

// other is a BackupCodes of the same policy in another process.
func (k *backupKit) other(t testing.TB, s store.Store) *backupKit {
	t.Helper()
	return newBackupKitOn(t, s, k.config, k.clock, k.events)
}

// issued issues a set to Ana.
func (k *backupKit) issued(t testing.TB) []civicpin.Secret {
	t.Helper()
	set, err := k.Issue(t.Context(), ana, civicpin.Citizen)
	require.NoError(t, err)
	require.Len(t, set, 10)
	return set
}

// use types a code of Ana's.
func (k *backupKit) use(t testing.TB, code civicpin.Secret) error {
	t.Helper()
	return k.Verify(t.Context(), ana, code, home)
}

func (k *backupKit) left(t testing.TB) int {
	t.Helper()
	n, err := k.Left(t.Context(), ana)
	require.NoError(t, err)
	return n
}

// failures is how many wrong guesses are counted against Ana.
func (k *backupKit) failures(t testing.TB) int {
	t.Helper()
	st, err := k.Status(t.Context(), ana)
	require.NoError(t, err)
	return st.Failures
}

// noBackup is a code that nobody was issued.
var noBackup = civicpin.NewSecret("00000 00000 00000")
