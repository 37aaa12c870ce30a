package main

import (
	"io"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/recovery"
)

// upload takes the files of a step. What each is, the library asks of agency.Uploads.
func (s *system) upload(v *visit, kinds []string, a *recovery.Answers) error {
	for _, kind := range kinds {
		file, header, err := v.r.FormFile("document." + kind)
		if err != nil || header.Size > 1<<20 {
			return refusal{"document." + kind, "document.wrong"}
		}
		content, err := io.ReadAll(file)
		if err != nil {
			return err
		}
		if a.Documents == nil {
			a.Documents = make(map[string]string)
		}
		a.Documents[kind] = s.files.Add(civicpin.Subject(v.get("who")), content)
	}
	return nil
}
