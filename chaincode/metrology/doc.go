// Package metrology is the domain: what stands on the ledger, the states it
// goes through, the commands that move it, and the rules they obey. It knows
// nothing of Fabric, HTTP or SQL and has no clock: time and caller come in as
// arguments, so that every peer, the gateway and a test decide alike.
//
// Each family has its types, commands, events and the one table of its states
// in <family>.go, and its rules in <family>_rules.go. Numbers from regulations
// are not here but in rulesets (ruleset.go; package rules ships some), because
// they change and differ by region.
package metrology
