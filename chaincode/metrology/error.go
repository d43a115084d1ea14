package metrology

import (
	"errors"
	"fmt"
	"strings"
)

// Code names the kind of rule that was broken. It is the only part of an error
// that programs may rely on.
type Code string

// The codes. Each maps to one HTTP status and one problem type in gateway/api.
const (
	CodeInvalid         Code = "INVALID"          // a field breaks a rule of form
	CodeNotFound        Code = "NOT_FOUND"        // the thing named does not exist
	CodeForbidden       Code = "FORBIDDEN"        // this caller may not do this
	CodeConflict        Code = "CONFLICT"         // an id or number is already taken
	CodeState           Code = "STATE"            // the state of the thing forbids the command
	CodeScope           Code = "SCOPE"            // outside an issuer's scope or validity
	CodeSignature       Code = "SIGNATURE"        // a detached signature does not verify
	CodeOperationReused Code = "OPERATION_REUSED" // same operation id, another request
	CodeAbandoned       Code = "ABANDONED"        // the operation id was given up
	CodeRejectedLeaves  Code = "REJECTED_LEAVES"  // some leaves of a batch break rules; the message is JSON
	CodeInternal        Code = "INTERNAL"         // unreadable stored data and other faults that no caller can mend
)

// codes in a set, for decoding.
var codes = map[Code]bool{
	CodeInvalid: true, CodeNotFound: true, CodeForbidden: true, CodeConflict: true, CodeState: true, CodeScope: true,
	CodeSignature: true, CodeOperationReused: true, CodeAbandoned: true, CodeRejectedLeaves: true, CodeInternal: true,
}

// Error is a broken rule. The contract API flattens errors to text, so the
// text carries the code: Error prints "CODE: message" and ParseError reads it
// back.
type Error struct {
	Code    Code
	Field   string // JSON path of the member at fault, such as "instruments[2].serial"; may be empty
	Message string
}

// Error encodes "CODE: message" or "CODE field: message".
func (e *Error) Error() string {
	if e.Field == "" {
		return string(e.Code) + ": " + e.Message
	}
	return string(e.Code) + " " + e.Field + ": " + e.Message
}

// Errorf makes an Error without a field.
func Errorf(code Code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// FieldErrorf makes an Error that names the member at fault.
func FieldErrorf(code Code, field, format string, args ...any) error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// ErrorCode returns the code of the first Error in err's chain, CodeInternal
// for any other error, and "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// ParseError reads what Error printed. ok is false when text carries no known
// code; then it did not come from a rule.
func ParseError(text string) (e *Error, ok bool) {
	head, message, found := strings.Cut(text, ": ")
	if !found {
		return nil, false
	}
	code, field, _ := strings.Cut(head, " ")
	if !codes[Code(code)] || strings.ContainsAny(field, " \t\n") {
		return nil, false
	}
	return &Error{Code: Code(code), Field: field, Message: message}, true
}
