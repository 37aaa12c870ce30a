package issuing_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/issuing"
)

func TestDecide(t *testing.T) {
	standings := map[string]issuing.Standing{
		"none":      {Replaceable: true},
		"good":      {Replaceable: true, Good: true},
		"good here": {Replaceable: true, Good: true, Same: true},
		"in use":    {Owned: true},
		"unused":    {Replaceable: true, Owned: true, Unused: true},
		"revoked":   {Replaceable: true, Owned: true},
		"fraud":     {Owned: true},
		"aside":     {Owned: true, Aside: true},
		"late":      {Replaceable: true, Aside: true},
		"renewable": {Replaceable: true, Owned: true, Aside: true},
	}
	const no, anew, same, aside = issuing.Refused, issuing.Anew, issuing.Resent, issuing.Aside
	for name, tt := range map[string]struct {
		basis issuing.Basis
		want  map[string]issuing.Way // what is not listed is refused
	}{
		"nothing": {issuing.Basis{}, nil},
		"staff": {issuing.Basis{Staff: true}, map[string]issuing.Way{
			"none": anew, "good": anew, "good here": anew, "unused": anew, "revoked": anew, "late": anew, "renewable": anew,
		}},
		"proved": {issuing.Basis{Proved: true}, map[string]issuing.Way{
			"none": anew, "good": same, "good here": same, "unused": anew, "revoked": anew, "late": anew, "renewable": anew,
		}},
		"letter": {issuing.Basis{Letter: true}, map[string]issuing.Way{
			"none": anew, "good": aside, "good here": same, "in use": aside, "unused": aside, "revoked": aside, "fraud": aside,
			"aside": aside, "late": aside, "renewable": aside,
		}},
		"letter, renew": {issuing.Basis{Letter: true, Renew: true}, map[string]issuing.Way{
			"none": anew, "good": aside, "good here": same, "in use": aside, "unused": aside, "revoked": anew, "fraud": aside,
			"aside": aside, "late": aside, "renewable": aside,
		}},
		"letter and code": {issuing.Basis{Letter: true, Asked: true, Code: true, Renew: true}, map[string]issuing.Way{
			"none": anew, "good": aside, "good here": same, "in use": aside, "unused": aside, "revoked": anew, "fraud": aside,
			"aside": aside, "late": anew, "renewable": anew,
		}},
		"typed": {issuing.Basis{Typed: true, Renew: true}, map[string]issuing.Way{
			"none": anew, "good": same, "good here": same, "late": anew,
		}},
		"code": {issuing.Basis{Asked: true, Code: true, Renew: true}, map[string]issuing.Way{
			"revoked": anew, "renewable": anew,
		}},
		"a wrong code":                         {issuing.Basis{Asked: true, Renew: true}, nil},
		"a code that the policy does not take": {issuing.Basis{Asked: true, Code: true}, nil},
	} {
		for standing, s := range standings {
			require.Equal(t, tt.want[standing], issuing.Decide(tt.basis, s), "%s, %s", name, standing)
		}
	}
	require.Equal(t, no, issuing.Way(0))
}
