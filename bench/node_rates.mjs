// How often per second Digital Bazaar's libraries sign and verify the credential they are given.
//
// Reads {"contexts": {url: context}, "documents": {url: document}, "unsigned", "signed",
// "key": {"publicKeyMultibase", "secretKeyMultibase", "id", "controller"}, "seconds"} from standard
// input and writes {"sign", "verify"} to standard output. It fetches nothing. Each turn signs a
// document that is parsed anew, and verifies the text of one, as a program that gets them would.

import {readFileSync} from 'node:fs';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';

const {contexts, documents, unsigned, signed, key, seconds} = JSON.parse(readFileSync(0, 'utf8'));
const [unsignedText, signedText] = [unsigned, signed].map(document => JSON.stringify(document));

async function documentLoader(url) {
  const document = contexts[url] ?? documents[url] ?? verificationMethod(url);
  if(document === undefined) {
    throw new Error(`not found: ${url}`);
  }
  return {contextUrl: null, documentUrl: url, document};
}

function verificationMethod(url) {
  const method = documents[url.split('#')[0]]?.verificationMethod.find(({id}) => id === url);
  return method && {'@context': 'https://w3id.org/security/multikey/v1', ...method};
}

async function sign() {
  const suite = new DataIntegrityProof({signer, cryptosuite});
  return vc.issue({credential: JSON.parse(unsignedText), suite, documentLoader});
}

async function verify() {
  const {verified, error} = await vc.verifyCredential({
    credential: JSON.parse(signedText),
    suite: new DataIntegrityProof({cryptosuite}),
    documentLoader,
    checkStatus: async () => ({verified: true}),
  });
  if(!verified) {
    throw error;
  }
}

async function rate(work) {
  for(let warm = 0; warm < 20; warm++) {
    await work();
  }
  const [began, used] = [performance.now(), process.cpuUsage()];
  let count = 0;
  while(performance.now() - began < seconds * 1000) {
    await work();
    count++;
  }
  // by the clock or by processor time, whichever is better for it: its garbage is collected on
  // threads beside, and something else may run on this machine
  const {user, system} = process.cpuUsage(used);
  const took = Math.min(performance.now() - began, (user + system) / 1000);
  return count * 1000 / took;
}

const signer = (await Ed25519Multikey.from({type: 'Multikey', ...key})).signer();
process.stdout.write(JSON.stringify({sign: await rate(sign), verify: await rate(verify)}));
