package consortium

import (
	"bytes"
	"embed"
	"fmt"
	"net"
	"path/filepath"
	"text/template"
)

//go:embed templates/*.tmpl
var templates embed.FS

// WriteSettings writes core.yaml, orderer.yaml and configtx.yaml. builder is
// the directory whose bin holds Fabric's chaincode-as-a-service builder. It
// is done at every start, so that programs may move between two runs.
func (p *Plan) WriteSettings(builder string) error {
	for _, peer := range p.Peers() {
		values := struct {
			Node
			Plan    *Plan
			Builder string
		}{peer, p, builder}
		if err := render("core.yaml", filepath.Join(peer.Dir, "core.yaml"), values); err != nil {
			return err
		}
	}
	for _, orderer := range p.Orderers() {
		values := struct {
			Node
			Plan                    *Plan
			Host, Port, ClusterPort string
		}{Node: orderer, Plan: p}
		values.Host, values.Port, _ = net.SplitHostPort(orderer.Endpoint)
		_, values.ClusterPort, _ = net.SplitHostPort(orderer.Cluster)
		if err := render("orderer.yaml", filepath.Join(orderer.Dir, "orderer.yaml"), values); err != nil {
			return err
		}
	}
	return p.writeChannelConfig()
}

// member and consenter are what configtx.yaml says of an organisation and of
// an ordering node.
type (
	member struct {
		Organization
		PeerHost, PeerPort, OrdererEndpoint string
	}
	consenter struct {
		ID int
		Node
		Host, Port string
	}
)

func (p *Plan) writeChannelConfig() error {
	values := struct {
		Plan       *Plan
		Members    []member
		Consenters []consenter
	}{Plan: p}
	orderers := p.Orderers()
	for i, peer := range p.Peers()[:len(Organizations())] {
		m := member{Organization: peer.Organization}
		m.PeerHost, m.PeerPort, _ = net.SplitHostPort(peer.Endpoint)
		if i < len(orderers) {
			m.OrdererEndpoint = orderers[i].Endpoint
		}
		values.Members = append(values.Members, m)
	}
	for i, orderer := range orderers {
		c := consenter{ID: i + 1, Node: orderer}
		c.Host, c.Port, _ = net.SplitHostPort(orderer.Cluster)
		values.Consenters = append(values.Consenters, c)
	}
	return render("configtx.yaml", p.Path("configtx.yaml"), values)
}

func render(name, path string, values any) error {
	parsed, err := template.ParseFS(templates, "templates/"+name+".tmpl")
	if err != nil {
		return fmt.Errorf("parse template %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, values); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	return writeFile(path, out.Bytes())
}
