// Checks offline evidence (gateway/evidence/FORMAT.md) against a pinned trust
// file: checkEvidence(file, trust, digests) gives what is proven, or throws
// Refused (the evidence does not hold), OtherFile (it holds, for another file)
// or Beyond (this program cannot tell; the verify program may). It is at least as
// strict as that program: what it calls good, the other does too.
(function (root) {
  'use strict';
  const node = typeof module === 'object' && module.exports;
  const lib = node ? { ...require('./ecdsa.js'), ...require('./x509.js'), ...require('./leaf.js'), ...require('./protobuf.js') } : root.steelyard;
  const { P256, SM2, verifyP256, verifySM2, Refused, sha256, equal, publicKey, fromPEM, isAuthority, checkIssued, parseLeaf, Message, write, concat } = lib;

  class OtherFile extends Error {}

  const format = 'steelyard-evidence/1';
  const maxBytes = 64 << 20;
  const chaincode = 'metrology';
  const institutes = 'InstituteMSP';
  const encoder = new TextEncoder();
  const none = new Uint8Array(0);

  function need(holds, what) {
    if (!holds) throw new Refused(what);
  }
  const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  function fromBase64(text) {
    need(typeof text === 'string', 'not base64');
    try {
      return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    } catch (error) {
      throw new Refused('not base64');
    }
  }
  function toBase64(bytes) {
    let text = '';
    for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    return btoa(text);
  }

  // ---- the files ----

  // readBundle reads the one form the file has: it is written again and compared.
  function readBundle(file) {
    need(file.length <= maxBytes + 1, 'the file is too large');
    let text, raw;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file);
      raw = JSON.parse(text);
    } catch (error) {
      throw new Refused('the file is no evidence: ' + error.message);
    }
    need(raw !== null && typeof raw === 'object' && raw.format === format, 'the file is no evidence of the format ' + format);
    const bundle = {
      format, leaf: fromBase64(raw.leaf), index: raw.index, hashes: list(raw.hashes ?? [], fromBase64), issuerKey: fromBase64(raw.issuerKey),
      block: readBlock(raw.block), transaction: raw.transaction, configurations: list(raw.configurations, readBlock), reading: readReading(raw.reading),
    };
    need([bundle.index, bundle.transaction, bundle.block.number].every((n) => Number.isSafeInteger(n) && n >= 0), 'a number out of bounds');
    need(writeBundle(bundle, raw.hashes === null) + '\n' === text, 'the file is not in the one form it is written in');
    return bundle;
  }
  function list(value, read) {
    need(Array.isArray(value), 'a list is missing');
    return value.map(read);
  }
  function readBlock(raw) {
    need(raw !== null && typeof raw === 'object' && Number.isSafeInteger(raw.number) && raw.number >= 0, 'a block of another form');
    return {
      number: raw.number, previousHash: raw.previousHash === undefined ? none : fromBase64(raw.previousHash),
      envelopes: list(raw.envelopes, fromBase64), signatures: raw.signatures === undefined ? none : fromBase64(raw.signatures),
    };
  }
  function readReading(raw) {
    if (raw === undefined) return null;
    need(raw !== null && typeof raw === 'object', 'a reading of another form');
    return {
      response: fromBase64(raw.response),
      endorsements: list(raw.endorsements, (e) => ({ endorser: fromBase64(e?.endorser), signature: fromBase64(e?.signature) })),
    };
  }
  function writeBundle(bundle, hashesNull) {
    const block = ({ number, previousHash, envelopes, signatures }) => ({
      number, ...(previousHash.length && { previousHash: toBase64(previousHash) }), envelopes: envelopes.map(toBase64), ...(signatures.length && { signatures: toBase64(signatures) }),
    });
    const { leaf, index, hashes, issuerKey, transaction, configurations, reading } = bundle;
    return JSON.stringify({
      format, leaf: toBase64(leaf), index, hashes: hashesNull ? null : hashes.map(toBase64), issuerKey: toBase64(issuerKey), block: block(bundle.block), transaction,
      configurations: configurations.map(block),
      ...(reading && { reading: { response: toBase64(reading.response), endorsements: reading.endorsements.map((e) => ({ endorser: toBase64(e.endorser), signature: toBase64(e.signature) })) } }),
    });
  }

  // readTrust reads a trust file: who may endorse, who may sign blocks, and the
  // hash of block 0.
  function readTrust(text) {
    let raw;
    try {
      raw = JSON.parse(text);
    } catch (error) {
      throw new Refused('the trust file is no JSON');
    }
    need(raw !== null && typeof raw === 'object' && raw.version === 1 && typeof raw.channel === 'string' && raw.channel !== '', 'the trust file has another form');
    need(typeof raw.genesisHash === 'string' && /^[0-9a-fA-F]{64}$/.test(raw.genesisHash), 'the trust file names no block 0');
    return { channel: raw.channel, genesis: raw.genesisHash.toLowerCase(), organizations: authorities(raw.organizations), orderers: authorities(raw.ordererOrganizations) };
  }
  function authorities(raw) {
    need(raw !== null && typeof raw === 'object' && Object.keys(raw).length > 0, 'the trust file names no organisation');
    return new Map(Object.entries(raw).map(([mspID, authority]) => {
      const roots = list(authority?.roots, (pem) => fromPEM(String(pem)));
      need(roots.length > 0 && roots.every(isAuthority), 'the trust file has no root of ' + mspID);
      return [mspID, roots];
    }));
  }

  // ---- who signed ----

  // members checks signatures of identities that the pinned roots certified.
  function members(roots) {
    const accepted = new Map();
    function accept(identity) {
      const key = hexOf(identity);
      if (!accepted.has(key)) {
        const serialized = new Message(identity);
        const mspID = serialized.text(1);
        need(roots.has(mspID), mspID + ' is no pinned organisation');
        const certificate = fromPEM(serialized.text(2));
        checkIssued(certificate, roots.get(mspID));
        accepted.set(key, { mspID, units: certificate.units, key: certificate.key.point });
      }
      return accepted.get(key);
    }
    // The organisation of who signed a message, in a unit unless that is empty.
    return function verify(identity, unit, message, signature, lowS) {
      const signer = accept(identity);
      need(!unit || signer.units.includes(unit), 'a certificate of ' + signer.mspID + ' is of no ' + unit);
      need(verifyP256(signer.key, sha256(...message), signature, lowS), 'a signature of ' + signer.mspID + ' does not hold');
      return signer.mspID;
    };
  }

  // ---- blocks ----

  function derInteger(value) {
    let text = BigInt(value).toString(16);
    if (text.length % 2) text = '0' + text;
    const bytes = text.match(/../g).map((pair) => parseInt(pair, 16));
    if (bytes[0] > 127) bytes.unshift(0);
    return Uint8Array.of(2, bytes.length, ...bytes);
  }
  // The DER form of a block's header, which orderers sign and the next block hashes.
  function headerOf({ number, previousHash, envelopes }) {
    need(previousHash.length === (number === 0 ? 0 : 32), 'the hash of the block before has another length');
    const content = concat(derInteger(number), Uint8Array.of(4, previousHash.length), previousHash, Uint8Array.of(4, 32), sha256(...envelopes));
    return concat(Uint8Array.of(0x30, content.length), content);
  }

  // The data hash runs over the envelopes end to end, so each must be in its one
  // form, or the seams between them could be moved.
  function checkSeams(envelopes) {
    for (const encoded of envelopes) {
      const envelope = new Message(encoded);
      need(equal(write([[1, envelope.bytes(1)], [2, envelope.bytes(2)]]), encoded), 'an envelope is not in canonical form');
    }
  }

  function channelHeader(envelope) {
    const payload = envelope.message(1);
    const header = payload.message(1);
    const channel = header.message(1);
    return { payload, header, channel, type: channel.number(1) };
  }

  // The orderers that a configuration block names.
  function orderingOf(block, trust) {
    need(block.envelopes.length === 1, 'a configuration block with ' + block.envelopes.length + ' transactions');
    const { payload, channel, type } = channelHeader(new Message(block.envelopes[0]));
    need(type === 1n && channel.text(4) === trust.channel, 'not a configuration of the pinned channel');
    const orderer = payload.message(2).message(1).message(2).entry(2, 'Orderer');
    const consensus = orderer.entry(3, 'ConsensusType').message(2).text(1);
    need(consensus !== '', 'a configuration without consensus type');
    const consenters = new Map();
    if (consensus === 'BFT') {
      for (const consenter of orderer.entry(3, 'Orderers').message(2).messages(1)) {
        const id = consenter.number(1);
        need(!consenters.has(id), 'a consenter twice');
        consenters.set(id, write([[1, consenter.bytes(4)], [2, consenter.bytes(5)]]));
      }
      need(consenters.size > 0, 'BFT without consenters');
    }
    const n = consenters.size, f = Math.floor((n - 1) / 3);
    return { number: block.number, bft: consensus === 'BFT', consenters, quorum: consensus === 'BFT' ? Math.floor((n + f + 2) / 2) : 1 };
  }

  function signaturesOf(block) {
    const metadata = new Message(block.signatures);
    const signatures = metadata.messages(2).map((s) => ({ header: s.bytes(1), signature: s.bytes(2), identifier: s.bytes(3) }));
    const again = write([[1, metadata.bytes(1)], ...signatures.map((s) => [2, write([[1, s.header], [2, s.signature], [3, s.identifier]])])]);
    need(equal(again, block.signatures), 'the signatures of a block are not in canonical form');
    return { value: metadata.bytes(1), signatures };
  }

  // Checks that exactly a quorum of the orderers signed the block; their organisations.
  function checkSigned(block, ordering, verify) {
    const { value, signatures } = signaturesOf(block);
    need(signatures.length === ordering.quorum, 'block ' + block.number + ' carries ' + signatures.length + ' signatures of orderers, ' + ordering.quorum + ' are needed');
    const header = headerOf(block);
    const seen = new Set();
    const by = signatures.map((s) => {
      let [identity, claim] = [none, s.header];
      if (ordering.bft) {
        claim = s.identifier;
        identity = ordering.consenters.get(new Message(claim).number(1)) ?? none;
      } else {
        identity = new Message(claim).bytes(1);
      }
      need(!seen.has(hexOf(identity)), 'an orderer signed twice');
      seen.add(hexOf(identity));
      return verify(identity, 'orderer', [value, claim, header], s.signature, false);
    });
    return { by: by.sort(), lastConfig: new Message(value).message(1).number(1), named: new Message(value).all(1).length === 1 };
  }

  // Follows the configuration from the pinned block 0 to the one in force.
  function checkBlocks(bundle, trust) {
    const verify = members(trust.orderers);
    const { block, configurations } = bundle;
    need(configurations.length > 0 && configurations.length <= 256 && block.number > 0, 'no configuration blocks, or too many');
    let ordering = null;
    configurations.forEach((configuration, i) => {
      need((i === 0) === (configuration.number === 0) && (i === 0 || configuration.number > configurations[i - 1].number), 'the configuration blocks do not begin with block 0 and rise');
      if (i === 0) {
        need(configuration.signatures.length === 0, 'block 0 carries signatures');
        need(hexOf(sha256(headerOf(configuration))) === trust.genesis, 'the evidence is of another ledger: block 0 is not the pinned one');
      } else {
        need(checkSigned(configuration, ordering, verify).named, 'a block that names no configuration');
      }
      ordering = orderingOf(configuration, trust);
    });
    checkSeams(block.envelopes);
    const signed = checkSigned(block, ordering, verify);
    need(signed.named && signed.lastConfig === BigInt(ordering.number) && ordering.number < block.number, 'the configuration in force is not carried');
    return signed.by;
  }

  // ---- the transaction ----

  function transactionOf(bundle, trust) {
    const encoded = bundle.block.envelopes[bundle.transaction];
    need(encoded !== undefined, 'the block has no such transaction');
    const envelope = new Message(encoded);
    const { payload, header, channel, type } = channelHeader(envelope);
    need(type === 3n && channel.text(4) === trust.channel, 'no transaction of the pinned channel');
    const actions = payload.message(2).messages(1);
    need(actions.length === 1, 'a transaction with ' + actions.length + ' actions');
    const action = actions[0].message(2);
    const stamp = channel.message(3);
    return {
      id: channel.text(5), claimed: new Date(Number(stamp.number(1)) * 1000).toISOString().replace('.000Z', 'Z'), payload: envelope.bytes(1), signature: envelope.bytes(2),
      channelHeader: header.bytes(1), signatureHeader: header.bytes(2), proposal: action.bytes(1),
      response: action.message(2).bytes(1), endorsements: action.message(2).messages(2).map((e) => ({ endorser: e.bytes(1), signature: e.bytes(2) })),
    };
  }
  function responseOf(encoded) {
    const response = new Message(encoded);
    const action = response.message(2);
    const own = action.message(1).messages(2).filter((set) => set.text(1) === chaincode).map((set) => set.message(2));
    return { proposalHash: response.bytes(1), status: action.message(3).number(1), name: action.message(4).text(2), sets: own };
  }
  // Every endorsement must hold; the organisations they come from, each once.
  function endorsed(response, endorsements, needed, verify) {
    const organisations = new Set(endorsements.map(({ endorser, signature }) => verify(endorser, 'peer', [response, endorser], signature, true)));
    need(organisations.size >= needed, organisations.size + ' organisations endorsed, ' + needed + ' are needed');
    return [...organisations].sort();
  }
  function checkTransaction(transaction, trust, verify) {
    const header = new Message(transaction.signatureHeader);
    const creator = header.bytes(1);
    need(hexOf(sha256(header.bytes(2), creator)) === transaction.id, 'the transaction id is not that of its nonce and creator');
    verify(creator, '', [transaction.payload], transaction.signature, true);
    const { proposalHash, status } = responseOf(transaction.response);
    need(equal(proposalHash, sha256(transaction.channelHeader, transaction.signatureHeader, transaction.proposal)), 'the endorsed response answers another proposal');
    need(status >= 200n && status < 400n, 'the chaincode refused');
    return endorsed(transaction.response, transaction.endorsements, Math.floor(trust.organizations.size / 2) + 1, verify);
  }

  // ---- leaf, batch, issuer ----

  // RFC 6962, section 2.1.1, from the leaf up.
  function rootOf(leaf, index, count, hashes) {
    need(Number.isSafeInteger(count) && count >= 1 && index < count && hashes.every((hash) => hash.length === 32), 'an inclusion proof of another form');
    let [hash, place, last, at] = [sha256(Uint8Array.of(0), leaf), index, count - 1, 0];
    for (; last > 0; place = Math.floor(place / 2), last = Math.floor(last / 2)) {
      if (place % 2 === 0 && place === last) continue; // no neighbour on the right
      need(at < hashes.length, 'an inclusion proof cut short');
      const [left, right] = place % 2 ? [hashes[at], hash] : [hash, hashes[at]];
      hash = sha256(Uint8Array.of(1), left, right);
      at++;
    }
    need(at === hashes.length, 'an inclusion proof too long');
    return hexOf(hash);
  }
  function batchOf(bundle, leaf, response) {
    need(response.name === chaincode, 'a transaction of another chaincode');
    for (const write of response.sets.flatMap((set) => set.messages(3))) {
      const [kind, issuer, batchRoot, ...more] = write.text(1).split('/');
      if (kind !== 'batch' || issuer !== leaf.issuer || batchRoot === undefined || more.length || write.number(2) !== 0n) continue;
      let record;
      try {
        record = JSON.parse(write.text(3));
      } catch (error) {
        throw new Refused('the batch record is no JSON');
      }
      need(record?.issuer === issuer && record.root === batchRoot, 'the batch record contradicts its key');
      need(rootOf(bundle.leaf, bundle.index, record.count, bundle.hashes) === batchRoot, 'the inclusion proof does not lead to the root of the batch');
      return record;
    }
    throw new Refused('the transaction anchors no batch of this issuer');
  }
  function checkIssuer(bundle, batch) {
    const { issuerKey } = bundle;
    need(issuerKey.length === 91 && hexOf(sha256(issuerKey)) === batch.key, 'the key carried is not the one that signed the batch');
    const { curve, point } = publicKey(issuerKey);
    const message = encoder.encode('steelyard-batch/1\n' + batch.issuer + '\n' + batch.count + '\n' + batch.root + '\n');
    const signature = fromBase64(batch.signature);
    const holds = curve === P256 ? verifyP256(point, sha256(message), signature, false) : curve === SM2 && verifySM2(point, message, signature);
    need(holds, 'the signature of the issuer does not hold');
  }
  // Beside the majority, a peer of the institutes must have endorsed: every
  // anchor writes their gate.
  function checkGate(response, endorsers) {
    const gate = 'gate/' + institutes;
    need(response.sets.some((set) => set.messages(3).some((write) => write.text(1) === gate)), 'the transaction passed no gate of the institutes');
    need(endorsers.includes(institutes), institutes + ' did not endorse');
  }

  function escapeKeyPart(text) {
    return Array.from(encoder.encode(text), (byte) => {
      const c = String.fromCharCode(byte);
      return /[A-Za-z0-9._-]/.test(c) ? c : '%' + byte.toString(16).toUpperCase().padStart(2, '0');
    }).join('');
  }
  function checkReading(bundle, keys, verify) {
    if (!bundle.reading) return [];
    const { response, endorsements } = bundle.reading;
    const readers = endorsed(response, endorsements, 2, verify);
    const reads = responseOf(response).sets.flatMap((set) => set.messages(1)).filter((read) => keys.includes(read.text(1)));
    need(reads.length > 0, 'the reading read neither the batch nor the certificate');
    for (const read of reads) {
      const version = read.message(2);
      need(read.all(2).length === 1 && version.number(1) === BigInt(bundle.block.number) && version.number(2) === BigInt(bundle.transaction), 'the reading found another version');
    }
    return readers;
  }

  // digests are of the file shown, {algorithm, value} each; none: no file was.
  function checkEvidence(file, trust, digests) {
    const bundle = readBundle(file);
    const leaf = parseLeaf(bundle.leaf);
    const transaction = transactionOf(bundle, trust);
    const response = responseOf(transaction.response);
    const batch = batchOf(bundle, leaf, response);
    const orderers = checkBlocks(bundle, trust);
    checkIssuer(bundle, batch);
    const verify = members(trust.organizations);
    const endorsers = checkTransaction(transaction, trust, verify);
    checkGate(response, endorsers);
    const readers = checkReading(bundle, ['batch/' + batch.issuer + '/' + batch.root, 'certificate/' + leaf.issuer + '/' + escapeKeyPart(leaf.number)], verify);
    const matched = digests.filter((d) => (leaf.digests ?? []).some((named) => named.algorithm === d.algorithm && named.value === d.value));
    if (digests.length && !matched.length) throw new OtherFile('the certificate does not name the digest of the file');
    return {
      leaf, matched, channel: trust.channel, block: bundle.block.number, blockHash: hexOf(sha256(headerOf(bundle.block))), transactionId: transaction.id,
      claimed: transaction.claimed, issuerKey: batch.key, endorsers, orderers, readers,
    };
  }

  const made = { OtherFile, readTrust, checkEvidence };
  if (node) module.exports = { ...made, Refused, Beyond: lib.Beyond, parseLeaf, rootOf }; else Object.assign(root.steelyard, made);
})(typeof self !== 'undefined' ? self : this);
