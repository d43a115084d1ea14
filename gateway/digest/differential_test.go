package digest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The second program is a canonicaliser over expat, another author's parser.
const secondProgram = "../../test/vectors/c14n.py"

func TestAgainstSecondProgram(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not on PATH")
	}
	directory := t.TempDir()
	var names []string
	var texts []string
	for seed := range 400 {
		text := rapid.Custom(drawDocument).Example(seed)
		name := filepath.Join(directory, fmt.Sprintf("%03d.xml", seed))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		names, texts = append(names, name), append(texts, text)
	}
	output, err := exec.Command(python, append([]string{secondProgram}, names...)...).Output()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	require.Len(t, lines, len(names))
	read := 0
	for i, line := range lines {
		want, _, _ := strings.Cut(line, " ")
		got := "-"
		if dcc := digestText(t, texts[i]).DCC; dcc != nil {
			got = dcc.ContentSHA256
			read++
		}
		require.Equal(t, want, got, texts[i])
	}
	require.Greater(t, read, len(names)/2, "most documents are well-formed")
}

// drawDocument makes well-formed and nearly well-formed DCC roots.
func drawDocument(t *rapid.T) string {
	space := rapid.SampledFrom([]string{"", " ", "\n", "\r\n", "\t", "\r"})
	text := rapid.StringOf(rapid.SampledFrom([]rune("ab &<>\"'\t\n\r]é中😀\u0085\u2028")))
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r\n", "&#13;\n")
	var node func(depth int) string
	node = func(depth int) string {
		switch kind := rapid.IntRange(0, 9).Draw(t, "kind"); {
		case kind < 4 && depth < 5:
			name := rapid.SampledFrom([]string{"a", "d:b", "p:c", "s:Signature", "q:x"}).Draw(t, "name")
			var attributes string
			for _, a := range []string{"a", "p:a", "q:b", "xml:lang", "xmlns", "xmlns:q", "xmlns:p", "z"} {
				if rapid.IntRange(0, 3).Draw(t, "has") == 0 {
					value := escape.Replace(text.Draw(t, "value"))
					if strings.HasPrefix(a, "xmlns") {
						value = rapid.SampledFrom([]string{"urn:1", "urn:2", "urn:p"}).Draw(t, "uri")
					}
					attributes += " " + space.Draw(t, "space") + a + `="` + value + `"`
				}
			}
			var content string
			for range rapid.IntRange(0, 4).Draw(t, "children") {
				content += node(depth + 1)
			}
			if content == "" && rapid.Bool().Draw(t, "short") {
				return "<" + name + attributes + "/>"
			}
			return "<" + name + attributes + ">" + content + "</" + name + space.Draw(t, "space") + ">"
		case kind == 4:
			return "<!-- " + strings.ReplaceAll(text.Draw(t, "comment"), "-", "") + " -->"
		case kind == 5:
			return "<?pi " + text.Draw(t, "data") + "?>"
		case kind == 6:
			return "<![CDATA[" + strings.ReplaceAll(text.Draw(t, "cdata"), "]", "") + "]]>"
		case kind == 7:
			return rapid.SampledFrom([]string{"&#10;", "&#xD;", "&#9;", "&amp;", "&gt;", "&apos;", "]]&gt;"}).Draw(t, "reference")
		}
		return escape.Replace(text.Draw(t, "text"))
	}
	var content string
	for range rapid.IntRange(0, 6).Draw(t, "children") {
		content += node(0)
	}
	return space.Draw(t, "space") + `<?pi?>` + space.Draw(t, "space") +
		`<d:digitalCalibrationCertificate schemaVersion="3.2.0" xmlns:d="https://ptb.de/dcc" xmlns:p="urn:p" xmlns:q="urn:q" ` +
		`xmlns:s="http://www.w3.org/2000/09/xmldsig#">` + content + closeRoot + space.Draw(t, "space") + "<!-- --><?end x?>"
}

// contentScript prints the digest that the pages' script computes of each file
// named, "-" for one it refuses or that is no DCC.
const contentScript = `
const { contentDigest } = require(process.argv[1]);
for (const name of process.argv.slice(2)) {
  let said = null;
  try { said = contentDigest(require('fs').readFileSync(name)); } catch (error) { if (!/XML refused|encoded data was not valid/.test(error.message)) throw error; }
  console.log(said ?? '-');
}`

// The script that digests certificates in the browser gives what this package
// gives: on documents at random, on broken ones and on the samples.
func TestAgainstScript(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not on PATH")
	}
	texts := []string{"", " ", "text", "<a/>", "\ufeff" + inRoot("a"), "\ufeff<?xml version='1.0'?>" + inRoot(""), inRoot("\xe9"), inRoot("\xed\xa0\x80"),
		inRoot("]]>"), inRoot("]]&gt;"), inRoot("&nbsp;"), inRoot("&#13;&#0;"), inRoot("<!-- -- -->"), inRoot("<?xml version='1.0'?>"), " <?xml version='1.0'?>" + inRoot(""),
		"<?xml version='1.0' encoding='UTF-8' standalone=\"yes\" ?>" + inRoot(""), "<?xml version='1.0' encoding='latin1'?>" + inRoot(""), "<!DOCTYPE a>" + inRoot(""),
		inRoot("<b:c/>"), inRoot(`<b xmlns:x="u"/>`), inRoot(`<b xmlns:x=""/>`), inRoot(`<b a="1" a="2"/>`), inRoot(`<b a='<'/>`), inRoot("<a></b>"), inRoot("") + "x",
		inRoot(strings.Repeat("<a>", 62) + strings.Repeat("</a>", 62)), inRoot(strings.Repeat("<a>", 64) + strings.Repeat("</a>", 64)), openRoot, inRoot("") + inRoot(""),
		inRoot(`<𠀀 𠀁="1" ａ="2" xmlns:𠀀="urn:1" xmlns:ａ="urn:2"/>`), inRoot("<a" + manyAttributes(64) + "/>"), inRoot("<a" + manyAttributes(65) + "/>"), inRoot("\x01"),
		strings.Replace(inRoot(""), "3.2.0", "4.0", 1), strings.Repeat(" ", 1023) + inRoot(""), strings.Repeat(" ", 1024) + inRoot("")}
	for seed := range 300 {
		texts = append(texts, rapid.Custom(drawDocument).Example(seed))
	}
	samples, err := filepath.Glob("../../test/testdata/dcc/*.xml")
	require.NoError(t, err)
	require.NotEmpty(t, samples)
	for _, sample := range samples {
		text, err := os.ReadFile(sample)
		require.NoError(t, err)
		texts = append(texts, string(text))
	}
	directory := t.TempDir()
	arguments := []string{"-e", contentScript, "../web/assets/c14n.js"}
	for i, text := range texts {
		name := filepath.Join(directory, fmt.Sprintf("%03d.xml", i))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		arguments = append(arguments, name)
	}
	output, err := exec.CommandContext(t.Context(), node, arguments...).CombinedOutput()
	require.NoError(t, err, string(output))
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	require.Len(t, lines, len(texts))
	read := 0
	for i, text := range texts {
		want := "-"
		if dcc := digestText(t, text).DCC; dcc != nil {
			want = dcc.ContentSHA256
			read++
		}
		require.Equal(t, want, lines[i], "%q", text)
	}
	require.Greater(t, read, len(texts)/2)
}
