package readmodel

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
	"github.com/steelyard-ledger/steelyard/gateway/public"
)

// scanner is a row of a result.
type scanner interface{ Scan(into ...any) error }

// one reads a single row; none is a NOT_FOUND error that names what and id.
func one[T any](ctx context.Context, s *Store, what, id, query string, scan func(scanner) (T, error), args ...any) (T, error) {
	values, err := lookUp(ctx, s, what, query, scan, args...)
	if err != nil {
		return *new(T), err
	}
	if len(values) == 0 {
		return *new(T), notKnown(what, id)
	}
	return values[0], nil
}

func notKnown(what, id string) error {
	return metrology.Errorf(metrology.CodeNotFound, "%s %q is not known to this register", what, id)
}

// all reads every row. Queries of this form differ in their arguments only and
// stay prepared.
func all[T any](ctx context.Context, s *Store, what, query string, scan func(scanner) (T, error), args ...any) ([]T, error) {
	if !s.dialect.prepare {
		return collect(what, scan)(s.read.QueryContext(ctx, s.rebind(query), storable(args)...))
	}
	statement, err := s.prepared.prepare(ctx, s.read, query)
	if err != nil {
		return nil, fmt.Errorf("prepare to read %s: %w", what, err)
	}
	return collect(what, scan)(statement.QueryContext(ctx, storable(args)...))
}

// among reads every row of one of ids, so that a list asks once and not once
// per item. query ends where " IN (…)" is to follow.
func among[T any, ID string | int64](ctx context.Context, s *Store, what, query string, ids []ID, order string, scan func(scanner) (T, error)) ([]T, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if len(ids) == 1 {
		return lookUp(ctx, s, what, query+" = ? ORDER BY "+order, scan, ids[0])
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	query += " IN (?" + strings.Repeat(", ?", len(ids)-1) + ") ORDER BY " + order
	return collect(what, scan)(s.read.QueryContext(ctx, s.rebind(query), storable(args)...))
}

func collect[T any](what string, scan func(scanner) (T, error)) func(*sql.Rows, error) ([]T, error) {
	return func(rows *sql.Rows, err error) ([]T, error) {
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", what, err)
		}
		defer rows.Close() //nolint:errcheck // rows.Err is checked
		values := []T{}
		for rows.Next() {
			value, err := scan(rows)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", what, err)
			}
			values = append(values, value)
		}
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read %s: %w", what, err)
		}
		return values, nil
	}
}

// where collects the conditions of a list.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

// equal adds a condition unless value is empty.
func (w *where) equal(column, value string) {
	if value != "" {
		w.add(column+" = ?", value)
	}
}

// region restricts to a division or to all below a shorter code.
func (w *where) region(column, code string) error {
	if code == "" {
		return nil
	}
	if len(code) > 6 || strings.Trim(code, "0123456789") != "" {
		return metrology.FieldErrorf(metrology.CodeInvalid, "region", "%q is not a division code or the start of one (GB/T 2260)", code)
	}
	w.add(column+" >= ? AND "+column+" < ?", code, code+":") // ":" follows "9"
	return nil
}

func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// list reads one page ordered by key, which must be unique. query ends before
// WHERE; scope names the list and its filter, so that a cursor of another list
// is refused.
func list[T any](ctx context.Context, s *Store, what string, query, key string, w where, request public.PageRequest, scope string,
	keyOf func(T) string, scan func(scanner) (T, error)) (public.Page[T], error) {
	limit, err := limitOf(request)
	if err != nil {
		return public.Page[T]{}, err
	}
	scope = what + "\x00" + scope
	if request.Cursor != "" {
		after, err := s.openCursor(request.Cursor, scope)
		if err != nil {
			return public.Page[T]{}, err
		}
		w.add(key+" > ?", after)
	}
	items, err := all(ctx, s, what, query+w.sql()+" ORDER BY "+key+" LIMIT ?", scan, append(w.args, limit+1)...)
	if err != nil {
		return public.Page[T]{}, err
	}
	page := public.Page[T]{Items: items}
	if len(items) > limit {
		page.Items = items[:limit]
		page.Next = s.sealCursor(keyOf(items[limit-1]), scope)
	}
	return page, nil
}

// limitOf is how many items a page may have.
func limitOf(request public.PageRequest) (int, error) {
	switch {
	case request.Limit == 0:
		return public.DefaultLimit, nil
	case request.Limit < 0 || request.Limit > public.MaxLimit:
		return 0, metrology.FieldErrorf(metrology.CodeInvalid, "limit", "is not in 1 to %d", public.MaxLimit)
	}
	return request.Limit, nil
}

// A cursor is the last key with a code over it and its list. The code catches
// a cursor that was changed or belongs to another list; it hides nothing, and
// every gateway of one ledger makes the same.
const cursorCode = 12

func (s *Store) cursorMAC(key, scope string) []byte {
	mac := hmac.New(sha256.New, s.genesis[:])
	fmt.Fprintf(mac, "%d:%s%s", len(scope), scope, key)
	return mac.Sum(nil)[:cursorCode]
}

func (s *Store) sealCursor(key, scope string) string {
	return base64.RawURLEncoding.EncodeToString(append(s.cursorMAC(key, scope), key...))
}

func (s *Store) openCursor(cursor, scope string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil && len(raw) > cursorCode && hmac.Equal(raw[:cursorCode], s.cursorMAC(string(raw[cursorCode:]), scope)) {
		return string(raw[cursorCode:]), nil
	}
	return "", metrology.FieldErrorf(metrology.CodeInvalid, "cursor", "is not one that this list gave out")
}

// asOf scans the three columns every entity ends with.
func asOf(a *public.AsOf) []any { return []any{&a.Block, &a.TransactionID, &a.Time} }
