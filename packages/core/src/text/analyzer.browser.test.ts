import { expect, test } from 'vitest';
import { analyze } from './analyzer.ts';
import { ANALYZED_TEXTS } from './fixtures/analyzed-texts.ts';
import { loadStemmers } from './stemmers.ts';

test('a browser makes the tokens of the fixture, which Node makes too', async () => {
  await loadStemmers();
  for (const { analyzer, text, tokens } of ANALYZED_TEXTS)
    expect(analyze(text, analyzer).map(({ term, position, start, end }) => [term, position, start, end])).toEqual(tokens);
});
