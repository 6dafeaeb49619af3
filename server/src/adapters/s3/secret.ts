const MASK = '***';

/** A text that is shown to nobody by accident: as a string and as JSON it is `***`, and `console.log` does not look inside. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }
}
