/**
 * The model's graph as an ONNX file (protobuf, onnx.proto3), written and read here; operators of opset 17, IR version 8.
 *
 *   input_ids [batch, sequence] int64 ──► Gather codes (int8 [pieces, dim]) ─► Cast float ─┐
 *                               └──────► Gather scales (float [pieces, 1]) ────────────────► Mul ─► Mul ─► ReduceSum(1) ─► LpNormalization ─► sentence_embedding
 *   attention_mask [batch, sequence] int64 ─► Cast float ─► Unsqueeze(-1) ───────────────────────────┘                        [batch, dim] float
 *
 * A piece's weight in the mean is the length of its vector, which training sets: no further weights are kept. A text without any known piece and a
 * fully masked one are the zero vector.
 */
const VARINT = 0;
const BYTES = 2;
const TYPE = { float: 1, int8: 3, int64: 7 };
const OPSET = 17;
const IR_VERSION = 8;

/** @param codes int8 `pieces * dim`. @param scales float `pieces`. */
export function writeModel({ codes, scales, dim, producer }) {
  const pieces = scales.length;
  const sequence = (name) => valueInfo(name, TYPE.int64, ['batch', 'sequence']);
  const graph = [
    ...node('Gather', ['codes', 'input_ids'], 'piece_codes'),
    ...node('Cast', ['piece_codes'], 'piece_floats', [intAttribute('to', TYPE.float)]),
    ...node('Gather', ['scales', 'input_ids'], 'piece_scales'),
    ...node('Mul', ['piece_floats', 'piece_scales'], 'pieces'),
    ...node('Cast', ['attention_mask'], 'mask', [intAttribute('to', TYPE.float)]),
    ...node('Unsqueeze', ['mask', 'last_axis'], 'mask_column'),
    ...node('Mul', ['pieces', 'mask_column'], 'masked'),
    ...node('ReduceSum', ['masked', 'sequence_axis'], 'sum', [intAttribute('keepdims', 0)]),
    ...node('LpNormalization', ['sum'], 'sentence_embedding', [intAttribute('axis', -1), intAttribute('p', 2)]),
    ...text(2, 'static-embeddings'),
    ...tensor('codes', TYPE.int8, [pieces, dim], codes),
    ...tensor('scales', TYPE.float, [pieces, 1], scales),
    ...tensor('last_axis', TYPE.int64, [1], BigInt64Array.of(-1n)),
    ...tensor('sequence_axis', TYPE.int64, [1], BigInt64Array.of(1n)),
    ...bytes(11, sequence('input_ids')),
    ...bytes(11, sequence('attention_mask')),
    ...bytes(12, valueInfo('sentence_embedding', TYPE.float, ['batch', dim])),
  ];
  const opset = [...text(1, ''), ...int(2, OPSET)];
  return Buffer.concat([...int(1, IR_VERSION), ...text(2, producer), ...bytes(7, graph), ...bytes(8, opset)]);
}

const varint = (value) => {
  const out = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    out.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Buffer.from(out);
};
const int = (field, value) => [varint(field * 8 + VARINT), varint(value)];
const bytes = (field, parts) => {
  const body = Buffer.concat(parts);
  return [varint(field * 8 + BYTES), varint(body.length), body];
};
const text = (field, value) => bytes(field, [Buffer.from(value, 'utf8')]);
const node = (op, inputs, output, attributes = []) =>
  bytes(1, [
    ...inputs.flatMap((name) => text(1, name)),
    ...text(2, output),
    ...text(3, output),
    ...text(4, op),
    ...attributes.flatMap((attribute) => bytes(5, attribute)),
  ]);
const intAttribute = (name, value) => [...text(1, name), ...int(3, value), ...int(20, 2)];
const tensor = (name, type, dims, data) =>
  bytes(5, [
    ...dims.flatMap((size) => int(1, size)),
    ...int(2, type),
    ...text(8, name),
    ...bytes(9, [Buffer.from(data.buffer, data.byteOffset, data.byteLength)]),
  ]);
const valueInfo = (name, type, dims) => {
  const shape = dims.flatMap((size) => bytes(1, typeof size === 'string' ? text(2, size) : int(1, size)));
  return [...text(1, name), ...bytes(2, bytes(1, [...int(1, type), ...bytes(2, shape)]))];
};

/** The table as floats (`pieces * dim`) out of a file that `writeModel` made. */
export function readTable(file) {
  const graph = fieldsOf(file).find(({ field }) => field === 7).body;
  const tensors = fieldsOf(graph)
    .filter(({ field }) => field === 5)
    .map(({ body }) => fieldsOf(body));
  const dataOf = (name) => {
    const found = tensors.find((fields) => fields.some(({ field, body }) => field === 8 && body.toString() === name));
    return found.find(({ field }) => field === 9).body;
  };
  const codes = dataOf('codes');
  const scales = new Float32Array(Uint8Array.from(dataOf('scales')).buffer);
  const dim = codes.length / scales.length;
  const table = Float32Array.from(
    new Int8Array(codes.buffer, codes.byteOffset, codes.length),
    (code, i) => code * scales[Math.floor(i / dim)],
  );
  return { table, dim };
}

function fieldsOf(buffer) {
  const fields = [];
  let at = 0;
  const readVarint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = buffer[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < buffer.length) {
    const key = readVarint();
    const field = Math.floor(key / 8);
    const size = readVarint();
    if (key % 8 === VARINT) fields.push({ field, value: size });
    else {
      fields.push({ field, body: buffer.subarray(at, at + size) });
      at += size;
    }
  }
  return fields;
}

/** int8 codes with one scale per row: the largest value of a row is 127. */
export function quantize(table, dim) {
  const rows = table.length / dim;
  const codes = new Int8Array(table.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let d = 0; d < dim; d++) largest = Math.max(largest, Math.abs(table[row * dim + d]));
    scales[row] = largest / 127;
    for (let d = 0; d < dim; d++) codes[row * dim + d] = largest === 0 ? 0 : Math.round((table[row * dim + d] * 127) / largest);
  }
  return { codes, scales };
}
