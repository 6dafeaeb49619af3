/** Just enough of ONNX's protobuf (onnx.proto3, IR version 8) to write the graphs of tests. */
const OPSET = 17;
const IR_VERSION = 8;
const VARINT = 0;
const FIXED32 = 5;
const BYTES = 2;
export const FLOAT = 1;
export const INT64 = 7;

type Part = Uint8Array;
export type Attribute = number | readonly number[] | { readonly float: number };
export interface GraphTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}
export interface GraphNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}
/** `dims`: a name is a length that callers choose. */
export interface GraphValue {
  readonly name: string;
  readonly type: typeof FLOAT | typeof INT64;
  readonly dims: readonly (number | string)[];
}
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly tensors: readonly GraphTensor[];
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
}

export function writeOnnx({ nodes, tensors, inputs, outputs }: Graph): Uint8Array<ArrayBuffer> {
  const graph = [
    ...nodes.map((node) => bytes(1, nodeParts(node))),
    text(2, 'test'),
    ...tensors.map((tensor) => bytes(5, tensorParts(tensor))),
    ...inputs.map((value) => bytes(11, valueParts(value))),
    ...outputs.map((value) => bytes(12, valueParts(value))),
  ];
  return concat([int(1, IR_VERSION), bytes(7, graph), bytes(8, [text(1, ''), int(2, OPSET)])]);
}

function nodeParts({ op, inputs, output, attributes = {} }: GraphNode): Part[] {
  return [
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(3, output),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, [text(1, name), ...attributeParts(value)])),
  ];
}

function attributeParts(value: Attribute): Part[] {
  if (typeof value === 'number') return [int(3, value), int(20, 2)];
  if ('float' in value) return [tag(2, FIXED32), new Uint8Array(Float32Array.of(value.float).buffer), int(20, 1)];
  return [...value.map((one) => int(8, one)), int(20, 7)];
}

function tensorParts({ name, dims, data }: GraphTensor): Part[] {
  const type = data instanceof Float32Array ? FLOAT : INT64;
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [...dims.map((size) => int(1, size)), int(2, type), text(8, name), bytes(9, [raw])];
}

function valueParts({ name, type, dims }: GraphValue): Part[] {
  const shape = dims.map((size) => bytes(1, [typeof size === 'string' ? text(2, size) : int(1, size)]));
  return [text(1, name), bytes(2, [bytes(1, [int(1, type), bytes(2, shape)])])];
}

function varint(value: number): Part {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    out.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Uint8Array.from(out);
}
const tag = (field: number, kind: number): Part => varint(field * 8 + kind);
const int = (field: number, value: number): Part => concat([tag(field, VARINT), varint(value)]);
const text = (field: number, value: string): Part => bytes(field, [new TextEncoder().encode(value)]);

function bytes(field: number, parts: readonly Part[]): Part {
  const body = concat(parts);
  return concat([tag(field, BYTES), varint(body.length), body]);
}

function concat(parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
