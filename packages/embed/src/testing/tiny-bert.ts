/**
 * A sentence-transformers folder as exports make them, small enough to compute by hand: BERT with one layer of two heads and random weights, inputs
 * `input_ids`, `attention_mask` and `token_type_ids`, output `last_hidden_state`. Beside it the same in plain JavaScript, as the oracle.
 */
import type { Files } from './memory-source.ts';
import { FLOAT, type Graph, type GraphNode, type GraphTensor, INT64, writeOnnx } from './onnx-writer.ts';

export const DIM = 8;
const HEADS = 2;
const HEAD = DIM / HEADS;
const INNER = 16;
const PIECES = 16;
const MAX_TOKENS = 12;
const EPSILON = 1e-5;
/** What masked tokens' scores are lowered by. */
const MASKED = -10_000;

type Matrix = readonly (readonly number[])[];

const weights = new Map<string, Float32Array>();
const tensors: GraphTensor[] = [];
let state = 7;
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 31 - 1;
}
function weight(name: string, dims: readonly number[]): void {
  const data = Float32Array.from(
    { length: dims.reduce((a, b) => a * b, 1) },
    () => Math.fround(random()) + (name.endsWith('.gamma') ? 1.5 : 0),
  );
  weights.set(name, data);
  tensors.push({ name, dims, data });
}
weight('words', [PIECES, DIM]);
weight('positions', [MAX_TOKENS, DIM]);
weight('types', [2, DIM]);
for (const name of ['query', 'key', 'value', 'out']) {
  weight(name, [DIM, DIM]);
  weight(`${name}.bias`, [DIM]);
}
for (const name of ['norm0', 'norm1', 'norm2']) {
  weight(`${name}.gamma`, [DIM]);
  weight(`${name}.beta`, [DIM]);
}
weight('up', [DIM, INNER]);
weight('up.bias', [INNER]);
weight('down', [INNER, DIM]);
weight('down.bias', [DIM]);

const constant = (name: string, dims: readonly number[], ...values: number[]): GraphTensor => ({
  name,
  dims,
  data: Float32Array.from(values),
});
const integers = (name: string, dims: readonly number[], ...values: number[]): GraphTensor => ({
  name,
  dims,
  data: BigInt64Array.from(values.map(BigInt)),
});

/** The graph that PyTorch's exporter gives, by its operators. */
export function bertGraph(): Graph {
  const nodes: GraphNode[] = [];
  const add = (op: string, inputs: readonly string[], output: string, attributes: GraphNode['attributes'] = {}) => {
    nodes.push({ op, inputs, output, attributes });
    return output;
  };
  const linear = (input: string, name: string) =>
    add('Add', [add('MatMul', [input, name], `${name}.product`), `${name}.bias`], `${name}.sum`);
  const norm = (input: string, name: string, output = `${name}.out`) =>
    add('LayerNormalization', [input, `${name}.gamma`, `${name}.beta`], output, { axis: -1, epsilon: { float: EPSILON } });
  const heads = (name: string, perm: readonly number[]) =>
    add('Transpose', [add('Reshape', [linear('norm0.out', name), 'toHeads'], `${name}.split`)], `${name}.heads`, { perm });

  add('Gather', [add('Shape', ['input_ids'], 'shape'), 'one'], 'tokens');
  add('Range', ['zero', 'tokens', 'one'], 'position_ids');
  add('Add', [add('Gather', ['words', 'input_ids'], 'w'), add('Gather', ['types', 'token_type_ids'], 't')], 'wt');
  norm(add('Add', ['wt', add('Gather', ['positions', 'position_ids'], 'p')], 'embedded'), 'norm0');
  add('Sub', ['oneFloat', add('Unsqueeze', [add('Cast', ['attention_mask'], 'mask', { to: FLOAT }), 'maskAxes'], 'mask4')], 'absent');
  add('Mul', ['absent', 'masked'], 'lowered');
  add('MatMul', [heads('query', [0, 2, 1, 3]), heads('key', [0, 2, 3, 1])], 'raw');
  add('Softmax', [add('Add', [add('Mul', ['raw', 'scale'], 'scaled'), 'lowered'], 'scores')], 'attention', { axis: -1 });
  add('Transpose', [add('MatMul', ['attention', heads('value', [0, 2, 1, 3])], 'context')], 'contextTurned', { perm: [0, 2, 1, 3] });
  norm(add('Add', [linear(add('Reshape', ['contextTurned', 'fromHeads'], 'attended'), 'out'), 'norm0.out'], 'residual1'), 'norm1');
  const up = linear('norm1.out', 'up');
  add('Add', [add('Erf', [add('Div', [up, 'rootTwo'], 'up.scaled')], 'up.erf'), 'oneFloat'], 'up.gate');
  add('Mul', [add('Mul', [up, 'up.gate'], 'up.gated'), 'half'], 'gelu');
  norm(add('Add', [linear('gelu', 'down'), 'norm1.out'], 'residual2'), 'norm2', 'last_hidden_state');
  const input = (name: string) => ({ name, type: INT64, dims: ['batch', 'tokens'] }) as const;
  return {
    nodes,
    tensors: [
      ...tensors,
      integers('one', [], 1),
      integers('zero', [], 0),
      integers('toHeads', [4], 0, 0, HEADS, HEAD),
      integers('fromHeads', [3], 0, 0, DIM),
      integers('maskAxes', [2], 1, 2),
      constant('oneFloat', [], 1),
      constant('half', [], 0.5),
      constant('rootTwo', [], Math.SQRT2),
      constant('masked', [], MASKED),
      constant('scale', [], 1 / Math.sqrt(HEAD)),
    ],
    inputs: ['input_ids', 'attention_mask', 'token_type_ids'].map(input),
    outputs: [{ name: 'last_hidden_state', type: FLOAT, dims: ['batch', 'tokens', DIM] }],
  };
}

