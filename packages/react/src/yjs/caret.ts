/** A text field of a page. */
export type TextField = HTMLInputElement | HTMLTextAreaElement;

/** What changed in a text, as Yjs tells it: in order, each part after the one before. */
type Delta = readonly { readonly retain?: number | undefined; readonly insert?: unknown; readonly delete?: number | undefined }[];

/**
 * The caret of a plain text field whose text others change, too: browsers put it to the end when a page sets the text. Moves with the text around
 * it, as an editor's would.
 */
export class Caret {
  #field: TextField | null = null;
  /** Where it belongs once the new text is shown. */
  #wanted: { readonly start: number; readonly end: number } | undefined;

  /** The field's `ref`. */
  readonly ref = (field: TextField | null): void => {
    this.#field = field;
    this.#wanted = undefined;
  };

  /** The text became this one; the field does not show it yet, unless it was typed there. */
  moved(text: string, delta: Delta): void {
    const field = this.#field;
    if (field === null || field.value === text) {
      this.#wanted = undefined;
      return;
    }
    const { start, end } = this.#wanted ?? { start: field.selectionStart ?? 0, end: field.selectionEnd ?? 0 };
    this.#wanted = { start: moved(start, delta), end: moved(end, delta) };
  }

  /** The field shows the text. */
  place(): void {
    const [field, wanted] = [this.#field, this.#wanted];
    this.#wanted = undefined;
    // Elsewhere nobody sees it, and some browsers would take the focus along.
    if (field === null || wanted === undefined || field.ownerDocument.activeElement !== field) return;
    field.setSelectionRange(wanted.start, wanted.end);
  }
}

/** What somebody else inserts right at the caret comes after it. */
function moved(place: number, delta: Delta): number {
  let at = 0;
  let result = place;
  for (const { retain, insert, delete: deleted } of delta) {
    if (deleted !== undefined) {
      if (at < result) result -= Math.min(deleted, result - at);
      continue;
    }
    const length = retain ?? (typeof insert === 'string' ? insert.length : 1);
    if (insert !== undefined && at < result) result += length;
    at += length;
  }
  return result;
}
