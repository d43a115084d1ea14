// Package faults makes every storage and network call of the gateway and of the
// embedded network fail, one after the other: once as "did not happen" and once
// as "happened but reported failed". The calls are those that a run without
// faults makes, and a method of the interfaces behind them that no run reaches
// must be named as such. After each fault the gateway, and the network where it
// stopped, is started again, every request is sent again under its key until it
// is answered, and an oracle compares the ledger with what was asked for.
package faults
