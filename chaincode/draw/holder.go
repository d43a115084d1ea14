package draw

import "crypto/sha256"

// InspectorHolder is the commitment to who stands behind an inspector's id of a
// draw: H(LP("DR1/inspector") ‖ LP(draw) ‖ LP(id) ‖ LP(subject) ‖ salt). It is
// filed with the directory, beside the leaf and no part of it, so that nobody
// chooses after the draw who an id was; the salt is known to those entitled.
func InspectorHolder(draw, id, subject string, salt Digest) Digest {
	b := appendLP(appendLP(appendLP(tagged("DR1/inspector"), draw), id), subject)
	return sha256.Sum256(append(b, salt[:]...))
}
