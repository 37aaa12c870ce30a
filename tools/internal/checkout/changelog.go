package checkout

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// A Changelog is what the headings of CHANGELOG.md say, in the form of Keep a Changelog.
type Changelog struct {
	Unreleased bool // whether anything is listed under [Unreleased]
	Releases   []Release
}

// A Release is an entry of the changelog.
type Release struct {
	Version string // with the v
	Empty   bool   // nothing is listed
}

var releaseHeading = regexp.MustCompile(`^## \[(\d\S*)\] - (\d{4}-\d{2}-\d{2})$`)

// ParseChangelog reads a changelog.
//
// Errors:
//   - there is no heading [Unreleased], or it is not the first;
//   - another heading of the second level is not "## [0.1.0] - 2006-01-02";
//   - the newest release is not the first, or a release is listed twice.
func ParseChangelog(text string) (Changelog, error) {
	var log Changelog
	seen := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "## [Unreleased]":
			if seen || len(log.Releases) > 0 {
				return Changelog{}, errors.New("changelog: [Unreleased] is not the first heading")
			}
			seen = true
		case strings.HasPrefix(line, "## "):
			r, err := parseRelease(line)
			if err != nil {
				return Changelog{}, err
			}
			if n := len(log.Releases); n > 0 && semver.Compare(r.Version, log.Releases[n-1].Version) >= 0 {
				return Changelog{}, fmt.Errorf("changelog: %s is listed below %s", r.Version, log.Releases[n-1].Version)
			}
			log.Releases = append(log.Releases, r)
		case line == "" || strings.HasPrefix(line, "#"):
		case len(log.Releases) > 0:
			log.Releases[len(log.Releases)-1].Empty = false
		case seen:
			log.Unreleased = true
		}
	}
	if !seen {
		return Changelog{}, errors.New("changelog: no heading [Unreleased]")
	}
	return log, nil
}

func parseRelease(line string) (Release, error) {
	parts := releaseHeading.FindStringSubmatch(line)
	if parts == nil || !semver.IsValid("v"+parts[1]) {
		return Release{}, fmt.Errorf(`changelog: heading %q is not like "## [0.1.0] - 2006-01-02"`, line)
	}
	if _, err := time.Parse(time.DateOnly, parts[2]); err != nil {
		return Release{}, fmt.Errorf("changelog: heading %q: %w", line, err)
	}
	return Release{Version: "v" + parts[1], Empty: true}, nil
}
