// Package holders is a model, in its tests, of who holds what: the owner of an account and attackers hold telephones,
// mailboxes, the secret, answers or an operator's eye, and act at random with what they hold. No attacker ends up with the
// account who did not hold a least set of possessions of the plan, and the owner gets back in. The least sets, and what the
// contacts of the subject ought to be, are the model's own: it asks no code of the packages that it looks at.
package holders
