import { entityBytes } from '../value/entity-bytes.ts';
import { utf8Length } from '../value/scalar.ts';
import type { Op } from './op.ts';

/** Type, counts and lengths around an op or a batch. */
const OP_OVERHEAD_BYTES = 16;
/** A text of the frame's table with its length, or a sequence number. */
const NAME_OVERHEAD_BYTES = 16;
/** Source hash and dimension of a derived vector. */
const VECTOR_OVERHEAD_BYTES = 32;

/** Never less than `encodedOpBytes`, without encoding: what groups are measured with where many small ops are taken. Well-formed texts only. */
export function opBytesBound(op: Op): number {
  switch (op.type) {
    case 'put':
    case 'patch':
      return OP_OVERHEAD_BYTES + entityBytes(op.pk, op.fields);
    case 'delete':
      return OP_OVERHEAD_BYTES + entityBytes(op.pk, {});
    case 'vector': {
      const names = 2 * NAME_OVERHEAD_BYTES + utf8Length(op.field) + utf8Length(op.model);
      return OP_OVERHEAD_BYTES + VECTOR_OVERHEAD_BYTES + entityBytes(op.pk, {}) + names + op.vector.byteLength;
    }
    case 'yjs': {
      const names = 3 * NAME_OVERHEAD_BYTES + utf8Length(op.field) + utf8Length(op.base.clientId);
      return OP_OVERHEAD_BYTES + entityBytes(op.pk, {}) + names + op.update.length;
    }
    case 'batch':
      return op.ops.reduce((sum, single) => sum + opBytesBound(single), OP_OVERHEAD_BYTES);
  }
}
