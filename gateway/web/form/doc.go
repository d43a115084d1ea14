// Package form turns the operations of an OpenAPI 3.1 document into forms that
// need no script, and what a form sends back into the body of its operation.
// So a field of the interface is a field of its form, and nobody copies it.
//
// A control is named by the JSON path of its member, as problem documents name
// a member at fault: profile.name, grants[0].scope[1].category.
package form
