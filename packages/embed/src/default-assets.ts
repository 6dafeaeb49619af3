/**
 * Where the model that ships with Tern and onnxruntime's WebAssembly lie. Each address is a literal expression, because bundlers look for those; builds
 * put the places of the built files in their stead. Nothing is fetched by importing this.
 */
export const RUNTIME_WASM: URL = new URL('../../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm', import.meta.url);

/** Of the vectors of the model that ships with Tern. */
export const DEFAULT_DIM = 256;

/** Path in the model's folder → address. */
export const DEFAULT_MODEL: Readonly<Record<string, URL>> = {
  'manifest.json': new URL('../../model-mini/model/manifest.json', import.meta.url),
  'config.json': new URL('../../model-mini/model/config.json', import.meta.url),
  'tokenizer.json': new URL('../../model-mini/model/tokenizer.json', import.meta.url),
  'tokenizer_config.json': new URL('../../model-mini/model/tokenizer_config.json', import.meta.url),
  'modules.json': new URL('../../model-mini/model/modules.json', import.meta.url),
  '1_Pooling/config.json': new URL('../../model-mini/model/1_Pooling/config.json', import.meta.url),
  'sentence_bert_config.json': new URL('../../model-mini/model/sentence_bert_config.json', import.meta.url),
  'config_sentence_transformers.json': new URL('../../model-mini/model/config_sentence_transformers.json', import.meta.url),
  'model.onnx': new URL('../../model-mini/model/model.onnx', import.meta.url),
};
