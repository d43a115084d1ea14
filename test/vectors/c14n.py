#!/usr/bin/env python3
"""Digests DCC content a second way, to check gateway/digest against.

Inclusive Canonical XML without comments of a whole document, less the
ds:Signature children of the root, over expat events; standard library only.

    c14n.py FILE...      prints "<sha256>  <file>" for each, "-" if refused
"""
import hashlib
import sys
from xml.parsers import expat

SIGNATURE = ("http://www.w3.org/2000/09/xmldsig#", "Signature")
XML = "http://www.w3.org/XML/1998/namespace"


def escape(text, table):
    return "".join(table.get(c, c) for c in text)


TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
VALUE = {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}


class Canonical:
    def __init__(self):
        self.out = []
        self.scopes = [{"xml": XML}]
        self.skip = 0  # depth of the signature left out
        self.done = False

    def expand(self, name, element):
        prefix, colon, local = name.rpartition(":")
        if not colon:
            return (self.scopes[-1].get("", "") if element else "", name)
        return (self.scopes[-1][prefix], local)

    def start(self, name, pairs):
        outer = self.scopes[-1]
        scope = dict(outer)
        pairs = list(zip(pairs[::2], pairs[1::2]))
        for key, value in pairs:
            if key == "xmlns":
                scope[""] = value
            elif key.startswith("xmlns:"):
                scope[key[6:]] = value
        self.scopes.append(scope)
        if self.skip or len(self.scopes) == 3 and self.expand(name, True) == SIGNATURE:
            self.skip = self.skip or len(self.scopes)
            return
        self.out.append("<" + name)
        for prefix in sorted(scope):
            if scope[prefix] != outer.get(prefix, "") and prefix != "xml":
                self.out.append(' xmlns%s="%s"' % (prefix and ":" + prefix, escape(scope[prefix], VALUE)))
        rest = [(self.expand(k, False), k, v) for k, v in pairs if k != "xmlns" and not k.startswith("xmlns:")]
        for _, key, value in sorted(rest):
            self.out.append(' %s="%s"' % (key, escape(value, VALUE)))
        self.out.append(">")

    def end(self, name):
        if not self.skip:
            self.out.append("</%s>" % name)
        if self.skip == len(self.scopes):
            self.skip = 0
        self.scopes.pop()
        self.done = len(self.scopes) == 1

    def text(self, data):
        if not self.skip:
            self.out.append(escape(data, TEXT))

    def instruction(self, target, data):
        if self.skip:
            return
        body = "<?" + target + (" " + data.replace("\r", "&#xD;") if data else "") + "?>"
        if self.done:
            body = "\n" + body
        elif len(self.scopes) == 1:
            body += "\n"
        self.out.append(body)


def refuse(*_):
    raise ValueError("document type")


def canonical(data):
    c = Canonical()
    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.StartElementHandler = c.start
    parser.EndElementHandler = c.end
    parser.CharacterDataHandler = c.text
    parser.ProcessingInstructionHandler = c.instruction
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(data, True)
    return "".join(c.out).encode("utf-8")


def main():
    for name in sys.argv[1:]:
        with open(name, "rb") as f:
            try:
                digest = hashlib.sha256(canonical(f.read())).hexdigest()
            except (expat.ExpatError, ValueError, KeyError):
                digest = "-"
        print(digest, name, sep="  ")


if __name__ == "__main__":
    main()
