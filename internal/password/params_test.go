package password_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin/internal/password"
)

func TestDefaultParams(t *testing.T) {
	assert.Equal(t, password.Params{Memory: 19456, Time: 2, Threads: 1}, password.Default())
	assert.NoError(t, password.Default().Validate())
}

func TestValidateParams(t *testing.T) {
	for _, c := range []struct {
		p    password.Params
		want error
	}{
		{password.Params{}, password.ErrTooWeak},
		{password.Params{Memory: 19456, Time: 0, Threads: 1}, password.ErrTooWeak},
		{password.Params{Memory: 19456, Time: 2, Threads: 0}, password.ErrTooWeak},
		{password.Params{Memory: 0, Time: 2, Threads: 1}, password.ErrMalformed},

		{password.Params{Memory: 46 << 10, Time: 1, Threads: 1}, nil},
		{password.Params{Memory: 46<<10 - 1, Time: 1, Threads: 1}, password.ErrTooWeak},
		{password.Params{Memory: 19 << 10, Time: 2, Threads: 1}, nil},
		{password.Params{Memory: 19<<10 - 1, Time: 2, Threads: 1}, password.ErrTooWeak},
		{password.Params{Memory: 12 << 10, Time: 3, Threads: 1}, nil},
		{password.Params{Memory: 12<<10 - 1, Time: 3, Threads: 1}, password.ErrTooWeak},
		{password.Params{Memory: 12<<10 - 1, Time: 64, Threads: 1}, password.ErrTooWeak},
		{password.Params{Memory: 12 << 10, Time: 64, Threads: 1}, nil},

		{password.Params{Memory: 256 << 10, Time: 4, Threads: 64}, nil},
		{password.Params{Memory: 256<<10 + 1, Time: 1, Threads: 1}, password.ErrTooCostly},
		{password.Params{Memory: 256 << 10, Time: 5, Threads: 1}, password.ErrTooCostly},
		{password.Params{Memory: 12 << 10, Time: 65, Threads: 1}, password.ErrTooCostly},
		{password.Params{Memory: 64 << 10, Time: 1, Threads: 65}, password.ErrTooCostly},
		{password.Params{Memory: 1<<32 - 1, Time: 1<<32 - 1, Threads: 255}, password.ErrTooCostly},
		// RFC 9106 section 4: the second recommendation fits, the first takes 2 GiB.
		{password.Params{Memory: 64 << 10, Time: 3, Threads: 4}, nil},
		{password.Params{Memory: 2 << 20, Time: 1, Threads: 4}, password.ErrTooCostly},
	} {
		if err := c.p.Validate(); c.want == nil {
			assert.NoError(t, err, "%+v", c.p)
		} else {
			assert.ErrorIs(t, err, c.want, "%+v", c.p)
		}
	}
}
