package metrology

// The gates: keys that need an endorsement of their own. A transaction that
// writes one is invalid unless a peer of the gate's organisation endorsed it.
const (
	GateInstitute = InstituteMSP
	GateRegulator = RegulatorMSP
	GateWitness   = "Witness" // AssociationMSP or NotaryMSP
)

// Gates lists the gates in the order they are written.
var Gates = []string{GateInstitute, GateRegulator, GateWitness}

// Bootstrap asks for the gates to be put up. It has no members.
type Bootstrap struct{}

// BootstrapID is the id that the bootstrap is recorded under, at
// operation/<BootstrapID>. Operation ids proper have more parts in their key.
const BootstrapID = "bootstrap"

// EventOperationBootstrapped is the event of Bootstrap.
const EventOperationBootstrapped EventType = "operation.bootstrapped"
