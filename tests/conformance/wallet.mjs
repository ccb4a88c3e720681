// A wallet by the OpenWallet Foundation's libraries: takes what is offered, and checks it.
//
// node wallet.mjs OFFER TRANSACTION_CODE NOW, where NOW is in seconds. Writes to standard output
// {"draft", "credential", "claims"}; of an SD-JWT VC what it says, after its status was looked up.

import {createHash, generateKeyPairSync, randomBytes, sign, verify} from 'node:crypto';
import {clientAuthenticationAnonymous, setGlobalConfig} from '@openid4vc/oauth2';
import {Openid4vciClient} from '@openid4vc/openid4vci';
import {digest, generateSalt} from '@sd-jwt/crypto-nodejs';
import {SDJwtVcInstance} from '@sd-jwt/sd-jwt-vc';

const [link, transactionCode, now] = process.argv.slice(2);
const {publicKey, privateKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'});
const holder = publicKey.export({format: 'jwk'});
setGlobalConfig({allowInsecureUrls: true});

const encoded = value => Buffer.from(JSON.stringify(value)).toString('base64url');
const decoded = part => JSON.parse(Buffer.from(part, 'base64url'));
const unused = async () => {
  throw new Error('not asked for here');
};

/** A token signed by the wallet's key. */
async function signJwt(_signer, {header, payload}) {
  const signed = `${encoded(header)}.${encoded(payload)}`;
  const key = {key: privateKey, dsaEncoding: 'ieee-p1363'};
  const signature = sign('sha256', Buffer.from(signed), key).toString('base64url');
  return {jwt: `${signed}.${signature}`, signerJwk: holder};
}

const client = new Openid4vciClient({
  callbacks: {
    fetch,
    signJwt,
    hash: (data, name) => createHash(name.replace('-', '')).update(data).digest(),
    generateRandom: count => randomBytes(count),
    clientAuthentication: clientAuthenticationAnonymous(),
    verifyJwt: unused,
    decryptJwe: unused,
    encryptJwe: unused,
  },
});

/** A proof that the wallet holds its key, where one is asked for. */
async function proofs(issuerMetadata, credentialConfigurationId) {
  const known = issuerMetadata.credentialIssuer.credential_configurations_supported;
  if (known[credentialConfigurationId].proof_types_supported === undefined) {
    return undefined;
  }
  const {c_nonce: nonce} = await client.requestNonce({issuerMetadata});
  const {jwt} = await client.createCredentialRequestJwtProof({
    issuerMetadata,
    credentialConfigurationId,
    nonce,
    issuedAt: new Date(Number(now) * 1000),
    signer: {method: 'jwk', alg: 'ES256', publicJwk: holder},
  });
  return {jwt: [jwt]};
}

/** What an SD-JWT VC says, once signature, dates and status were found good. */
async function claimsOf(credential) {
  const [head, body] = credential.split('~')[0].split('.');
  const issuer = new URL(decoded(body).iss);
  const found = await fetch(`${issuer.origin}/.well-known/jwt-vc-issuer${issuer.pathname}`);
  const {jwks} = await found.json();
  const key = jwks.keys.find(one => one.kid === decoded(head).kid);
  const verifier = async (data, signature) => verify(
    'sha256',
    Buffer.from(data),
    {key, format: 'jwk', dsaEncoding: 'ieee-p1363'},
    Buffer.from(signature, 'base64url'),
  );
  const judge = new SDJwtVcInstance({
    hasher: digest,
    hashAlg: 'sha-256',
    saltGenerator: generateSalt,
    verifier,
    statusVerifier: verifier,
    statusListFetcher: async address => (await fetch(address)).text(),
  });
  return (await judge.verify(credential, {currentDate: Number(now)})).payload;
}

const offer = await client.resolveCredentialOffer(link);
const issuerMetadata = await client.resolveIssuerMetadata(offer.credential_issuer);
const {accessTokenResponse} = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
  credentialOffer: offer,
  issuerMetadata,
  txCode: transactionCode,
});
const accessToken = accessTokenResponse.access_token;
const [credentialConfigurationId] = offer.credential_configuration_ids;
const {credentialResponse} = await client.retrieveCredentials({
  issuerMetadata,
  accessToken,
  credentialConfigurationId,
  proofs: await proofs(issuerMetadata, credentialConfigurationId),
});
const notification = {
  notificationId: credentialResponse.notification_id,
  event: 'credential_accepted',
};
await client.sendNotification({issuerMetadata, accessToken, notification});
const [{credential}] = credentialResponse.credentials;
const bound = typeof credential === 'string' && credential.includes('~');
process.stdout.write(JSON.stringify({
  draft: issuerMetadata.originalDraftVersion,
  credential,
  claims: bound ? await claimsOf(credential) : null,
}));
