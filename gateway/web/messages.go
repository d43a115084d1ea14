package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
)

//go:embed messages/*.json
var messageFiles embed.FS

// catalogue holds the words of the pages in one language by key. A text may
// hold indexed verbs of fmt, such as %[1]s, and forms of a word that depend on a
// number, such as {1:block|blocks}: the first where argument 1 is one.
type catalogue map[string]string

var numbered = regexp.MustCompile(`\{([1-9]):([^|{}]*)\|([^|{}]*)\}`)

// agree chooses the forms that go with the numbers among args.
func agree(text string, args []any) string {
	return numbered.ReplaceAllStringFunc(text, func(forms string) string {
		found := numbered.FindStringSubmatch(forms)
		if at := int(found[1][0] - '1'); at < len(args) && fmt.Sprint(args[at]) == "1" {
			return found[2]
		}
		return found[3]
	})
}

// catalogueParts are the files of a catalogue, by what follows the language in
// their names: of the public pages, of the desks, of those of merchants, markets and
// inspectors, and of what tells how old something is or how long is left.
var catalogueParts = []string{"", "-desk", "-trade", "-watch"}

func readCatalogue(l language) (catalogue, error) {
	words := catalogue{}
	for _, part := range catalogueParts {
		raw, err := messageFiles.ReadFile("messages/" + string(l) + part + ".json")
		if err != nil {
			return nil, fmt.Errorf("read messages: %w", err)
		}
		var more catalogue
		if err := json.Unmarshal(raw, &more); err != nil {
			return nil, fmt.Errorf("read messages in %s: %w", l, err)
		}
		for key, text := range more {
			if _, twice := words[key]; twice {
				return nil, fmt.Errorf("read messages in %s: %q stands twice", l, key)
			}
			words[key] = text
		}
	}
	return words, nil
}

// text says the words of a key.
func (c catalogue) text(key string, args ...any) (string, error) {
	words, known := c[key]
	if !known {
		return "", fmt.Errorf("there is no message %q", key)
	}
	if len(args) == 0 {
		return words, nil
	}
	return fmt.Sprintf(agree(words, args), args...), nil
}

// term says the words of a code of the domain. One that this program does not
// know, from a newer contract, is shown as it is.
func (c catalogue) term(group string, code any) string {
	text := fmt.Sprint(code)
	if words, known := c[group+"."+text]; known {
		return words
	}
	return text
}

// region says a division code (GB/T 2260) with the name of its province, which
// alone is short enough to know here.
func (c catalogue) region(code string) string {
	if len(code) < 2 {
		return code
	}
	if name, known := c["region."+code[:2]]; known {
		return name + " " + code
	}
	return code
}
