package digest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	openRoot  = `<d:digitalCalibrationCertificate xmlns:d="https://ptb.de/dcc" schemaVersion="3.2.0">`
	closeRoot = `</d:digitalCalibrationCertificate>`
)

func inRoot(content string) string { return openRoot + content + closeRoot }

// refused is an XML text with the reason it must be refused for.
type refused struct {
	text string
	want Reason
}

func requireRefused(t *testing.T, table map[string]refused) {
	for name, test := range table {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			result := digestText(t, test.text)
			require.Nil(t, result.DCC)
			require.NotNil(t, result.ContentError)
			require.Equal(t, test.want, result.ContentError.Reason, result.ContentError.Error())
			require.Less(t, time.Since(began), 5*time.Second)
		})
	}
}

func TestHostileXML(t *testing.T) {
	lol := `<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>`
	requireRefused(t, map[string]refused{
		"billion laughs":         {lol + inRoot("&lol2;"), ReasonForbidden},
		"external entity":        {`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + inRoot("&x;"), ReasonForbidden},
		"external document type": {`<!DOCTYPE a SYSTEM "http://192.0.2.1/a.dtd">` + inRoot(""), ReasonForbidden},
		"parameter entity":       {`<!DOCTYPE a [<!ENTITY % p SYSTEM "http://192.0.2.1/p">%p;]>` + inRoot(""), ReasonForbidden},
		"entity without a type":  {inRoot("&nbsp;"), ReasonForbidden},
		"endless reference":      {inRoot("&" + strings.Repeat("a", 1<<16)), ReasonForbidden},
		"deep nesting":           {inRoot(strings.Repeat("<a>", 100)), ReasonLimit},
		"many elements":          {inRoot(strings.Repeat("<a/>", 200_001)), ReasonLimit},
		"many attributes":        {inRoot("<a" + manyAttributes(65) + "/>"), ReasonLimit},
		"huge attribute":         {inRoot(`<a b="` + strings.Repeat("x", 70_000) + `"/>`), ReasonLimit},
		"huge name":              {inRoot("<" + strings.Repeat("a", 300) + "/>"), ReasonLimit},
		"huge instruction":       {inRoot("<?a " + strings.Repeat("x", 70_000) + "?>"), ReasonLimit},
		"huge file":              {openRoot + strings.Repeat("x", 33<<20), ReasonLimit},
		"many items":             {inRoot(items(1001)), ReasonLimit},
		"UTF-16":                 {"\xff\xfe<\x00a\x00", ReasonEncoding},
		"Latin-1 declared":       {`<?xml version="1.0" encoding="ISO-8859-1"?>` + inRoot(""), ReasonEncoding},
		"not UTF-8":              {inRoot("\xe9"), ReasonEncoding},
		"overlong UTF-8":         {inRoot("\xc0\xaf"), ReasonEncoding},
		"surrogate":              {inRoot("\xed\xa0\x80"), ReasonEncoding},
		"NUL":                    {inRoot("\x00"), ReasonMalformed},
		"NUL outside the root":   {"<?a?>\x00" + inRoot(""), ReasonMalformed},
	})
}

func TestMalformedXML(t *testing.T) {
	requireRefused(t, map[string]refused{
		"control character":         {inRoot("\x01"), ReasonMalformed},
		"reference to a control":    {inRoot("&#1;"), ReasonMalformed},
		"reference out of range":    {inRoot("&#x110000;"), ReasonMalformed},
		"signed reference":          {inRoot("&#+65;"), ReasonMalformed},
		"XML 1.1":                   {`<?xml version="1.1"?>` + inRoot(""), ReasonMalformed},
		"declaration not at start":  {" <?xml version='1.0'?>" + inRoot(""), ReasonMalformed},
		"declaration out of order":  {"<?xml encoding='utf-8' version='1.0'?>" + inRoot(""), ReasonMalformed},
		"declaration twice":         {"<?xml version='1.0' version='1.0'?>" + inRoot(""), ReasonMalformed},
		"two roots":                 {inRoot("") + inRoot(""), ReasonMalformed},
		"text after the root":       {inRoot("") + "x", ReasonMalformed},
		"CDATA after the root":      {inRoot("") + "<![CDATA[]]>", ReasonMalformed},
		"ends early":                {openRoot, ReasonMalformed},
		"ends in a tag":             {openRoot + "<a", ReasonMalformed},
		"ends in a comment":         {openRoot + "<!-- ", ReasonMalformed},
		"wrong end tag":             {inRoot("<a></b>"), ReasonMalformed},
		"end tag too many":          {inRoot("") + "</a>", ReasonMalformed},
		"attribute twice":           {inRoot(`<a b="1" b="2"/>`), ReasonMalformed},
		"attribute twice by prefix": {inRoot(`<a xmlns:p="urn:x" xmlns:q="urn:x" p:b="1" q:b="2"/>`), ReasonMalformed},
		"no quotes":                 {inRoot(`<a b=1/>`), ReasonMalformed},
		"no space":                  {inRoot(`<a b="1"c="2"/>`), ReasonMalformed},
		"angle in attribute":        {inRoot(`<a b="<"/>`), ReasonMalformed},
		"undeclared prefix":         {inRoot(`<p:a/>`), ReasonMalformed},
		"undeclared attr prefix":    {inRoot(`<a p:b=""/>`), ReasonMalformed},
		"prefix to no namespace":    {inRoot(`<a xmlns:p=""/>`), ReasonMalformed},
		"prefix xml rebound":        {inRoot(`<a xmlns:xml="urn:x"/>`), ReasonMalformed},
		"prefix xmlns bound":        {inRoot(`<a xmlns:xmlns="urn:x"/>`), ReasonMalformed},
		"namespace twice":           {inRoot(`<a xmlns:p="urn:x" xmlns:p="urn:x"/>`), ReasonMalformed},
		"relative namespace":        {inRoot(`<a xmlns:p="x"/>`), ReasonMalformed},
		"two colons":                {inRoot(`<d:a:b/>`), ReasonMalformed},
		"colon first":               {inRoot(`<:a/>`), ReasonMalformed},
		"name starts with a digit":  {inRoot(`<1a/>`), ReasonMalformed},
		"]]> in text":               {inRoot("]]>"), ReasonMalformed},
		"-- in a comment":           {inRoot("<!-- -- -->"), ReasonMalformed},
		"conditional section":       {inRoot("<![INCLUDE[]]>"), ReasonForbidden},
		"schema 1.0":                {strings.Replace(inRoot(""), "3.2.0", "1.0", 1), ReasonVersion},
		"no schema version":         {strings.Replace(inRoot(""), ` schemaVersion="3.2.0"`, "", 1), ReasonVersion},
	})
}

func manyAttributes(count int) string {
	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, ` a%d=""`, i)
	}
	return text.String()
}

func items(count int) string {
	return "<d:administrativeData><d:items>" + strings.Repeat("<d:item/>", count) + "</d:items></d:administrativeData>"
}

// A signature hides nothing from the facts, and facts come from the DCC's own
// namespace at their own place only.
func TestFactsPlace(t *testing.T) {
	inside := "<d:administrativeData><d:coreData><d:uniqueIdentifier>%s</d:uniqueIdentifier></d:coreData></d:administrativeData>"
	for name, content := range map[string]string{
		"inside a signature":      `<s:Signature xmlns:s="http://www.w3.org/2000/09/xmldsig#">` + fmt.Sprintf(inside, "X") + `</s:Signature>`,
		"in another namespace":    strings.ReplaceAll(fmt.Sprintf(inside, "X"), "d:", ""),
		"deeper":                  "<d:x>" + fmt.Sprintf(inside, "X") + "</d:x>",
		"with elements inside it": fmt.Sprintf(inside, "X<d:b/>"),
	} {
		result := digestText(t, inRoot(content))
		require.Nil(t, result.ContentError, name)
		require.Empty(t, result.DCC.UniqueIdentifier, name)
	}
	require.Equal(t, "A<B", digestText(t, inRoot(fmt.Sprintf(inside, "\n A&lt;<![CDATA[B]]> "))).DCC.UniqueIdentifier)
	long := digestText(t, inRoot(fmt.Sprintf(inside, strings.Repeat("长", 1000)))).DCC.UniqueIdentifier
	require.LessOrEqual(t, len(long), maxFactBytes)
}

func FuzzFile(f *testing.F) {
	f.Add(inRoot("text<a b='c'/>"))
	f.Add(inRoot("<![CDATA[x]]><?p q?><!-- c -->&#65;&amp;"))
	f.Add("<?xml version='1.0'?>" + inRoot(items(2)))
	f.Fuzz(func(t *testing.T, text string) {
		first := digestText(t, text)
		require.False(t, first.DCC != nil && first.ContentError != nil)
		oneByte, err := File(context.Background(), &slowReader{strings.NewReader(text)})
		require.NoError(t, err)
		require.Equal(t, first, oneByte, "the size of reads does not matter")
	})
}

// slowReader gives one byte at a time.
type slowReader struct{ in io.Reader }

func (r *slowReader) Read(buffer []byte) (int, error) { return r.in.Read(buffer[:min(1, len(buffer))]) }

func BenchmarkFile(b *testing.B) {
	text := inRoot(strings.Repeat("<d:a b='c'>some text of a certificate</d:a>\n", 20_000))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		digestText(b, text)
	}
}
