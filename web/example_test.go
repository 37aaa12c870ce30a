package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/civicpin/civicpin/web"
)

// siteVerify is a provider's captcha, by the call that most providers have. Each solution counts once: the provider says so.
type siteVerify struct {
	address, secret, host string
	client                http.Client // with a Timeout
}

// Passed implements [web.Captcha].
func (c siteVerify) Passed(r *http.Request) (bool, error) {
	solution := r.PostFormValue("captcha-response")
	if solution == "" || len(solution) > 4096 {
		return false, nil
	}
	answer, err := c.client.PostForm(c.address, url.Values{"secret": {c.secret}, "response": {solution}})
	if err != nil {
		return false, err
	}
	defer func() { _ = answer.Body.Close() }()
	var said struct {
		Success  bool
		Hostname string // where the challenge was shown: not on a page of an attacker's
	}
	err = json.NewDecoder(http.MaxBytesReader(nil, answer.Body, 16<<10)).Decode(&said)
	return err == nil && said.Success && said.Hostname == c.host, err
}

// A login asks for a captcha once the library does.
func ExampleCaptcha() {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"success": %t, "hostname": "portal.example"}`, r.PostFormValue("response") == "solved")
	}))
	defer provider.Close()
	var captcha web.Captcha = siteVerify{
		address: provider.URL, secret: "from the configuration", host: "portal.example",
		client: http.Client{Timeout: 5 * time.Second},
	}

	for _, typed := range []string{"", "a guess", "solved"} {
		r := httptest.NewRequest("POST", "/login", strings.NewReader(url.Values{"captcha-response": {typed}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		source := web.Source(r, web.Proxies{})
		var err error
		source.Challenged, err = captcha.Passed(r)
		fmt.Println(source.Challenged, err)
	}
	// Output:
	// false <nil>
	// false <nil>
	// true <nil>
}
