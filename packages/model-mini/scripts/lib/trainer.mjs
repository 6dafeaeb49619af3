/** Contrastive training of a table of word piece vectors: InfoNCE with in-batch negatives, in both directions, Adam on the rows that were met. */
import { KINDS } from './corpus.mjs';

/** A batch of long definitions stays below this many pieces per side. */
const MAX_PIECES_PER_SIDE = 64;

export function createTrainer(kernel, { table, dim, batch, scale, sample, random }) {
  const rows = table.length / dim;
  const pieces = batch * MAX_PIECES_PER_SIDE;
  const parts = {
    table: kernel.floats(table.length),
    gradients: kernel.floats(table.length),
    first: kernel.floats(table.length),
    second: kernel.floats(table.length),
    cosines: kernel.floats(batch * batch),
    scratch: kernel.floats(batch * batch + batch),
    turned: kernel.floats(batch * dim),
    groups: kernel.ints(batch),
    touched: kernel.ints(rows),
  };
  const side = () => ({
    ids: kernel.ints(pieces),
    starts: kernel.ints(batch + 1),
    pooled: kernel.floats(batch * dim),
    norms: kernel.floats(batch),
    gradients: kernel.floats(batch * dim),
  });
  const [queries, passages] = [side(), side()];
  parts.table.view().set(table);
  const views = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.view()]));
  const inputs = [queries, passages].map(({ ids, starts }) => ({ ids: ids.view(), starts: starts.view() }));
  const seen = new Int32Array(rows);
  const cumulative = Object.entries(KINDS);
  const shares = cumulative.reduce((sum, [, share]) => sum + share, 0);
  let step = 0;

  return { step: train, table: () => views.table.slice() };

  /** @returns the batch's mean loss and its kind of pair. */
  function train(rate) {
    step++;
    const kind = drawKind();
    const touched = fill(kind);
    for (const { ids, starts, pooled, norms } of [queries, passages])
      kernel.pool(parts.table.at, ids.at, starts.at, batch, dim, pooled.at, norms.at);
    kernel.transpose(passages.pooled.at, parts.turned.at, batch, dim);
    kernel.multiply(queries.pooled.at, parts.turned.at, parts.cosines.at, batch, batch, dim, dim, 1);
    const loss = kernel.contrast(parts.cosines.at, batch, scale, parts.groups.at, parts.scratch.at);
    kernel.multiply(parts.cosines.at, passages.pooled.at, queries.gradients.at, batch, dim, batch, batch, 1);
    kernel.multiply(parts.cosines.at, queries.pooled.at, passages.gradients.at, batch, dim, batch, 1, batch);
    for (const { ids, starts, pooled, norms, gradients } of [queries, passages])
      kernel.unpool(gradients.at, pooled.at, norms.at, ids.at, starts.at, batch, dim, parts.gradients.at);
    kernel.adam(parts.table.at, parts.gradients.at, parts.first.at, parts.second.at, parts.touched.at, touched, dim, rate);
    return { kind, loss };
  }

  function drawKind() {
    let at = random.next() * shares;
    for (const [kind, share] of cumulative) {
      at -= share;
      if (at < 0) return kind;
    }
    return cumulative[0][0];
  }

  /** One kind of pair per batch: then its negatives are as hard as its positives. */
  function fill(kind) {
    let touched = 0;
    const lengths = [0, 0];
    for (let i = 0; i < batch; i++) {
      const { query, passage, group } = sample(kind);
      views.groups[i] = group;
      [query, passage].forEach((ids, s) => {
        const input = inputs[s];
        input.starts[i] = lengths[s];
        for (const id of ids.slice(0, MAX_PIECES_PER_SIDE)) {
          input.ids[lengths[s]++] = id;
          if (seen[id] === step) continue;
          seen[id] = step;
          views.touched[touched++] = id;
        }
      });
    }
    for (const [s, input] of inputs.entries()) input.starts[batch] = lengths[s];
    return touched;
  }
}
