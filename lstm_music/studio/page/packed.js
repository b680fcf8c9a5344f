// @ts-check
/** @file Blocks of bytes that the page holds as text: gzip'ed, in base64. */

/**
 * Give the bytes of such a text.
 * @param {string} text
 * @returns {Promise<ArrayBuffer>}
 */
export async function unpacked(text) {
  const bytes = bytesOf(text);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
function bytesOf(text) {
  const native = /** @type {any} */ (Uint8Array).fromBase64; // in browsers of 2025
  if (native) return native.call(Uint8Array, text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/**
 * Give the arrays of bytes by their names, from a block in the layout of safetensors.
 * @param {ArrayBuffer} block
 * @returns {Map<string, ArrayBuffer>}
 */
export function filesOf(block) {
  const length = new DataView(block).getUint32(0, true); // of 64 bits, of which the upper half is 0
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(block, 8, length)));
  delete header.__metadata__;
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          data_offsets: [start, stop],
        },
      ]) => [name, block.slice(8 + length + start, 8 + length + stop)],
    ),
  );
}
