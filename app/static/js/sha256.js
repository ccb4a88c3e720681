/** SHA-256 (FIPS 180-4) that takes a file piece by piece: WebCrypto wants it whole, and evidence has gigabytes. */

const K = new Int32Array(64);
const START = new Int32Array(8);

/** The constants are the first 32 bits of the fractional parts of roots of the first primes. */
function fillConstants() {
  const fraction = (/** @type {number} */ value) => ((value - Math.floor(value)) * 2 ** 32) | 0;
  for (let candidate = 2, found = 0; found < 64; candidate++) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0) prime = false;
    if (!prime) continue;
    if (found < 8) START[found] = fraction(Math.sqrt(candidate));
    K[found++] = fraction(Math.cbrt(candidate));
  }
}
fillConstants();

export class Sha256 {
  constructor() {
    this.state = START.slice();
    this.rest = new Uint8Array(64);
    this.kept = 0;
    this.length = 0;
  }

  /** Take the next bytes.
   * @param {Uint8Array} bytes */
  update(bytes) {
    this.length += bytes.length;
    let at = 0;
    if (this.kept) {
      at = Math.min(64 - this.kept, bytes.length);
      this.rest.set(bytes.subarray(0, at), this.kept);
      this.kept += at;
      if (this.kept < 64) return;
      this.block(this.rest, 0);
      this.kept = 0;
    }
    for (; at + 64 <= bytes.length; at += 64) this.block(bytes, at);
    this.rest.set(bytes.subarray(at), 0);
    this.kept = bytes.length - at;
  }

  /** The digest of all bytes taken so far, as 64 lower-case hex digits. Nothing may be added afterwards.
   * @returns {string} */
  hex() {
    const bits = this.length * 8;
    const end = new Uint8Array(this.kept < 56 ? 64 : 128);
    end.set(this.rest.subarray(0, this.kept));
    end[this.kept] = 0x80;
    const view = new DataView(end.buffer);
    view.setUint32(end.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(end.length - 4, bits % 2 ** 32);
    for (let at = 0; at < end.length; at += 64) this.block(end, at);
    return Array.from(this.state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** One block of 64 bytes. Rounds go in pairs of four, so that no value is moved from name to name.
   * @param {Uint8Array} bytes @param {number} at */
  block(bytes, at) {
    expand(bytes, at);
    const h = this.state;
    let a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], z = h[7];
    for (let i = 0; i < 64; i += 4) {
      let t = (z + sum1(e) + (g ^ (e & (f ^ g))) + K[i] + W[i]) | 0;
      d = (d + t) | 0;
      z = (t + sum0(a) + ((a & b) | (c & (a | b)))) | 0;
      t = (g + sum1(d) + (f ^ (d & (e ^ f))) + K[i + 1] + W[i + 1]) | 0;
      c = (c + t) | 0;
      g = (t + sum0(z) + ((z & a) | (b & (z | a)))) | 0;
      t = (f + sum1(c) + (e ^ (c & (d ^ e))) + K[i + 2] + W[i + 2]) | 0;
      b = (b + t) | 0;
      f = (t + sum0(g) + ((g & z) | (a & (g | z)))) | 0;
      t = (e + sum1(b) + (d ^ (b & (c ^ d))) + K[i + 3] + W[i + 3]) | 0;
      a = (a + t) | 0;
      e = (t + sum0(f) + ((f & g) | (z & (f | g)))) | 0;
      // four rounds turn the eight names by four places
      t = a; a = e; e = t;
      t = b; b = f; f = t;
      t = c; c = g; g = t;
      t = d; d = z; z = t;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
    h[5] += f;
    h[6] += g;
    h[7] += z;
  }
}

const W = new Int32Array(64);

/** @param {number} x */
const sum0 = (x) => ((x >>> 2) | (x << 30)) ^ ((x >>> 13) | (x << 19)) ^ ((x >>> 22) | (x << 10));
/** @param {number} x */
const sum1 = (x) => ((x >>> 6) | (x << 26)) ^ ((x >>> 11) | (x << 21)) ^ ((x >>> 25) | (x << 7));

/** @param {Uint8Array} bytes @param {number} at */
function expand(bytes, at) {
  for (let i = 0; i < 16; i++, at += 4) W[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  for (let i = 16; i < 64; i++) {
    const x = W[i - 15];
    const y = W[i - 2];
    W[i] = W[i - 16] + W[i - 7] + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) + (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
  }
}
