package draw

import (
	"encoding/hex"

	"github.com/steelyard-ledger/steelyard/chaincode/metrology"
)

// Pinned gives the beacon that a plan pins. A pin whose hash is not that of its
// parameters is refused; the field names it as a member of a plan.
func Pinned(pin metrology.DrawChain) (Chain, error) {
	chain := Chain{Scheme: pin.Scheme, Period: uint32(pin.Period), GenesisTime: pin.GenesisTime, BeaconID: pin.BeaconID}
	var err error
	if chain.PublicKey, err = hex.DecodeString(pin.PublicKey); err != nil {
		return chain, metrology.FieldErrorf(metrology.CodeInvalid, "plan.beacon.publicKey", "is not hex")
	}
	if chain.GenesisSeed, err = hex.DecodeString(pin.GenesisSeed); err != nil {
		return chain, metrology.FieldErrorf(metrology.CodeInvalid, "plan.beacon.genesisSeed", "is not hex")
	}
	switch {
	case pin.Scheme != BeaconScheme:
		return chain, metrology.FieldErrorf(metrology.CodeInvalid, "plan.beacon.scheme", "only %s is known", BeaconScheme)
	case pin.Period < 1 || pin.Period > 24*3600:
		return chain, metrology.FieldErrorf(metrology.CodeInvalid, "plan.beacon.period", "is not 1 second to 1 day")
	case chain.Hash().String() != pin.ChainHash:
		return chain, metrology.FieldErrorf(metrology.CodeInvalid, "plan.beacon.chainHash", "is not the hash of the beacon's parameters, %s", chain.Hash())
	}
	return chain, nil
}

// Pin writes a beacon down as a plan pins it.
func (c Chain) Pin() metrology.DrawChain {
	return metrology.DrawChain{
		ChainHash: c.Hash().String(), Scheme: c.Scheme, PublicKey: hex.EncodeToString(c.PublicKey), Period: int64(c.Period),
		GenesisTime: c.GenesisTime, GenesisSeed: hex.EncodeToString(c.GenesisSeed), BeaconID: c.BeaconID,
	}
}