export interface FolderOptions {
  readonly tokenizer: object;
  readonly pooling: 'mean_tokens' | 'cls_token' | 'lasttoken';
  readonly normalize?: boolean;
  readonly prompts?: Readonly<Record<string, string>>;
  readonly graph?: Graph;
}

/** The files of the folder, without a manifest, as exports have none. */
export function bertFolder({ tokenizer, pooling, normalize = true, prompts = {}, graph = bertGraph() }: FolderOptions): Files {
  const modules = ['Transformer', 'Pooling', ...(normalize ? ['Normalize'] : [])];
  const json = (value: unknown) => new Uint8Array(new TextEncoder().encode(JSON.stringify(value)));
  return new Map([
    ['config.json', json({ model_type: 'bert', hidden_size: DIM, max_position_embeddings: MAX_TOKENS, pad_token_id: 0 })],
    ['tokenizer.json', json(tokenizer)],
    ['tokenizer_config.json', json({ tokenizer_class: 'PreTrainedTokenizerFast', model_max_length: MAX_TOKENS })],
    ['sentence_bert_config.json', json({ max_seq_length: MAX_TOKENS, do_lower_case: false })],
    ['config_sentence_transformers.json', json({ prompts, default_prompt_name: null })],
    [
      'modules.json',
      json(modules.map((type, idx) => ({ idx, name: String(idx), path: '', type: `sentence_transformers.models.${type}` }))),
    ],
    ['1_Pooling/config.json', json({ word_embedding_dimension: DIM, [`pooling_mode_${pooling}`]: true })],
    ['onnx/model.onnx', writeOnnx(graph)],
  ]);
}

/** `last_hidden_state` of one text alone, token by token. */
export function hiddenStates(ids: readonly number[]): number[][] {
  const row = (name: string, at: number) => [...weights.get(name)!.subarray(at * DIM, (at + 1) * DIM)];
  const embedded = norm(
    ids.map((id, at) => sum(sum(row('words', id), row('types', 0)), row('positions', at))),
    'norm0',
  );
  const query = linear(embedded, 'query');
  const key = linear(embedded, 'key');
  const value = linear(embedded, 'value');
  const attended = ids.map((_, token) => {
    const out: number[] = [];
    for (let head = 0; head < HEADS; head++) {
      const part = (vector: readonly number[]) => vector.slice(head * HEAD, (head + 1) * HEAD);
      const scores = key.map((one) => dot(part(query[token]!), part(one)) / Math.sqrt(HEAD));
      const exps = scores.map((score) => Math.exp(score - Math.max(...scores)));
      const total = exps.reduce((a, b) => a + b, 0);
      for (let d = 0; d < HEAD; d++) out.push(value.reduce((acc, one, i) => acc + (exps[i]! / total) * part(one)[d]!, 0));
    }
    return out;
  });
  const first = norm(
    linear(attended, 'out').map((one, i) => sum(one, embedded[i]!)),
    'norm1',
  );
  const gelu = linear(first, 'up').map((one) => one.map((x) => 0.5 * x * (1 + erf(x / Math.SQRT2))));
  return norm(
    linear(gelu, 'down').map((one, i) => sum(one, first[i]!)),
    'norm2',
  );
}

const sum = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value + b[i]!);
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((acc, value, i) => acc + value * b[i]!, 0);

function linear(rows: Matrix, name: string): number[][] {
  const matrix = weights.get(name)!;
  const bias = weights.get(`${name}.bias`)!;
  return rows.map((row) =>
    Array.from(bias, (b, column) => row.reduce((acc, value, i) => acc + value * matrix[i * bias.length + column]!, b)),
  );
}

function norm(rows: Matrix, name: string): number[][] {
  const [gamma, beta] = [weights.get(`${name}.gamma`)!, weights.get(`${name}.beta`)!];
  return rows.map((row) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    const variance = row.reduce((acc, value) => acc + (value - mean) ** 2, 0) / row.length;
    return row.map((value, i) => ((value - mean) / Math.sqrt(variance + EPSILON)) * gamma[i]! + beta[i]!);
  });
}

/** By its Taylor series: enough terms for the arguments met here. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}
