package faults

import (
	"go.etcd.io/bbolt"

	"github.com/steelyard-ledger/steelyard/network/embedded/ledger"
)

// disk is a file of the embedded network whose calls can fail. A call is named
// by file, method and who calls.
type disk struct {
	ledger.Disk
	plan *plan
	file string
}

// between puts the faults between the ledger and its files.
func (p *plan) between(file string, d ledger.Disk) ledger.Disk { return disk{d, p, file} }

func (d disk) name(method string) string { return d.file + " Disk." + method + " by " + caller() }

func (d disk) Begin(writable bool) (*bbolt.Tx, error) {
	return get(d.plan, d.name("Begin"), func() (*bbolt.Tx, error) { return d.Disk.Begin(writable) },
		func(lost *bbolt.Tx) { _ = lost.Rollback() })
}

func (d disk) Update(change func(*bbolt.Tx) error) error {
	return d.plan.meet(d.name("Update"), func() error { return d.Disk.Update(change) })
}

func (d disk) Batch(change func(*bbolt.Tx) error) error {
	return d.plan.meet(d.name("Batch"), func() error { return d.Disk.Batch(change) })
}

func (d disk) View(read func(*bbolt.Tx) error) error {
	return d.plan.meet(d.name("View"), func() error { return d.Disk.View(read) })
}

// Close really closes: a process that ends gives up its locks.
func (d disk) Close() error {
	failure, _ := d.plan.strikes(d.name("Close"))
	err := d.Disk.Close()
	if failure {
		return errInjected
	}
	return err
}
