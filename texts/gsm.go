package texts

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// gsmBasic is the GSM 7-bit default alphabet (3GPP TS 23.038 6.2.1) without the escape: one septet each.
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	// gsmExtended is its extension table (6.2.1.1): an escape and one septet.
	gsmExtended = "\f^{}\\[~]|€"
	// plainForms are letters and signs of European languages that the alphabet lacks, each before the one that is sent.
	plainForms = "áaâaãaÁAÂAÃAÀAêeëeÊEËEÈEíiîiïiÍIÎIÏIÌIóoôoõoÓOÔOÕOÒOúuûuÚUÛUÙUçcýyÿyÝYšsžzŠSŽZčcćcČCĆCřrńnłlŁL" +
		"’'‘'“\"”\"«\"»\"–-—-….ºoªa·-"
)

// gsm returns s as a text message can carry it, with accents that it cannot carry left out, and whether it can. How the accents
// of s are encoded makes no difference: the alphabet has no combining characters, so they are composed first.
func gsm(s string) (string, bool) {
	s = strings.Map(func(c rune) rune {
		if c < utf8.RuneSelf || strings.ContainsRune(gsmBasic+gsmExtended, c) {
			return c
		}
		for forms := plainForms; forms != ""; {
			accented, size := utf8.DecodeRuneInString(forms)
			if accented == c {
				return rune(forms[size])
			}
			forms = forms[size+1:]
		}
		return c
	}, norm.NFC.String(s))
	return s, septets(s) >= 0
}

// septets returns the length of s in septets, or -1 if the alphabet lacks a character of it.
func septets(s string) int {
	n := 0
	for _, c := range s {
		switch {
		case strings.ContainsRune(gsmBasic, c):
			n++
		case strings.ContainsRune(gsmExtended, c):
			n += 2
		default:
			return -1
		}
	}
	return n
}
