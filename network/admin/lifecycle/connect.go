// Package lifecycle administers a running Fabric network with
// fabric-admin-sdk: nodes join the channel, the contract is packaged,
// installed, approved and committed.
package lifecycle

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/hyperledger/fabric-admin-sdk/pkg/identity"
	fabric "github.com/hyperledger/fabric-gateway/pkg/identity"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/steelyard-ledger/steelyard/network/consortium"
)

// Admin is an organisation's administrator connected to its peer.
type Admin struct {
	Peer       consortium.Node
	Connection *grpc.ClientConn
	Identity   identity.SigningIdentity
}

// Connect prepares the administrator of the peer's organisation; the
// connection is made on first use. The caller closes Connection.
func Connect(plan *consortium.Plan, peer consortium.Node) (*Admin, error) {
	id, err := readIdentity(plan.AdminFile(peer.Organization))
	if err != nil {
		return nil, err
	}
	connection, err := Dial(plan, peer)
	if err != nil {
		return nil, err
	}
	return &Admin{Peer: peer, Connection: connection, Identity: id}, nil
}

// Dial opens a TLS connection to a peer or ordering node.
func Dial(plan *consortium.Plan, node consortium.Node) (*grpc.ClientConn, error) {
	pool, err := readPool(plan.TLSRoot(node.Organization))
	if err != nil {
		return nil, err
	}
	connection, err := grpc.NewClient("passthrough:///"+node.Endpoint,
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(pool, node.Name)))
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", node.Name, err)
	}
	return connection, nil
}

// connectAll connects every organisation's administrator; done closes all.
func connectAll(plan *consortium.Plan) (admins []*Admin, done func(), err error) {
	done = func() {
		for _, admin := range admins {
			_ = admin.Connection.Close()
		}
	}
	for _, peer := range plan.Peers() {
		admin, err := Connect(plan, peer)
		if err != nil {
			done()
			return nil, nil, err
		}
		admins = append(admins, admin)
	}
	return admins, done, nil
}

func readIdentity(path string) (identity.SigningIdentity, error) {
	mspID, pair, err := consortium.ReadIdentity(path)
	if err != nil {
		return nil, err
	}
	certificate, err := fabric.CertificateFromPEM(pair.Certificate)
	if err != nil {
		return nil, fmt.Errorf("identity %s: %w", path, err)
	}
	key, err := fabric.PrivateKeyFromPEM(pair.Key)
	if err != nil {
		return nil, fmt.Errorf("identity %s: %w", path, err)
	}
	id, err := identity.NewPrivateKeySigningIdentity(mspID, certificate, key)
	if err != nil {
		return nil, fmt.Errorf("identity %s: %w", path, err)
	}
	return id, nil
}

func readPool(path string) (*x509.CertPool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read TLS root: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("read TLS root %s: no certificate", path)
	}
	return pool, nil
}

// adminTLS is the client certificate that ordering nodes' admin endpoints ask for.
func adminTLS(plan *consortium.Plan, organization consortium.Organization) (tls.Certificate, error) {
	stem := plan.Path("admins", organization.Name+"-tls")
	pair, err := tls.LoadX509KeyPair(stem+".crt", stem+".key")
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("load administrator's TLS key: %w", err)
	}
	return pair, nil
}
