// The digest c14n-sha256 of a digital calibration certificate (DCC): SHA-256 of
// its inclusive Canonical XML without comments and without the signatures below
// its root (chaincode/metrology/CERTIFICATE-LEAF.md, section 3). The file may be
// anybody's: there is no document type, no entity, no network, and a limit to all.
(function (root) {
  'use strict';
  const node = typeof module === 'object' && module.exports;
  const { newSHA256 } = node ? require('./digest.js') : root.steelyard;

  const limits = { bytes: 32 << 20, depth: 64, elements: 200000, attributes: 64, name: 256, value: 64 << 10 };
  const spaces = {
    xml: 'http://www.w3.org/XML/1998/namespace', xmlns: 'http://www.w3.org/2000/xmlns/',
    signature: 'http://www.w3.org/2000/09/xmldsig#', dcc: 'https://ptb.de/dcc',
  };
  const encoder = new TextEncoder();

  function need(holds, what) {
    if (!holds) throw new Error('XML refused: ' + what);
  }
  // Order by code points, as Canonical XML asks; UTF-16 orders otherwise.
  function compare(a, b) {
    const [left, right] = [Array.from(a), Array.from(b)];
    for (let i = 0; i < left.length && i < right.length; i++) {
      if (left[i] !== right[i]) return left[i].codePointAt(0) - right[i].codePointAt(0);
    }
    return left.length - right.length;
  }

  const forbidden = /[^\t\n\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;
  const start = 'A-Z_a-z:\\u{c0}-\\u{d6}\\u{d8}-\\u{f6}\\u{f8}-\\u{2ff}\\u{370}-\\u{37d}\\u{37f}-\\u{1fff}\\u{200c}\\u{200d}\\u{2070}-\\u{218f}' +
    '\\u{2c00}-\\u{2fef}\\u{3001}-\\u{d7ff}\\u{f900}-\\u{fdcf}\\u{fdf0}-\\u{fffc}\\u{10000}-\\u{effff}';
  const nameForm = new RegExp('[' + start + '][' + start + '\\-.0-9\\u{b7}\\u{300}-\\u{36f}\\u{203f}\\u{2040}]*', 'uy');
  const prefixed = new RegExp('^[^:]+:[' + start.replace(':', '') + '][^:]*$', 'u');
  const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

  function resolveReferences(text) {
    return text.replace(/&([^;]{0,10})(;?)/g, (_, name, closed) => {
      need(closed, 'an entity reference');
      if (Object.hasOwn(entities, name)) return entities[name];
      const digits = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(name);
      need(digits, 'an entity reference');
      const code = digits[1] ? parseInt(digits[1], 16) : parseInt(digits[2], 10);
      const c = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : '\0';
      need(c === '\r' || !forbidden.test(c), 'a reference to no character');
      return c;
    });
  }
  const escaped = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\t': '&#x9;', '\n': '&#xA;', '\r': '&#xD;' };
  const escapeText = (text) => text.replace(/[&<>\r]/g, (c) => escaped[c]);
  const escapeValue = (text) => text.replace(/[&<"\t\n\r]/g, (c) => escaped[c]);

  class Reader {
    constructor(text) {
      this.text = text;
      this.at = 0;
      this.open = []; // {name, bindings}: elements not yet ended, with what is in scope inside
      this.elements = 0;
      this.rooted = false;
      this.signature = 0; // depth of the signature being left out; 0: none
      this.hash = newSHA256();
      this.pending = [];
      this.size = 0;
    }
    write(text) {
      if (this.signature) return;
      this.pending.push(text);
      this.size += text.length;
      if (this.size > 1 << 16) this.flush();
    }
    flush() {
      this.hash.update(encoder.encode(this.pending.join('')));
      this.pending = [];
      this.size = 0;
    }
    starts(prefix) { return this.text.startsWith(prefix, this.at); }
    expect(prefix) {
      need(this.starts(prefix), 'want ' + prefix);
      this.at += prefix.length;
    }
    blank() {
      const from = this.at;
      while (this.at < this.text.length && ' \t\n'.includes(this.text[this.at])) this.at++;
      return this.at > from;
    }
    name() {
      nameForm.lastIndex = this.at;
      const [name] = nameForm.exec(this.text) ?? [''];
      need(name && (!name.includes(':') || prefixed.test(name)), 'not a name');
      need(encoder.encode(name).length <= limits.name, 'a name is too long');
      this.at += name.length;
      return name;
    }
    until(end, from) {
      const found = this.text.indexOf(end, from);
      need(found >= 0, 'the document ends early');
      this.at = found + end.length;
      return this.text.slice(from, found);
    }

    // run reads the document; false: its root is none of a DCC.
    run() {
      while (this.at < this.text.length) {
        if (this.text[this.at] !== '<') this.characters();
        else if (this.starts('</')) this.endTag();
        else if (this.starts('<?')) this.instruction();
        else if (this.starts('<!--')) this.comment();
        else if (this.starts('<![CDATA[')) {
          need(this.open.length, 'text outside the root element');
          this.write(escapeText(this.until(']]>', this.at + 9)));
        } else if (this.starts('<!')) need(false, 'a document type declaration');
        else if (!this.startTag()) return false;
      }
      need(this.rooted && !this.open.length, 'the document ends early');
      this.flush();
      return true;
    }
    characters() {
      let end = this.text.indexOf('<', this.at);
      if (end < 0) end = this.text.length;
      const raw = this.text.slice(this.at, end);
      this.at = end;
      if (!this.open.length) return need(/^[ \t\n]*$/.test(raw), 'text outside the root element');
      need(!raw.includes(']]>'), '"]]>" in text');
      this.write(escapeText(resolveReferences(raw)));
    }
    comment() {
      this.until('--', this.at + 4);
      this.expect('>');
    }
    instruction() {
      const from = this.at;
      this.at += 2;
      const target = this.name();
      if (target.toLowerCase() === 'xml') {
        need(target === 'xml' && from === 0, 'an XML declaration that is not at the start');
        return this.declaration();
      }
      need(!target.includes(':'), 'a colon in the name of a processing instruction');
      const blank = this.blank();
      const data = this.until('?>', this.at);
      need(blank || !data, 'no space after the name of a processing instruction');
      need(encoder.encode(data).length <= limits.value, 'a processing instruction is too long');
      const after = this.rooted && !this.open.length, before = !this.rooted;
      this.write((after ? '\n' : '') + '<?' + target + (data ? ' ' + data : '') + '?>' + (before ? '\n' : ''));
    }
    declaration() {
      const rest = this.until('?>', this.at);
      const form = /^[ \t\n]+version[ \t\n]*=[ \t\n]*(["'])1\.0\1(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(["'])(?:utf-8|us-ascii)\2)?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(["'])(?:yes|no)\3)?[ \t\n]*$/;
      need(form.test(rest.replace(/utf-8|us-ascii/i, (name) => name.toLowerCase())), 'an XML declaration of another form');
    }
    value() {
      const quote = this.text[this.at];
      need(quote === '"' || quote === "'", "an attribute's value without quotes");
      const raw = this.until(quote, this.at + 1);
      need(!raw.includes('<'), '"<" in an attribute\'s value');
      const value = resolveReferences(raw.replace(/[\t\n]/g, ' '));
      need(encoder.encode(value).length <= limits.value, "an attribute's value is too long");
      return value;
    }
    startTag() {
      this.at++;
      const name = this.name();
      need(!this.rooted || this.open.length, 'a second root element');
      need(this.open.length < limits.depth && ++this.elements <= limits.elements, 'too many elements, or nested too deep');
      this.rooted = true;
      const attributes = [];
      for (;;) {
        const blank = this.blank();
        if (this.starts('>') || this.starts('/>')) break;
        need(blank && attributes.length < limits.attributes, 'no space before an attribute, or too many');
        const attribute = this.name();
        this.blank();
        this.expect('=');
        this.blank();
        attributes.push([attribute, this.value()]);
      }
      const opened = this.resolve(name, attributes);
      this.open.push(opened);
      const depth = this.open.length;
      if (depth === 1 && !isDCC(opened)) return false;
      if (depth === 2 && opened.space === spaces.signature && opened.local === 'Signature') this.signature = depth;
      this.write('<' + name + opened.written + '>');
      if (this.starts('/>')) {
        this.at += 2;
        this.close(name);
      } else {
        this.at++;
      }
      return true;
    }
    endTag() {
      this.at += 2;
      const name = this.name();
      this.blank();
      this.expect('>');
      this.close(name);
    }
    close(name) {
      need(this.open.length && this.open[this.open.length - 1].name === name, 'an end tag without its start');
      this.write('</' + name + '>');
      if (this.signature === this.open.length) this.signature = 0;
      this.open.pop();
    }
    // resolve binds prefixes and orders declarations and attributes as written.
    resolve(name, attributes) {
      const outer = this.open.length ? this.open[this.open.length - 1].bindings : new Map();
      const bindings = new Map(outer), declared = new Set();
      for (const [attribute, uri] of attributes) {
        const prefix = declares(attribute);
        if (prefix === null) continue;
        need(!declared.has(prefix), 'a namespace declared twice');
        need(prefix !== 'xmlns' && uri !== spaces.xmlns && (prefix === 'xml') === (uri === spaces.xml), 'a reserved prefix');
        need((prefix === '' || uri !== '') && (uri === '' || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(uri)), 'a relative namespace URI, or none');
        declared.add(prefix);
        bindings.set(prefix, uri);
      }
      const expand = (qualified, isElement) => {
        const [prefix, local] = qualified.includes(':') ? qualified.split(':') : ['', qualified];
        if (prefix === '') return { space: isElement ? bindings.get('') ?? '' : '', local };
        need(prefix === 'xml' || bindings.has(prefix), 'a prefix that is not declared');
        return { space: prefix === 'xml' ? spaces.xml : bindings.get(prefix), local };
      };
      const own = expand(name, true);
      const changed = [...declared].filter((prefix) => prefix !== 'xml' && (outer.get(prefix) ?? '') !== bindings.get(prefix)).sort(compare);
      const others = attributes.filter(([attribute]) => declares(attribute) === null).map(([attribute, value]) => ({ ...expand(attribute, false), name: attribute, value }));
      others.sort((a, b) => compare(a.space, b.space) || compare(a.local, b.local));
      others.forEach((a, i) => need(i === 0 || a.space !== others[i - 1].space || a.local !== others[i - 1].local, 'an attribute stands twice'));
      const written = changed.map((prefix) => ' xmlns' + (prefix && ':' + prefix) + '="' + escapeValue(bindings.get(prefix)) + '"')
        .concat(others.map((a) => ' ' + a.name + '="' + escapeValue(a.value) + '"')).join('');
      return { ...own, name, bindings, written, attributes: others };
    }
  }
  const declares = (name) => (name === 'xmlns' ? '' : name.startsWith('xmlns:') ? name.slice(6) : null);

  function isDCC({ space, local, attributes }) {
    if (space !== spaces.dcc || local !== 'digitalCalibrationCertificate') return false;
    const version = attributes.find((a) => a.space === '' && a.local === 'schemaVersion');
    need(version && /^[23]\./.test(version.value), 'a DCC schema version other than 2.x and 3.x');
    return true;
  }

  // contentDigest gives the digest in hexadecimal, or null for what is no DCC. It
  // throws where the XML is refused.
  function contentDigest(bytes) {
    need(bytes.length <= limits.bytes, 'the file is too large');
    const decoded = new TextDecoder('utf-8', { fatal: true }).decode(bytes); // takes a byte order mark away
    const text = decoded.replace(/\r\n?/g, '\n');
    if (!/^[ \t\r\n]{0,1023}</.test(decoded)) return null;
    need(!forbidden.test(text), 'a character that XML forbids');
    const reader = new Reader(text);
    return reader.run() ? reader.hash.hex() : null;
  }

  const made = { contentDigest };
  if (node) module.exports = made; else root.steelyard = Object.assign(root.steelyard || {}, made);
})(typeof self !== 'undefined' ? self : this);
