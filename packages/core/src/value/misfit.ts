/** Why a value does not fit: the text of "… expected, got …". */
export class Misfit {
  readonly expected: string;
  readonly got: string;
  constructor(expected: string, got: string) {
    this.expected = expected;
    this.got = got;
  }
}
