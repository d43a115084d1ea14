#!/usr/bin/env python3
"""Makes leaf.json, the reference vectors of chaincode/metrology/CERTIFICATE-LEAF.md.

Written from that document alone, standard library only, no line shared with
the Go code: canonical leaf bytes, RFC 6962 hashes, roots and inclusion proofs,
the batch message, and signatures by P-256 and SM2 with fixed keys and nonces.

    python3 leaf.py > leaf.json
"""
import base64
import hashlib
import json
import sys

# --- leaves ---------------------------------------------------------------


def canonical(leaf):
    """RFC 8785 for objects of strings and small integers with ASCII names."""
    return json.dumps(leaf, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def digest(algorithm, text):
    return {"algorithm": algorithm, "value": hashlib.sha256(text.encode()).hexdigest()}


def leaves():
    base = {"issuer": "INST-001", "performed": "2026-03-01", "issued": "2026-03-02", "version": 1}
    yield base | {
        "kind": "verification-certificate", "number": "沪计检〔2026〕第00001号", "regulation": "JJG 443-2023",
        "validUntil": "2026-08-31", "digests": [digest("sha256", "a"), digest("sm3", "b")],
        "instruments": [{"category": "fuel-dispenser", "conclusion": "pass", "id": "inst-1", "serial": "A-77"},
                        {"category": "fuel-dispenser", "conclusion": "class", "class": "0.3 级", "serial": 'B"\\<&>/'}]}
    yield base | {
        "kind": "verification-mark", "number": "M-2", "regulation": "JJG 539-2016", "validUntil": "2027-03-01",
        "instruments": [{"category": "scale", "conclusion": "class", "class": "Ⅲ", "id": "inst-2"}]}
    yield base | {
        "kind": "result-notice", "number": "N-3", "regulation": "JJG 539-2016", "digests": [digest("sha256", "c")],
        "instruments": [{"category": "scale", "conclusion": "fail", "serial": "№ 5 ±0.5e"}]}
    yield base | {
        "kind": "calibration-certificate", "number": "C-4", "digests": [digest("sha256", "d")],
        "instruments": [{"conclusion": "none", "serial": "W-1"}]}
    yield base | {
        "kind": "dcc", "number": "SYN-2026-0001", "digests": [digest("sha256", "e"), digest("c14n-sha256", "f")],
        "instruments": [{"conclusion": "none", "serial": "W-20260001"}]}
    for i in range(6, 12):
        yield base | {
            "kind": "verification-certificate", "number": f"JL2026-{i:04d}", "regulation": "JJG 443-2023",
            "digests": [digest("sha256", str(i))],
            "instruments": [{"category": "fuel-dispenser", "conclusion": "pass", "serial": f"S-{i}"}]}


# --- RFC 6962 -------------------------------------------------------------


def sha256(data):
    return hashlib.sha256(data).digest()


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def root(items):
    if len(items) == 1:
        return sha256(b"\0" + items[0])
    k = split(len(items))
    return sha256(b"\1" + root(items[:k]) + root(items[k:]))


def path(m, items):
    if len(items) == 1:
        return []
    k = split(len(items))
    if m < k:
        return path(m, items[:k]) + [root(items[k:])]
    return path(m - k, items[k:]) + [root(items[:k])]


# --- curves: y^2 = x^3 - 3x + b over p, both P-256 and SM2 ------------------


class Curve:
    def __init__(self, p, b, n, gx, gy):
        self.p, self.b, self.n, self.g = p, b, n, (gx, gy)

    def add(self, u, v):
        if u is None or v is None:
            return v if u is None else u
        if u[0] == v[0]:
            if (u[1] + v[1]) % self.p == 0:
                return None
            slope = (3 * u[0] * u[0] - 3) * pow(2 * u[1], -1, self.p)
        else:
            slope = (v[1] - u[1]) * pow(v[0] - u[0], -1, self.p)
        x = (slope * slope - u[0] - v[0]) % self.p
        return x, (slope * (u[0] - x) - u[1]) % self.p

    def multiply(self, k):
        result, power = None, self.g
        while k:
            if k & 1:
                result = self.add(result, power)
            power, k = self.add(power, power), k >> 1
        return result


P256 = Curve(2**256 - 2**224 + 2**192 + 2**96 - 1,
             0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
             0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
             0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
             0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
SM2 = Curve(2**256 - 2**224 - 2**96 + 2**64 - 1,
            0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
            0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123,
            0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
            0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)


def number(data):
    return int.from_bytes(data, "big")


def octets(value):
    return value.to_bytes(32, "big")


def ecdsa(curve, private, nonce, message):
    e = number(sha256(message))
    r = curve.multiply(nonce)[0] % curve.n
    return r, pow(nonce, -1, curve.n) * (e + r * private) % curve.n


def sm2(curve, private, nonce, message):
    """GB/T 32918.2 with the default identifier."""
    identifier, public = b"1234567812345678", curve.multiply(private)
    za = sm3((len(identifier) * 8).to_bytes(2, "big") + identifier + octets(curve.p - 3) + octets(curve.b) +
             octets(curve.g[0]) + octets(curve.g[1]) + octets(public[0]) + octets(public[1]))
    e = number(sm3(za + message))
    r = (e + curve.multiply(nonce)[0]) % curve.n
    return r, pow(1 + private, -1, curve.n) * (nonce - r * private) % curve.n


def sm3(message):
    """GB/T 32905."""
    def rotate(x, count):
        count %= 32
        return (x << count | x >> 32 - count) & 0xFFFFFFFF

    def p0(x):
        return x ^ rotate(x, 9) ^ rotate(x, 17)

    def p1(x):
        return x ^ rotate(x, 15) ^ rotate(x, 23)

    padded = message + b"\x80" + bytes((55 - len(message)) % 64) + (8 * len(message)).to_bytes(8, "big")
    v = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    for start in range(0, len(padded), 64):
        w = [number(padded[i:i + 4]) for i in range(start, start + 64, 4)]
        for j in range(16, 68):
            w.append(p1(w[j - 16] ^ w[j - 9] ^ rotate(w[j - 3], 15)) ^ rotate(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = v
        for j in range(64):
            t = 0x79CC4519 if j < 16 else 0x7A879D8A
            ss1 = rotate((rotate(a, 12) + e + rotate(t, j)) & 0xFFFFFFFF, 7)
            ss2 = ss1 ^ rotate(a, 12)
            ff = a ^ b ^ c if j < 16 else a & b | a & c | b & c
            gg = e ^ f ^ g if j < 16 else e & f | ~e & g
            tt1 = (ff + d + ss2 + (w[j] ^ w[j + 4])) & 0xFFFFFFFF
            tt2 = (gg + h + ss1 + w[j]) & 0xFFFFFFFF
            a, b, c, d, e, f, g, h = tt1, a, rotate(b, 9), c, p0(tt2), e, rotate(f, 19), g
        v = [x ^ y for x, y in zip(v, (a, b, c, d, e, f, g, h))]
    return b"".join(x.to_bytes(4, "big") for x in v)


# --- DER ------------------------------------------------------------------


def der(tag, body):
    return bytes([tag, len(body)]) + body


def integer(value):
    body = octets(value).lstrip(b"\0") or b"\0"
    return der(2, b"\0" + body if body[0] & 0x80 else body)


def spki(curve, oid, private):
    x, y = curve.multiply(private)
    algorithm = der(0x30, bytes.fromhex("06072a8648ce3d0201") + der(6, bytes.fromhex(oid)))
    return der(0x30, algorithm + der(3, b"\0\4" + octets(x) + octets(y)))


# --- the file -------------------------------------------------------------


def main():
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    encoded = [canonical(leaf) for leaf in leaves()]
    vectors = {"leaves": [], "batches": []}
    for data in encoded:
        vectors["leaves"].append({"bytes": data.decode("utf-8"), "leafHash": sha256(b"\0" + data).hex()})
    private, nonce = number(sha256(b"steelyard test key")), number(sha256(b"steelyard test nonce"))
    schemes = [("ecdsa-p256-sha256", P256, "2a8648ce3d030107", ecdsa), ("sm2-sm3", SM2, "2a811ccf5501822d", sm2)]
    for count in range(1, len(encoded) + 1):
        items, top = encoded[:count], root(encoded[:count])
        message = b"steelyard-batch/1\nINST-001\n%d\n%s\n" % (count, top.hex().encode())
        batch = {"count": count, "root": top.hex(), "message": message.decode(), "signatures": [],
                 "proofs": [[h.hex() for h in path(m, items)] for m in range(count)]}
        for name, curve, oid, sign in schemes:
            key = spki(curve, oid, private)
            r, s = sign(curve, private, nonce, message)
            batch["signatures"].append({
                "scheme": name, "spki": base64.b64encode(key).decode(), "key": sha256(key).hex(),
                "signature": base64.b64encode(der(0x30, integer(r) + integer(s))).decode()})
        vectors["batches"].append(batch)
    json.dump(vectors, sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
