// Command openapi makes openapi.json, the document this API is described,
// tested and served by: the paths of paths.yaml, written by hand, with the
// schemas of the domain and of the public views, read from their Go
// declarations so that no member is described twice.
//
// In paths.yaml an operation says with x-body which command its body is, and
// with x-answer which view it answers; the shared responses follow from that.
//
// Run it in gateway/api: go run ./openapi
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"gopkg.in/yaml.v3"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func run() error {
	paths, err := os.ReadFile("openapi/paths.yaml")
	if err != nil {
		return err
	}
	var document map[string]any
	if err := yaml.Unmarshal(paths, &document); err != nil {
		return fmt.Errorf("read paths.yaml: %w", err)
	}
	declared, err := declarations(map[string]string{
		"metrology": "../../chaincode/metrology", "public": "../public", "directory": "../directory", "api": ".", "verdict": "../verdict",
	})
	if err != nil {
		return err
	}
	components, _ := document["components"].(map[string]any)
	written, _ := components["schemas"].(map[string]any)
	if err := declared.expand(document); err != nil {
		return err
	}
	schemas, err := declared.reachable(document)
	if err != nil {
		return err
	}
	for name, schema := range written {
		schemas[name] = schema
	}
	components["schemas"] = schemas
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("encode document: %w", err)
	}
	return os.WriteFile("openapi.json", out.Bytes(), 0o644)
}
