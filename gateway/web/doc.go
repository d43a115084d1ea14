// Package web is the public face of the gateway: server-rendered pages in
// Chinese and English that answer whether a certificate is registered, how it
// stands, and what a merchant promised and was found to do. Every page works
// without JavaScript; the scripts under assets only spare the visitor the
// upload. A handler reads what was asked, makes few calls on the register, and
// fills one template. VISUAL.md describes how the pages look and why.
//
// Those who sign in have desks: forms made of the interface's own description.
// DESKS.md says how they work and how a job is added.
package web
