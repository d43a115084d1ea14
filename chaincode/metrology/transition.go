package metrology

// Transitions is the one table that says which command leads from which state
// to which. The state before something exists is "".
type Transitions[S ~string, C ~string] map[S]map[C]S

// Next returns the state that command leads to, or a STATE error that names
// both. what is the noun for the message, such as "pledge".
func (t Transitions[S, C]) Next(what string, state S, command C) (S, error) {
	next, ok := t[state][command]
	if !ok {
		shown := string(state)
		if shown == "" {
			shown = "absent"
		}
		return state, Errorf(CodeState, "a %s in state %q does not allow %q", what, shown, string(command))
	}
	return next, nil
}
