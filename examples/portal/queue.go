package main

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/recovery"
)

// A waiting is a case that waits for an operator of a role.
type waiting struct {
	system, id, role string
	at               time.Time
}

// A queue is what the desk has to do, in memory, newest first. The library knows each case by its id, and lists none.
type queue struct {
	mu    sync.Mutex
	cases []waiting
}

// longQueue bounds what visitors can make the portal keep.
const longQueue = 50

// note adds a run that waits for an operator; a run that does not is no longer in the queue.
func (q *queue) note(system string, run recovery.Run) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.cases = slices.DeleteFunc(q.cases, func(w waiting) bool { return w.id == run.ID })
	if run.Next.Approval != "" && !run.Done {
		q.cases = slices.Insert(q.cases, 0, waiting{system, run.ID, run.Next.Approval, time.Now()})
	}
	q.cases = q.cases[:min(len(q.cases), longQueue)]
}

// table shows the queue.
func (q *queue) table(v *visit) table {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := table{Caption: v.T("desk.queue"), Head: v.say("system", "act.case.id", "case.role", "time")}
	for _, w := range q.cases {
		t.Rows = append(t.Rows, []string{v.T(w.system + ".title"), w.id, w.role, w.at.Format("15:04:05")})
	}
	return t
}

// look opens a case for the operator of the session: what is asked, who approved it, and the documents.
func (s *system) look(v *visit, id string, by recovery.Operator) error {
	_, err := s.rec.ShowCase(v.ctx(), id, by)
	if err == nil {
		v.p.session.Put(v.ctx(), "desk.case", id)
	}
	return err
}

// looked adds what the operator sees of the case that they opened, with a form to approve it.
func (s *system) looked(v *visit, w *view) {
	id := v.p.session.GetString(v.ctx(), "desk.case")
	if id == "" {
		return
	}
	c, err := s.rec.ShowCase(v.ctx(), id, v.onDuty())
	if err != nil {
		return // over, or another role's
	}
	facts := [][2]string{
		{v.T("act.case.id"), id}, {v.T("id"), string(c.Subject)}, {v.T("case.role"), c.Role}, {v.T("time"), c.StartedAt.Format("15:04:05")},
	}
	for _, by := range c.Approved {
		facts = append(facts, [2]string{v.T("case.approved"), string(by)})
	}
	w.Facts = append(w.Facts, facts...)
	for _, kind := range sortedKeys(c.Documents) {
		w.Links = append(w.Links, link{"/desk/iess/document?kind=" + kind, "document." + kind})
	}
	reason := []field{{Name: "reason", Label: v.T("reason"), Auto: "off", Keep: true}}
	w.Forms = append([]form{{Act: "approve", Legend: v.T("act.approve"), Fields: reason, Button: "act.approve.button"}}, w.Forms...)
}

// document shows an upload to the operator of its case, and to nobody else. It is served as a file to keep, never as a page.
func (s *system) document(w http.ResponseWriter, r *http.Request) {
	v := s.p.visit(s, w, r)
	c, err := s.rec.ShowCase(v.ctx(), s.p.session.GetString(v.ctx(), "desk.case"), v.onDuty())
	content, ok := s.files.Open(c.Documents[r.FormValue("kind")])
	if err != nil || !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", http.DetectContentType(content))
	w.Header().Set("Content-Disposition", "attachment")
	_, _ = w.Write(content)
}

// approve approves the case that is open.
func (s *system) approve(v *visit, by recovery.Operator) error {
	verdict := recovery.Verdict{Approve: true, Reason: v.typed("reason"), Source: v.source()}
	run, err := s.rec.Decide(v.ctx(), v.p.session.GetString(v.ctx(), "desk.case"), by, verdict)
	if err == nil {
		v.p.queue.note(s.name, run)
	}
	return err
}

// called are the questions that a video operator asks the citizen on the screen, once the call has begun. The operator types
// what they hear, and learns neither what would be right nor which answer was wrong.
func (v *visit) called(subject civicpin.Subject) []field {
	id := v.p.session.GetString(v.ctx(), "desk.call."+string(subject))
	if id == "" {
		return nil
	}
	c, err := v.sys.rec.ShowCase(v.ctx(), id, v.onDuty())
	if err != nil {
		return nil // over, or another role's
	}
	var all []field
	for _, question := range c.Questions {
		all = append(all, field{Name: "question." + question, Label: v.T("question." + question), Auto: "off"})
	}
	return all
}

// video begins a call, and then unlocks by the answers that were heard. It is for a role with hours.
func (s *system) video(v *visit, subject civicpin.Subject, by recovery.Operator) error {
	key := "desk.call." + string(subject)
	asked := v.called(subject)
	if len(asked) == 0 {
		run, err := s.rec.StartBy(v.ctx(), agency.IESSByVideo, subject, by)
		if err == nil {
			v.p.session.Put(v.ctx(), key, run.ID)
		}
		return err
	}
	heard := make(map[string]civicpin.Secret)
	for _, f := range asked {
		heard[f.Name[len("question."):]] = v.secret(f.Name)
	}
	verdict := recovery.Verdict{Approve: true, Questions: heard, Source: v.source()}
	_, err := s.rec.Decide(v.ctx(), v.p.session.GetString(v.ctx(), key), by, verdict)
	if err == nil {
		v.p.session.Remove(v.ctx(), key)
	}
	return err
}
