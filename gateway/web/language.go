package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/gateway/verdict"
)

// language is a language of the pages.
type language string

// The languages. Chinese is the one of last resort, since the register is
// about Chinese merchants.
const (
	chinese language = "zh"
	english language = "en"
)

// tag is the language's BCP 47 tag.
func (l language) tag() string {
	if l == english {
		return "en"
	}
	return "zh-CN"
}

// other is the language the switch offers.
func (l language) other() language {
	if l == english {
		return chinese
	}
	return english
}

// pick is the half of a text in this language.
func (l language) pick(text verdict.Text) string {
	if l == english {
		return text.EN
	}
	return text.ZH
}

const languageCookie = "lang"

// chooseLanguage takes the address's lang parameter, which it remembers, then
// what was remembered, then the browser's preference.
func chooseLanguage(c echo.Context) language {
	c.Response().Header().Add(echo.HeaderVary, "Accept-Language, Cookie")
	if asked, ok := parseLanguage(c.QueryParam("lang")); ok {
		c.SetCookie(&http.Cookie{
			Name: languageCookie, Value: string(asked), Path: "/", MaxAge: 365 * 24 * 3600,
			HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		return asked
	}
	if cookie, err := c.Cookie(languageCookie); err == nil {
		if kept, ok := parseLanguage(cookie.Value); ok {
			return kept
		}
	}
	return preferred(c.Request().Header.Get("Accept-Language"))
}

// parseLanguage reads a language tag (BCP 47): its primary subtag decides.
func parseLanguage(tag string) (language, bool) {
	primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
	l := language(primary)
	return l, l == chinese || l == english
}

// preferred reads an Accept-Language header (RFC 9110, 12.5.4): the language of
// ours with the highest weight, the first of equals.
func preferred(header string) language {
	best, weight := chinese, 0.0
	for _, item := range strings.Split(header, ",") {
		tag, parameter, _ := strings.Cut(strings.TrimSpace(item), ";")
		l, ok := parseLanguage(strings.TrimSpace(tag))
		if !ok {
			continue
		}
		q := 1.0
		if text, found := strings.CutPrefix(strings.TrimSpace(parameter), "q="); found {
			parsed, err := strconv.ParseFloat(text, 64)
			if err != nil {
				continue
			}
			q = parsed
		}
		if q > weight {
			best, weight = l, q
		}
	}
	return best
}
