package api

import "context"

// progressKey carries the function that is told how far long work is.
type progressKey struct{}

// WithProgress has requests with this context tell how far they are, and lets
// them take the time they need: somebody waits for the end, not for an answer.
func WithProgress(ctx context.Context, told func(done, total int)) context.Context {
	return context.WithValue(ctx, progressKey{}, told)
}

// progress tells how far a request is, if anybody wants to know.
func progress(ctx context.Context, done, total int) {
	if told, wanted := ctx.Value(progressKey{}).(func(done, total int)); wanted {
		told(done, total)
	}
}

// awaited reports whether somebody waits for the end of a request.
func awaited(ctx context.Context) bool { return ctx.Value(progressKey{}) != nil }
