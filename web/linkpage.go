package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
)

// Links says what a link is for, without effect. A *[recovery.Service] does, also for the links of package contact; in a portal
// without recovery, a *contact.Service does. Package pin sends no links.
type Links interface {
	// Inspect returns what a token is for, and changes nothing. Its errors are those of recovery.Service.Inspect.
	Inspect(ctx context.Context, token civicpin.Secret) (recovery.LinkInfo, error)
}

// A Page is what the caller gives to [LinkPage]: the HTML around the form, and what happens at the button. Template and Labels
// are required, and either Act, or all the fields below it.
type Page struct {
	// Template is executed with a [View], and writes the whole page. It must not change the form.
	Template *template.Template
	// Labels returns the words of the form, in the language of the request.
	Labels func(*http.Request) Labels
	// Act redeems the token of a link, by the call that the purpose names:
	//   - recovery.ToRecover: recovery.Service.Finish if Info.Last, and Redeem otherwise.
	//   - recovery.ToRepudiate: recovery.Service.Repudiate.
	//   - recovery.ToUndo: recovery.Service.Repudiate, or contact.Service.Undo where there is no recovery.
	//   - recovery.ToProve: contact.Service.Prove.
	//
	// It writes the answer, as a rule a redirect (303), so that a reload sends nothing twice. If it returns an error it must have
	// written nothing: the page then explains the error.
	Act func(w http.ResponseWriter, r *http.Request, info recovery.LinkInfo, token civicpin.Secret) error

	// Challenge, if there is one, returns the fields of a [Captcha] in the language of the request. They stand in the form after
	// an act that was refused with lockout.ErrChallenge, beside the button, which then sends them with the token. The next act
	// says by Source.Challenged whether the visitor passed.
	Challenge func(*http.Request) template.HTML

	// Contacts, Cookies, Source, Done and Granted have LinkPage redeem by itself, where Act is nil: by the calls above, and then
	// a redirect. The links are a *[recovery.Service] whose plans have a link as their last step; other plans need an Act.
	Contacts *contact.Service
	Cookies  *Cookies                              // keep the [Grant] of a recovery
	Source   func(r *http.Request) civicpin.Source // where a request comes from
	Done     string                                // the path of the page where nothing is left to do
	Granted  string                                // of the page that uses a grant, as by [Sessions.SetSecret]
}

// Labels are the words of the form of [LinkPage].
type Labels struct {
	Paste string // beside the field for the link or its token
	Look  string // on the button that shows what the link is for
	Act   string // on the button that redeems it
}

// A View is what the template of a [Page] shows.
type View struct {
	// Info says what the link is for, once it was inspected. Its Purpose is empty before, and if there is a Refusal, but for that
	// of an act that asks for a [Page].Challenge.
	Info recovery.LinkInfo
	// Refusal says why the link is not good: used, too late, or what Act returned. Its Code is empty if there is none;
	// texts.Refusal has the words.
	Refusal Refusal
	// Form holds the field or the button, the challenge, and the script. It needs no style.
	Form template.HTML
}

// form is the field for a token, or the button behind which it is redeemed. The script takes the token from the fragment, which
// no server, log or Referer header sees, out of the address and the history, and into the form that asks what the link is for.
// Without scripts the action does: a form without one goes to the whole address, and the fragment stays. Nothing is redeemed
// without the button.
var form = template.Must(template.New("form").Parse(`<form method="post" action="{{.Self}}" id="civicpin-link">
{{- if .Token}}{{with .Challenge}}{{.}}{{end}}<input type="hidden" name="token" value="{{.Token}}">
<button name="act" value="1">{{.Labels.Act}}</button>
{{- else}}<label>{{.Labels.Paste}}
<input name="token" required autocomplete="off" autocapitalize="off" spellcheck="false"></label>
<button>{{.Labels.Look}}</button>
{{- end}}</form>
{{- if not .Token}}
<script nonce="{{.Nonce}}">
(function () {
	function take() {
		var token = location.hash.slice(1);
		if (!token) return;
		history.replaceState(null, "", location.pathname + location.search);
		var form = document.getElementById("civicpin-link");
		form.elements.token.value = token;
		form.submit();
	}
	addEventListener("hashchange", take);
	take();
})();
</script>
{{- end}}`))

