package main

import (
	"go/format"
	"os"
	"strings"
	"testing"
)

// TestREADME keeps the README's first example and this program the same.
func TestREADME(t *testing.T) {
	program := between(t, "main.go", "\t// README begin\n", "\t// README end\n")
	readme := between(t, "../../README.md", "## Ten lines\n\n```go\n", "```\n")
	if got, err := format.Source([]byte(readme)); err != nil || strings.TrimSpace(string(got)) != strings.TrimSpace(readme) {
		t.Errorf("the README's example is not as gofmt writes it: %v", err)
	}
	program = strings.ReplaceAll(strings.TrimPrefix(program, "\t"), "\n\t", "\n")
	if strings.TrimSpace(program) != strings.TrimSpace(readme) {
		t.Errorf("the README says\n%s\nand the program\n%s", readme, program)
	}
}

// TestREADMEErrors keeps the README's second example a part of one that compiles and runs.
func TestREADMEErrors(t *testing.T) {
	readme := within(t, "the error:", "../../pin/example_test.go", "ExampleService_Verify", "\t\t")
	// A lock that ends by no time has no Until: told as a duration from now, it would be "-2562047h47m0s".
	endless, timed := strings.Index(readme, "isLocked && locked.Until.IsZero()"), strings.Index(readme, "case isLocked:")
	if endless < 0 || timed < endless {
		t.Error("the README tells how long a lock lasts before it looks whether the lock ends at all")
	}
}

// TestREADMESessions keeps the README's third example a part of one that compiles and runs.
func TestREADMESessions(t *testing.T) {
	within(t, "all at once:", "../../pin/example_test.go", "ExampleService_Epoch", "\t")
}

// TestREADMERecovery keeps the README's fourth example a part of one that compiles and runs.
func TestREADMERecovery(t *testing.T) {
	within(t, "sets a secret:", "../../recovery/example_test.go", "Example", "\t")
}

// TestRun runs the program.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	prepare(dir)
	run(dir)
}

// within returns the README's code below a line that ends so. It fails if the code is no part of an example, where it stands
// that far indented.
func within(t *testing.T, below, file, example, indent string) (readme string) {
	t.Helper()
	readme = between(t, "../../README.md", below+"\n\n```go\n", "```\n")
	body := between(t, file, "func "+example+"() {\n", "\n}\n")
	if !strings.Contains(body, indent+strings.ReplaceAll(strings.TrimSpace(readme), "\n", "\n"+indent)) {
		t.Errorf("the README says\n%s\nand %s in %s\n%s", readme, example, file, body)
	}
	return readme
}

func between(t *testing.T, file, begin, end string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), begin)
	part, _, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no such part", file)
	}
	return part
}
