// A Fabric Gateway client that knows nothing of this project but the paths in
// gateway.yaml: it writes, waits for the commit, reads, is refused, and follows
// blocks. Usage: node client.js SETTINGS.json
'use strict';

const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const grpc = require('@grpc/grpc-js');
const { connect, hash, signers } = require('@hyperledger/fabric-gateway');

const settings = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const wallet = JSON.parse(fs.readFileSync(settings.identity, 'utf8'));

async function main() {
  const channel = new grpc.Client(settings.endpoint, grpc.credentials.createSsl(fs.readFileSync(settings.tlsRoots)), {
    'grpc.ssl_target_name_override': settings.serverName,
    'grpc.default_authority': settings.serverName,
  });
  const deadline = () => ({ deadline: Date.now() + 20_000 });
  const gateway = connect({
    client: channel,
    hash: hash.sha256,
    identity: { mspId: wallet.mspId, credentials: Buffer.from(wallet.credentials.certificate) },
    signer: signers.newPrivateKeySigner(crypto.createPrivateKey(wallet.credentials.privateKey)),
    evaluateOptions: deadline, endorseOptions: deadline, submitOptions: deadline, commitStatusOptions: deadline,
  });
  try {
    await play(gateway.getNetwork(settings.channel));
  } finally {
    gateway.close();
    channel.close();
  }
}

async function play(network) {
  const contract = network.getContract(settings.chaincode);
  const id = 'M-' + crypto.randomBytes(8).toString('hex');
  const request = JSON.stringify({ id, kind: 'stall', sector: 'shop', region: '310115' });
  const profile = JSON.stringify({ salt: crypto.randomBytes(32).toString('hex'), name: 'Sample stall' });

  const commit = await contract.submitAsync('merchant:Register', { arguments: [request, 'op-' + id], transientData: { profile } });
  assert.deepEqual(JSON.parse(Buffer.from(commit.getResult()).toString()), { type: 'merchant.registered', version: 1, id });
  const status = await commit.getStatus();
  assert.ok(status.successful, `code ${status.code}`);
  console.log(`registered ${id} in block ${status.blockNumber}`);

  const kept = await contract.evaluate('operation:Get', { arguments: [JSON.stringify({ operation: 'op-' + id })] });
  assert.equal(JSON.parse(Buffer.from(kept).toString()).transactionId, commit.getTransactionId());

  await assert.rejects(contract.submit('merchant:Register', { arguments: [request, 'op2-' + id], transientData: { profile } }), (error) => {
    const messages = (error.details ?? []).map((detail) => detail.message).join(' ');
    return messages.includes('CONFLICT id:');
  });
  console.log('a taken id was refused');

  const blocks = await network.getFilteredBlockEvents({ startBlock: status.blockNumber });
  try {
    for await (const block of blocks) {
      assert.equal(BigInt(block.getNumber()), status.blockNumber);
      const ids = block.getFilteredTransactionsList().map((transaction) => transaction.getTxid());
      assert.ok(ids.includes(commit.getTransactionId()));
      break;
    }
  } finally {
    blocks.close();
  }
  console.log('found in its block');
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
