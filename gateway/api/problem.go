package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// problemKind is one row of the one table that says how an error is told: its
// code, the HTTP status, whether trying again can help, and its title.
type problemKind struct {
	Code      string
	Status    int
	Retryable bool
	Title     string
	Advice    string // what the reader can do, for the page at /problems/{name}
}

// problemKinds lists every problem this API can answer. The name is the last
// part of the problem's type and never changes.
var problemKinds = map[string]problemKind{
	"invalid":          {string(metrology.CodeInvalid), http.StatusBadRequest, false, "A field breaks a rule", "Mend the field that is named and send the request again."},
	"not-found":        {string(metrology.CodeNotFound), http.StatusNotFound, false, "There is no such thing", "Check the identifier. What was withdrawn or deleted is not found either."},
	"forbidden":        {string(metrology.CodeForbidden), http.StatusForbidden, false, "This identity may not do this", "Use an identity of the role and subject that the rule names."},
	"conflict":         {string(metrology.CodeConflict), http.StatusConflict, false, "The identifier or number is taken", "Read what stands under it; choose another one for something new."},
	"state":            {string(metrology.CodeState), http.StatusConflict, false, "The state does not allow this", "Read the current state; the message names it."},
	"out-of-scope":     {string(metrology.CodeScope), http.StatusUnprocessableEntity, false, "Outside the issuer's scope or validity", "Check the institution's authorised scope and its dates."},
	"signature":        {string(metrology.CodeSignature), http.StatusUnprocessableEntity, false, "The issuer's signature does not verify", "Sign the batch message of this root with a key registered for the issuer."},
	"operation-reused": {string(metrology.CodeOperationReused), http.StatusUnprocessableEntity, false, "The Idempotency-Key was used for another request", "Use a new key for a new request."},
	"abandoned":        {string(metrology.CodeAbandoned), http.StatusConflict, false, "The operation was given up", "Use a new Idempotency-Key."},
	"rejected-leaves":  {string(metrology.CodeRejectedLeaves), http.StatusUnprocessableEntity, false, "Some certificates of the batch break rules", "The member errors names each; anchor the others or mend these."},
	"unauthorized":     {"UNAUTHORIZED", http.StatusUnauthorized, false, "A bearer token is needed", "Send Authorization: Bearer followed by a token of this gateway."},
	"too-large":        {"TOO_LARGE", http.StatusRequestEntityTooLarge, false, "The body is too large", "Send less at once."},
	"media-type":       {"MEDIA_TYPE", http.StatusUnsupportedMediaType, false, "The media type is not one of this route", "See the API description for what the route takes."},
	"method":           {"METHOD", http.StatusMethodNotAllowed, false, "The route has no such method", "See the API description."},
	"too-many":         {"TOO_MANY", http.StatusTooManyRequests, true, "Too many requests from this client", "Wait for the time in Retry-After."},
	"overloaded":       {"OVERLOADED", http.StatusServiceUnavailable, true, "The gateway is at its limit", "Nothing was written. Wait for the time in Retry-After."},
	"unavailable":      {"UNAVAILABLE", http.StatusServiceUnavailable, true, "The ledger cannot be reached", "Nothing was written. Wait for the time in Retry-After."},
	"internal":         {string(metrology.CodeInternal), http.StatusInternalServerError, false, "Internal error", "Tell the operator the request id."},
}

// problemNames finds a problem's name by its code.
var problemNames = func() map[string]string {
	names := make(map[string]string, len(problemKinds))
	for name, kind := range problemKinds {
		names[kind.Code] = name
	}
	return names
}()

// Problem is an RFC 9457 problem document.
type Problem struct {
	Type          string          `json:"type"` // "/problems/" and a name that never changes
	Title         string          `json:"title"`
	Status        int             `json:"status"`
	Detail        string          `json:"detail,omitempty"`
	Code          string          `json:"code"`
	Field         string          `json:"field,omitempty"` // JSON path of the member at fault
	Retryable     bool            `json:"retryable"`
	RequestID     string          `json:"requestId,omitempty"`
	TransactionID string          `json:"transactionId,omitempty"`
	Errors        json.RawMessage `json:"errors,omitempty"` // rejected-leaves: index, code, field and message of each
}

func newProblem(name string) Problem {
	kind := problemKinds[name]
	return Problem{Type: "/problems/" + name, Title: kind.Title, Status: kind.Status, Code: kind.Code, Retryable: kind.Retryable}
}

// problemOf maps any error to its problem. Errors without a code are internal:
// their text goes to the log, not to the client.
func problemOf(err error) Problem {
	var rule *metrology.Error
	if errors.As(err, &rule) && rule.Code != metrology.CodeInternal {
		p := newProblem(problemNames[string(rule.Code)])
		p.Field, p.Detail = rule.Field, rule.Message
		if rule.Code == metrology.CodeRejectedLeaves && json.Valid([]byte(rule.Message)) {
			p.Errors, p.Detail = json.RawMessage(rule.Message), p.Title
		}
		return p
	}
	var fault *Fault
	if errors.As(err, &fault) {
		return newProblem(string(fault.Kind))
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		p := newProblem("too-large")
		p.Detail = "the limit is " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes"
		return p
	}
	var refused *echo.HTTPError
	if errors.As(err, &refused) {
		return frameworkProblem(refused)
	}
	return newProblem("internal")
}

// frameworkProblem tells what echo refused before a handler saw it.
func frameworkProblem(e *echo.HTTPError) Problem {
	if e.Code == http.StatusServiceUnavailable {
		return newProblem("unavailable") // two problems have this status
	}
	for name, kind := range problemKinds {
		if kind.Status == e.Code && (e.Code != http.StatusConflict && e.Code != http.StatusUnprocessableEntity) {
			p := newProblem(name)
			if text, ok := e.Message.(string); ok && e.Code < 500 {
				p.Detail = text
			}
			return p
		}
	}
	return newProblem("internal")
}
