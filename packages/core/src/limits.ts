/**
 * Every bound on what a caller may hand in, with its reason. `docs/limits.md` lists the same values with the error each one gives; a test
 * compares the two. Where Milvus has the limit, the value is its default, so that data moves between the two.
 */

/* ---------- schema: SCHEMA_INVALID ---------- */
/** Collection, field and partition names, in characters (ASCII). As in Milvus. */
export const MAX_NAME_LENGTH = 255;
/** A collection costs a channel, a growing segment and watchers: far above what a page declares, low enough to open in one go. */
export const MAX_COLLECTIONS = 1_024;
/** The key field included. As in Milvus. */
export const MAX_FIELDS = 64;
/** Each one has its own block of kernel memory and index file. As in Milvus. */
export const MAX_VECTOR_FIELDS = 10;
/** One float32 vector is then at most 128 KiB, a quarter of an entity. As in Milvus. */
export const MAX_DIM = 32_768;
/** Bits: 32 KiB. As in Milvus. */
export const MAX_BINARY_DIM = 262_144;
/** Texts that one vector is made from; embedders cut their input far below that many. */
export const MAX_EMBED_SOURCES = 16;
/** Keeps the definition of a collection small: it travels with every open and every connect. */
export const MAX_KEYWORD_VALUES = 1_024;
/** Canonical JSON of one collection in UTF-8 bytes: it is one value of the meta store (64 KiB), with room for what is stored beside it. */
export const MAX_COLLECTION_DEFINITION_BYTES = 60_000;
/** Filters of one analyzer: each is a pass over every token. */
export const MAX_ANALYZER_FILTERS = 16;
/** Stop words of one filter: the definition is part of the collection's. */
export const MAX_STOP_WORDS = 1_024;
/** Beginnings of one word that a text index may hold. */
export const MAX_EDGE_NGRAM = 32;
/** Links per node of a graph. As in Milvus. */
export const MAX_HNSW_M = 2_048;
/** Candidates while building a graph; more would scan the whole segment. */
export const MAX_EF_CONSTRUCTION = 32_768;

/** Lists of an IVF index. As in Milvus. */
export const MAX_LISTS = 65_536;

/** Time to live of a collection's entities: 100 years. As in Milvus. */
export const MAX_TTL_SECONDS = 3_155_760_000;

/* ---------- values: FIELD_INVALID, KEY_INVALID, ENTITY_TOO_LARGE ---------- */
/** One op of the log, with its framing. One message of a broker must hold it (NATS: 1 MiB by default). */
export const MAX_OP_BYTES = 524_288;
/** What an entity may take of an op (`entityBytes`); the rest is for the op's own framing. */
export const MAX_ENTITY_BYTES = 523_264;
/** Entities of one `putMany`: it is checked as a whole before any of it is applied, and nothing else runs meanwhile. OPTION_INVALID. */
export const MAX_BATCH_ENTITIES = 16_384;
/** A collab document, as merged updates: beyond this every edit of it costs more than anybody waits for. ENTITY_TOO_LARGE. */
export const MAX_COLLAB_BYTES = 4_194_304;
/** One edit of it: an op without its framing. ENTITY_TOO_LARGE. */
export const MAX_COLLAB_UPDATE_BYTES = 523_264;
/** From here on its editors are warned. */
export const WARN_COLLAB_BYTES = 1_048_576;
/** UTF-8. Keys are held in memory for every row and in every lookup structure. */
export const MAX_KEY_BYTES = 512;
/** UTF-8, the default `maxLength` too: a text is bounded by its entity unless the schema says less. */
export const MAX_TEXT_BYTES = 523_264;
/** UTF-8. Keywords are kept in dictionaries and compared whole. As Milvus' VarChar. */
export const MAX_KEYWORD_BYTES = 65_535;
/** Canonical JSON text in UTF-8. As in Milvus. */
export const MAX_JSON_BYTES = 65_536;
/** Nested arrays and objects in a JSON value: readers recurse. */
export const MAX_JSON_DEPTH = 100;
/** Elements of an array field, and the default `maxCapacity`. As in Milvus. */
export const MAX_ARRAY_CAPACITY = 4_096;
/** Non-zero dimensions of a sparse vector: about half an entity. */
export const MAX_SPARSE_TERMS = 32_768;

/* ---------- requests: FILTER_INVALID, QUERY_INVALID ---------- */
/** UTF-16 units of a filter in the filter language: room for a list of MAX_FILTER_VALUES values, read in one go. */
export const MAX_FILTER_LENGTH = 1_048_576;
/** Parentheses, lists, signs and functions inside each other: the parser recurses. A printed filter of MAX_FILTER_DEPTH has twice that many. */
export const MAX_FILTER_NESTING = 128;
/** Nested `and`, `or`, `not`: compilers and evaluators recurse. */
export const MAX_FILTER_DEPTH = 32;
/** Conditions in one filter: each is a pass over a column. */
export const MAX_FILTER_NODES = 4_096;
/** Operands of all `in`, `notIn` and `contains…` lists of one filter together. */
export const MAX_FILTER_VALUES = 16_384;
/** UTF-8 bytes of a `like` pattern or of the text of `match` and `phrase`. */
export const MAX_PATTERN_BYTES = 4_096;
/** `minimum_should_match`. As in Milvus. */
export const MAX_MINIMUM_MATCH = 1_000;
/** Words that a phrase may be torn apart. As in Milvus: 32 bits. */
export const MAX_SLOP = 4_294_967_295;
/** UTF-8 bytes of a search text: longer ones are cut by every embedder anyway. */
export const MAX_SEARCH_TEXT_BYTES = 65_536;
/** `offset + limit` of a query or a search: so many candidates are held and sorted. As in Milvus. */
export const MAX_WINDOW = 16_384;
/** Vector fields of one search: as many as a collection may have. */
export const MAX_SEARCH_VECTORS = 10;
/** `k` of reciprocal rank fusion. As in Milvus. */
export const MAX_RRF_K = 16_384;
/** `ef` of a search: candidates that a walk of a graph keeps. As many as a window may hold. */
export const MAX_EF = 16_384;
/** `nprobe` of a search: as many lists as there may be. */
export const MAX_NPROBE = 65_536;
/** Rerankers of one search: each looks at every candidate. */
export const MAX_RERANKERS = 8;
/** Keys of one `getMany`. */
export const MAX_GET_KEYS = 16_384;
/** `groupBy.size`. As in Milvus. */
export const MAX_GROUP_SIZE = 10;
/** Aggregates of one request: each looks at every row. */
export const MAX_AGGREGATES = 64;
/** Fields that groups of rows are made by. */
export const MAX_AGGREGATE_FIELDS = 8;
/** Groups of one request: all of them are held until the last row is seen. */
export const MAX_AGGREGATE_GROUPS = 65_536;
/** UTF-16 units of texts that groups are told by, per field, and of those that one `min` or `max` holds. */
export const MAX_AGGREGATE_TEXT = 16_777_216;
/** Partitions of one collection: each is a channel of its own. As in Milvus. */
export const MAX_PARTITIONS = 1_024;

/* ---------- defaults of requests ---------- */
export const DEFAULT_QUERY_LIMIT = 100;
export const DEFAULT_SEARCH_LIMIT = 10;
