/**
 * Makes the model's folder, laid out as sentence-transformers models are, of what `train.mjs` wrote.
 *   node scripts/export.mjs [--from .terndb/model-mini] [--to model]
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { quantize, writeModel } from './lib/onnx.mjs';
import { MAX_WORD_LENGTH, PREFIX, SPECIAL } from './lib/word-piece.mjs';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    from: { type: 'string', default: join(here, '..', '..', '.terndb', 'model-mini') },
    to: { type: 'string', default: join(here, 'model') },
  },
});
const ID = 'terndb/model-mini';
/** Changes with the weights: vectors of two revisions are not to be compared. */
const REVISION = '1';
/** A bag of words has no limit of its own; this one bounds memory. Longer texts are split or cut as the embedder is told. */
const MAX_LENGTH = 512;

const pieces = JSON.parse(readFileSync(join(values.from, 'pieces.json'), 'utf8'));
const bytes = readFileSync(join(values.from, 'table.f32'));
const table = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
const dim = table.length / pieces.length;
// Padding adds nothing, and a word that is not known says nothing.
for (let id = 0; id < SPECIAL.length; id++) table.fill(0, id * dim, (id + 1) * dim);

const tokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: SPECIAL.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: true, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: null,
  decoder: { type: 'WordPiece', prefix: PREFIX, cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: PREFIX,
    max_input_chars_per_word: MAX_WORD_LENGTH,
    vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
  },
};
const json = (value) => `${JSON.stringify(value, null, 2)}\n`;
const files = {
  'config.json': json({
    _name_or_path: ID,
    revision: REVISION,
    model_type: 'static-embedding',
    hidden_size: dim,
    vocab_size: pieces.length,
    max_position_embeddings: MAX_LENGTH,
    pad_token_id: 0,
  }),
  'tokenizer_config.json': json({
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: MAX_LENGTH,
    pad_token: SPECIAL[0],
    unk_token: SPECIAL[1],
    do_lower_case: true,
  }),
  'tokenizer.json': JSON.stringify(tokenizer),
  'sentence_bert_config.json': json({ max_seq_length: MAX_LENGTH, do_lower_case: false }),
  'config_sentence_transformers.json': json({ prompts: {}, default_prompt_name: null, similarity_fn_name: 'cosine' }),
  'modules.json': json([
    { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
    { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
    { idx: 2, name: '2', path: '2_Normalize', type: 'sentence_transformers.models.Normalize' },
  ]),
  '1_Pooling/config.json': json({
    word_embedding_dimension: dim,
    pooling_mode_cls_token: false,
    pooling_mode_mean_tokens: true,
    pooling_mode_lasttoken: false,
  }),
  'model.onnx': writeModel({ ...quantize(table, dim), dim, producer: ID }),
};
mkdirSync(join(values.to, '1_Pooling'), { recursive: true });
const listed = {};
for (const [name, content] of Object.entries(files)) {
  writeFileSync(join(values.to, name), content);
  const data = Buffer.from(content);
  listed[name] = { bytes: data.length, sha256: createHash('sha256').update(data).digest('hex') };
}
writeFileSync(join(values.to, 'manifest.json'), json({ id: `${ID}@${REVISION}`, dim, files: listed }));
const total = Object.values(listed).reduce((sum, { bytes: size }) => sum + size, 0);
console.log(`${values.to}: ${Object.keys(listed).length} files, ${total} bytes`);
