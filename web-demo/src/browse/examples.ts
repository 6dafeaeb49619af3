/** A question to the bundled sample. */
export interface Example {
  readonly text: string;
  /** A title that is among the first three when words and meaning are searched; null: the model that ships with Tern is too small for this one. */
  readonly finds: string | null;
}

/** What the sample can show: most of these share few words, or none, with what they find. The last one is there to fail. */
export const EXAMPLES: readonly Example[] = [
  { text: 'young cat', finds: 'wildcat' },
  { text: 'yellow sour fruit', finds: 'lemon' },
  { text: 'pain in the head', finds: 'headache' },
  { text: 'someone who steals', finds: 'thief' },
  { text: 'big feline of Africa', finds: 'lion' },
  { text: 'bravery', finds: 'courage' },
  { text: 'a person who loves books', finds: null },
];
