import { type AnalyzerOption, analyze, type CollectionDefinition, searchableTextFieldsOf } from '@terndb/core';

/** The words to look for in one field, as its analyzer makes them. */
export interface FieldQuery {
  readonly field: string;
  readonly analyzer: AnalyzerOption;
  /** Distinct, in their order; the one that is also a prefix comes last. */
  readonly terms: readonly string[];
  /** Whether the last term also matches as a prefix: the user is still typing it. */
  readonly asPrefix: boolean;
}

export interface KeywordQuery {
  /** Of equal weight. */
  readonly fields: readonly FieldQuery[];
}

/** @param prefix Whether the last word, when nothing comes after it, may be the beginning of one. */
export function keywordQuery(definition: CollectionDefinition, fields: readonly string[], text: string, prefix = true): KeywordQuery {
  return {
    fields: searchableTextFieldsOf(definition)
      .filter(({ name }) => fields.includes(name))
      .map(({ name, params: { analyzer } }) => {
        const tokens = analyze(text, analyzer, 'query');
        const terms = new Set(tokens.map(({ term }) => term));
        const last = tokens.at(-1);
        const asPrefix = prefix && last !== undefined && last.end === text.length;
        if (asPrefix) {
          terms.delete(last.term);
          terms.add(last.term);
        }
        return { field: name, analyzer, terms: [...terms], asPrefix };
      }),
  };
}
