import { DbError } from '@terndb/core';
import type { Engine } from '@terndb/engine';
import type { ExportPage } from './protocol.ts';

export class ExportSessions {
  constructor(_engine: Engine) {}
  open(_request: { readonly collections?: readonly string[] }): { exportId: string; entities: number } {
    throw new DbError('INTERNAL', 'export: not yet');
  }
  page(_exportId: string): ExportPage {
    throw new DbError('INTERNAL', 'export: not yet');
  }
  close(_exportId: string): undefined {}
  closeAll(): void {}
}
