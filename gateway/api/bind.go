package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// strictBinder reads one JSON body and nothing else: no path or query values
// slip in, and unknown members, duplicate members and members in another case
// are refused by name.
type strictBinder struct{}

// Bind implements echo.Binder.
func (strictBinder) Bind(target any, c echo.Context) error {
	r := c.Request()
	if media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType)); err != nil || media != echo.MIMEApplicationJSON {
		return echo.NewHTTPError(http.StatusUnsupportedMediaType, "send Content-Type: application/json")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	return unmarshalStrict(body, target)
}

// unmarshalStrict reads one JSON value into target; errors name the member.
func unmarshalStrict(raw []byte, target any) error {
	err := json.Unmarshal(raw, target, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		reason := "has the wrong type"
		switch {
		case errors.Is(semantic.Err, json.ErrUnknownName):
			reason = "is not a member of this request"
		case semantic.Err != nil:
			reason = semantic.Err.Error()
		}
		return metrology.FieldErrorf(metrology.CodeInvalid, memberPath(semantic.JSONPointer), "%s", reason)
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return metrology.FieldErrorf(metrology.CodeInvalid, memberPath(syntactic.JSONPointer), "%v", syntactic.Err)
	}
	return metrology.Errorf(metrology.CodeInvalid, "the body is not a JSON object: %v", err)
}

// memberPath turns a JSON pointer (/a/0/b) into the form errors use (a[0].b).
func memberPath(pointer jsontext.Pointer) string {
	var b strings.Builder
	for token := range pointer.Tokens() {
		switch {
		case token != "" && strings.Trim(token, "0123456789") == "":
			b.WriteString("[" + token + "]")
			continue
		case b.Len() > 0:
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	return b.String()
}

// retryAfter is the number of seconds a client should wait.
func retryAfter(err error) int {
	var fault *Fault
	if errors.As(err, &fault) && fault.RetryAfter >= time.Second {
		return int(fault.RetryAfter / time.Second)
	}
	return 1
}
