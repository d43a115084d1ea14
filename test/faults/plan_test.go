package faults

import (
	"errors"
	"runtime"
	"strings"
	"sync"
)

// errInjected is what a call that fails on purpose returns.
var errInjected = errors.New("injected")

// plan knows the calls that were made and lets one of them fail.
type plan struct {
	mutex sync.Mutex
	calls []string        // in the order in which they were first made since reset
	seen  map[string]bool // calls

	armed    string // the call that is to fail, once; "" for none
	happened bool   // it does its work first
	fired    bool
}

func newPlan() *plan { return &plan{seen: map[string]bool{}} }

// reset forgets the calls made so far.
func (p *plan) reset() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.calls, p.seen = nil, map[string]bool{}
}

// made lists the calls since the last reset.
func (p *plan) made() []string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return append([]string(nil), p.calls...)
}

// arm makes the next call of that name fail.
func (p *plan) arm(call string, happened bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.armed, p.happened, p.fired = call, happened, false
}

// disarm tells whether the armed call has failed.
func (p *plan) disarm() (fired bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	fired, p.armed = p.fired, ""
	return fired
}

// struck reports whether the armed call has failed.
func (p *plan) struck() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.fired
}

// strikes notes a call and reports whether it is to fail.
func (p *plan) strikes(call string) (now, happened bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !p.seen[call] {
		p.seen[call] = true
		p.calls = append(p.calls, call)
	}
	now = p.armed == call && !p.fired
	p.fired = p.fired || now
	return now, p.happened
}

// meet makes a call or its fault.
func (p *plan) meet(call string, work func() error) error { return p.meetAs(call, errInjected, work) }

func (p *plan) meetAs(call string, failure error, work func() error) error {
	now, happened := p.strikes(call)
	if !now {
		return work()
	}
	if happened {
		_ = work()
	}
	return failure
}

// get makes a call that returns something, or its fault. What is got and then
// reported lost nobody else can give back, so drop does.
func get[T any](p *plan, call string, work func() (T, error), drop func(T)) (T, error) {
	now, happened := p.strikes(call)
	if !now {
		return work()
	}
	if happened {
		if lost, err := work(); err == nil {
			drop(lost)
		}
	}
	return *new(T), errInjected
}

// caller names the function of the program that called into what stands
// between, without the parts of its path.
func caller() string {
	var frames [12]uintptr
	walk := runtime.CallersFrames(frames[:runtime.Callers(2, frames[:])])
	for {
		frame, more := walk.Next()
		if !strings.Contains(frame.File, "/test/faults/") {
			return frame.Function[strings.LastIndex(frame.Function, "/")+1:]
		}
		if !more {
			return ""
		}
	}
}
