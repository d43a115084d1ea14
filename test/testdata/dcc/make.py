#!/usr/bin/env python3
"""Makes the synthetic certificates of this folder; run it here. Everything in
them is invented. Signing needs the command openssl for the key and the ECDSA
signature; the canonical form comes from ../../vectors/c14n.py, so that the
DigestValue inside each signature is independent of the Go code.

    python3 make.py

writes unsigned.xml, signed.xml, signed-long-term.xml, manipulated.xml,
reindented.xml, schema-2.4.xml, schema-3.3.xml, corners.xml and expected.json. A new run makes a new
key and new signatures; the content digests stay.
"""
import base64
import hashlib
import importlib.util
import json
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
spec = importlib.util.spec_from_file_location("c14n", HERE / "../../vectors/c14n.py")
c14n = importlib.util.module_from_spec(spec)
spec.loader.exec_module(c14n)

DS = "http://www.w3.org/2000/09/xmldsig#"


def certificate(version, serial):
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<dcc:digitalCalibrationCertificate xmlns:dcc="https://ptb.de/dcc" xmlns:si="https://ptb.de/si"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" schemaVersion="{version}"
    xsi:schemaLocation="https://ptb.de/dcc
                        https://ptb.de/dcc/v{version}/dcc.xsd">
  <!-- Invented for tests. Not a calibration certificate. -->
  <dcc:administrativeData>
    <dcc:dccSoftware><dcc:software><dcc:name><dcc:content>make.py</dcc:content></dcc:name><dcc:release>1</dcc:release></dcc:software></dcc:dccSoftware>
    <dcc:coreData>
      <dcc:countryCodeISO3166_1>CN</dcc:countryCodeISO3166_1>
      <dcc:usedLangCodeISO639_1>zh</dcc:usedLangCodeISO639_1>
      <dcc:mandatoryLangCodeISO639_1>zh</dcc:mandatoryLangCodeISO639_1>
      <dcc:uniqueIdentifier>SYN-2026-0001</dcc:uniqueIdentifier>
      <dcc:beginPerformanceDate>2026-03-01</dcc:beginPerformanceDate>
      <dcc:endPerformanceDate>2026-03-02</dcc:endPerformanceDate>
      <dcc:performanceLocation>laboratory</dcc:performanceLocation>
      <dcc:issueDate>2026-03-03</dcc:issueDate>
    </dcc:coreData>
    <dcc:items>
      <dcc:item>
        <dcc:name><dcc:content lang="zh">砝码 100 g</dcc:content></dcc:name>
        <dcc:model>F1-100</dcc:model>
        <dcc:identifications>
          <dcc:identification><dcc:issuer>manufacturer</dcc:issuer><dcc:value>{serial}</dcc:value></dcc:identification>
          <dcc:identification><dcc:issuer>owner</dcc:issuer><dcc:value>柜台-3</dcc:value></dcc:identification>
        </dcc:identifications>
      </dcc:item>
    </dcc:items>
  </dcc:administrativeData>
  <dcc:measurementResults>
    <dcc:measurementResult><dcc:results><dcc:result><dcc:data><dcc:quantity>
      <si:real><si:value>100.00012</si:value><si:unit>\\gram</si:unit></si:real>
    </dcc:quantity></dcc:data></dcc:result></dcc:results></dcc:measurementResult>
  </dcc:measurementResults>
</dcc:digitalCalibrationCertificate>
"""


def openssl(*arguments, stdin=None):
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=True).stdout


def raw_signature(der):
    """ECDSA DER to the r and s, 32 bytes each, that XML signatures carry (RFC 4050 successor, xmldsig 1.1)."""
    body, numbers = der[2:], []
    while body:
        length = body[1]
        numbers.append(int.from_bytes(body[2:2 + length], "big").to_bytes(32, "big"))
        body = body[2 + length:]
    return b"".join(numbers)


def sign(document, key, long_term=""):
    digest = base64.b64encode(hashlib.sha256(c14n.canonical(document.encode())).digest()).decode()
    info = (f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>'
            '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"></ds:SignatureMethod>'
            '<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>'
            '<ds:Transform Algorithm="http://www.w3.org/2006/12/xml-c14n11"></ds:Transform></ds:Transforms>'
            '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
            f'<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>')
    with tempfile.NamedTemporaryFile(suffix=".pem") as f:
        f.write(key)
        f.flush()
        value = base64.b64encode(raw_signature(openssl("dgst", "-sha256", "-sign", f.name, stdin=info.encode()))).decode()
    signature = (f'<ds:Signature xmlns:ds="{DS}">' + info.replace(f' xmlns:ds="{DS}"', "") +
                 f"<ds:SignatureValue>{value}</ds:SignatureValue>{long_term}</ds:Signature>")
    end = "</dcc:digitalCalibrationCertificate>"
    return document.replace(end, signature + end)


CORNERS = """<?xml version='1.0' encoding='utf-8' standalone='yes'?>
<?before  data with "quotes" & <angles> ?>
<!-- dropped -->
<d:digitalCalibrationCertificate z:b="2" a='1' y:c="&#9;tab&#10;line&#13;return" schemaVersion="3.2.1"
  xmlns:z="urn:z" xmlns:y="urn:y" xmlns:d="https://ptb.de/dcc" xmlns="urn:default" xml:lang="zh">
<e xmlns=""><f xmlns="" xmlns:z="urn:z" z:g="again"/><h xmlns="urn:other" xmlns:z="urn:rebound" z:g="é&amp;&lt;&gt;&quot;&apos;"/></e>
text &lt; &amp; &gt; ]] &gt; "quotes" &#x1F600; &#13; <![CDATA[<raw> & ]] > ]]><![CDATA[]]>
<d:empty/><d:empty></d:empty><?inside?><w xml:space="preserve">  </w>
<sig:Signature xmlns:sig="http://www.w3.org/2000/09/xmldsig#"><hidden/><?hidden?></sig:Signature>
<inner><sig:Signature xmlns:sig="http://www.w3.org/2000/09/xmldsig#">not a child of the root: content</sig:Signature></inner>
<sig:Signature xmlns:sig="http://www.w3.org/2000/09/xmldsig#"/>
<w
\ta="line
break"
/></d:digitalCalibrationCertificate>
<!-- dropped -->
<?after?>
"""


def main():
    key = openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
    plain = certificate("3.2.1", "W-20260001")
    signed = sign(plain, key)
    files = {
        "unsigned.xml": plain,
        "signed.xml": signed,
        "signed-long-term.xml": sign(plain, key, "<ds:Object><t>time stamp and revocation data added later</t></ds:Object>"),
        "manipulated.xml": signed.replace("100.00012", "100.00010"),
        "reindented.xml": signed.replace("\n  ", "\n    "),
        "schema-2.4.xml": certificate("2.4.0", "W-2"),
        "schema-3.3.xml": certificate("3.3.0", "W-3").replace("\n", "\r\n"),
        "corners.xml": CORNERS,
    }
    expected = {}
    for name, text in files.items():
        data = text.encode()
        (HERE / name).write_bytes(data)
        expected[name] = {"sha256": hashlib.sha256(data).hexdigest(), "c14n-sha256": hashlib.sha256(c14n.canonical(data)).hexdigest()}
    (HERE / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


main()
