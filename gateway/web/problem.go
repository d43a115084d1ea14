package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// problem is the body of an error page.
type problem struct {
	Title, Detail string
	RequestID     string
	Retry         bool // whether trying again may help
}

// problemStatus tells which HTTP status an error has and which message names
// it. detail is fit for visitors; it is empty for errors of this program.
func problemStatus(err error) (status int, key, detail string) {
	var rule *metrology.Error
	var tooLarge *http.MaxBytesError
	var refused *echo.HTTPError
	switch {
	case errors.Is(err, errNoPage):
		return http.StatusNotFound, "problem.not-found", ""
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, "problem.too-large", strconv.FormatInt(tooLarge.Limit>>20, 10) + " MiB"
	case errors.As(err, &rule) && rule.Code == metrology.CodeNotFound:
		return http.StatusNotFound, "problem.not-found", ""
	case errors.As(err, &rule) && rule.Code == metrology.CodeInvalid:
		return http.StatusBadRequest, "problem.invalid", strings.TrimSpace(rule.Field + " " + rule.Message)
	case errors.As(err, &rule) && rule.Code == metrology.CodeSignature:
		return http.StatusBadRequest, "problem.invalid", strings.TrimSpace(rule.Field + " " + rule.Message)
	case errors.As(err, &rule) && rule.Code == metrology.CodeState:
		return http.StatusConflict, "problem.invalid", rule.Message
	case errors.As(err, &refused):
		return frameworkStatus(refused.Code)
	}
	return http.StatusServiceUnavailable, "problem.unavailable", ""
}

func frameworkStatus(code int) (status int, key, detail string) {
	switch {
	case code == http.StatusNotFound || code == http.StatusMethodNotAllowed:
		return code, "problem.not-found", ""
	case code == http.StatusTooManyRequests:
		return code, "problem.too-many", ""
	case code < http.StatusInternalServerError:
		return code, "problem.invalid", ""
	}
	return http.StatusServiceUnavailable, "problem.unavailable", ""
}

// fail shows an error as a page. One that is not the visitor's goes to the log.
func (s *Server) fail(r request, err error) error {
	if ended(r.Request().Context(), err) {
		return err
	}
	status, key, detail := problemStatus(err)
	if status >= http.StatusInternalServerError && !errors.Is(err, echo.ErrServiceUnavailable) { // refused as overload: counted, not logged
		s.log.ErrorContext(r.Request().Context(), "page failed", "request", requestID(r), "error", err)
	}
	return s.problem(r, status, s.say(r.lang, key), detail)
}

func requestID(r request) string { return r.Response().Header().Get(echo.HeaderXRequestID) }

func (s *Server) problem(r request, status int, title, detail string) error {
	return s.render(r, reply{view: "problem", title: title, status: status, body: problem{
		Title: title, Detail: detail, RequestID: requestID(r),
		Retry: status >= http.StatusInternalServerError || status == http.StatusTooManyRequests,
	}})
}

// Problem answers with an error page of the given status. Title and detail are
// shown as they come.
func (s *Server) Problem(c echo.Context, status int, title, detail string) error {
	return s.problem(s.request(c), status, title, detail)
}

// Errors answers errors of browsers with pages and leaves all others to next:
// those of the interface under /v1, and of clients that do not ask for HTML.
func (s *Server) Errors(next echo.HTTPErrorHandler) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		wantsPage := strings.Contains(c.Request().Header.Get(echo.HeaderAccept), echo.MIMETextHTML) &&
			!strings.HasPrefix(c.Request().URL.Path, "/v1/")
		if !wantsPage || c.Response().Committed || ended(c.Request().Context(), err) {
			next(err, c)
			return
		}
		if failed := s.fail(s.request(c), err); failed != nil {
			next(failed, c)
		}
	}
}
