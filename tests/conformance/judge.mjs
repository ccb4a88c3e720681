// Verifies the credentials it is given with Digital Bazaar's libraries, as an independent judge.
//
// Reads {"contexts": {url: context}, "cases": [{"name", "documents": {url: document}, "credential"}]}
// from standard input and writes [{"name", "verified", "status", "errors"}] to standard output.
// It fetches nothing: what is not among the documents or contexts does not exist.

import {readFileSync} from 'node:fs';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import * as vc from '@digitalbazaar/vc';

const {contexts, cases} = JSON.parse(readFileSync(0, 'utf8'));

/** A document loader that knows the contexts, the case's documents, and did:key. */
function loaderFor(documents) {
  return async url => {
    const document = contexts[url] ?? documents[url] ?? didDocumentPart(url, documents);
    if (document === undefined) {
      throw new Error(`not found: ${url}`);
    }
    return {contextUrl: null, documentUrl: url, document};
  };
}

/** did:web documents stand among the documents by DID; a did:key is made from its own name. */
function didDocumentPart(url, documents) {
  const [did, fragment] = url.split('#');
  const whole = did.startsWith('did:key:') ? didKeyDocument(did) : documents[did];
  if (whole === undefined || fragment === undefined) {
    return whole;
  }
  const method = whole.verificationMethod.find(({id}) => id === url);
  return method && {'@context': 'https://w3id.org/security/multikey/v1', ...method};
}

function didKeyDocument(did) {
  const publicKeyMultibase = did.slice('did:key:'.length);
  const id = `${did}#${publicKeyMultibase}`;
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: did,
    verificationMethod: [{id, type: 'Multikey', controller: did, publicKeyMultibase}],
    assertionMethod: [id],
  };
}

const suite = () => new DataIntegrityProof({cryptosuite});

/** Bits are read only from lists whose own signature is good. */
async function statusOf(credential, documentLoader) {
  try {
    return await checkStatus({
      credential, documentLoader, suite: suite(), verifyBitstringStatusListCredential: true,
    });
  } catch(error) {
    return {verified: false, error};
  }
}

/** Whether the lists could be relied on, and the purposes whose bit is set. */
function statusFound({verified, results = []}) {
  const set = results.filter(({status}) => status)
    .map(({credentialStatus}) => credentialStatus.statusPurpose);
  return {verified, set};
}

function reasons(error) {
  return error === undefined || error === null ? [] :
    [error.message, ...(error.errors ?? []).flatMap(reasons), ...reasons(error.cause)];
}

const verdicts = [];
for(const {name, documents, credential} of cases) {
  const documentLoader = loaderFor(documents);
  const known = {};
  const result = await vc.verifyCredential({
    credential, suite: suite(), documentLoader,
    checkStatus: async () => {
      known.status = await statusOf(credential, documentLoader);
      return {verified: true};
    },
  });
  verdicts.push({
    name,
    verified: result.verified,
    status: known.status ? statusFound(known.status) : null,
    errors: [
      ...reasons(result.error),
      ...reasons(known.status?.error),
      ...(known.status?.results ?? []).flatMap(({error}) => reasons(error)),
    ],
  });
}
process.stdout.write(JSON.stringify(verdicts));
