/** Words so common in English that they tell texts apart no more: articles, pronouns, auxiliaries, prepositions, conjunctions. */
export const ENGLISH_STOP_WORDS: readonly string[] =
  'a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with'.split(
    ' ',
  );
