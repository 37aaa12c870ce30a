package testkit

// Err returns the error of a call of which only the error is looked at: Err(pins.Exchange(ctx, attempt, chosen)).
func Err[T any](_ T, err error) error { return err }
