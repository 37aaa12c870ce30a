package main

import (
	"io"
	"strconv"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

// askFields are the fields of a step.
func (v *visit) askFields(ask recovery.Ask) []field {
	var all []field
	if ask.Captcha {
		all = append(all, v.challenge())
	}
	for _, fact := range ask.Facts {
		auto := map[string]string{"birth-day": "bday-day", "birth-month": "bday-month", agency.BirthDate: "bday"}[fact]
		all = append(all, field{Name: "fact." + fact, Label: v.T("fact." + fact), Digits: fact != agency.BirthDate, Auto: auto})
	}
	for range ask.Contacts {
		all = append(all, field{Name: "contact", Label: v.T("run.contact"), Hint: v.T("run.contact.hint"), Auto: "off"})
	}
	if len(ask.Images) > 0 {
		all = append(all, field{Name: "image", Label: v.T("run.image"), Options: v.choices("image.", ask.Images...)})
	}
	for _, id := range ask.Questions {
		all = append(all, field{Name: "question." + id, Label: v.T("question." + id), Auto: "off"})
	}
	if c := ask.Confirm; c != nil {
		all = append(all, field{Name: "confirm", Label: v.T("run.confirm", c.Masked), Type: "checkbox", Optional: c.MayCorrect})
		if c.MayCorrect {
			all = append(all, field{Name: "correct", Label: v.T("run.correct"), Type: "email", Auto: "email", Optional: true})
		}
	}
	for _, kind := range ask.Documents {
		all = append(all, field{Name: "document." + kind, Label: v.T("document." + kind), Hint: v.T("document.hint"), Type: "file"})
	}
	if ask.Enrol != nil {
		all = append(all, v.enrolFields(ask.Enrol)...)
	}
	if ask.Terms != "" {
		all = append(all, field{Name: "terms", Label: v.T("run.terms", ask.Terms), Type: "checkbox"})
	}
	return all
}

// enrolFields ask for what later recoveries will ask for. A portal of its own would have the citizen choose the questions, too.
func (v *visit) enrolFields(e *plan.Enrol) (all []field) {
	if e.Image {
		all = append(all, field{Name: "enrol", Label: v.T("run.enrol.image"), Options: v.choices("image.", agency.IESSImages...)})
	}
	for _, id := range sortedKeys(agency.IESSQuestions)[:e.Questions] {
		all = append(all, field{Name: "enrol." + id, Label: v.T("question." + id), Hint: v.T("run.enrol.hint"), Auto: "off"})
	}
	return all
}

// answers reads what was typed into the fields of a step.
func (s *system) answers(v *visit, ask recovery.Ask) (a recovery.Answers, err error) {
	if ask.Captcha && !v.passed() {
		return a, refusal{"captcha", "captcha.wrong"}
	}
	a = recovery.Answers{
		Source: v.source(), Captcha: ask.Captcha, Code: v.secret("code"),
		Image: v.typed("image"), EnrolImage: v.typed("enrol"),
		Questions: v.secrets("question.", ask.Questions),
	}
	if v.typed("terms") != "" {
		a.Terms = ask.Terms
	}
	if len(ask.Facts) > 0 {
		if a.Facts, err = v.facts(ask.Facts); err != nil {
			return a, err
		}
	}
	if ask.Enrol != nil {
		a.EnrolQuestions = v.secrets("enrol.", sortedKeys(agency.IESSQuestions)[:ask.Enrol.Questions])
	}
	for _, typed := range v.r.PostForm["contact"] { // an e-mail address or a telephone number
		kind := "mobile"
		if strings.Contains(typed, "@") {
			kind = "email"
		}
		c, err := v.contact(kind, typed)
		if err != nil {
			return a, refusal{"contact", "contact.wrong"}
		}
		a.Contacts = append(a.Contacts, c)
	}
	if ask.Confirm != nil {
		if a.Confirm = v.typed("correct") == "" && v.typed("confirm") != ""; !a.Confirm {
			if a.Correct, err = v.contact("correct", v.typed("correct")); err != nil {
				return a, err
			}
		}
	}
	return a, s.upload(v, ask.Documents, &a)
}

func (v *visit) secrets(prefix string, ids []string) map[string]civicpin.Secret {
	if len(ids) == 0 {
		return nil
	}
	all := make(map[string]civicpin.Secret)
	for _, id := range ids {
		all[id] = v.secret(prefix + id)
	}
	return all
}

// facts reads days and months as numbers, and dates as dates.
func (v *visit) facts(names []string) (map[string]string, error) {
	all := make(map[string]string)
	for _, name := range names {
		typed := strings.TrimSpace(v.typed("fact." + name))
		if name == agency.BirthDate {
			d, ok := readDate(typed)
			if !ok {
				return nil, refusal{"fact." + name, "date.wrong"}
			}
			all[name] = d.Format("2006-01-02")
			continue
		}
		n, err := strconv.Atoi(typed)
		if err != nil || n < 1 || n > 31 {
			return nil, refusal{"fact." + name, "number.wrong"}
		}
		all[name] = strconv.Itoa(n)
	}
	return all, nil
}

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
