package api

import (
	"context"
	"crypto/sha256"
	"strings"

	"github.com/labstack/echo/v4"
)

// Tokens finds the principal of a bearer token. Only hashes are held, so that
// looking one up takes the same time whatever it is.
type Tokens map[[sha256.Size]byte]Principal

// NewTokens binds tokens to principals.
func NewTokens(bound map[string]Principal) Tokens {
	tokens := make(Tokens, len(bound))
	for token, principal := range bound {
		tokens[sha256.Sum256([]byte(token))] = principal
	}
	return tokens
}

// WithPrincipal makes requests with this context those of who: for parts of
// this program that have found out by themselves who is asking.
func WithPrincipal(ctx context.Context, who Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, who)
}

// principalKey carries the principal of a request in its context.
type principalKey struct{}

// authenticate puts the principal of a valid bearer token into the request's
// context. A bad token is refused at once, also on public routes: whoever sends
// one expects to be known.
func (t Tokens) authenticate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Request().Header.Get(echo.HeaderAuthorization)
		if header == "" {
			return next(c)
		}
		scheme, token, _ := strings.Cut(header, " ")
		principal, known := t[sha256.Sum256([]byte(strings.TrimSpace(token)))]
		if !strings.EqualFold(scheme, "Bearer") || !known {
			return errUnauthorized
		}
		c.SetRequest(c.Request().WithContext(WithPrincipal(c.Request().Context(), principal)))
		return next(c)
	}
}

// errUnauthorized asks for a token.
var errUnauthorized = echo.ErrUnauthorized

// principal returns who makes the request.
func principal(ctx context.Context) (Principal, error) {
	who, ok := ctx.Value(principalKey{}).(Principal)
	if !ok {
		return Principal{}, errUnauthorized
	}
	return who, nil
}

// Secret is this gateway's own random key. From it and the client's
// Idempotency-Key come the identifiers and salts of a request, so that the
// same request asks for the same thing again, and nobody else can guess a salt.
type Secret [sha256.Size]byte

// maxIdempotencyKey bounds the header of that name, in bytes.
const maxIdempotencyKey = 128
