package load

import (
	"syscall"
	"testing"
	"time"
)

// cost is what something took: on the clock, and of all processors by this
// process, which depends far less on what else the machine does.
type cost struct{ clock, processor time.Duration }

// started is the beginning of all clocks.
var started = time.Now()

// spent is the cost of everything so far.
func spent() cost {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it knows the process itself
	}
	return cost{time.Since(started), time.Duration(usage.Utime.Nano() + usage.Stime.Nano())}
}

func (c cost) plus(d cost) cost  { return cost{c.clock + d.clock, c.processor + d.processor} }
func (c cost) minus(d cost) cost { return cost{c.clock - d.clock, c.processor - d.processor} }

// tell reports the cost of count things.
func (c cost) tell(b *testing.B, count int, thing string) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(count)/c.clock.Seconds(), thing+"/s")
	b.ReportMetric(float64(c.processor.Nanoseconds())/1e3/float64(count), "cpu-µs/"+thing)
}
