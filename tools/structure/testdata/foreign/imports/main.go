// Imports names the proof by importing its package.
package main

import "github.com/civicpin/civicpin/internal/proof"

func main() {
	_ = proof.Completed{}
}
