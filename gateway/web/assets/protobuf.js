// Reads Protocol Buffers (proto3 wire format) as far as Fabric's blocks need it.
(function (root) {
  'use strict';
  const node = typeof module === 'object' && module.exports;
  const { Refused } = node ? require('./x509.js') : root.steelyard;

  const varint = 0, bytes = 2;

  // A message: its fields in order, each {field, wire, value} with a BigInt or
  // Uint8Array. Groups, which proto3 has not, are refused.
  class Message {
    constructor(encoded) {
      this.fields = [];
      this.encoded = encoded;
      for (let at = 0; at < encoded.length;) {
        let key, value;
        [key, at] = readVarint(encoded, at);
        const [field, wire] = [Number(key >> 3n), Number(key & 7n)];
        if (field < 1 || field > 536870911) throw new Refused('a field number out of bounds');
        if (wire === varint) {
          [value, at] = readVarint(encoded, at);
        } else {
          let length = BigInt({ 1: 8, 5: 4 }[wire] ?? -1);
          if (wire === bytes) [length, at] = readVarint(encoded, at);
          if (length < 0n || length > BigInt(encoded.length - at)) throw new Refused('a message cut short');
          value = encoded.subarray(at, at + Number(length));
          at += Number(length);
        }
        this.fields.push({ field, wire, value });
      }
    }
    // All values of a repeated field.
    all(field, wire = bytes) {
      return this.fields.filter((f) => f.field === field && f.wire === wire).map(({ value }) => value);
    }
    // The one value of a field that stands at most once. A second one is
    // refused: readers differ in which they take.
    one(field, wire, absent) {
      const values = this.all(field, wire);
      if (values.length > 1) throw new Refused('a field stands twice');
      return values.length ? values[0] : absent;
    }
    bytes(field) { return this.one(field, bytes, new Uint8Array(0)); }
    number(field) { return this.one(field, varint, 0n); }
    text(field) {
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.bytes(field));
      } catch (error) {
        throw new Refused('a text that is no UTF-8');
      }
    }
    message(field) { return new Message(this.bytes(field)); }
    messages(field) { return this.all(field).map((encoded) => new Message(encoded)); }
    // The entry of a map<string, message> field.
    entry(field, name) {
      const found = this.messages(field).filter((entry) => entry.text(1) === name);
      if (found.length > 1) throw new Refused('a map names a key twice');
      return found.length ? found[0].message(2) : new Message(new Uint8Array(0));
    }
  }

  function readVarint(encoded, at) {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = encoded[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) {
        if (value >> 64n) break;
        return [value, at];
      }
    }
    throw new Refused('a number cut short or out of bounds');
  }

  function writeVarint(value, into) {
    for (let rest = BigInt(value); ; rest >>= 7n) {
      if (rest < 128n) { into.push(Number(rest)); return; }
      into.push(Number(rest & 127n) | 128);
    }
  }
  // Writes fields of bytes, [field, value] each; an empty one is left out.
  function write(fields) {
    const out = [];
    for (const [field, value] of fields) {
      if (!value.length) continue;
      const head = [];
      writeVarint(field * 8 + bytes, head);
      writeVarint(value.length, head);
      out.push(Uint8Array.from(head), value);
    }
    return concat(...out);
  }
  function concat(...parts) {
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) { all.set(part, at); at += part.length; }
    return all;
  }

  const made = { Message, write, concat };
  if (node) module.exports = made; else Object.assign(root.steelyard, made);
})(typeof self !== 'undefined' ? self : this);
