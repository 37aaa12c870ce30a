package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/domsnapshot"
	"github.com/chromedp/chromedp"
)

// A spoken thing is a node of the accessibility tree, as a screen reader comes to it.
type spoken struct {
	role, name string
	id         cdp.BackendNodeID
	level      string // of a heading
	focus      bool   // may have it
	in         string // the landmark or table that it is in
}

// value returns a string, a number or a truth of the tree as words.
func value(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var words any
	if json.Unmarshal(v.Value, &words) != nil || words == nil {
		return ""
	}
	return strings.Join(strings.Fields(fmt.Sprint(words)), " ")
}

// read returns the accessibility tree in the order in which it is read. Cells and lists to pick from are read as a whole.
func (b *tab) read() (all []spoken) {
	b.t.Helper()
	nodes := make(map[accessibility.NodeID]*accessibility.Node)
	tree := call(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes
	for _, n := range tree {
		nodes[n.NodeID] = n
	}
	var visit func(n *accessibility.Node, in string)
	visit = func(n *accessibility.Node, in string) {
		s := spoken{role: value(n.Role), name: value(n.Name), id: n.BackendDOMNodeID, in: in}
		for _, p := range n.Properties {
			switch p.Name {
			case "level":
				s.level = value(p.Value)
			case "focusable":
				s.focus = value(p.Value) == "true"
			}
		}
		if !n.Ignored {
			all = append(all, s)
		}
		switch s.role {
		case "banner", "navigation", "main", "contentinfo":
			in = s.role
		case "cell", "columnheader", "combobox", "textbox", "StaticText":
			return
		}
		for _, id := range n.ChildIDs {
			if child := nodes[id]; child != nil {
				visit(child, in)
			}
		}
	}
	visit(tree[0], "")
	return all
}

// A place is where something begins on the page: its first line, if it is words.
type place struct{ left, top, bottom float64 }

// places returns where everything on the page is.
func (b *tab) places() map[cdp.BackendNodeID]place {
	b.t.Helper()
	doc := call(b, domsnapshot.CaptureSnapshot, domsnapshot.CaptureSnapshotParams{ComputedStyles: []string{}}).Documents[0]
	at := func(box domsnapshot.Rectangle) place { return place{box[0], box[1], box[1] + box[3]} }
	all := make(map[cdp.BackendNodeID]place)
	id := func(layout int64) cdp.BackendNodeID { return doc.Nodes.BackendNodeID[doc.Layout.NodeIndex[layout]] }
	for i, box := range doc.Layout.Bounds {
		all[id(int64(i))] = at(box)
	}
	first := make(map[int64]bool)
	for i, layout := range doc.TextBoxes.LayoutIndex {
		if !first[layout] {
			first[layout] = true
			all[id(layout)] = at(doc.TextBoxes.Bounds[i])
		}
	}
	return all
}

// misread reads the page, and says what is wrong with it: a control without a name, a label that is not where its reader expects
// it, a page that does not begin with its heading, and an order that is not that of the eye, from the top and from the left.
func (b *tab) misread() (bad []string) {
	b.t.Helper()
	all, places := b.read(), b.places()
	var before *spoken
	landmarks, controls := "", 0
	for i := range all {
		s := &all[i]
		switch s.role {
		case "banner", "main", "contentinfo":
			landmarks += s.role + " "
		case "heading":
			if s.in == "main" && before == nil && s.level == "1" {
				before = s
			}
		case "button", "textbox", "checkbox", "radio", "combobox", "link":
			controls++
			if s.name == "" {
				bad = append(bad, "no name: "+s.role)
			}
			if label, wanted := labelled(all, i); wanted && label != s.name {
				bad = append(bad, fmt.Sprintf("label: %q is by %q", s.name, label))
			}
		}
		switch s.role {
		case "button", "textbox", "checkbox", "radio", "combobox", "cell", "columnheader", "StaticText":
		default:
			continue
		}
		if s.in != "main" {
			continue
		}
		if before == nil {
			bad = append(bad, "before the heading: "+s.name)
		} else if was, is := places[before.id], places[s.id]; is.top < was.bottom-1 && (is.bottom <= was.top || is.left < was.left) {
			bad = append(bad, fmt.Sprintf("order: %s %q %v is read before %s %q %v", before.role, before.name, was, s.role, s.name, is))
		}
		before = s
	}
	if landmarks != "banner main contentinfo " || controls == 0 {
		bad = append(bad, "landmarks: "+landmarks)
	}
	return bad
}

// labelled returns the words of the label before a field. That of a box, or of a button to choose by, is not read on its own.
func labelled(all []spoken, i int) (label string, wanted bool) {
	if all[i].role != "textbox" && all[i].role != "combobox" {
		return "", false
	}
	for i--; i >= 0 && all[i].role != "LabelText"; i-- {
	}
	var words []string
	for i++; i < len(all) && all[i].role == "StaticText"; i++ {
		words = append(words, all[i].name)
	}
	return strings.Join(words, " "), true
}

// stops has each thing that gets the focus noted, and whether its frame can be seen.
const stops = `window.stops = []; document.addEventListener('focusin', e =>
	window.stops.push((getComputedStyle(e.target).outlineStyle == 'none' ? 'no frame: ' : '') + e.target.outerHTML)); ''`

// misled goes through the page by the key for the next control, and says what is wrong: a stop that is not the next of the tree.
func (b *tab) misled() (bad []string) {
	b.t.Helper()
	var want []string
	radio := ""
	for _, s := range b.read() {
		if !s.focus || s.role == "RootWebArea" {
			continue
		}
		html := call(b, dom.GetOuterHTML, dom.GetOuterHTMLParams{BackendNodeID: s.id}).OuterHTML
		if s.role == "radio" {
			_, name, _ := strings.Cut(html, ` name=`)
			name, _, _ = strings.Cut(name, " ")
			if radio == name {
				continue
			}
			radio = name
		}
		want = append(want, html)
	}
	get(b, chromedp.Evaluate[string](stops))
	b.run(chromedp.KeyEvent(strings.Repeat("\t", len(want))))
	got := get(b, chromedp.Evaluate[[]string](`window.stops`))
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			return append(bad, fmt.Sprintf("stop %d of %d, %d: %q", i, len(got), len(want), append(got[:len(got):len(got)], want...)))
		}
	}
	return bad
}
