package testkit

import "github.com/civicpin/civicpin"

// Except names an exception for each clause that is broken.
func Except(broken []civicpin.Breach) (list []civicpin.Exception) {
	named := make(map[string]bool)
	for _, b := range broken {
		if !named[b.Clause] {
			named[b.Clause] = true
			list = append(list, civicpin.Exception{Clause: b.Clause, Reason: "a test"})
		}
	}
	return list
}