// LinkPage returns the page behind the links of all kinds, the texts.Service.Page of the e-mails. Serve it within [Secure].
//
//   - GET and HEAD show the field for a link, and nothing happens. The script, if it runs, sends the token from the address.
//   - POST inspects the token, and shows what it is for, and a button. Nothing happens.
//   - POST by the button calls Page.Act, or redeems the token if there is none.
//
// Without scripts the visitor pastes the link, or the token behind its "#", and the form takes it out of the address. A typed
// code, the link's other face, goes where its subject or run is known: contact.Service.ProveCode, recovery.Answers.Code. A link
// that was used or came too late is answered 410, with a View that says so.
//
// Attacks: scanners of mail and chat that open links, prefetch them, or run scripts redeem nothing. The address that stays in
// the history, and that other sites could be told, has no token. Another site's page can neither press the button nor frame it.
//
// It panics if links or a required field of the page is missing. A request that did not pass through Secure is answered 500.
func LinkPage(links Links, page Page) http.Handler {
	if page.Act == nil {
		page.Act = page.redeem(links)
	}
	if links == nil || page.Template == nil || page.Labels == nil || page.Act == nil {
		panic("web: LinkPage lacks links or a field of its page")
	}
	return linkPage{links, page}
}

type linkPage struct {
	links Links
	page  Page
}

func (p linkPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case Nonce(r.Context()) == "":
		http.Error(w, "web: LinkPage is not within Secure", http.StatusInternalServerError)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		p.show(w, r, View{}, "")
	case r.Method == http.MethodPost:
		p.post(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	}
}

func (p linkPage) post(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.refuse(w, r, malformed(err))
		return
	}
	token := pasted(r.PostForm.Get("token"))
	info, err := p.links.Inspect(r.Context(), civicpin.NewSecret(token))
	if err == nil && r.PostForm.Get("act") != "" {
		if err = p.page.Act(w, r, info, civicpin.NewSecret(token)); err == nil {
			return
		}
	}
	switch asks := p.page.Challenge != nil && errors.Is(err, lockout.ErrChallenge); {
	case asks && info.Purpose != "": // nothing was redeemed
		p.show(w, r, View{Info: info, Refusal: Status(err)}, token)
	case err != nil:
		p.refuse(w, r, err)
	default:
		p.show(w, r, View{Info: info}, token)
	}
}

// malformed has a form that cannot be read be invalid, unless it is too large.
func malformed(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return fmt.Errorf("web: the form cannot be read: %w", civicpin.ErrInvalid)
}

// pasted returns the token in what a visitor pasted: a whole link, or what is behind its "#", also broken over lines.
func pasted(s string) string {
	if at := strings.LastIndexByte(s, '#'); at >= 0 {
		s = s[at+1:]
	}
	return strings.Join(strings.Fields(s), "")
}

func (p linkPage) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p.show(w, r, View{Refusal: Status(err)}, "")
}

// self returns an address's own, relative, since a proxy may have taken a prefix from it, and without a fragment.
func self(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		return "?" + u.RawQuery
	}
	own := url.URL{RawQuery: u.RawQuery}
	return "./" + path[strings.LastIndexByte(path, '/')+1:] + own.String()
}

// show writes the page, with the button if there is a token. Nothing is written of a page that the template cannot complete.
func (p linkPage) show(w http.ResponseWriter, r *http.Request, v View, token string) {
	var inner, whole bytes.Buffer
	data := map[string]any{"Token": token, "Labels": p.page.Labels(r), "Nonce": Nonce(r.Context()), "Self": self(r.URL)}
	if v.Refusal.Code != "" && token != "" {
		data["Challenge"] = p.page.Challenge(r)
	}
	err := form.Execute(&inner, data)
	if err == nil {
		v.Form = template.HTML(inner.String()) // escaped by the template above
		err = p.page.Template.Execute(&whole, v)
	}
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	v.Refusal.Header(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if v.Refusal.Code != "" {
		w.WriteHeader(v.Refusal.Status)
	}
	_, _ = whole.WriteTo(w) // the visitor hung up
}
