package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// What became of a mutant.
const (
	killed     = "killed"
	survived   = "survived"
	uncovered  = "uncovered"  // no test runs the line
	timedOut   = "timed out"  // to be looked at: it may be an endless loop, or a slow machine
	uncompiled = "uncompiled" // no mutant
)

// A result is a line of the state file.
type result struct {
	mutant
	Package string `json:"package"` // as it is imported
	Result  string `json:"result"`
	By      string `json:"by,omitempty"` // the first test that failed
}

// open reports whether the result says that no test noticed.
func (r result) open() bool {
	return r.Result == survived || r.Result == uncovered || r.Result == timedOut
}

// String is the result in one line.
func (r result) String() string {
	by := ""
	if r.By != "" {
		by = " by " + r.By
	}
	return fmt.Sprintf("%s%s: %s", r.Result, by, r.change())
}

// change says where the mutant is and what it changes.
func (r result) change() string {
	short := func(s string) string {
		s = strings.Join(strings.Fields(s), " ")
		if rs := []rune(s); len(rs) > 60 {
			return string(rs[:57]) + "..."
		}
		return s
	}
	to := short(r.New)
	if to == "" {
		to = "nothing"
	}
	return fmt.Sprintf("%s %s:%d %s, %s: %s => %s", r.Key, r.File, r.Line, r.Func, r.Op, short(r.Old), to)
}

// readState reads the results by the key of their mutant; the last one counts. A line that was cut off is passed over.
func readState(file string) (map[string]result, error) {
	results := make(map[string]result)
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return results, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r result
		if json.Unmarshal(lines.Bytes(), &r) == nil && r.Key != "" {
			results[r.Key] = r
		}
	}
	return results, lines.Err()
}

func appendState(file string, r result) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}
